"""Runs as people handle them: which goes first, and which has to stop."""

from enum import Enum
from uuid import UUID

from sqlalchemy import text

from db.engine import ReadSession, WriteSession
from db.models.sync import OPEN_STATUSES, SyncRun, SyncStatus
from db.scope import Scope


async def behind(session: ReadSession, scope: Scope, run: SyncRun) -> bool:
    """Tell whether an older run of the same entity is open: it goes first."""
    found = await session.execute(
        text(
            "SELECT 1 FROM sync_run WHERE connection_id = :connection AND entity = :entity"
            " AND status IN ('QUEUED', 'RUNNING', 'WAITING') AND (created_at, id) < (:created_at, :id) LIMIT 1"
        ),
        {"connection": scope.connection_id, "entity": run.entity, "created_at": run.created_at, "id": run.id},
    )
    return found.scalar_one_or_none() is not None


class Cancel(Enum):
    """What asking a run to stop came to."""

    UNKNOWN = "UNKNOWN"
    ENDED_BEFORE = "ENDED_BEFORE"
    ENDED = "ENDED"
    AT_NEXT_PAGE = "AT_NEXT_PAGE"


async def cancel(session: WriteSession, scope: Scope, run_id: UUID) -> Cancel:
    """Ask a run to stop: at its next page where a worker is at it, at once where none is."""
    whose = {"connection": scope.connection_id, "id": run_id}
    # The lease first, as everywhere: while this row is held, no worker can take it.
    held = await session.execute(
        text(
            "SELECT e.lease_expires_at > now() AS leased FROM connected_entity e JOIN sync_run r"
            " ON r.connection_id = e.connection_id AND r.entity = e.entity"
            " WHERE r.connection_id = :connection AND r.id = :id FOR UPDATE OF e"
        ),
        whose,
    )
    lease = held.one_or_none()
    if lease is None:
        return Cancel.UNKNOWN
    run = await session.get_one(SyncRun, (scope.connection_id, run_id), with_for_update=True)
    if run.status not in OPEN_STATUSES:
        return Cancel.ENDED_BEFORE
    run.cancel_requested = True
    run.revision += 1
    at_work = run.status == SyncStatus.RUNNING and lease.leased
    if not at_work:
        run.status = SyncStatus.CANCELLED
        run.finished_at = (await session.execute(text("SELECT now()"))).scalar_one()
    await session.flush()
    return Cancel.AT_NEXT_PAGE if at_work else Cancel.ENDED


async def connection_of(session: ReadSession, scope: Scope, run_id: UUID) -> UUID | None:
    """Give the connection of a run that the scope may see."""
    found = await session.execute(
        text(
            "SELECT connection_id FROM sync_run WHERE organization_id = :organization AND id = :id"
            " AND (CAST(:connection AS uuid) IS NULL OR connection_id = :connection)"
        ),
        {"organization": scope.organization_id, "connection": scope.connection_id, "id": run_id},
    )
    return found.scalar_one_or_none()
