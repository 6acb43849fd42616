"""Items of one read, stored batch by batch: while the database works at one, the next are hashed and mapped.

The database is what a sync waits for, so it should never wait for us.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Any, Final

from connectors.base import Item
from db import raw, upsert
from db.engine import WriteSession
from db.events import NewEvent
from db.history import Origin
from db.models.registry import SPECS
from db.raw import Fetched
from db.upsert import Changed
from jobs.finish import finish
from jobs.items import HashedItem, Mapper, hashed
from jobs.work import Work

_LEAST: Final = 32
"""How many items are hashed, mapped, and stored where the database has nothing else to do."""
_MOST: Final = 512
"""How many items are stored in one go: their rows fit the caches, and mapping the next takes less time."""
_MAPPED_A_TURN: Final = 4
"""How many are mapped before the database's answers are looked at: a sixth of a millisecond's work."""


class Bringing:
    """Stores the items of one read in the caller's transaction: those that are new or differ.

    Args:
        compare: Leave alone what is stored as it is.

    Attributes:
        changed: What was made or changed so far.
        told: The same as events.
    """

    def __init__(self, session: WriteSession, work: Work, fetched: Fetched, origin: Origin, *, compare: bool) -> None:
        self.changed: list[Changed] = []
        self.told: list[NewEvent] = []
        self._session = session
        self._work = work
        self._spec = SPECS[work.entity]
        self._origin = origin
        self._compare = compare
        self._mapper = Mapper(work.source.connector, work.entity, work.units, fetched)
        self._batch: upsert.Batch | None = None
        self._storing: asyncio.Task[None] | None = None

    @property
    def failed(self) -> int:
        """How many could not be mapped."""
        return self._mapper.failed

    async def bring(self, items: Sequence[Item]) -> None:
        """Store items.

        Args:
            items: In the order of their source ids, so that two who hold several locks never wait for each other.
        """
        batch = self._empty()
        try:
            async with aclosing(self._differing(items)) as pieces:
                async for piece in pieces:
                    await self._add(batch, piece)
                    rests = self._storing is None or self._storing.done()
                    if len(batch) >= (_LEAST if rests else _MOST):
                        await self._store(batch)
                        batch = self._empty()
            await self._store(batch)
            await self._store(None)
        finally:
            await _ended(self._storing)

    async def _store(self, batch: upsert.Batch | None) -> None:
        """Store a batch once the one before it is stored, and tell of that one's changes while the database works."""
        before, self._batch = self._batch, batch
        if self._storing:
            await self._storing
        self._storing = asyncio.create_task(batch.store()) if batch else None
        await asyncio.sleep(0)
        if before:
            changed = before.changed()
            self.changed += changed
            self.told += upsert.events_of(self._spec, changed)

    async def _differing(self, items: Sequence[Item]) -> AsyncGenerator[list[HashedItem], None]:
        """Give what is not stored as it is, a few items at a time; they are hashed while the database looks."""
        told: list[HashedItem] = []
        asking = asyncio.create_task(self._stored([item.source_id for item in items]))
        try:
            for start in range(0, len(items), _LEAST):
                told += hashed(self._mapper.connector, self._mapper.entity, items[start : start + _LEAST])
                await asyncio.sleep(0)
                if not asking.done() and start + _LEAST < len(items):
                    continue
                stored = await asking
                new = [each for each in told if stored.get(each.item.source_id) != each.item_hash]
                for first in range(0, len(new), _LEAST):
                    yield new[first : first + _LEAST]
                told = []
        finally:
            await _ended(asking)

    async def _stored(self, source_ids: list[str]) -> dict[str, bytes]:
        if not self._compare or not source_ids:
            return {}
        return await raw.stored(self._session, self._work.scope, self._work.entity, source_ids)

    async def _add(self, batch: upsert.Batch, items: Iterable[HashedItem]) -> None:
        """Map items, and look at the database's answers in between."""
        for n, item in enumerate(items, 1):
            batch.add(self._mapper.map(item))
            if n % _MAPPED_A_TURN == 0:
                await asyncio.sleep(0)

    def _empty(self) -> upsert.Batch:
        return upsert.Batch(self._session, self._work.scope, self._spec, origin=self._origin)


async def _ended(task: asyncio.Task[Any] | None) -> None:
    """Let a task end: its statements run on the caller's transaction, which ends after this."""
    if task is not None:
        await finish(asyncio.wait([task]))
        if not task.cancelled():
            task.exception()  # whoever waited for it has it, or another failure came first
