"""The status machine of connections: what may happen in which status, and the event that keeps it.

Change         moves                                        to
ANSWERED       UNREACHABLE                                  ACTIVE
SILENT         ACTIVE                                       UNREACHABLE
REFUSED        ACTIVE, UNREACHABLE, PAUSED                  REAUTHORIZATION_REQUIRED
REAUTHORIZED   UNREACHABLE, REAUTHORIZATION_REQUIRED        ACTIVE
PAUSED         ACTIVE, UNREACHABLE                          PAUSED
RESUMED        PAUSED                                       ACTIVE
DISCONNECTED   all others                                   DISCONNECTED
"""

from enum import Enum
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text

from db.engine import WriteSession
from db.events import NewEvent
from db.models.connection import ConnectionStatus
from db.scope import Scope
from db.secrets import Sealed
from db.types import encode_id

STATUS_CHANGED: Final = "connection.status_changed"
_MAX_REASON: Final = 2000


class _Move(NamedTuple):
    sources: frozenset[ConnectionStatus]
    target: ConnectionStatus


_ACTIVE, _UNREACHABLE, _REFUSED, _PAUSED, _DISCONNECTED = ConnectionStatus


class Change(Enum):
    """What happened to a connection; its value tells from which statuses it moves, and to which."""

    ANSWERED = _Move(frozenset({_UNREACHABLE}), _ACTIVE)
    SILENT = _Move(frozenset({_ACTIVE}), _UNREACHABLE)
    REFUSED = _Move(frozenset({_ACTIVE, _UNREACHABLE, _PAUSED}), _REFUSED)
    REAUTHORIZED = _Move(frozenset({_UNREACHABLE, _REFUSED}), _ACTIVE)
    PAUSED = _Move(frozenset({_ACTIVE, _UNREACHABLE}), _PAUSED)
    RESUMED = _Move(frozenset({_PAUSED}), _ACTIVE)
    DISCONNECTED = _Move(frozenset(ConnectionStatus) - {_DISCONNECTED}, _DISCONNECTED)


_MOVE: Final = text(
    """
    WITH old AS (
        SELECT c.id, c.status FROM connection c
        WHERE c.id = :id AND c.organization_id = :organization AND c.status = ANY(:sources)
          AND (CAST(:tried AS bytea) IS NULL
               OR EXISTS (SELECT FROM connection_secret s WHERE s.connection_id = c.id AND s.sealed = :tried))
        FOR NO KEY UPDATE OF c)
    UPDATE connection AS c SET status = :target, status_reason = :reason, status_changed_at = now(),
        disconnected_at = CASE WHEN :target = 'DISCONNECTED' THEN now() ELSE c.disconnected_at END
    FROM old WHERE c.id = old.id RETURNING old.status
    """
)


async def change(
    session: WriteSession, scope: Scope, what: Change, *, reason: str | None = None, tried: Sealed | None = None
) -> NewEvent | None:
    """Move a connection to another status, where its present one allows that.

    Append the event at the end of the same transaction (`events.append`): it keeps the change with its reason and
    time, and tells it to subscribers and webhooks.

    Args:
        reason: One sentence for people; kept and told.
        tried: For REFUSED: the credentials that the source refused. Where others have taken their place, nothing
            moves: an answer that comes late must not undo a reauthorization.

    Returns:
        The event; None where nothing moved.
    """
    told = reason[:_MAX_REASON] if reason else None
    row = (
        await session.execute(
            _MOVE,
            {
                "id": scope.connection_id,
                "organization": scope.organization_id,
                "sources": [status.value for status in what.value.sources],
                "target": what.value.target.value,
                "reason": told,
                "tried": tried.sealed if tried else None,
            },
        )
    ).one_or_none()
    if row is None or scope.connection_id is None:
        return None
    return status_event(scope.connection_id, what.value.target, ConnectionStatus(row.status), told)


def status_event(
    connection_id: UUID, status: ConnectionStatus, previous: ConnectionStatus, reason: str | None
) -> NewEvent:
    """Tell a connection that came into another status."""
    data = {
        "connectionId": encode_id("ConnectedSystem", connection_id),
        "status": status.value,
        "previousStatus": previous.value,
        "reason": reason,
    }
    return NewEvent(STATUS_CHANGED, data)
