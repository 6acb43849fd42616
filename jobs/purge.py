"""Work off deletions of connections' data: a few seconds where they are asked for, the rest in workers."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

import structlog

from db import purge
from db.engine import Database
from db.purge import Remains
from db.scope import Scope
from db.types import encode_id

log = structlog.get_logger(__name__)

BATCH: Final = 2_000
TICK_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Deletion:
    """How far a deletion came.

    Attributes:
        deleted: Rows that went, in this turn.
        done: Nothing is left but what remains for good.
    """

    deleted: int
    done: bool
    remains: tuple[Remains, ...] = ()


async def work_off(database: Database, scope: Scope, *, seconds: float, batch: int = BATCH) -> Deletion:
    """Delete for a while; each batch is a transaction of its own, so that whoever goes on begins where this ended."""
    until, deleted, done = time.monotonic() + seconds, 0, False
    while not done and time.monotonic() < until:
        async with database.write(scope) as session:
            went, done = await purge.step(session, scope, limit=batch)
        deleted += went
    if not done:
        return Deletion(deleted, done)
    async with database.read(scope) as session:
        return Deletion(deleted, done, tuple(await purge.remains(session, scope)))


async def run(database: Database, *, tick_seconds: float = TICK_SECONDS) -> None:
    """Go on with what was begun, until cancelled."""
    while True:
        try:
            await tick(database)
        except database.failures as error:
            log.warning("purge_failed", error=type(error).__name__)
        await asyncio.sleep(tick_seconds)


async def tick(database: Database) -> int:
    """Go on with every deletion that was begun; gives how many came to their end."""
    async with database.system() as session:
        scopes = await purge.pending(session)
    ended = 0
    for scope in scopes:
        told = await work_off(database, scope, seconds=TICK_SECONDS)
        ended += told.done
        connection = encode_id("ConnectedSystem", scope.connection_id) if scope.connection_id else None
        log.info("data_deleted", connection_id=connection, rows=told.deleted, done=told.done)
    return ended
