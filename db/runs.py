"""Runs as people handle them: which goes first, and which has to stop."""

from enum import Enum
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from db.engine import ReadSession, WriteSession
from db.models.sync import ACTIVE, OPEN_STATUSES, SyncRun, SyncStatus
from db.scope import Scope


class Cancel(Enum):
    """What asking a run to stop came to."""

    UNKNOWN = "UNKNOWN"
    ENDED_BEFORE = "ENDED_BEFORE"
    ENDED = "ENDED"
    AT_NEXT_PAGE = "AT_NEXT_PAGE"


async def cancel(session: WriteSession, scope: Scope, run_id: UUID) -> tuple[Cancel, SyncRun | None]:
    """Ask a run to stop: at its next page where a worker is at it, at once where none is."""
    run, leased = await _held(session, scope, run_id)
    if run is None:
        return Cancel.UNKNOWN, None
    if run.status not in OPEN_STATUSES:
        return Cancel.ENDED_BEFORE, run
    run.cancel_requested = True
    run.revision += 1
    if run.status == SyncStatus.RUNNING and leased:
        await session.flush()
        return Cancel.AT_NEXT_PAGE, run
    if not leased:  # a worker that stopped past its lease must not go on with a run that has ended
        await session.execute(
            text(
                "UPDATE connected_entity SET fence = fence + 1 WHERE connection_id = :connection AND entity = :entity"
            ),
            {"connection": scope.connection_id, "entity": run.entity},
        )
    await _end(session, run, SyncStatus.CANCELLED)
    return Cancel.ENDED, run


class Answer(Enum):
    """What an answer to a run's question came to."""

    UNKNOWN = "UNKNOWN"
    NOT_ASKED = "NOT_ASKED"
    BEHIND = "BEHIND"
    TAKEN = "TAKEN"


async def answer(session: WriteSession, scope: Scope, run_id: UUID, *, delete: bool) -> tuple[Answer, SyncRun | None]:
    """Answer a run that asks whether to delete what vanished: it goes on to look it up, or ends and leaves it."""
    run, _ = await _held(session, scope, run_id)
    if run is None:
        return Answer.UNKNOWN, None
    if not run.awaits_confirmation:
        return Answer.NOT_ASKED, run
    if not delete:
        await _end(session, run, SyncStatus.PARTIAL)
        return Answer.TAKEN, run
    newer = await session.execute(
        text(
            "SELECT 1 FROM sync_run WHERE connection_id = :connection AND entity = :entity AND mode = :mode"
            f" AND {ACTIVE}"
        ),
        {"connection": scope.connection_id, "entity": run.entity, "mode": run.mode},
    )
    if newer.first() is not None:
        return Answer.BEHIND, run
    run.status, run.next_attempt_at, run.error, run.awaits_confirmation = SyncStatus.QUEUED, None, None, False
    run.revision += 1
    await session.flush()
    return Answer.TAKEN, run


async def supersede(session: WriteSession, scope: Scope, run: SyncRun) -> None:
    """End the runs of the same entity that still ask: this one has judged anew."""
    asking = await session.execute(
        select(SyncRun)
        .where(
            col(SyncRun.connection_id) == scope.connection_id,
            col(SyncRun.entity) == run.entity,
            col(SyncRun.id) != run.id,
            col(SyncRun.awaits_confirmation),
        )
        .with_for_update()
    )
    for each in asking.scalars():
        await _end(session, each, SyncStatus.PARTIAL)


async def _held(session: WriteSession, scope: Scope, run_id: UUID) -> tuple[SyncRun | None, bool]:
    """Hold a run, and its entity's lease first, as everywhere: no worker can take it meanwhile.

    Returns:
        The run, and whether a worker has the lease.
    """
    lease = (
        await session.execute(
            text(
                "SELECT coalesce(e.lease_expires_at > now(), false) AS taken FROM connected_entity e JOIN sync_run r"
                " ON r.connection_id = e.connection_id AND r.entity = e.entity"
                " WHERE r.connection_id = :connection AND r.id = :id FOR UPDATE OF e"
            ),
            {"connection": scope.connection_id, "id": run_id},
        )
    ).one_or_none()
    if lease is None:
        return None, False
    return await session.get_one(SyncRun, (scope.connection_id, run_id), with_for_update=True), lease.taken


async def _end(session: WriteSession, run: SyncRun, status: SyncStatus) -> None:
    run.status, run.awaits_confirmation = status, False
    run.finished_at = (await session.execute(text("SELECT now()"))).scalar_one()
    run.revision += 1
    await session.execute(
        text("DELETE FROM vanished_item WHERE connection_id = :connection AND run_id = :run"),
        {"connection": run.connection_id, "run": run.id},
    )
    await session.flush()


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
