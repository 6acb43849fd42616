"""Items of one read, stored batch by batch: while the database works at one, the next are hashed and mapped.

The database is what a sync waits for, so it should never wait for us: at any time one batch is being stored, the next
one is mapped, and of the one after it is asked what is known already.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, Final, TypeVar

from connectors.base import Item
from db import raw, upsert
from db.engine import WriteSession
from db.history import Origin
from db.models.registry import SPECS
from db.raw import Fetched
from db.upsert import Changed, Incoming
from jobs.items import HashedItem, Mapper, hashed
from jobs.work import Work

_FIRST: Final = 64
"""The first batch is small: until it is mapped, the database has nothing to do."""
_BATCH: Final = 128
"""How many items are stored in one go: their rows fit the caches, and mapping the next takes less time."""
_HASHED_A_TURN: Final = 32
_MAPPED_A_TURN: Final = 8
"""How many are worked at before the database's answers are looked at: a third of a millisecond's work."""

T = TypeVar("T")
R = TypeVar("R")


class Bringing:
    """Stores the items of one read in the caller's transaction: those that are new or differ.

    Args:
        compare: Leave alone what is stored as it is.
    """

    def __init__(self, session: WriteSession, work: Work, fetched: Fetched, origin: Origin, *, compare: bool) -> None:
        self._session = session
        self._work = work
        self._origin = origin
        self._compare = compare
        self._one = asyncio.Lock()  # a session runs one statement at a time
        self._mapper = Mapper(work.source.connector, work.entity, work.units, fetched)

    @property
    def failed(self) -> int:
        """How many could not be mapped."""
        return self._mapper.failed

    async def bring(self, items: Sequence[Item]) -> list[Changed]:
        """Store items.

        Args:
            items: In the order of their source ids, so that two who hold several locks never wait for each other.
        """
        changed: list[Changed] = []
        mapped: list[Incoming] = []
        storing: asyncio.Task[list[Changed]] | None = None
        batches = _batches(items)
        asking = _begun(self._unknown, batches)
        try:
            while asking is not None:
                told = await asking
                asking = _begun(self._unknown, batches)
                mapped += await _in_turns(self._mapper.all, told, _MAPPED_A_TURN)
                if len(mapped) < _FIRST and asking is not None:
                    continue  # where little is new, it is stored together
                batch, mapped = self._batch(mapped), []
                if storing is not None:
                    changed += await storing
                storing = asyncio.create_task(self._store(batch))
            if storing is not None:
                changed += await storing
        finally:
            pending = [task for task in (asking, storing) if task is not None and not task.done()]
            if pending:
                await asyncio.wait(pending)  # their statements run on the caller's transaction, which ends after this
        return changed

    async def _unknown(self, batch: Sequence[Item]) -> list[HashedItem]:
        """Give the items of a batch that are not stored as they are."""
        connector, entity = self._work.source.connector, self._work.entity
        told = await _in_turns(lambda items: hashed(connector, entity, items), batch, _HASHED_A_TURN)
        if not self._compare:
            return told
        hashes = {each.item.source_id: each.item_hash for each in told}
        async with self._one:
            unknown = await raw.unknown(self._session, self._work.scope, entity, hashes)
        return [each for each in told if each.item.source_id in unknown]

    def _batch(self, incoming: list[Incoming]) -> upsert.Batch:
        work = self._work
        return upsert.Batch(self._session, work.scope, SPECS[work.entity], incoming, origin=self._origin)

    async def _store(self, batch: upsert.Batch) -> list[Changed]:
        async with self._one:
            return await batch.store()


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    start, size = 0, _FIRST
    while start < len(items):
        yield items[start : start + size]
        start, size = start + size, _BATCH


def _begun(
    ask: Callable[[Sequence[Item]], Coroutine[Any, Any, R]], batches: Iterator[Sequence[Item]]
) -> asyncio.Task[R] | None:
    """Begin with the next batch, if there is one."""
    batch = next(batches, None)
    return None if batch is None else asyncio.create_task(ask(batch))


async def _in_turns(work: Callable[[Sequence[T]], list[R]], items: Sequence[T], turn: int) -> list[R]:
    """Work at a few items at a time, and let others work in between."""
    made: list[R] = []
    for start in range(0, len(items), turn):
        made += work(items[start : start + turn])
        await asyncio.sleep(0)
    return made
