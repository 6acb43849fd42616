"""How each connection's source fares: recorded with the work that met it, read by whoever comes next."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text

from db.engine import SystemSession, WriteSession
from db.models.health import BreakerState
from db.scope import Scope
from db.types import Entity, ErrorCode, new_id


@dataclass(frozen=True, slots=True)
class Noted:
    """A failure as it is recorded.

    Attributes:
        touches: The entity and the operation that it touches; None touches all of them.
        fingerprint: What like failures have in common.
        answered: The source answered, be it with a refusal.
        error: code, message, source_message, remedy and reason.
        run_id, operation_id: The run or the write that met it.
    """

    entity: Entity | None
    operation: str
    touches: tuple[Entity | None, str | None]
    fingerprint: str
    answered: bool
    error: dict[str, Any]
    run_id: UUID | None = None
    operation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class IssueChange:
    """An issue that was opened or resolved."""

    id: UUID
    entity: str | None
    operation: str | None
    code: ErrorCode
    message: str
    occurrences: int


_SUCCEEDED: Final = text(
    """
    WITH old AS (
        SELECT connection_id, breaker FROM connection_health WHERE connection_id = :connection FOR UPDATE),
    healthy AS (
        UPDATE connection_health h SET last_contact_at = :now, last_success_at = :now, consecutive_failures = 0,
            unanswered = 0, breaker = 'CLOSED', reason = NULL, probe_at = NULL
        FROM old WHERE h.connection_id = old.connection_id RETURNING h.connection_id, old.breaker),
    due AS (
        UPDATE sync_run r SET next_attempt_at = :now, revision = r.revision + 1 FROM healthy
        WHERE healthy.breaker = 'OPEN' AND r.connection_id = healthy.connection_id AND r.status = 'WAITING'
        RETURNING 1),
    resolved AS (
        UPDATE issue i SET resolved_at = :now FROM connection c
        WHERE i.connection_id = :connection AND i.resolved_at IS NULL AND c.id = i.connection_id
          AND (i.entity IS NULL OR i.entity = :entity) AND (i.operation IS NULL OR i.operation = :operation)
          AND (i.code <> 'REAUTHORIZATION_REQUIRED' OR c.status <> 'REAUTHORIZATION_REQUIRED')
        RETURNING i.id, i.entity, i.operation, i.code, i.message, i.occurrences)
    SELECT (SELECT count(*) FROM due) AS due,
           (SELECT json_agg(row_to_json(resolved)) FROM resolved)::text AS resolved,
           (SELECT status = 'UNREACHABLE' FROM connection WHERE id = :connection) AS unreachable
    """
)


async def succeeded(
    session: WriteSession, scope: Scope, *, entity: Entity | None, operation: str, now: datetime
) -> tuple[list[IssueChange], bool]:
    """Record a success: the breaker closes, what waited for it is due, and what it touches is resolved.

    An issue of refused credentials outlives the successes of what was under way when they were refused.

    Returns:
        The issues that it resolved, and whether the connection was UNREACHABLE until now.
    """
    values = {"connection": scope.connection_id, "entity": entity, "operation": operation, "now": now}
    row = (await session.execute(_SUCCEEDED, values)).one()
    return [_issue(each) for each in orjson.loads(row.resolved or "[]")], bool(row.unreachable)


def _issue(row: dict[str, Any]) -> IssueChange:
    return IssueChange(
        id=UUID(row["id"]),
        entity=row["entity"],
        operation=row["operation"],
        code=ErrorCode(row["code"]),
        message=row["message"],
        occurrences=row["occurrences"],
    )


_ISSUE: Final = text(
    """
    INSERT INTO issue AS i (connection_id, id, organization_id, fingerprint, entity, operation, code, message,
        source_message, remedy, reason, occurrences, opened_at, last_seen_at)
    VALUES (:connection, :id, :organization, :fingerprint, :touched, :touched_operation, :code, :message,
        :source_message, :remedy, :reason, 1, :now, :now)
    ON CONFLICT (connection_id, fingerprint) WHERE resolved_at IS NULL
    DO UPDATE SET occurrences = i.occurrences + 1, last_seen_at = :now, message = excluded.message,
        source_message = excluded.source_message, remedy = excluded.remedy, reason = excluded.reason
    RETURNING i.id, i.occurrences
    """
)
_ERROR: Final = text(
    """
    INSERT INTO connection_error (connection_id, id, organization_id, occurred_at, entity, operation, code, message,
        source_message, remedy, reason, issue_id, run_id, operation_id)
    VALUES (:connection, :id, :organization, :now, :entity, :operation, :code, :message,
        :source_message, :remedy, :reason, :issue, :run, :write)
    """
)


async def note(session: WriteSession, scope: Scope, noted: Noted, *, now: datetime) -> IssueChange | None:
    """Store an error with its issue; gives the issue where the error opened it."""
    entity, operation = noted.touches
    values = {"connection": scope.connection_id, "organization": scope.organization_id, "now": now, **noted.error}
    issue_id = new_id()
    touched = {"touched": entity, "touched_operation": operation, "fingerprint": noted.fingerprint, "id": issue_id}
    row = (await session.execute(_ISSUE, {**values, **touched})).one()
    met = {"run": noted.run_id, "write": noted.operation_id, "entity": noted.entity, "operation": noted.operation}
    await session.execute(_ERROR, {**values, **met, "id": new_id(), "issue": row.id})
    if row.id != issue_id:
        return None
    return IssueChange(row.id, entity, operation, ErrorCode(noted.error["code"]), noted.error["message"], 1)


_RESOLVED: Final = text(
    """
    UPDATE issue SET resolved_at = :now
    WHERE connection_id = :connection AND resolved_at IS NULL AND entity = :entity AND operation = :operation
    RETURNING id, entity, operation, code, message, occurrences
    """
)


async def resolve(
    session: WriteSession, scope: Scope, *, entity: Entity, operation: str, now: datetime
) -> list[IssueChange]:
    """Resolve what people had to look at, and did; gives the issues that were open until now."""
    values = {"connection": scope.connection_id, "entity": entity, "operation": operation, "now": now}
    rows = await session.execute(_RESOLVED, values)
    return [_issue({**row._mapping, "id": str(row.id)}) for row in rows]  # noqa: SLF001  (documented)


_TOUCHED: Final = """
    jsonb_build_object(
        'entities', CASE WHEN CAST(:touched AS text) IS NOT NULL THEN jsonb_build_array(CAST(:touched AS text)) ELSE
            (SELECT coalesce(jsonb_agg(e.entity ORDER BY e.entity), '[]') FROM connected_entity e
             WHERE e.connection_id = :connection) END,
        'operations', CASE WHEN CAST(:touched_operation AS text) IS NOT NULL
            THEN jsonb_build_array(CAST(:touched_operation AS text)) ELSE
            (SELECT coalesce(jsonb_agg(DISTINCT operation), '[]') FROM connection c
             JOIN system s ON s.slug = c.system_slug, json_array_elements(s.capabilities) can,
                  json_array_elements_text(can -> 'operations') operation WHERE c.id = :connection) END)
"""
_ANSWERED: Final = text(
    f"""
    WITH old AS (
        SELECT connection_id, breaker FROM connection_health WHERE connection_id = :connection FOR UPDATE),
    answered AS (
        UPDATE connection_health h SET last_contact_at = :now, consecutive_failures = h.consecutive_failures + 1,
            unanswered = 0, breaker = 'CLOSED', reason = NULL, probe_at = NULL,
            paused_until = greatest(h.paused_until, CAST(:paused_until AS timestamptz)),
            last_error = CAST(:error AS jsonb) || {_TOUCHED}
        FROM old WHERE h.connection_id = old.connection_id RETURNING h.connection_id, old.breaker),
    due AS (
        UPDATE sync_run r SET next_attempt_at = :now, revision = r.revision + 1 FROM answered
        WHERE answered.breaker = 'OPEN' AND r.connection_id = answered.connection_id AND r.status = 'WAITING'
        RETURNING 1)
    SELECT 'CLOSED' AS breaker, (SELECT count(*) FROM due) FROM answered
    """
)
_UNANSWERED: Final = text(
    f"""
    UPDATE connection_health h SET consecutive_failures = h.consecutive_failures + 1, unanswered = h.unanswered + 1,
        reason = :reason, last_error = CAST(:error AS jsonb) || {_TOUCHED},
        breaker = CASE WHEN h.unanswered + 1 >= :threshold THEN 'OPEN' ELSE h.breaker END,
        probe_at = CASE WHEN h.breaker = 'OPEN' THEN h.probe_at WHEN h.unanswered + 1 >= :threshold THEN :probe_at END
    WHERE h.connection_id = :connection RETURNING h.breaker
    """
)


async def failed(
    session: WriteSession,
    scope: Scope,
    noted: Noted,
    *,
    now: datetime,
    threshold: int,
    probe_at: datetime,
    paused_until: datetime | None,
) -> BreakerState:
    """Count a failure; gives how the breaker stands now.

    A source that answered is there: its refusal closes the breaker as a success does.

    Args:
        threshold: Calls in a row without an answer that open the breaker.
        probe_at: When it is checked first, once it is open.
        paused_until: Until when the source asked to be left alone.
    """
    entity, operation = noted.touches
    values = {
        "connection": scope.connection_id,
        "touched": entity,
        "touched_operation": operation,
        "error": orjson.dumps({"occurred_at": now, **noted.error}).decode(),
    }
    if noted.answered:
        row = (await session.execute(_ANSWERED, {**values, "now": now, "paused_until": paused_until})).one()
    else:
        counted = {"threshold": threshold, "probe_at": probe_at, "reason": noted.error.get("reason")}
        row = (await session.execute(_UNANSWERED, {**values, **counted})).one()
    return BreakerState(row.breaker)


_PROBES: Final = text(
    """
    WITH due AS (
        SELECT h.connection_id FROM connection_health h JOIN connection c ON c.id = h.connection_id
        WHERE h.breaker = 'OPEN' AND h.probe_at <= :now AND (h.probed_at IS NULL OR h.probed_at <= :last)
          AND c.status IN ('ACTIVE', 'UNREACHABLE') AND (h.paused_until IS NULL OR h.paused_until <= :now)
        ORDER BY h.probe_at LIMIT :limit FOR UPDATE OF h SKIP LOCKED)
    UPDATE connection_health h SET probed_at = :now, probe_at = :next FROM due
    WHERE h.connection_id = due.connection_id RETURNING h.organization_id, h.connection_id
    """
)


async def claim_probes(
    session: SystemSession, *, now: datetime, apart: timedelta, every: timedelta, limit: int
) -> list[Scope]:
    """Take the checks that are due on sources behind an open breaker; nobody else is given one `apart` from it."""
    values = {"now": now, "last": now - apart, "next": now + every, "limit": limit}
    return [Scope(row.organization_id, row.connection_id) for row in await session.execute(_PROBES, values)]


_CLAIM: Final = text(
    """
    UPDATE connection_health SET probed_at = :now, probe_at = :next
    WHERE connection_id = :connection AND breaker = 'OPEN' AND (probed_at IS NULL OR probed_at <= :last)
    RETURNING 1
    """
)


async def claim_probe(
    session: SystemSession, scope: Scope, *, now: datetime, apart: timedelta, every: timedelta
) -> bool:
    """Take the check of one source behind an open breaker, asked for by hand; False where it was checked just now."""
    values = {"connection": scope.connection_id, "now": now, "last": now - apart, "next": now + every}
    return (await session.execute(_CLAIM, values)).scalar_one_or_none() is not None


async def prune(session: SystemSession, *, before: datetime, limit: int) -> int:
    """Delete the oldest errors, and issues resolved, before an instant: at most `limit` of each; gives how many."""
    deleted = 0
    for table, at in (("connection_error", "occurred_at"), ("issue", "resolved_at")):
        gone = await session.execute(
            text(
                f"DELETE FROM {table} t"
                f" USING (SELECT connection_id, id FROM {table} WHERE {at} < :before LIMIT :limit) o"
                " WHERE t.connection_id = o.connection_id AND t.id = o.id RETURNING t.id"
            ),
            {"before": before, "limit": limit},
        )
        deleted += len(gone.all())
    return deleted
