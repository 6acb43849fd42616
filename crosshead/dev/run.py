"""`crosshead dev`: everything on this machine, connected and synced."""

import asyncio
import json
import os
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from connectors.addresses import Guard
from connectors.egress import Egress
from crosshead.dev.api import DevApi
from crosshead.dev.lock import DataDir
from crosshead.dev.progress import Progress
from crosshead.dev.sandboxes import Sandbox, sandboxes
from crosshead.dev.servers import Servers, State, running_servers
from crosshead.dev.supervisor import Event, Service, Supervisor
from crosshead.embedded.errors import EmbeddedError
from crosshead.organizations import make_organization
from db.engine import Database
from db.migrate import TooOld, migrate

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Options:
    """What `crosshead dev` was asked for."""

    port: int
    data_dir: Path
    ready_file: Path | None
    reset: bool
    with_tryton: bool

    @property
    def url(self) -> str:
        """The API's address."""
        return f"http://{HOST}:{self.port}"


def run_dev(options: Options) -> int:
    """Run until SIGINT or SIGTERM.

    Returns:
        The exit code: 0 after a wanted end.
    """
    progress = Progress()
    if options.ready_file is not None:
        options.ready_file.unlink(missing_ok=True)
    try:
        with DataDir(options.data_dir) as data:
            if options.reset:
                data.reset()
            asyncio.run(_until_stopped(options, data, progress))
    except EmbeddedError as error:
        progress.warn(str(error))
        if error.hint:
            progress.note(error.hint)
        return 1
    except TooOld as error:
        progress.warn(str(error))
        return 1
    finally:
        if options.ready_file is not None:
            options.ready_file.unlink(missing_ok=True)
    return 0


async def _until_stopped(options: Options, data: DataDir, progress: Progress) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    while not stopping.is_set():
        running = asyncio.create_task(_stack(options, data, progress))
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not running.done():
            progress.note("Stopping …")
            running.cancel()
        try:
            await running
        except asyncio.CancelledError:
            continue
        except ServerDied as died:
            progress.warn(f"{died} Starting all again.")


class ServerDied(Exception):
    """Postgres or Redis ended; what depends on them starts again."""


async def _stack(options: Options, data: DataDir, progress: Progress) -> None:
    state = State(data.claim("state.json"))
    async with AsyncExitStack() as stack:
        with progress.step("Postgres and Redis"):
            servers = await stack.enter_async_context(running_servers(data, state, tryton=options.with_tryton))
        for notice in servers.notices:
            progress.warn(notice)
        with progress.step("Migrations"):
            await migrate(servers.environment["CROSSHEAD_DATABASE_URL"])
        key = await _organization_key(servers, state)
        egress = await stack.enter_async_context(Egress.open(guard=Guard.of([f"{HOST}/32@{options.port}"])))
        api = DevApi(egress, url=options.url, key=key)
        chosen = sandboxes(data, state, servers, with_tryton=options.with_tryton)
        services = [each.service for each in chosen] + _services(options, servers, api, chosen)
        supervisor = Supervisor(services, log_dir=data.folder("logs"), on_event=lambda e: _tell(progress, e))
        with progress.step("Sandboxes, API and worker"):
            await stack.enter_async_context(supervisor)
        connections = [await _connect(each, api, state, progress) for each in chosen]
        _announce(options, key, chosen, connections, progress)
        await _watch(supervisor, servers)


def _services(options: Options, servers: Servers, api: DevApi, chosen: list[Sandbox]) -> list[Service]:
    environment = {
        "CROSSHEAD_LOG_FORMAT": "console",
        # Loopback is open to the sandboxes' ports only, not to whatever else runs on this machine.
        "CROSSHEAD_EGRESS_ALLOWED_CIDRS": ",".join(f"{HOST}/32@{each.port}" for each in chosen),
        **{name: value for name, value in os.environ.items() if name.startswith("CROSSHEAD_")},
        **servers.environment,
    }
    command = [sys.executable, "-m", "crosshead"]
    serve = [*command, "serve", "--host", HOST, "--port", str(options.port)]
    return [
        Service("api", serve, environment, ready=api.alive),
        Service("worker", [*command, "worker"], environment),
    ]


def _tell(progress: Progress, event: Event) -> None:
    if event.kind in {"ended", "restarting"}:
        progress.warn(f"{event.service}: {event.kind} {event.detail}".rstrip())


async def _organization_key(servers: Servers, state: State) -> str:
    known: str | None = state.get("organization_key")
    if known is not None:
        return known
    database = Database.open(servers.environment["CROSSHEAD_DATABASE_URL"], pool_size=2, application="crosshead dev")
    try:
        _, key = await make_organization(database, name="Demo organization", credits_pool=100)
    finally:
        await database.close()
    state.put("organization_key", key)
    return key


async def _connect(sandbox: Sandbox, api: DevApi, state: State, progress: Progress) -> dict[str, str]:
    name = f"connection_{sandbox.system}"
    known: dict[str, str] | None = state.get(name)
    credentials = sandbox.credentials()
    with progress.step(f"Connect {sandbox.system}") as step:
        if known is not None and await api.known(known["id"], base_url=credentials["base_url"]):
            return known
        made = await api.connect(
            system=sandbox.system,
            name=sandbox.customer,
            credentials=credentials,
            writeDefaults=sandbox.write_defaults,
        )
        state.put(name, made)
        step.say("first sync")
        step.say(await api.synced(made["id"]))
    return made


def _announce(
    options: Options, key: str, chosen: list[Sandbox], connections: list[dict[str, str]], progress: Progress
) -> None:
    ready: dict[str, Any] = {
        "graphqlUrl": f"{options.url}/graphql",
        "websocketUrl": f"ws://{HOST}:{options.port}/graphql",
        "graphiqlUrl": f"{options.url}/graphiql",
        "organizationKey": key,
        "sandboxes": [each.told() for each in chosen],
        "connections": [{name: each[name] for name in ("id", "system", "token")} for each in connections],
    }
    progress.note(f"GraphQL           {ready['graphqlUrl']}")
    progress.note(f"GraphiQL          {ready['graphiqlUrl']}")
    progress.note(f"Organization key  {key}")
    for each in connections:
        progress.note(f"{each['system']:<17} {each['id']}  token {each['token']}")
    progress.note("Ctrl-C stops everything.")
    if options.ready_file is not None:
        partial = options.ready_file.with_name(options.ready_file.name + ".partial")
        partial.write_text(json.dumps(ready, indent=1))
        partial.replace(options.ready_file)


async def _watch(supervisor: Supervisor, servers: Servers) -> None:
    waiting = asyncio.create_task(supervisor.wait())
    try:
        while not waiting.done():
            await asyncio.wait({waiting}, timeout=1.0)
            if not all(psutil.pid_exists(pid) for pid in servers.pids):
                raise ServerDied("Postgres or Redis ended unexpectedly.")
        await waiting
    finally:
        waiting.cancel()
