"""What each part stands on: a database of its own, a Redis, connections to tell of, endpoints, and processes."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crosshead import compose
from crosshead.dev.servers import LOGIN
from crosshead.embedded.ports import free_port
from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis
from crosshead.organizations import make_organization
from crosshead.settings import Settings
from db import connections, events
from db.events import NewEvent, stream_of
from db.migrate import migrate
from db.models.event import EventCounter
from db.scope import Scope
from db.types import encode_id, new_id
from tests.factories.connections import make_connection, make_token
from tests.fixtures.ledger_connector import LedgerConnector
from tests.fixtures.product import environment

RETRIES: Final = ",".join(map(str, [0, 1, 1, 1, 1, *[2] * 35]))
"""Seconds between attempts, in place of hours: 30 % of failures must not use up 40 attempts."""
TYPE: Final = "vendor.updated"


@dataclass
class Stage:
    """A product with connections and no endpoint."""

    settings: Settings
    superuser: str
    folder: Path
    parts: compose.Parts
    organization: Scope
    owns: list[Scope]
    key: str

    async def endpoint(self, url: str) -> str:
        """Make an endpoint; gives its secret."""
        made, problems = await compose.webhook_door(self.parts).create(
            self.organization, url=url, description=None, types=[TYPE], connection_id=None
        )
        if made is None:
            raise SystemExit(f"no endpoint: {problems}")
        return made.secret

    async def commit(self, own: Scope, count: int, *, keep: bool = True) -> list[tuple[int, float]]:
        """Commit that many events in one transaction, or roll them back; gives number and time of each."""
        with contextlib.suppress(_RolledBack):
            async with self.parts.database.write(own) as session:
                last = await events.append(session, own, [NewEvent(TYPE, {"n": n}) for n in range(count)])
                _unless(keep=keep)
        if not keep:
            return []
        await self.parts.queue.wake_followers(own)
        assert last is not None
        return [(n, time.time()) for n in range(last - count + 1, last + 1)]


class _RolledBack(Exception):
    pass


def _unless(*, keep: bool) -> None:
    if not keep:
        raise _RolledBack


@contextmanager
def servers(folder: Path) -> Iterator[tuple[Settings, str]]:
    """Run PostgreSQL (fsync on) and Redis; gives the settings and the superuser's URL."""
    with ExitStack() as stack:
        postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
        redis = stack.enter_context(EmbeddedRedis(folder / "redis"))
        postgres.ensure_role(LOGIN, "benchmark", createrole=True)
        postgres.ensure_database(LOGIN, LOGIN)
        url = postgres.dsn(LOGIN, user=LOGIN, password="benchmark")  # noqa: S106  (a throw-away cluster)
        asyncio.run(migrate(url))
        settings = Settings.model_validate(
            {
                "database_url": url,
                "redis_url": redis.url,
                "master_keys": "b:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
                "egress_allowed_cidrs": "127.0.0.1/32",
                "database_pool_size": 6,
                "webhook_retry_seconds": RETRIES,
                "webhook_lease_seconds": 15,
                "log_level": "error",
            }
        )
        yield settings, postgres.superuser_dsn(LOGIN)


@asynccontextmanager
async def staged(settings: Settings, superuser: str, folder: Path, *, count: int) -> AsyncIterator[Stage]:
    """Make an organization with so many connections."""
    async with compose.open_parts(settings, application="benchmark", connectors={}) as parts:
        of = LedgerConnector()
        async with parts.database.system() as session:
            await connections.write_catalogue(session, [compose.catalogue_entry(of)], compose.catalogue_entities(of))
        organization, key = await make_organization(parts.database, name="Benchmark", credits_pool=count)
        owns = [organization.narrowed(new_id()) for _ in range(count)]
        async with parts.database.write(organization) as session:
            for own in owns:
                await make_connection(session, scope=own, system_slug="ledger")
                session.add(
                    EventCounter(
                        organization_id=own.organization_id,
                        stream_id=stream_of(own),
                        connection_id=own.connection_id,
                    )
                )
        yield Stage(settings, superuser, folder, parts, organization, owns, key)


async def connection_token(stage: Stage, own: Scope) -> tuple[str, str]:
    """Give a connection's public id and a token of it."""
    assert own.connection_id is not None
    async with stage.parts.database.write(own) as session:
        return encode_id("ConnectedSystem", own.connection_id), await make_token(session, scope=own)


class Processes:
    """Processes of the benchmark, ended with it."""

    def __init__(self, settings: Settings) -> None:
        self._environment = environment(settings)
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str, pipe: bool = False, **more: str) -> subprocess.Popen[bytes]:
        """Start one."""
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env={**self._environment, **more},
            stdout=subprocess.PIPE if pipe else None,
        )
        self._running.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill one, as a machine that goes down would."""
        process.kill()
        process.wait()
        self._running.remove(process)

    def worker(self) -> subprocess.Popen[bytes]:
        """Start a worker and wait until it works."""
        process = self.start("benchmarks.webhooks", "--worker", pipe=True)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    def receiver(
        self, journal: Path, secrets: dict[str, str], *, port: int, failing: float, bodies: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a receiver and wait until it listens."""
        more = ["--bodies", str(bodies)] if bodies else []
        process = self.start(
            "benchmarks.hooks.receiver",
            str(port),
            str(journal),
            "--failing",
            str(failing),
            *more,
            pipe=True,
            SECRETS=json.dumps(secrets),
        )
        assert process.stdout is not None
        process.stdout.readline()
        return process

    def close(self) -> None:
        """End them all."""
        for process in list(self._running):
            self.kill(process)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One line of a receiver's journal."""

    at: float
    path: str
    webhook_id: str
    sequence: int
    status: int
    verified: bool


def arrivals(journal: Path) -> list[Arrival]:
    """Read a journal; a line that is being written is left out."""
    found = []
    for line in journal.read_text().split("\n")[:-1] if journal.exists() else []:
        at, path, webhook_id, sequence, status, verified = line.split()
        found.append(Arrival(float(at), path, webhook_id, int(sequence), int(status), verified == "1"))
    return found


def percentile(values: list[float], share: float) -> float | None:
    """Give a percentile of seconds, to the millisecond."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) if ordered else None


async def settled(superuser: Any, *, seconds: float) -> int:
    """Wait until no delivery is pending; gives how many are after that time."""
    until = time.monotonic() + seconds
    while True:
        left = await superuser.fetchval("SELECT count(*) FROM webhook_delivery WHERE state = 'PENDING'")
        if not left or time.monotonic() > until:
            return int(left)
        await asyncio.sleep(0.25)


def port() -> int:
    """Give a free port."""
    return free_port()
