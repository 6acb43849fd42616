"""Writes to one record take turns, in the order in which they were asked for.

What became of a write whose answer was lost is told from the record: from what it was before, and what it is now
(jobs/settlement.py). A second write of ours in between would be taken for somebody else's change, or the first would be
sent again on top of it. Records that are made, and stock that is adjusted, are found by their reference and need none.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from db import writes
from db.engine import Database
from db.models.write import WriteOperation
from db.scope import Scope
from jobs.held import Held

_PATIENCE_SECONDS: Final = 10.0
"""How long an operation that a caller waits for may hold a process up."""
_AWAY_SECONDS: Final = 15.0
"""When one that went away looks again; the write before it wakes it sooner (jobs/readback.py)."""
_LOOK_SECONDS: Final = 0.05
_MOST_SECONDS: Final = 0.5


async def turn(
    database: Database, scope: Scope, operation: WriteOperation, *, lease: Held, now: Callable[[], datetime]
) -> bool:
    """Wait for an operation's turn on its record; False where it does not come soon, and the operation is put off.

    Raises:
        LeaseLost: Another process may hold the operation.
    """
    if operation.source_id is None:
        return True
    loop, pause = asyncio.get_running_loop(), _LOOK_SECONDS
    until = loop.time() + (0.0 if operation.background else _PATIENCE_SECONDS)
    while not await writes.take_turn(database, scope, operation.id, fence=lease.fence):
        lease.check()
        if loop.time() >= until:
            away = now() + timedelta(seconds=_AWAY_SECONDS)
            async with database.write(scope) as session:
                await writes.change(session, scope, operation.id, fence=lease.fence, next_attempt_at=away)
            return False
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _MOST_SECONDS)
    return True
