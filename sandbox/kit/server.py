"""Serving a simulated system on ports of loopback: one that can be closed, and one for its administration."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from sandbox.kit.bodies import TRANSPORT
from sandbox.kit.system import ADMIN

HOST: Final = "127.0.0.1"
_START_S: Final = 10.0


class TransportProtocol(HttpToolsProtocol):
    """The HTTP protocol of uvicorn that also hands its transport to the application, so that a fault can break it."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[dict-item]


class Doors:
    """The ports of one application.

    The port of the system itself stays reserved while it is shut, so that it can be opened again.

    Attributes:
        opened: Set while connections are taken.
    """

    def __init__(self, app: ASGIApp) -> None:
        # No lifespan, no logging of its own, and no closing of idle connections under a client's hands.
        self._config = uvicorn.Config(
            app, lifespan="off", log_config=None, proxy_headers=False, ws="none", timeout_keep_alive=75
        )
        self._config.load()
        self._public, self._private = ServerState(), ServerState()
        self._held: socket.socket | None = None
        self._servers: dict[str, asyncio.Server] = {}
        self._reopening: asyncio.Task[None] | None = None
        self.opened = asyncio.Event()
        self.port = 0
        self.admin_port = 0

    @property
    def url(self) -> str:
        """Where the system answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def admin_url(self) -> str:
        """Where its administration answers, always."""
        return f"http://{HOST}:{self.admin_port}{ADMIN}"

    async def open(self, port: int = 0) -> None:
        """Listen on a port, 0 for a free one, and on a free one for the administration."""
        self._held = _bound(port)  # bound and never listening: keeps the port ours while it is shut
        self.port = self._held.getsockname()[1]
        admin = _bound(0)
        self.admin_port = admin.getsockname()[1]
        await self._listen("admin", admin, self._private)
        await self.reopen()

    def shut(self, *, seconds: float | None = None, until: asyncio.Event | None = None) -> None:
        """Break all connections of the system's own port and refuse new ones, for a time or until an event."""
        server = self._servers.pop("public", None)
        if server is not None:
            server.close()
        self.opened.clear()
        for connection in list(self._public.connections):
            connection.transport.abort()
        if seconds is not None or until is not None:
            self._reopening = asyncio.get_running_loop().create_task(self._reopen_after(seconds, until))

    async def reopen(self) -> None:
        """Take connections again."""
        if "public" not in self._servers:
            await self._listen("public", _bound(self.port), self._public)
        self.opened.set()

    async def close(self) -> None:
        """Stop listening, break what is open and end what is under way."""
        if self._reopening is not None:
            self._reopening.cancel()
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        for state in (self._public, self._private):
            for connection in list(state.connections):
                connection.transport.abort()
            tasks = list(state.tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._held is not None:
            self._held.close()

    async def _listen(self, name: str, sock: socket.socket, state: ServerState) -> None:
        loop = asyncio.get_running_loop()
        self._servers[name] = await loop.create_server(
            lambda: TransportProtocol(self._config, state, {}, loop), sock=sock, backlog=128
        )

    async def _reopen_after(self, seconds: float | None, until: asyncio.Event | None) -> None:
        waited = asyncio.sleep(seconds or 0) if until is None else until.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(waited, seconds)
        await self.reopen()


class Served(Protocol):
    """What can be served: a Wire, or something around one."""

    doors: Doors | None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle one call."""
        ...


S = TypeVar("S", bound=Served)


@dataclass(frozen=True, slots=True)
class Running(Generic[S]):
    """A running system."""

    url: str
    admin_url: str
    app: S


@asynccontextmanager
async def serving(app: S, port: int = 0) -> AsyncIterator[Running[S]]:
    """Serve an application in this very loop for as long as the block lasts."""
    doors = app.doors = Doors(app)
    await doors.open(port)
    try:
        yield Running(doors.url, doors.admin_url, app)
    finally:
        await doors.close()
        app.doors = None


@contextlib.contextmanager
def serve(app: S, port: int = 0) -> Iterator[Running[S]]:
    """Serve an application in a thread for as long as the block lasts.

    Raises:
        RuntimeError: It does not come up.
    """
    up = threading.Event()
    told: list[Running[S]] = []
    stop: list[Callable[[], object]] = []

    async def work() -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(ended.set))
        async with serving(app, port) as running:
            told.append(running)
            up.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(work(),), daemon=True)
    thread.start()
    if not up.wait(_START_S):
        raise RuntimeError("the simulated system did not start")
    try:
        yield told[0]
    finally:
        stop[0]()
        thread.join(_START_S)


def run(app: Served, *, port: int, ready_file: Path | None, ready: Callable[[str, str], dict[str, Any]]) -> None:
    """Serve until SIGTERM or SIGINT.

    When it listens, a line of JSON says so on standard output, and in the ready file: url, adminUrl, and what `ready`
    makes of both, credentials above all.
    """

    async def work() -> None:
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        async with serving(app, port) as running:
            told = {**ready(running.url, running.admin_url), "url": running.url, "adminUrl": running.admin_url}
            if ready_file is not None:
                _write(ready_file, told)
            line = json.dumps(told)
            print(line, flush=True)  # noqa: T201  (whoever started it waits for this line)
            await ended.wait()

    asyncio.run(work())


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write the ready file in one step."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(content), "utf-8")
    partial.replace(path)


def _bound(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((HOST, port))
    return sock
