"""One pass over one entity of one connection: feed by feed, page by page; then what may be gone is looked up.

The pass reads from the source's clock at its start; the checkpoint moves there, less an overlap, once all is read.
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import structlog

from connectors.base import Feed, Page
from db import events, runs, sync
from db.connections import Opened
from db.engine import Database, WriteSession
from db.events import NewEvent
from db.models.sync import SyncRun, SyncStatus
from db.scope import Scope
from db.types import Entity, Operation
from jobs import attention, health
from jobs.failpoints import failpoint
from jobs.lease import Lease
from jobs.pages import Pages
from jobs.protections import Protections
from jobs.queue import Queue
from jobs.sources import OpenSource
from jobs.sweeps import Sweeps, question
from jobs.work import Cancelled, SliceEnded, Work, run_event

log = structlog.get_logger(__name__)

_WINDOW: Final = ("window_start", "started_at", "source_ahead_ms", "since", "period_start")


class Passes:
    """Begins, walks and completes passes.

    Args:
        slice_seconds: How long a run works before it makes room for others.
    """

    def __init__(
        self,
        *,
        database: Database,
        queue: Queue,
        pages: Pages,
        sweeps: Sweeps,
        now: Callable[[], datetime],
        slice_seconds: float,
        protections: Protections,
    ) -> None:
        self._database = database
        self._queue = queue
        self._pages = pages
        self._sweeps = sweeps
        self._now = now
        self._slice_seconds = slice_seconds
        self._protections = protections

    async def walk(self, run: SyncRun, scope: Scope, opened: Opened, source: OpenSource, lease: Lease) -> None:
        """Read what is left of a run's pass, complete it, and look up what may be gone.

        Raises:
            SliceEnded, Cancelled, Paused: It goes no further for now. LeaseLost: another worker holds it.
            ConnectorError: The source failed.
        """
        work = await self._begin(run, scope, opened, source, lease)
        if run.completed_at is None:
            for feed in work.feeds():
                await self._feed(work, feed)
            if await self._complete(work):
                return
        await self._sweeps.look_up(work)
        await self._end(work)

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
            work = Work(
                run,
                scope,
                opened,
                source,
                lease,
                resume,
                units,
                until=mark + self._slice_seconds,
                mark=mark,
                begun=mark,
            )
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
        read_at = work.clock()
        async for page in pages:
            await self._pages.store(work, feed, page, read_at=read_at)
            if time.monotonic() > work.until:
                raise SliceEnded
            read_at = work.clock()
        if not work.run.feeds.get(feed.name, {}).get("done"):
            await self._pages.store(work, feed, Page((), None), read_at=read_at)

    async def _complete(self, work: Work) -> bool:
        """Note that all is read: the checkpoints move, and what was not met is judged.

        Returns:
            True where the run is at its end, or has to ask first; else some is left to be looked up.
        """
        run, scope, now = work.run, work.scope, self._now()
        start, overlap = run.window_start or now, self._protections.overlap
        ends = {feed.name: (start - feed.overlap * overlap).isoformat() for feed in work.all_feeds}
        moved = None if work.leaves_changes else ends
        async with self._database.write(scope) as session:
            await self._guard(session, work)
            await sync.succeed(session, scope, run, checkpoints=moved, whole=work.whole, now=now)
            told = await health.succeeded(session, scope, operation=Operation.READ, entity=work.entity, now=now)
            asks = await self._sweeps.judge(session, work)
            left = asks or await self._sweeps.pending(session, work)
            told += await self._asked(session, work) if asks else await self._judged(session, work, left=left)
            await events.append(session, scope, told)
            failpoint("success_before_commit")
        failpoint("success_committed")
        await self._queue.wake_followers(scope)
        log.info("sync_completed", asks=asks, left=left)
        return asks or not left

    async def _asked(self, session: WriteSession, work: Work) -> list[NewEvent]:
        """Let the run wait for people's answer; gives the events to append."""
        run, error = work.run, question(work.run)
        values = {"judged": run.judged, "vanished": run.vanished, "error": error.model_dump(mode="json")}
        waits = {"status": SyncStatus.WAITING, "next_attempt_at": None, "awaits_confirmation": True}
        await runs.supersede(session, work.scope, run)
        await sync.change(session, work.scope, run.id, completed_at=self._now(), **values, **waits)
        told = [run_event(run, "sync.confirmation_required", judged=run.judged, vanished=run.vanished)]
        return told + await attention.call(
            session, work.scope, "SWEEP", work.entity, error, run_id=run.id, now=self._now()
        )

    async def _judged(self, session: WriteSession, work: Work, *, left: bool) -> list[NewEvent]:
        """Go on with a run that asks nothing, to its end where nothing is left; gives the events to append."""
        run, scope, told = work.run, work.scope, list[NewEvent]()
        values = {"completed_at": self._now(), "judged": run.judged, "vanished": run.vanished}
        if run.judged is not None:
            await runs.supersede(session, scope, run)
            told += await attention.settle(session, scope, "SWEEP", work.entity, now=self._now())
        if left:
            await sync.change(session, scope, run.id, **values)
            return told
        return [*told, *await self._ended(session, work, **values)]

    async def _end(self, work: Work) -> None:
        async with self._database.write(work.scope) as session:
            await self._guard(session, work)
            await events.append(session, work.scope, await self._ended(session, work))
        await self._queue.wake_followers(work.scope)

    async def _ended(self, session: WriteSession, work: Work, **values: Any) -> list[NewEvent]:
        """End a run that has done all; gives the events to append."""
        status = SyncStatus.PARTIAL if work.run.quarantined else SyncStatus.SUCCEEDED
        await sync.change(session, work.scope, work.run.id, status=status, finished_at=self._now(), **values)
        log.info("sync_succeeded", status=status.value)
        return [run_event(work.run, "sync.succeeded")]

    async def _guard(self, session: WriteSession, work: Work) -> None:
        if self._protections.fence:
            await sync.guard(session, work.scope, work.entity, fence=work.lease.fence)
