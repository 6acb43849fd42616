"""A lease on one write operation: owner, fence, expiry; renewed while held."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from db import writes
from db.engine import Database
from db.scope import Scope
from jobs import finish
from jobs.held import Held, renewing


@asynccontextmanager
async def write_leased(
    database: Database, scope: Scope, operation_id: UUID, *, owner: str, seconds: int, fence: int | None = None
) -> AsyncIterator[Held | None]:
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
    lease = Held(fence=fence, until=begun + seconds)
    renew = partial(writes.renew_lease, database, scope, operation_id, fence=fence, seconds=seconds)
    try:
        again = partial(lease.renew, renew, seconds=seconds)
        async with renewing(database, again, seconds=seconds, failed="lease_not_renewed"):
            yield lease
    finally:
        await finish.finish(_release(database, scope, operation_id, fence))


async def _release(database: Database, scope: Scope, operation_id: UUID, fence: int | None) -> None:
    if fence is not None:
        await writes.release_lease(database, scope, operation_id, fence=fence)
