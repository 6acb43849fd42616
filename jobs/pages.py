"""A page of a pass, stored: records, raw items, events, counters and the feed's position in one transaction.

A worker that dies repeats at most one page.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from connectors.base import Connector, Feed, Item, Page
from connectors.errors import MappingError
from connectors.mapping import project
from db import events, raw, sync, upsert
from db.engine import Database
from db.history import Origin
from db.models.registry import SPECS
from db.models.rows import record_of
from db.raw import Fetched
from db.types import Cause, Entity
from db.upsert import Incoming
from jobs.failpoints import failpoint
from jobs.queue import Queue
from jobs.work import Cancelled, Paused, Work


class Pages:
    """Stores the pages of runs."""

    def __init__(self, *, database: Database, queue: Queue, now: Callable[[], datetime]) -> None:
        self._database = database
        self._queue = queue
        self._now = now

    async def store(self, work: Work, feed: Feed, page: Page, *, read_at: datetime) -> None:
        """Store a page.

        Args:
            read_at: When its read began, by our clock.

        Raises:
            LeaseLost: Another worker holds the run. Cancelled, Paused: the run has to stop here.
        """
        failpoint("page_read")
        if work.lease.lost.is_set():
            raise sync.LeaseLost
        spec, scope, run = SPECS[work.entity], work.scope, work.run
        items = hashed(work.source.connector, work.entity, page.items)
        origin = Origin(Cause.SYNC, self._now(), run_id=run.id)
        done = page.position is None
        total = page.total if page.total is not None else run.feeds.get(feed.name, {}).get("total")
        feeds = {**run.feeds, feed.name: {"position": page.position, "done": done, "total": total}}
        async with self._database.write(scope) as session:
            await sync.guard(session, scope, work.entity, fence=work.lease.fence)
            hashes = {source_id: item.item_hash for source_id, item in items.items()}
            unknown = await raw.unknown(session, scope, work.entity, hashes)
            incoming = prepare(
                work.source.connector,
                work.entity,
                [item for source_id, item in items.items() if source_id in unknown],
                fetched=Fetched(read_at, run.id, feed.name),
                units=work.units,
            )
            changed = await upsert.store(session, scope, spec, incoming, origin=origin)
            created, failed = sum(c.created for c in changed), sum(i.record is None for i in incoming)
            counts = {
                "fetched": len(page.items),
                "created": created,
                "updated": len(changed) - created,
                "unchanged": len(page.items) - len(changed) - failed,
                "quarantined": failed,
                "pages": 1,
            }
            pace = work.pace(feeds, fetched=len(page.items), now=self._now())
            stop = await sync.progress(session, scope, work.run.id, feeds=feeds, counts=counts, pace=asdict(pace))
            await events.append(session, scope, upsert.events_of(spec, changed))
            failpoint("page_before_commit")
        failpoint("page_committed")
        work.advance(feeds, counts, pace)
        await self._queue.wake_followers(scope)
        if stop is sync.Stop.CANCEL:
            raise Cancelled
        if stop is sync.Stop.PAUSE:
            raise Paused


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


def prepare(
    connector: Connector, entity: Entity, items: Iterable[HashedItem], *, fetched: Fetched, units: Mapping[str, str]
) -> list[Incoming]:
    """Map items; those that cannot be are told with the reason."""
    mapping = connector.mappings[entity]
    incoming = []
    for each in items:
        item, record, reason = each.item, None, None
        try:
            record = record_of(project(mapping, item.body, units=units))
        except (MappingError, ValueError) as error:
            reason = str(error)
        incoming.append(
            Incoming(item.source_id, each.body.decode(), each.item_hash, fetched, item.updated_at, record, reason)
        )
    return incoming
