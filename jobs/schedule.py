"""Find what is due, and wake workers for it: the rows are the truth, arq only the bell."""

import asyncio

import structlog

from db import due, writes
from db.engine import Database
from jobs.failpoints import failpoint
from jobs.queue import Queue, mind_cancelling

log = structlog.get_logger(__name__)

TICK_SECONDS = 2.0


async def tick(database: Database, queue: Queue) -> int:
    """Make the runs whose time has come, and wake workers for every run and every write that nobody holds.

    Returns:
        How many wake-ups were sent.
    """
    failpoint("schedule_before_commit")
    await due.schedule(database)
    failpoint("due_before_commit")
    picked = await due.pick(database)
    failpoint("due_committed")
    woken = 0
    for each in picked:
        if not await queue.wake_sync(each.scope, each.run_id, long=each.long):
            break  # each would wait for Redis as long; they are picked again
        woken += 1
    for change in await writes.pick_due(database):
        if not await queue.wake_write(change.scope, change.operation_id):
            break
        woken += 1
    return woken


async def run(database: Database, queue: Queue, *, tick_seconds: float = TICK_SECONDS) -> None:
    """Tick until cancelled; a failing tick is told and the next one tried."""
    while True:
        try:
            await tick(database, queue)
        except database.failures as error:
            log.warning("tick_failed", error=type(error).__name__)
        mind_cancelling()
        await asyncio.sleep(tick_seconds)
