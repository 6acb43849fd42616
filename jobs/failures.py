"""What becomes of a run when its source fails: waiting, an end that people see, or new credentials."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from connectors.errors import AuthError, ConnectorError, RateLimited
from db import connections, events, sync
from db.engine import Database
from db.events import NewEvent
from db.models.connection import ConnectionStatus
from db.models.sync import SourceError, SyncRun, SyncStatus
from db.scope import Scope
from db.types import Entity, ErrorCode, encode_id
from jobs import retry
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
        self, run: SyncRun, scope: Scope, lease: Lease, status: SyncStatus, error: SourceError | None = None
    ) -> None:
        """End a run; one that failed marks its entity."""
        async with self._database.write(scope) as session:
            await sync.guard(session, scope, Entity(run.entity), fence=lease.fence)
            told = error.model_dump(mode="json") if error else None
            await sync.change(session, scope, run.id, status=status, finished_at=self._now(), error=told)
            if status is SyncStatus.FAILED:
                await sync.degrade(session, scope, Entity(run.entity))
                await events.append(session, scope, [run_event(run, "sync.failed")])
        await self._queue.wake_followers(scope)

    async def failed(self, run: SyncRun, scope: Scope, lease: Lease, error: ConnectorError) -> None:
        """Let a run wait for its next attempt, or end it where waiting does not help."""
        log.warning("sync_failed", code=error.code.value, transient=error.transient)
        told = source_error(error)
        if not error.transient:
            await self.end(run, scope, lease, SyncStatus.FAILED, told)
            await self._require_reauthorization(scope, error)
            return
        async with self._database.write(scope) as session:
            await sync.guard(session, scope, Entity(run.entity), fence=lease.fence)
            current = await sync.load(session, scope, run.id)
            attempts = (current.attempts if current else 0) + 1
            asked = error.retry_after_s if isinstance(error, RateLimited) else None
            wait = retry.delay(attempts, retry_after_s=asked)
            await sync.change(
                session,
                scope,
                run.id,
                status=SyncStatus.WAITING,
                attempts=attempts,
                next_attempt_at=self._now() + timedelta(seconds=wait),
                error=told.model_dump(mode="json"),
            )
        await self._queue.wake_followers(scope)

    async def _require_reauthorization(self, scope: Scope, error: ConnectorError) -> None:
        if not isinstance(error, AuthError):
            return
        status = ConnectionStatus.REAUTHORIZATION_REQUIRED
        async with self._database.write(scope) as session:
            before = await connections.set_status(session, scope, status, reason=error.message)
            if before is not None:
                await events.append(session, scope, [connection_event(scope, status, before, error.message)])
        await self._queue.wake_followers(scope)


def connection_event(scope: Scope, status: ConnectionStatus, before: ConnectionStatus, reason: str | None) -> NewEvent:
    """Tell a change of a connection's status."""
    connection = encode_id("ConnectedSystem", scope.connection_id) if scope.connection_id else None
    data = {"connectionId": connection, "status": status.value, "previousStatus": before.value, "reason": reason}
    return NewEvent("connection.status_changed", data)


def source_error(error: ConnectorError) -> SourceError:
    """Keep a source's failure with its remedy."""
    return SourceError(
        code=ErrorCode(error.code),
        message=error.message[:2000],
        source_message=error.source_message[:2000] if error.source_message else None,
        remedy=error.remedy,
        reason=getattr(error, "reason", None),
    )
