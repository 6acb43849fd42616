"""A lease on one entity of one connection: owner, fence, expiry; renewed while held."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog

from db import leases, sync
from db.engine import Database
from db.scope import Scope
from db.types import Entity
from jobs import finish
from jobs.failpoints import failpoint

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Lease:
    """A held lease; `lost` is set once another worker may hold a newer one.

    Attributes:
        until: When it lapses unless renewed, by this process's monotonic clock.
    """

    entity: Entity
    fence: int
    until: float
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    def check(self) -> None:
        """Make sure that it is held: a process that was stopped for a while may not know yet that it is not.

        Raises:
            LeaseLost: Another worker may hold a newer one.
        """
        if time.monotonic() > self.until:
            self.lost.set()
        if self.lost.is_set():
            raise sync.LeaseLost


@asynccontextmanager
async def leased(
    database: Database, scope: Scope, run_id: UUID, *, owner: str, seconds: float, now: datetime
) -> AsyncIterator[Lease | None]:
    """Hold the lease of a run's entity while the block runs; None where the run is not due, or another holds it.

    Args:
        database: Where leases are kept.
        scope: The connection.
        run_id: The run to work on.
        owner: Who holds it, for people.
        seconds: How long it lasts without renewal; renewed at a third of it.
        now: The clock, UTC.
    """
    asked = time.monotonic()
    taken = await finish.take(
        leases.take(database, scope, run_id, owner=owner, seconds=seconds, now=now), partial(_release, database, scope)
    )
    if taken is None:
        yield None
        return
    entity, fence = taken
    failpoint("lease_taken")
    lease = Lease(entity, fence, asked + seconds)
    done = asyncio.Event()
    renewal = asyncio.create_task(_renew(database, scope, lease, seconds, done))
    try:
        yield lease
    finally:
        done.set()  # not cancelled: a renewal cut off in mid-statement would lose its database connection
        await finish.finish(renewal)
        await finish.finish(_release(database, scope, taken))


async def _release(database: Database, scope: Scope, taken: tuple[Entity, int] | None) -> None:
    if taken is None:
        return
    entity, fence = taken
    failpoint("lease_before_release")
    await leases.release(database, scope, entity, fence=fence)
    failpoint("lease_released")


async def _renew(database: Database, scope: Scope, lease: Lease, seconds: float, done: asyncio.Event) -> None:
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds / 3):  # wait_for may lose a cancellation (CPython 86296)
                await done.wait()
        if done.is_set():
            return
        asked = time.monotonic()
        try:
            held = await leases.renew(database, scope, lease.entity, fence=lease.fence, seconds=seconds)
        except database.failures as error:
            log.warning("lease_not_renewed", error=type(error).__name__)
            continue
        if not held:
            lease.lost.set()
            return
        lease.until = asked + seconds
