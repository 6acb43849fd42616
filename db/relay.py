"""From the event log to deliveries: each committed event becomes one delivery for each endpoint that wants it.

A stream's numbers have no gap and are given in the order of commits, so that all events up to the last one seen have
been seen. How far a stream was relayed is kept in the transaction that makes its deliveries.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text

from db.engine import SystemSession, WriteSession
from db.events import StoredEvent, envelope
from db.scope import Scope
from db.types import new_ids

EARLIER: Final = timedelta(minutes=10)
"""A new endpoint is sent what is relayed from then on, but nothing whose change began longer ago than this: it was
told before."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an endpoint is sent.

    Attributes:
        connection_id: Events of this connection only; None for all streams.
        types: Types of events; none names all.
    """

    endpoint_id: UUID
    connection_id: UUID | None
    types: frozenset[str]
    created_at: datetime

    def takes(self, event: StoredEvent) -> bool:
        """Tell whether an event is for it."""
        mine = self.connection_id in {None, event.connection_id}
        return mine and (not self.types or event.type in self.types)


_ENABLED: Final = "w.state = 'ENABLED' AND w.deleted_at IS NULL"
_DUE: Final = text(
    f"""
    SELECT DISTINCT c.organization_id FROM event_counter c LEFT JOIN event_relay r ON r.stream_id = c.stream_id
    WHERE c.last_sequence > coalesce(r.relayed_sequence, 0)
      AND c.organization_id IN (SELECT w.organization_id FROM webhook_endpoint w WHERE {_ENABLED})
    """
)
_BEGIN: Final = text(
    """
    INSERT INTO event_relay (organization_id, stream_id, connection_id, relayed_sequence)
    SELECT c.organization_id, c.stream_id, c.connection_id, 0 FROM event_counter c
    WHERE c.organization_id = :organization AND c.last_sequence > 0
      AND NOT EXISTS (SELECT FROM event_relay r WHERE r.stream_id = c.stream_id)
    ON CONFLICT (stream_id) DO NOTHING
    """
)
_CLAIM: Final = text(
    """
    SELECT r.stream_id, r.relayed_sequence, c.last_sequence
    FROM event_relay r JOIN event_counter c ON c.stream_id = r.stream_id
    WHERE r.organization_id = :organization AND c.last_sequence > r.relayed_sequence
    ORDER BY random() LIMIT 20 FOR UPDATE OF r SKIP LOCKED
    """
)
"""At random, so that no busy stream is always first."""
_EVENTS: Final = text(
    """
    SELECT e.stream_id, e.sequence, e.id, e.connection_id, e.type, e.entity, e.record_id, e.data, e.created_at
    FROM unnest(CAST(:streams AS uuid[]), CAST(:after AS bigint[])) AS k(stream_id, sequence)
    CROSS JOIN LATERAL (
        SELECT * FROM event e
        WHERE e.stream_id = k.stream_id AND e.organization_id = :organization AND e.sequence > k.sequence
        ORDER BY e.sequence LIMIT :each) e
    ORDER BY e.stream_id, e.sequence
    """
)
_WANTED: Final = text(
    f"""
    SELECT w.id AS endpoint_id, w.connection_id, w.types, w.created_at FROM webhook_endpoint w
    WHERE w.organization_id = :organization AND {_ENABLED}
    """
)
_DELIVER: Final = text(
    """
    INSERT INTO webhook_delivery (organization_id, connection_id, id, endpoint_id, event_id, type, sequence, test, body,
        state, attempt_count, tries, next_attempt_at, created_at)
    SELECT CAST(:organization AS uuid), d.connection_id, d.id, d.endpoint_id, d.event_id, d.type, d.sequence, :test,
        d.body, 'PENDING', 0, 0, clock_timestamp(), clock_timestamp()
    FROM unnest(CAST(:ids AS uuid[]), CAST(:connections AS uuid[]), CAST(:endpoints AS uuid[]), CAST(:events AS uuid[]),
        CAST(:types AS text[]), CAST(:sequences AS bigint[]), CAST(:bodies AS bytea[]))
        AS d(id, connection_id, endpoint_id, event_id, type, sequence, body)
    ON CONFLICT (endpoint_id, event_id) DO NOTHING
    """
)
_AGAIN: Final = """
    DO UPDATE SET state = 'PENDING', tries = 0, settled_at = NULL, next_attempt_at = clock_timestamp(),
        lease_owner = NULL, lease_expires_at = NULL
    WHERE (webhook_delivery.state <> 'SUCCEEDED' OR NOT CAST(:only_failed AS boolean))
      AND (webhook_delivery.lease_expires_at IS NULL OR webhook_delivery.lease_expires_at <= clock_timestamp())
"""
"""What is being sent right now is left to whoever sends it."""
_DELIVER_AGAIN: Final = text(_DELIVER.text.replace("DO NOTHING", _AGAIN))
_MOVE: Final = text(
    """
    UPDATE event_relay r SET relayed_sequence = k.sequence
    FROM unnest(CAST(:streams AS uuid[]), CAST(:sequences AS bigint[])) AS k(stream_id, sequence)
    WHERE r.stream_id = k.stream_id AND r.organization_id = :organization
    """
)
_SKIP: Final = text(
    """
    INSERT INTO event_relay (organization_id, stream_id, connection_id, relayed_sequence)
    SELECT c.organization_id, c.stream_id, c.connection_id, c.last_sequence FROM event_counter c
    WHERE c.organization_id = :organization
      AND NOT EXISTS (SELECT FROM webhook_endpoint w WHERE w.organization_id = :organization AND """
    + _ENABLED
    + """)
    ON CONFLICT (stream_id) DO UPDATE SET relayed_sequence = excluded.relayed_sequence
    """
)


async def due(session: SystemSession) -> list[Scope]:
    """Give the organizations that have events to relay, and an endpoint to relay them to."""
    return [Scope(row.organization_id) for row in await session.execute(_DUE)]


async def relay(session: WriteSession, scope: Scope, *, each: int = 500, moved: bool = True) -> int:
    """Make deliveries of an organization's next events, some of each stream that nobody else relays now.

    Args:
        each: The most events of one stream.
        moved: False leaves the streams' positions as they are (tests show what they are for).

    Returns:
        How many events were looked at; 0 where none are left.
    """
    own = {"organization": scope.organization_id}
    await session.execute(_BEGIN, own)
    claimed = {row.stream_id: row for row in await session.execute(_CLAIM, own)}
    if not claimed:
        return 0
    positions = {"streams": list(claimed), "after": [row.relayed_sequence for row in claimed.values()], "each": each}
    events = [StoredEvent(**row._mapping) for row in await session.execute(_EVENTS, {**own, **positions})]  # noqa: SLF001
    wanted = [
        Wanted(row.endpoint_id, row.connection_id, frozenset(row.types), row.created_at)
        for row in await session.execute(_WANTED, own)
    ]
    await _store(session, scope, _DELIVER, pairs(events, wanted), test=False)
    # What retention has deleted before it was relayed is gone: a stream of which nothing is left is relayed to its end.
    reached = {stream: row.last_sequence for stream, row in claimed.items()} if not events else {}
    reached |= {event.stream_id: event.sequence for event in events}
    for stream in claimed.keys() - reached.keys():
        reached[stream] = claimed[stream].last_sequence
    if moved:
        await session.execute(_MOVE, {**own, "streams": list(reached), "sequences": list(reached.values())})
    return max(len(events), 1)


def pairs(events: Iterable[StoredEvent], wanted: Sequence[Wanted]) -> list[tuple[StoredEvent, Wanted]]:
    """Give which event goes to which endpoint."""
    return [
        (event, each)
        for event in events
        for each in wanted
        if event.created_at >= each.created_at - EARLIER and each.takes(event)
    ]


async def skip(session: WriteSession, scope: Scope) -> None:
    """Count all that was committed as relayed, where the organization has no enabled endpoint yet."""
    await session.execute(_SKIP, {"organization": scope.organization_id})


async def deliver_again(
    session: WriteSession, scope: Scope, events: Sequence[StoredEvent], endpoint_id: UUID, *, only_failed: bool
) -> int:
    """Make deliveries of events to an endpoint, or begin those anew that are settled; gives how many are to be sent.

    Args:
        only_failed: Leave what succeeded.
    """
    to = Wanted(endpoint_id, None, frozenset(), datetime.min)  # noqa: DTZ901  (not compared)
    made = [(event, to) for event in events]
    return await _store(session, scope, _DELIVER_AGAIN, made, test=False, only_failed=only_failed)


async def deliver_test(session: WriteSession, scope: Scope, event: StoredEvent, endpoint_id: UUID) -> UUID:
    """Make the delivery of a test; gives its id."""
    to = Wanted(endpoint_id, None, frozenset(), event.created_at)
    ids = new_ids(1)
    await _store(session, scope, _DELIVER, [(event, to)], test=True, ids=ids)
    return UUID(str(ids[0]))


async def _store(
    session: WriteSession,
    scope: Scope,
    statement: Any,
    made: Sequence[tuple[StoredEvent, Wanted]],
    *,
    test: bool,
    ids: list[UUID] | None = None,
    **more: Any,
) -> int:
    if not made:
        return 0
    bodies: dict[UUID, bytes] = {}
    for event, _ in made:
        if event.id not in bodies:
            bodies[event.id] = orjson.dumps(envelope(event, test=test))
    stored = await session.execute(
        statement,
        {
            "organization": scope.organization_id,
            "test": test,
            "ids": ids or new_ids(len(made)),
            "connections": [event.connection_id for event, _ in made],
            "endpoints": [to.endpoint_id for _, to in made],
            "events": [event.id for event, _ in made],
            "types": [event.type for event, _ in made],
            "sequences": [None if test else event.sequence for event, _ in made],
            "bodies": [bodies[event.id] for event, _ in made],
            **more,
        },
    )
    return stored.rowcount  # type: ignore[attr-defined,no-any-return]
