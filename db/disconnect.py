"""What ends with a connection, and what new credentials begin anew: leases, runs, schedules."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from db.engine import WriteSession
from db.scope import Scope

# The order of all these is that in which syncs lock rows: entities, runs, then the connection, its event counter last.
_FENCE_OFF: Final = text(
    "UPDATE connected_entity SET fence = fence + 1, lease_owner = NULL, lease_expires_at = NULL"
    " WHERE connection_id = :connection AND organization_id = :organization"
)
_END_SCHEDULES: Final = text(
    "UPDATE connected_entity SET next_run_at = NULL, next_full_run_at = NULL"
    " WHERE connection_id = :connection AND organization_id = :organization"
)
_CANCEL_RUNS: Final = text(
    "UPDATE sync_run SET status = 'CANCELLED', finished_at = :now, next_attempt_at = NULL,"
    " awaits_confirmation = false, revision = revision + 1"
    " WHERE connection_id = :connection AND organization_id = :organization"
    " AND status IN ('QUEUED', 'RUNNING', 'WAITING')"
)
# What never left has failed; what may have left, nobody can look up any more.
_END_WRITES: Final = text(
    """
    UPDATE write_operation SET fence = fence + 1, lease_owner = NULL, lease_expires_at = NULL, next_attempt_at = NULL,
        state = CASE state WHEN 'PENDING' THEN 'FAILED' ELSE 'OUTCOME_UNKNOWN' END,
        settled_at = CASE state WHEN 'PENDING' THEN CAST(:now AS timestamptz) END,
        error = jsonb_build_object(
            'code', CASE state WHEN 'PENDING' THEN 'CONFLICT' ELSE 'OUTCOME_UNKNOWN' END,
            'message', 'The connection was disconnected before the outcome of this write was known.',
            'remedy', 'Look at the record in the source.')
    WHERE connection_id = :connection AND organization_id = :organization AND next_attempt_at IS NOT NULL
    """
)
_RESUME_RUNS: Final = text(
    "UPDATE sync_run SET next_attempt_at = NULL, woken_at = NULL, revision = revision + 1"
    " WHERE connection_id = :connection AND organization_id = :organization AND status = 'WAITING' RETURNING id"
)
_RESUME_SCHEDULES: Final = text(
    "UPDATE connected_entity SET next_run_at = least(next_run_at, :now)"
    " WHERE connection_id = :connection AND organization_id = :organization AND state <> 'PAUSED'"
)


async def fence_off(session: WriteSession, scope: Scope) -> None:
    """Let no lease of the connection store anything any more; waits for pages that are being stored."""
    await session.execute(_FENCE_OFF, _of(scope))


async def end_work(session: WriteSession, scope: Scope, *, now: datetime) -> None:
    """End the connection's leases, schedules, open runs and writes under way."""
    await fence_off(session, scope)
    await session.execute(_END_SCHEDULES, _of(scope))
    await session.execute(_CANCEL_RUNS, {**_of(scope), "now": now})
    await session.execute(_END_WRITES, {**_of(scope), "now": now})


async def resume_work(session: WriteSession, scope: Scope, *, now: datetime) -> list[UUID]:
    """Make the connection's entities and waiting runs due, to try at once what new credentials may do; gives these."""
    await session.execute(_RESUME_SCHEDULES, {**_of(scope), "now": now})
    return [row.id for row in await session.execute(_RESUME_RUNS, _of(scope))]


def _of(scope: Scope) -> dict[str, object]:
    return {"connection": scope.connection_id, "organization": scope.organization_id}
