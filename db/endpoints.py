"""Webhook endpoints as rows, and which of their deliveries are to be sent again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from db.engine import ReadSession, WriteSession
from db.events import StoredEvent
from db.models.webhook import WebhookEndpoint
from db.scope import Scope
from db.secrets import Sealed

_LOCK: Final = text("SELECT FROM organization WHERE id = :organization FOR NO KEY UPDATE")
_COUNT: Final = text(
    "SELECT count(*) FROM webhook_endpoint WHERE organization_id = :organization AND deleted_at IS NULL"
)
_REDELIVER: Final = text(
    """
    UPDATE webhook_delivery d SET state = 'PENDING', tries = 0, settled_at = NULL, next_attempt_at = now(),
        lease_owner = NULL, lease_expires_at = NULL
    FROM webhook_endpoint w
    WHERE d.id = :id AND d.organization_id = :organization AND w.id = d.endpoint_id AND w.state = 'ENABLED'
      AND w.deleted_at IS NULL AND (d.lease_expires_at IS NULL OR d.lease_expires_at <= now())
    """
)
_DELIVERY: Final = text(
    """
    SELECT w.state AS endpoint_state, w.deleted_at IS NOT NULL AS deleted
    FROM webhook_delivery d JOIN webhook_endpoint w ON w.id = d.endpoint_id
    WHERE d.id = :id AND d.organization_id = :organization
    """
)
_SINCE: Final = text(
    """
    SELECT e.stream_id, e.sequence, e.id, e.connection_id, e.type, e.entity, e.record_id, e.data, e.created_at
    FROM event e
    WHERE e.organization_id = :organization AND e.created_at >= :since
      AND (CAST(:until AS timestamptz) IS NULL OR e.created_at < :until)
      AND (CAST(:stream AS uuid) IS NULL OR e.stream_id = :stream)
      AND (CAST(:types AS text[]) IS NULL OR e.type = ANY(CAST(:types AS text[])))
    ORDER BY e.stream_id, e.sequence LIMIT :limit
    """
)
_RANGE: Final = text(
    """
    SELECT e.stream_id, e.sequence, e.id, e.connection_id, e.type, e.entity, e.record_id, e.data, e.created_at
    FROM event e
    WHERE e.organization_id = :organization AND e.stream_id = :stream AND e.sequence BETWEEN :first AND :last
      AND (CAST(:types AS text[]) IS NULL OR e.type = ANY(CAST(:types AS text[])))
    ORDER BY e.sequence LIMIT :limit
    """
)


@dataclass(frozen=True, slots=True)
class Range:
    """Which events are told again: a part of one stream, or all from an instant on.

    Attributes:
        stream_id: The stream; None takes all that the scope sees.
        first: The first number of a part.
        last: The last number of a part.
        since: The instant, where no part is asked for.
        until: Up to this instant, itself left out.
    """

    stream_id: UUID | None = None
    first: int | None = None
    last: int | None = None
    since: datetime | None = None
    until: datetime | None = None


async def locked_count(session: WriteSession, scope: Scope) -> int:
    """Count an organization's endpoints; until the commit, nobody else makes one."""
    await session.execute(_LOCK, {"organization": scope.organization_id})
    return int((await session.execute(_COUNT, {"organization": scope.organization_id})).scalar_one())


async def locked(session: WriteSession, scope: Scope, endpoint_id: UUID) -> WebhookEndpoint | None:
    """Give an endpoint that was not deleted, and hold its row."""
    found = await session.execute(_one(scope, endpoint_id).with_for_update())
    return found.scalar_one_or_none()


def _one(scope: Scope, endpoint_id: UUID) -> Any:
    return select(WebhookEndpoint).where(
        col(WebhookEndpoint.id) == endpoint_id,
        col(WebhookEndpoint.organization_id) == scope.organization_id,
        col(WebhookEndpoint.deleted_at).is_(None),
    )


async def redeliver(session: WriteSession, scope: Scope, delivery_id: UUID) -> str | None:
    """Begin a delivery anew, with its first attempt now.

    Returns:
        None where it was; else why not: UNKNOWN, DISABLED (its endpoint), DELETED (its endpoint), or SENDING (now).
    """
    of = {"id": delivery_id, "organization": scope.organization_id}
    row = (await session.execute(_DELIVERY, of)).one_or_none()
    if row is None:
        return "UNKNOWN"
    if row.deleted or row.endpoint_state != "ENABLED":
        return "DELETED" if row.deleted else "DISABLED"
    done = await session.execute(_REDELIVER, of)
    return None if done.rowcount else "SENDING"  # type: ignore[attr-defined]


async def events_in(
    session: ReadSession, scope: Scope, asked: Range, *, types: list[str] | None, limit: int
) -> list[StoredEvent]:
    """Give the events of a range, at most `limit`.

    Args:
        types: Only these; None takes all.
    """
    values: dict[str, Any] = {"organization": scope.organization_id, "types": types, "limit": limit}
    values["stream"] = asked.stream_id
    if asked.since is None:
        rows = await session.execute(_RANGE, {**values, "first": asked.first, "last": asked.last})
    else:
        rows = await session.execute(_SINCE, {**values, "since": asked.since, "until": asked.until})
    return [StoredEvent(**row._mapping) for row in rows]  # noqa: SLF001  (the documented way to a row's mapping)


async def rewrap(
    session: WriteSession, scope: Scope, wrapped: Callable[[UUID, Sealed], Sealed], *, active: str, limit: int
) -> int:
    """Wrap data keys of an organization's endpoints that another master key than the active one wraps.

    Returns:
        How many there were; fewer than `limit` means that none is left.
    """
    found = await session.execute(
        select(WebhookEndpoint)
        .where(
            col(WebhookEndpoint.organization_id) == scope.organization_id,
            col(WebhookEndpoint.key_id) != active,
            col(WebhookEndpoint.deleted_at).is_(None),
        )
        .limit(limit)
        .with_for_update()
    )
    rows = found.scalars().all()
    for row in rows:
        sealed = wrapped(row.id, Sealed(row.key_id, row.wrapped_key, row.sealed))
        row.key_id, row.wrapped_key = sealed.key_id, sealed.wrapped_key
    await session.flush()
    return len(rows)
