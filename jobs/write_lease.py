"""A lease on one write operation: owner, fence, expiry; renewed while held."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import structlog

from db import writes
from db.engine import Database
from db.scope import Scope
from db.sync import LeaseLost
from jobs import finish

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class WriteLease:
    """A held lease; `lost` is set once another process may hold a newer one.

    Attributes:
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


@asynccontextmanager
async def write_leased(
    database: Database, scope: Scope, operation_id: UUID, *, owner: str, seconds: int, fence: int | None = None
) -> AsyncIterator[WriteLease | None]:
    """Hold the lease of an operation while the block runs; None where it is settled, or another process holds it.

    Args:
        owner: Who holds it, for people.
        seconds: How long it lasts without renewal; renewed at a third of it.
        fence: Of the lease that the operation was made with, a moment ago.
    """
    begun = time.monotonic()
    if fence is None:
        taking = writes.take_lease(database, scope, operation_id, owner=owner, seconds=seconds)
        fence = await finish.take(taking, partial(_release, database, scope, operation_id))
    if fence is None:
        yield None
        return
    lease = WriteLease(fence, begun + seconds)
    done = asyncio.Event()
    renewal = asyncio.create_task(_renew(database, scope, operation_id, lease, seconds, done))
    try:
        yield lease
    finally:
        done.set()  # not cancelled: a renewal cut off in mid-statement would lose its database connection
        await finish.finish(renewal)
        await finish.finish(_release(database, scope, operation_id, fence))


async def _release(database: Database, scope: Scope, operation_id: UUID, fence: int | None) -> None:
    if fence is not None:
        await writes.release_lease(database, scope, operation_id, fence=fence)


async def _renew(
    database: Database, scope: Scope, operation_id: UUID, lease: WriteLease, seconds: int, done: asyncio.Event
) -> None:
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds / 3):  # wait_for may lose a cancellation (CPython 86296)
                await done.wait()
        if done.is_set():
            return
        begun = time.monotonic()
        try:
            held = await writes.renew_lease(database, scope, operation_id, fence=lease.fence, seconds=seconds)
        except database.failures as error:
            log.warning("lease_not_renewed", error=type(error).__name__)
            continue
        if not held:
            lease.lost.set()
            return
        lease.until = begun + seconds
