"""A page of a pass, stored: records, raw items, events, counters and the feed's position in one transaction.

A worker that dies repeats at most one page.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from connectors.base import Feed, Item, Page
from db import events, sweep, sync, upsert
from db.engine import Database, WriteSession
from db.events import NewEvent
from db.history import Origin
from db.models.registry import SPECS
from db.raw import Fetched
from db.types import Cause
from db.upsert import Changed, Kind
from jobs.bringing import Bringing
from jobs.failpoints import failpoint
from jobs.protections import Protections
from jobs.queue import Queue
from jobs.work import Cancelled, Paused, Work


@dataclass(slots=True)
class Brought:
    """What was stored of a page: its changes as events, in order, and what they add to the run's counters."""

    told: list[NewEvent]
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
        scope = work.scope
        async with self._database.write(scope) as session:
            if self._protections.fence:
                await sync.guard(session, scope, work.entity, fence=work.lease.fence)
            brought = await fill(session)
            counts = {**brought.counts, "pages": pages}
            pace = work.pace(feeds, fetched=counts["fetched"], now=self._now())
            stop = await sync.progress(session, scope, work.run.id, feeds=feeds, counts=counts, pace=asdict(pace))
            if self._protections.outbox:
                await events.append(session, scope, brought.told)
            failpoint("page_before_commit")
        failpoint("page_committed")
        if not self._protections.outbox:
            async with self._database.write(scope) as session:
                await events.append(session, scope, brought.told)
        work.advance(feeds, counts, pace)
        await self._queue.wake_followers(scope)
        if stop is sync.Stop.CANCEL:
            raise Cancelled
        if stop is sync.Stop.PAUSE:
            raise Paused

    async def bring(self, session: WriteSession, work: Work, items: Iterable[Item], *, fetched: Fetched) -> Brought:
        """Store items that were read: those that are new or differ; and what they say was deleted."""
        given = list(items)
        latest = {item.source_id: item for item in given}  # of several with one key, the last counts
        gone = {source_id for source_id, item in latest.items() if item.gone}
        origin = Origin(Cause.SYNC, self._now(), run_id=work.run.id)
        bringing = Bringing(session, work, fetched, origin, compare=self._protections.compare)
        await bringing.bring([latest[source_id] for source_id in sorted(latest.keys() - gone)])
        changed, told, spec = bringing.changed, bringing.told, SPECS[work.entity]
        if gone:
            deleted = await upsert.delete(session, work.scope, spec, gone, origin=origin, read_at=fetched.at)
            changed, told = changed + deleted, told + upsert.events_of(spec, deleted)
        return Brought(told, counted(len(given), changed, failed=bringing.failed))


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
