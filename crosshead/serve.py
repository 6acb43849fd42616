"""The two production processes: the API and the worker."""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any, Final, TypeVar

import structlog
import uvicorn
from starlette.applications import Starlette
from uvicorn.loops.auto import auto_loop_factory

from connectors.base import Connector
from connectors.registry import BY_SLUG
from crosshead import compose
from crosshead.logs import configure_logs
from crosshead.settings import Settings
from graph.door.requests import MAX_BODY_BYTES
from jobs import worker

log = structlog.get_logger(__name__)

T = TypeVar("T")

_COLLECTED: Final = (5_000, 3, 50)
"""After how many new objects young ones are looked at, and how often those before a walk through older ones."""

PROTOCOL: Final[dict[str, Any]] = {
    "http": "httptools",
    "ws": "websockets-sansio",
    "ws_max_size": MAX_BODY_BYTES,  # a message of a socket is as long as a body may be; a longer one closes it (1009)
    "log_config": None,
    "server_header": False,
}
"""How uvicorn speaks, wherever it serves the API."""


def serve_api(
    settings: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    connectors: Mapping[str, Connector] = BY_SLUG,
) -> None:
    """Serve the API until SIGINT or SIGTERM; requests under way are finished."""
    configure_logs(level=settings.log_level, style=settings.log_format)
    uvicorn.run(
        undisturbed(compose.api(settings, connectors=connectors)),
        host=host or settings.host,
        port=settings.port if port is None else port,
        loop="uvloop",
        timeout_graceful_shutdown=10,
        **PROTOCOL,
    )


def undisturbed(app: Starlette) -> Starlette:
    """Keep what takes long from holding those up who ask for little, once the application has started.

    The collector of cycles leaves alone what there is: a walk through the modules and the schema takes it 150 ms, in
    which nobody is answered. What a document's validation leaves behind it finds while that is young; after every few
    hundred objects, as it comes, it takes them for old ones, and walks through all there are to be rid of them. And
    the thread beside the loop (`graph/aside.py`) gives way after a millisecond, not after five.
    """
    started = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def lifespan(of: Starlette) -> AsyncIterator[Any]:
        async with started(of) as state:
            gc.collect()
            gc.freeze()
            gc.set_threshold(*_COLLECTED)
            sys.setswitchinterval(0.001)
            yield state

    app.router.lifespan_context = lifespan
    return app


def run_worker(settings: Settings, *, connectors: Mapping[str, Connector] = BY_SLUG) -> None:
    """Work until SIGINT or SIGTERM; a page under way is given up and repeated by the next worker."""
    configure_logs(level=settings.log_level, style=settings.log_format)
    run(_work(settings, connectors))


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a process of the product's: on uvloop, where the platform has it."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        return runner.run(main)


async def _work(settings: Settings, connectors: Mapping[str, Connector]) -> None:
    async with compose.worker(settings, connectors=connectors) as parts:
        working = asyncio.create_task(worker.run(parts))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, working.cancel)
        log.info("worker_started")
        with contextlib.suppress(asyncio.CancelledError):
            await working
        log.info("worker_stopped")
