"""One pass over one entity of one connection: feed by feed, page by page.

The pass reads from the source's clock at its start; the checkpoint moves there, less an overlap, once all is read.
"""

import time
from collections.abc import Callable
from datetime import datetime

import structlog

from connectors.base import Feed, Page
from db import connections, events, sync
from db.connections import Opened
from db.engine import Database
from db.models.connection import ConnectionStatus
from db.models.sync import SyncMode, SyncRun, SyncStatus
from db.scope import Scope
from db.types import Entity
from jobs.failures import connection_event
from jobs.lease import Lease
from jobs.pages import Pages
from jobs.queue import Queue
from jobs.sources import OpenSource
from jobs.work import SliceEnded, Work, run_event

log = structlog.get_logger(__name__)


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
        entity = Entity(run.entity)
        window_start = run.window_start or await source.source.clock()
        async with self._database.write(scope) as session:
            await sync.guard(session, scope, entity, fence=lease.fence)
            known = await sync.checkpoints(session, scope, entity)
            started = run.started_at is None
            run.window_start, run.started_at = window_start, run.started_at or self._now()
            first_feed = next((f.name for f in source.connector.feeds if f.entity == entity), None)
            resumed = known.get(first_feed) if first_feed and run.mode == SyncMode.INCREMENTAL else None
            run.since = datetime.fromisoformat(resumed) if resumed else None
            await sync.change(
                session,
                scope,
                run.id,
                status=SyncStatus.RUNNING,
                window_start=window_start,
                started_at=run.started_at,
                since=run.since,
                next_attempt_at=None,
                error=None,
            )
            if started:
                await events.append(session, scope, [run_event(run, "sync.started")])
        await self._queue.wake_followers(scope)
        units = source.connector.units(source.defaults)
        return Work(run, scope, opened, source, lease, known, units, time.monotonic() + self._slice_seconds)

    async def _feed(self, work: Work, feed: Feed) -> None:
        state = work.run.feeds.get(feed.name, {})
        if state.get("done"):
            return
        pages = work.source.source.read(feed, window=work.window(feed), position=state.get("position"))
        async for page in pages:
            await self._pages.store(work, feed, page)
            if time.monotonic() > work.until:
                raise SliceEnded
        if not work.run.feeds.get(feed.name, {}).get("done"):
            await self._pages.store(work, feed, Page((), None))

    async def _succeed(self, work: Work) -> None:
        run, start = work.run, work.run.window_start or self._now()
        status = SyncStatus.PARTIAL if run.quarantined else SyncStatus.SUCCEEDED
        moved = {feed.name: (start - feed.overlap).isoformat() for feed in work.all_feeds}
        async with self._database.write(work.scope) as session:
            await sync.guard(session, work.scope, work.entity, fence=work.lease.fence)
            await sync.succeed(
                session, work.scope, work.entity, checkpoints=moved, complete_through=start, now=self._now()
            )
            await sync.change(session, work.scope, run.id, status=status, finished_at=self._now())
            before = await connections.set_status(
                session, work.scope, ConnectionStatus.ACTIVE, reason=None, unless=frozenset({ConnectionStatus.PAUSED})
            )
            told = [run_event(run, "sync.succeeded")]
            if before is not None:
                told.insert(0, connection_event(work.scope, ConnectionStatus.ACTIVE, before, None))
            await events.append(session, work.scope, told)
        await self._queue.wake_followers(work.scope)
        log.info("sync_succeeded", status=status.value)
