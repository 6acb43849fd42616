"""Make deliveries of committed events: woken by Redis, and looking by itself, for Redis may lose that."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import structlog

from db import relay
from db.engine import Database
from jobs.failpoints import failpoint
from jobs.queue import WAKE_CHANNEL, Queue, stop

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 1.0


async def relay_all(database: Database, *, each: int = 500, moved: bool = True) -> int:
    """Relay all that is due; gives how many rounds it took.

    Args:
        each: The most events of one stream in a transaction.
        moved: False leaves the streams' positions as they are, for one round (tests show what they are for).
    """
    rounds = 0
    async with database.system() as session:
        scopes = await relay.due(session)
    for scope in scopes:
        found = 1
        while found:
            async with database.write(scope) as writing:
                found = await relay.relay(writing, scope, each=each, moved=moved)
                failpoint("relay_before_commit")
            failpoint("relay_committed")
            rounds += 1
            if not moved:
                break
    return rounds


async def run(
    database: Database, queue: Queue, relayed: Callable[[], None], *, poll_seconds: float = POLL_SECONDS
) -> None:
    """Relay until cancelled; a failing round is told and the next one tried.

    Args:
        relayed: Called after deliveries were made.
    """
    woken = asyncio.Event()
    listener = asyncio.create_task(queue.listen(WAKE_CHANNEL, lambda *_: woken.set()))
    try:
        while True:
            woken.clear()
            try:
                if await relay_all(database):
                    relayed()
            except database.failures as error:
                log.warning("relay_failed", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(poll_seconds):
                    await woken.wait()
    finally:
        await stop(listener)
