"""A lease on one entity of one connection: owner, fence, expiry; renewed while held."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from db import leases
from db.engine import Database
from db.scope import Scope
from db.types import Entity
from jobs import finish
from jobs.failpoints import failpoint
from jobs.held import Held, renewing


@dataclass(slots=True, kw_only=True)
class Lease(Held):
    """A held lease on an entity."""

    entity: Entity


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
    lease = Lease(entity=entity, fence=fence, until=asked + seconds)
    renew = partial(leases.renew, database, scope, entity, fence=fence, seconds=seconds)
    try:
        again = partial(lease.renew, renew, seconds=seconds)
        async with renewing(database, again, seconds=seconds, failed="lease_not_renewed"):
            yield lease
    finally:
        await finish.finish(_release(database, scope, taken))


async def _release(database: Database, scope: Scope, taken: tuple[Entity, int] | None) -> None:
    if taken is None:
        return
    entity, fence = taken
    failpoint("lease_before_release")
    await leases.release(database, scope, entity, fence=fence)
    failpoint("lease_released")
