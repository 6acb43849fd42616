"""A page of a pass, stored: records, raw items, events, counters and the feed's position in one transaction.

A worker that dies repeats at most one page.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from connectors.base import Connector, Feed, Item, Page
from connectors.errors import MappingError
from connectors.mapping import project
from db import events, sync, upsert
from db.engine import Database
from db.models.base import Fields
from db.models.registry import SPECS
from db.types import Entity
from db.upsert import Incoming
from jobs.queue import Queue
from jobs.work import Cancelled, Paused, Work


class Pages:
    """Stores the pages of runs."""

    def __init__(self, *, database: Database, queue: Queue, now: Callable[[], datetime]) -> None:
        self._database = database
        self._queue = queue
        self._now = now

    async def store(self, work: Work, feed: Feed, page: Page) -> None:
        """Store a page.

        Raises:
            LeaseLost: Another worker holds the run. Cancelled, Paused: the run has to stop here.
        """
        if work.lease.lost.is_set():
            raise sync.LeaseLost
        spec, scope = SPECS[work.entity], work.scope
        latest = {item.source_id: item for item in page.items}
        done = page.position is None
        total = page.total if page.total is not None else work.run.feeds.get(feed.name, {}).get("total")
        feeds = {**work.run.feeds, feed.name: {"position": page.position, "done": done, "total": total}}
        async with self._database.write(scope) as session:
            await sync.guard(session, scope, work.entity, fence=work.lease.fence)
            known = await upsert.known_hashes(session, scope, work.entity, list(latest))
            incoming = prepare(work.source.connector, work.entity, list(latest.values()), known=known, units=work.units)
            changed = await upsert.store(session, scope, spec, incoming, now=self._now(), run_id=work.run.id)
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
        work.advance(feeds, counts, pace)
        await self._queue.wake_followers(scope)
        if stop is sync.Stop.CANCEL:
            raise Cancelled
        if stop is sync.Stop.PAUSE:
            raise Paused


def prepare(
    connector: Connector,
    entity: Entity,
    items: Sequence[Item],
    *,
    known: Mapping[str, bytes],
    units: Mapping[str, str],
) -> list[Incoming]:
    """Map the items whose hash is new; equal ones are left out, for they can change nothing."""
    mapping = connector.mappings[entity]
    incoming = []
    for item in items:
        hashed = upsert.item_hash(item.body, mapping_version=mapping.version)
        if known.get(item.source_id) == hashed:
            continue
        try:
            record = project(mapping, item.body, units=units)
        except MappingError as error:
            incoming.append(Incoming(item.source_id, item.body, hashed, item.updated_at, None, str(error)))
        else:
            reason = _unstorable(record)
            stored = record if reason is None else None
            incoming.append(Incoming(item.source_id, item.body, hashed, item.updated_at, stored, reason))
    return incoming


def _unstorable(record: Fields) -> str | None:
    """Tell why Postgres would refuse a valid record, and with it the whole page."""
    if "\\u0000" in record.model_dump_json():
        return "The item holds a NUL character, which text in Postgres cannot."
    return None
