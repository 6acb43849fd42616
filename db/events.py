"""The event sequence: numbers without gaps, taken last in each transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text
from structlog.contextvars import get_contextvars

from db.engine import ReadSession, WriteSession
from db.scope import Scope
from db.types import new_ids


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


_COUNT: Final = text(
    "UPDATE event_counter SET last_sequence = last_sequence + :n WHERE stream_id = :stream RETURNING last_sequence"
)
_INSERT: Final = text(
    """
    INSERT INTO event
        (stream_id, sequence, id, organization_id, connection_id, type, entity, record_id, data, created_at)
    SELECT CAST(:stream AS uuid), CAST(:first AS bigint) + n - 1, id, CAST(:organization AS uuid),
           CAST(:connection AS uuid), type, entity, record_id, CAST(data AS jsonb), now()
    FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:entities AS text[]),
                CAST(:records AS uuid[]), CAST(:data AS text[]))
         WITH ORDINALITY AS e(id, type, entity, record_id, data, n)
    """
)


async def append(session: WriteSession, scope: Scope, events: Sequence[NewEvent]) -> int | None:
    """Number and store events of one connection's stream; nothing else may be locked after it.

    The counter's row lock lasts until the commit, so it is taken last: taken
    first, every writer of the connection waits for the slowest.

    Returns:
        The last number given; None where there were no events.
    """
    if not events or scope.connection_id is None:
        return None
    values = {"n": len(events), "stream": scope.connection_id}
    last: int = (await session.execute(_COUNT, values)).scalar_one()
    await session.execute(
        _INSERT,
        {
            "stream": scope.connection_id,
            "first": last - len(events) + 1,
            "organization": scope.organization_id,
            "connection": scope.connection_id,
            "ids": new_ids(len(events)),
            "types": [event.type for event in events],
            "entities": [event.entity for event in events],
            "records": [event.record_id for event in events],
            "data": [orjson.dumps({**event.data, **_cause()}).decode() for event in events],
        },
    )
    return last


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
