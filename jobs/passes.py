"""One pass over one entity of one connection: feed by feed, page by page.

The pass reads from the source's clock at its start; the checkpoint moves there, less an overlap, once all is read.
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from connectors.base import Feed, Page
from db import events, sync
from db.connections import Opened
from db.engine import Database, WriteSession
from db.models.sync import SyncRun, SyncStatus
from db.scope import Scope
from db.types import Entity, Operation
from jobs import health
from jobs.failpoints import failpoint
from jobs.lease import Lease
from jobs.pages import Pages
from jobs.queue import Queue
from jobs.sources import OpenSource
from jobs.work import Cancelled, SliceEnded, Work, run_event

log = structlog.get_logger(__name__)

_WINDOW: Final = ("window_start", "started_at", "source_ahead_ms", "since", "period_start")


class Passes:
    """Begins, walks and completes passes.

    Args:
        slice_seconds: How long a run works before it makes room for others.
    """

    def __init__(
        self, *, database: Database, queue: Queue, pages: Pages, now: Callable[[], datetime], slice_seconds: float
    ) -> None:
        self._database = database
        self._queue = queue
        self._pages = pages
        self._now = now
        self._slice_seconds = slice_seconds

    async def walk(self, run: SyncRun, scope: Scope, opened: Opened, source: OpenSource, lease: Lease) -> None:
        """Read what is left of a run's pass, and complete it.

        Raises:
            SliceEnded, Cancelled, Paused: It goes no further for now. LeaseLost: another worker holds it.
            ConnectorError: The source failed.
        """
        work = await self._begin(run, scope, opened, source, lease)
        for feed in work.feeds():
            await self._feed(work, feed)
        await self._succeed(work)

    async def _begin(self, run: SyncRun, scope: Scope, opened: Opened, source: OpenSource, lease: Lease) -> Work:
        if run.cancel_requested:
            raise Cancelled
        entity = Entity(run.entity)
        start = run.window_start or await source.source.clock()
        units = source.connector.units(source.defaults)
        async with self._database.write(scope) as session:
            await sync.guard(session, scope, entity, fence=lease.fence)
            resume = await sync.resume(session, scope, entity)
            mark = time.monotonic()
            work = Work(run, scope, opened, source, lease, resume, units, until=mark + self._slice_seconds, mark=mark)
            await self._start(session, work, start)
            failpoint("begin_before_commit")
        failpoint("begin_committed")
        await self._queue.wake_followers(scope)
        return work

    async def _start(self, session: WriteSession, work: Work, start: datetime) -> None:
        """Note that the run is worked on; its first slice fixes its window for all of them."""
        run, begun = work.run, work.run.window_start is not None
        if not begun:
            run.window_start, run.started_at = start, self._now()
            run.source_ahead_ms = round((start - work.resume.now).total_seconds() * 1000)
            run.since = next((work.since(feed) for feed in work.feeds()), None)
            run.period_start = work.period_start(start)
        if not await sync.begin(session, work.scope, run.id, **{name: getattr(run, name) for name in _WINDOW}):
            raise sync.LeaseLost  # somebody ended it before this worker came to it
        if not begun:
            await events.append(session, work.scope, [run_event(run, "sync.started")])

    async def _feed(self, work: Work, feed: Feed) -> None:
        state = work.run.feeds.get(feed.name, {})
        if state.get("done"):
            return
        pages = work.source.source.read(feed, window=work.window(feed), position=state.get("position"))
        read_at = self._now()
        async for page in pages:
            await self._pages.store(work, feed, page, read_at=read_at)
            if time.monotonic() > work.until:
                raise SliceEnded
            read_at = self._now()
        if not work.run.feeds.get(feed.name, {}).get("done"):
            await self._pages.store(work, feed, Page((), None), read_at=read_at)

    async def _succeed(self, work: Work) -> None:
        run = work.run
        start = run.window_start or self._now()
        status = SyncStatus.PARTIAL if run.quarantined else SyncStatus.SUCCEEDED
        moved = {feed.name: (start - feed.overlap).isoformat() for feed in work.all_feeds}
        async with self._database.write(work.scope) as session:
            await sync.guard(session, work.scope, work.entity, fence=work.lease.fence)
            await sync.succeed(session, work.scope, run, checkpoints=moved, whole=work.whole, now=self._now())
            await sync.change(session, work.scope, run.id, status=status, finished_at=self._now())
            told = await health.succeeded(
                session, work.scope, operation=Operation.READ, entity=work.entity, now=self._now()
            )
            await events.append(session, work.scope, [*told, run_event(run, "sync.succeeded")])
            failpoint("success_before_commit")
        failpoint("success_committed")
        await self._queue.wake_followers(work.scope)
        log.info("sync_succeeded", status=status.value)
