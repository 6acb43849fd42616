"""The event sequence: numbers without gaps, taken last in each transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text
from structlog.contextvars import get_contextvars

from db.engine import ReadSession, WriteSession, straight
from db.scope import Scope
from db.types import encode_id, new_ids, tell_instant


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A change to be numbered: `data` is told to subscribers and webhooks."""

    type: str
    data: Mapping[str, Any]
    entity: str | None = None
    record_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A committed change with its number."""

    stream_id: UUID
    sequence: int
    id: UUID
    connection_id: UUID | None
    type: str
    entity: str | None
    record_id: UUID | None
    data: dict[str, Any]
    created_at: datetime


def envelope(event: StoredEvent, *, test: bool = False) -> dict[str, Any]:
    """Give an event as it is told, whether by webhooks, subscriptions or lists: one shape.

    Args:
        test: No such event happened; it is told to try an endpoint, and has no number.
    """
    return {
        "type": event.type,
        "timestamp": tell_instant(event.created_at),
        "id": encode_id("Event", event.id),
        "sequence": None if test else str(event.sequence),
        "connectionId": encode_id("ConnectedSystem", event.connection_id) if event.connection_id else None,
        "test": test,
        "data": event.data,
    }


_OF_CONNECTION: Final = "UPDATE event_counter SET last_sequence = last_sequence + :n WHERE stream_id = :stream"
_OF_ORGANIZATION: Final = """
    INSERT INTO event_counter (organization_id, stream_id, connection_id, last_sequence)
    VALUES (:organization, :stream, NULL, :n)
    ON CONFLICT (stream_id) DO UPDATE SET last_sequence = event_counter.last_sequence + :n"""
"""An organization's own stream begins with its first event."""
_APPEND: Final = """
    WITH counted AS ({counter} RETURNING last_sequence),
    told AS (
        INSERT INTO event
            (stream_id, sequence, id, organization_id, connection_id, type, entity, record_id, data, created_at)
        SELECT :stream, last_sequence - :n + number, id, :organization, :connection, type, entity, record_id,
               CAST(data AS jsonb), now()
        FROM counted, unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:entities AS text[]),
                             CAST(:records AS uuid[]), CAST(:data AS text[]))
             WITH ORDINALITY AS e(id, type, entity, record_id, data, number))
    SELECT last_sequence FROM counted
"""


async def append(session: WriteSession, scope: Scope, events: Sequence[NewEvent]) -> int | None:
    """Number and store events of one stream; nothing else may be locked after it.

    The stream is the scope's connection's, or the organization's own where the scope names none. The counter's row
    lock lasts until the commit, so it is taken last: taken first, every writer of the connection waits for the slowest.

    Returns:
        The last number given; None where there were no events.
    """
    if not events:
        return None
    cause = _cause()
    counter = _OF_ORGANIZATION if scope.connection_id is None else _OF_CONNECTION
    values = {
        "n": len(events),
        "stream": stream_of(scope),
        "organization": scope.organization_id,
        "connection": scope.connection_id,
        "ids": new_ids(len(events)),
        "types": [event.type for event in events],
        "entities": [event.entity for event in events],
        "records": [event.record_id for event in events],
        "data": [orjson.dumps({**event.data, **cause}).decode() for event in events],
    }
    (counted,) = await straight(session, _APPEND.format(counter=counter), values)
    last: int = counted["last_sequence"]
    return last


def stream_of(scope: Scope) -> UUID:
    """Give the stream of a scope: its connection's, or the organization's own."""
    return scope.connection_id or scope.organization_id


def _cause() -> dict[str, str]:
    """Name the request that caused a change, as the log's lines name it; a sync has none."""
    request_id = get_contextvars().get("request_id")
    return {"requestId": request_id} if request_id else {}


_POSITIONS: Final = text(
    "SELECT stream_id, last_sequence FROM event_counter WHERE organization_id = :organization"
    " AND (CAST(:connection AS uuid) IS NULL OR connection_id = :connection)"
)
_AFTER: Final = text(
    """
    SELECT e.stream_id, e.sequence, e.id, e.connection_id, e.type, e.entity, e.record_id, e.data, e.created_at
    FROM event_counter c
    LEFT JOIN unnest(CAST(:streams AS uuid[]), CAST(:sequences AS bigint[])) AS k(stream_id, sequence) USING (stream_id)
    JOIN event e ON e.stream_id = c.stream_id AND e.sequence > coalesce(k.sequence, 0)
    WHERE c.organization_id = :organization AND (CAST(:connection AS uuid) IS NULL OR c.connection_id = :connection)
      AND c.last_sequence > coalesce(k.sequence, 0)
    ORDER BY e.stream_id, e.sequence LIMIT :limit
    """
)


async def positions(session: ReadSession, scope: Scope) -> dict[UUID, int]:
    """Give the last number of each stream in the scope."""
    rows = await session.execute(_POSITIONS, {"organization": scope.organization_id, "connection": scope.connection_id})
    return {row.stream_id: row.last_sequence for row in rows}


async def after(
    session: ReadSession, scope: Scope, known: Mapping[UUID, int], *, limit: int = 500
) -> list[StoredEvent]:
    """Give the events behind the known numbers, in the order of each stream; unknown streams begin at 1."""
    rows = await session.execute(
        _AFTER,
        {
            "organization": scope.organization_id,
            "connection": scope.connection_id,
            "streams": list(known),
            "sequences": list(known.values()),
            "limit": limit,
        },
    )
    return [StoredEvent(**row._mapping) for row in rows]  # noqa: SLF001  (the documented way to a row's mapping)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a stream holds.

    Attributes:
        oldest: The first number that is still kept; one more than `last` where none is.
        last: The last number given; 0 before the first.
    """

    oldest: int
    last: int


_BOUNDS: Final = text(
    """
    SELECT c.last_sequence AS last,
        coalesce((SELECT sequence FROM event WHERE stream_id = :stream ORDER BY sequence LIMIT 1),
                 c.last_sequence + 1) AS oldest
    FROM event_counter c WHERE c.stream_id = :stream AND c.organization_id = :organization
    """
)
_OF_STREAM: Final = text(
    """
    SELECT stream_id, sequence, id, connection_id, type, entity, record_id, data, created_at
    FROM event WHERE stream_id = :stream AND organization_id = :organization AND sequence > :after
    ORDER BY sequence LIMIT :limit
    """
)
_PRUNE: Final = text(
    """
    DELETE FROM event e USING event_counter c
    WHERE c.organization_id = :organization AND e.stream_id = c.stream_id AND e.organization_id = :organization
      AND e.sequence < least(
          coalesce((SELECT k.sequence FROM event k WHERE k.stream_id = c.stream_id AND k.created_at >= :before
                    ORDER BY k.sequence LIMIT 1), c.last_sequence + 1),
          (SELECT min(k.sequence) FROM event k WHERE k.stream_id = c.stream_id) + :most)
    """
)
"""Only from the beginning of a stream: what is left has no gap."""


async def bounds(session: ReadSession, scope: Scope) -> Bounds | None:
    """Tell what the scope's stream holds; None where the scope sees no such stream."""
    row = (
        await session.execute(_BOUNDS, {"stream": stream_of(scope), "organization": scope.organization_id})
    ).one_or_none()
    if row is None:
        return Bounds(1, 0) if scope.connection_id is None else None
    return Bounds(row.oldest, row.last)


async def of_stream(session: ReadSession, scope: Scope, *, after: int, limit: int = 500) -> list[StoredEvent]:
    """Give the events of the scope's stream behind a number, in order."""
    values = {"stream": stream_of(scope), "organization": scope.organization_id, "after": after, "limit": limit}
    return [StoredEvent(**row._mapping) for row in await session.execute(_OF_STREAM, values)]  # noqa: SLF001


async def prune(session: WriteSession, scope: Scope, *, before: datetime, most: int) -> int:
    """Delete an organization's events from before an instant, at most so many of each stream; gives how many."""
    values = {"organization": scope.organization_id, "before": before, "most": most}
    return (await session.execute(_PRUNE, values)).rowcount  # type: ignore[attr-defined,no-any-return]
