"""A page of a pass, stored: records, raw items, events, counters and the feed's position in one transaction.

A worker that dies repeats at most one page.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from connectors.base import Connector, Feed, Item, Page
from connectors.compiled import record
from connectors.errors import MappingError
from db import events, raw, sweep, sync, upsert
from db.engine import Database, WriteSession
from db.history import Origin
from db.models.registry import SPECS
from db.raw import Fetched
from db.types import Cause, Entity
from db.upsert import Changed, Incoming, Kind
from jobs.failpoints import failpoint
from jobs.protections import Protections
from jobs.queue import Queue
from jobs.work import Cancelled, Paused, Work


@dataclass(slots=True)
class Brought:
    """What was stored of a page: its changes in order, and what they add to the run's counters."""

    changed: list[Changed]
    counts: dict[str, int]


class Pages:
    """Stores the pages of runs."""

    def __init__(
        self, *, database: Database, queue: Queue, now: Callable[[], datetime], protections: Protections
    ) -> None:
        self._database = database
        self._queue = queue
        self._now = now
        self._protections = protections

    async def store(self, work: Work, feed: Feed, page: Page, *, read_at: datetime) -> None:
        """Store a page.

        Args:
            read_at: When its read began, by the database's clock.

        Raises:
            LeaseLost: Another worker holds the run. Cancelled, Paused: the run has to stop here.
        """
        failpoint("page_read")
        run, scope = work.run, work.scope
        total = page.total if page.total is not None else run.feeds.get(feed.name, {}).get("total")
        stand = {"position": page.position, "done": page.position is None, "total": total}

        async def fill(session: WriteSession) -> Brought:
            if work.whole:
                await sweep.met(session, scope, run, [item.source_id for item in page.items])
            if page.gone:
                await sweep.told(session, scope, SPECS[work.entity], run, page.gone)
            return await self.bring(session, work, page.items, fetched=Fetched(read_at, run.id, feed.name))

        await self.commit(work, {**run.feeds, feed.name: stand}, fill, pages=1)

    async def commit(
        self,
        work: Work,
        feeds: dict[str, Any],
        fill: Callable[[WriteSession], Awaitable[Brought]],
        *,
        pages: int = 0,
    ) -> None:
        """Store something of a run with its counters and events: one transaction, refused to a worker without lease.

        Args:
            feeds: How each feed stands after it.
            fill: Stores it.
            pages: Pages of the source that it is.

        Raises:
            LeaseLost: Another worker holds the run. Cancelled, Paused: the run has to stop here.
        """
        if work.lease.lost.is_set() and self._protections.fence:
            raise sync.LeaseLost
        scope, spec = work.scope, SPECS[work.entity]
        async with self._database.write(scope) as session:
            if self._protections.fence:
                await sync.guard(session, scope, work.entity, fence=work.lease.fence)
            brought = await fill(session)
            counts, told = {**brought.counts, "pages": pages}, upsert.events_of(spec, brought.changed)
            pace = work.pace(feeds, fetched=counts["fetched"], now=self._now())
            stop = await sync.progress(session, scope, work.run.id, feeds=feeds, counts=counts, pace=asdict(pace))
            if self._protections.outbox:
                await events.append(session, scope, told)
            failpoint("page_before_commit")
        failpoint("page_committed")
        if not self._protections.outbox:
            async with self._database.write(scope) as session:
                await events.append(session, scope, told)
        work.advance(feeds, counts, pace)
        await self._queue.wake_followers(scope)
        if stop is sync.Stop.CANCEL:
            raise Cancelled
        if stop is sync.Stop.PAUSE:
            raise Paused

    async def bring(self, session: WriteSession, work: Work, items: Iterable[Item], *, fetched: Fetched) -> Brought:
        """Store items that were read: those that are new or differ; and what they say was deleted."""
        given = list(items)
        spec, scope, connector = SPECS[work.entity], work.scope, work.source.connector
        origin = Origin(Cause.SYNC, self._now(), run_id=work.run.id)
        whole = hashed(connector, work.entity, given)
        gone = {source_id for source_id, each in whole.items() if each.item.gone}
        hashes = {source_id: each.item_hash for source_id, each in whole.items() if source_id not in gone}
        unknown = set(hashes)
        if self._protections.compare:
            unknown = await raw.unknown(session, scope, work.entity, hashes)
        mapper = Mapper(connector, work.entity, work.units, fetched)
        changed = await pipelined(
            mapper.batches([whole[source_id] for source_id in sorted(unknown)]),
            lambda batch: upsert.store(session, scope, spec, batch, origin=origin),
        )
        if gone:
            changed += await upsert.delete(session, scope, spec, gone, origin=origin, read_at=fetched.at)
        return Brought(changed, counted(len(given), changed, failed=mapper.failed))


def counted(fetched: int, changed: Iterable[Changed], *, failed: int = 0) -> dict[str, int]:
    """Count what became of items for the run's counters."""
    kinds = Counter(each.kind for each in changed)
    return {
        "fetched": fetched,
        "created": kinds[Kind.CREATED],
        "updated": kinds[Kind.UPDATED],
        "deleted": kinds[Kind.DELETED],
        "unchanged": fetched - kinds.total() - failed,
        "quarantined": failed,
    }


@dataclass(frozen=True, slots=True)
class HashedItem:
    """An item with its text and hash."""

    item: Item
    body: bytes
    item_hash: bytes


def hashed(connector: Connector, entity: Entity, items: Iterable[Item]) -> dict[str, HashedItem]:
    """Write and hash items; of several with one key, the last counts."""
    version = connector.mappings[entity].version
    found = {}
    for item in items:
        body = raw.body_text(item.body)
        found[item.source_id] = HashedItem(item, body, raw.item_hash(body, mapping_version=version))
    return found


@dataclass(slots=True)
class Mapper:
    """Maps items of one read.

    Attributes:
        failed: How many could not be mapped so far.
    """

    connector: Connector
    entity: Entity
    units: Mapping[str, str]
    fetched: Fetched
    failed: int = 0

    def map(self, hashed_item: HashedItem) -> Incoming:
        """Map an item; one that cannot be is told with the reason."""
        item, body = hashed_item.item, hashed_item.body
        made, reason = None, None
        try:
            plain = b"\\u0000" not in body
            made = record(self.connector.mappings[self.entity], item.body, units=self.units, plain=plain)
        except MappingError as error:
            self.failed += 1
            reason = str(error)
        return Incoming(
            item.source_id,
            body.decode(),
            hashed_item.item_hash,
            self.fetched,
            item.updated_at,
            made,
            reason,
            item.dated_on,
        )

    def all(self, items: Iterable[HashedItem]) -> list[Incoming]:
        """Map a few items."""
        return [self.map(item) for item in items]

    async def batches(self, items: Sequence[HashedItem]) -> AsyncIterator[list[Incoming]]:
        """Map items batch by batch, and let others work in between."""
        for start in range(0, len(items), _BATCH):
            batch = []
            for n, item in enumerate(items[start : start + _BATCH]):
                batch.append(self.map(item))
                if n % _TURN == _TURN - 1:
                    await asyncio.sleep(0)
            yield batch


_BATCH: Final = 128
"""How many items are stored in one go: their rows fit the caches, and mapping the next takes about as long."""
_TURN: Final = 8
"""How many are mapped before the database's answers are looked at: a quarter of a millisecond's work."""


async def pipelined(
    batches: AsyncIterator[list[Incoming]], store: Callable[[list[Incoming]], Coroutine[Any, Any, list[Changed]]]
) -> list[Changed]:
    """Store each batch while the next is mapped; one is stored at a time, in their order."""
    changed: list[Changed] = []
    storing: asyncio.Task[list[Changed]] | None = None
    try:
        async for batch in batches:
            if storing is not None:
                changed += await storing
            storing = asyncio.create_task(store(batch))
        if storing is not None:
            changed += await storing
    finally:
        if storing is not None and not storing.done():
            await asyncio.wait([storing])  # its statements run on the caller's transaction, which ends after this
    return changed
