"""What a process holds for a while and renews as long as it works: a lease, or the place of a call."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from db.engine import Database
from db.sync import LeaseLost
from jobs.finish import finish

log = structlog.get_logger(__name__)

Renew = Callable[[], Awaitable[bool]]
"""Holds something for longer; False where it was lost."""


@dataclass(slots=True, kw_only=True)
class Held:
    """A held lease; `lost` is set once another process may hold a newer one.

    Attributes:
        fence: Larger than every one before.
        until: When it lapses unless renewed, on this process's monotonic clock: a process that was stopped in between
            sees by it that its time is over, before it is told.
    """

    fence: int
    until: float
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    def check(self) -> None:
        """Go on only while it is surely held.

        Raises:
            LeaseLost: Another process may hold a newer one.
        """
        if time.monotonic() > self.until:
            self.lost.set()
        if self.lost.is_set():
            raise LeaseLost

    async def renew(self, renew: Renew, *, seconds: float) -> bool:
        """Hold it for so long from now on; gives whether it was not lost."""
        asked = time.monotonic()
        if await renew():
            self.until = asked + seconds
        else:
            self.lost.set()
        return not self.lost.is_set()


@asynccontextmanager
async def renewing(database: Database, renew: Renew, *, seconds: float, failed: str) -> AsyncIterator[None]:
    """Renew while the block runs, at a third of the time that it lasts; a failure is told and tried again.

    Args:
        seconds: How long it lasts without renewal.
        failed: What the log calls a failure.
    """
    done = asyncio.Event()
    renewal = asyncio.create_task(_renew(database, renew, seconds, done, failed))
    try:
        yield
    finally:
        done.set()  # not cancelled: a renewal cut off in mid-statement would lose its database connection
        await finish(renewal)


async def _renew(database: Database, renew: Renew, seconds: float, done: asyncio.Event, failed: str) -> None:
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds / 3):  # wait_for may lose a cancellation (CPython 86296)
                await done.wait()
        if done.is_set():
            return
        try:
            if not await renew():
                return
        except database.failures as error:
            log.warning(failed, error=type(error).__name__)
