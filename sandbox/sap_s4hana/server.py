"""Running the application on a port of its own: in a thread for tests, or until a signal for the command."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.sap_s4hana.faults import ADMIN, TRANSPORT, Wire

HOST = "127.0.0.1"
_START_S = 10.0


class TransportProtocol(HttpToolsProtocol):
    """The HTTP protocol of uvicorn that also hands its transport to the application, so that a fault can break it."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: {}}
        extensions = self.scope["extensions"]
        if extensions is not None:
            extensions[TRANSPORT] = self.transport  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Running:
    """A running server."""

    url: str
    app: Wire

    @property
    def admin_url(self) -> str:
        """Where the administration answers."""
        return f"{self.url}{ADMIN}"


def listen(port: int = 0) -> socket.socket:
    """Open the listening socket on loopback; port 0 takes a free one."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((HOST, port))
    sock.listen(128)
    return sock


def build_server(app: Wire) -> uvicorn.Server:
    """Build the server around an application."""
    config = uvicorn.Config(
        app, http=TransportProtocol, lifespan="off", access_log=False, log_level="warning", timeout_graceful_shutdown=2
    )
    return uvicorn.Server(config)


@contextlib.contextmanager
def serve(app: Wire, port: int = 0) -> Iterator[Running]:
    """Run an application in a thread for as long as the block lasts.

    Raises:
        RuntimeError: It does not come up.
    """
    sock = listen(port)
    server = build_server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_S
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    if not server.started:
        raise RuntimeError("the simulated SAP S/4HANA did not start")
    try:
        yield Running(f"http://{HOST}:{sock.getsockname()[1]}", app)
    finally:
        server.should_exit = True
        thread.join(_START_S)
        sock.close()
