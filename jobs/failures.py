"""What becomes of a run when its source fails: it waits, or it ends where people see it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from connectors.errors import ConnectorError
from db import events, sync
from db.engine import Database
from db.events import NewEvent
from db.models.sync import SourceError, SyncRun, SyncStatus
from db.scope import Scope
from db.types import Entity, Operation
from jobs import health
from jobs.budget import Refused
from jobs.failpoints import failpoint
from jobs.health import Failure
from jobs.lease import Lease
from jobs.queue import Queue
from jobs.work import run_event

log = structlog.get_logger(__name__)


class Failures:
    """Ends runs, or lets them wait."""

    def __init__(self, *, database: Database, queue: Queue, now: Callable[[], datetime]) -> None:
        self._database = database
        self._queue = queue
        self._now = now

    async def end(
        self,
        run: SyncRun,
        scope: Scope,
        lease: Lease,
        status: SyncStatus,
        error: SourceError | None = None,
        failure: Failure | None = None,
    ) -> None:
        """End a run; one that failed marks its entity.

        Args:
            error: Why it failed, for people.
            failure: The source's part in it, to be recorded.
        """
        entity, told = Entity(run.entity), list[NewEvent]()
        async with self._database.write(scope) as session:
            await sync.guard(session, scope, entity, fence=lease.fence)
            kept = error.model_dump(mode="json") if error else None
            await sync.change(session, scope, run.id, status=status, finished_at=self._now(), error=kept)
            if status is SyncStatus.FAILED:
                await sync.degrade(session, scope, entity)
                told.append(run_event(run, "sync.failed"))
            if failure is not None:
                told += await health.failed(session, scope, failure, now=self._now())
            await events.append(session, scope, told)
            failpoint("end_before_commit")
        failpoint("end_committed")
        await self._queue.wake_followers(scope)

    async def failed(self, run: SyncRun, scope: Scope, lease: Lease, error: ConnectorError) -> None:
        """Let a run wait for its next attempt, or end it where waiting does not help."""
        log.warning("sync_failed", code=error.code.value, transient=error.transient)
        if error.transient:
            await self._wait(run, scope, lease, error)
        else:
            failure = Failure(error, Operation.READ, Entity(run.entity), run_id=run.id)
            await self.end(run, scope, lease, SyncStatus.FAILED, health.source_error(error), failure)

    async def _wait(self, run: SyncRun, scope: Scope, lease: Lease, error: ConnectorError) -> None:
        entity, now = Entity(run.entity), self._now()
        async with self._database.write(scope) as session:
            await sync.guard(session, scope, entity, fence=lease.fence)
            current = await sync.load(session, scope, run.id)
            attempts = (current.attempts if current else 0) + 1
            failure = Failure(error, Operation.READ, entity, run_id=run.id, attempts=attempts)
            wait_s = failure.waits()
            await sync.change(
                session,
                scope,
                run.id,
                status=SyncStatus.WAITING,
                attempts=attempts,
                next_attempt_at=now + timedelta(seconds=wait_s),
                error=health.source_error(error).model_dump(mode="json"),
            )
            told = await health.failed(session, scope, failure, now=now, wait_s=wait_s)
            await events.append(session, scope, told)
            failpoint("wait_before_commit")
        failpoint("wait_committed")
        await self._queue.wake_followers(scope)

    async def refused(self, run: SyncRun, scope: Scope, lease: Lease, refused: Refused) -> None:
        """Let a run wait that was not let out to its source: that is no failure, and counts for nothing."""
        log.info("sync_held_back", until=refused.until)
        async with self._database.write(scope) as session:
            await sync.guard(session, scope, Entity(run.entity), fence=lease.fence)
            await sync.change(session, scope, run.id, status=SyncStatus.WAITING, next_attempt_at=refused.until)
        await self._queue.wake_followers(scope)
