"""Deliveries under way: leased in batches, settled in batches; retry times are rows.

Plain asyncpg where it matters: one statement claims, one settles, each a transaction of its own. Nothing is locked
while an endpoint is waited for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from db.engine import Database, SystemSession, WriteSession
from db.models.webhook import DeliveryState, EndpointEnd
from db.scope import Scope
from db.secrets import Sealed
from db.types import new_ids


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process sends now.

    Attributes:
        tries: Attempts before this one, since it was last begun.
        attempt_count: All attempts before this one.
        failing_since: Since when the endpoint fails; None where its last delivery succeeded.
    """

    id: UUID
    organization_id: UUID
    connection_id: UUID | None
    endpoint_id: UUID
    event_id: UUID
    body: bytes
    test: bool
    tries: int
    attempt_count: int
    url: str
    secrets: Sealed
    failing_since: datetime | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one attempt.

    Attributes:
        state: Where the delivery is now.
        delay_s: Seconds until the next attempt, where it is still PENDING.
        failure: Why no answer came.
        head: The beginning of the answer's body, as text.
    """

    delivery: Claimed
    at: datetime
    duration_ms: int
    state: DeliveryState
    delay_s: float | None
    status: int | None
    failure: str | None
    address: str | None
    head: str | None


_CLAIM: Final = """
    WITH due AS MATERIALIZED (
        SELECT d.id FROM webhook_endpoint w
        LEFT JOIN unnest(:busy::uuid[], :rooms::integer[]) AS b(id, room) ON b.id = w.id
        CROSS JOIN LATERAL (
            SELECT d.id, d.next_attempt_at FROM webhook_delivery d
            WHERE d.endpoint_id = w.id AND d.state = 'PENDING' AND d.next_attempt_at <= now()
              AND (d.lease_expires_at IS NULL OR d.lease_expires_at <= now())
            ORDER BY d.next_attempt_at LIMIT coalesce(b.room, :each::integer) FOR UPDATE SKIP LOCKED) d
        WHERE w.state = 'ENABLED' AND w.deleted_at IS NULL
        ORDER BY d.next_attempt_at LIMIT :most::integer)
    UPDATE webhook_delivery d
    SET lease_owner = :owner::text, lease_expires_at = now() + make_interval(secs => :lease_s::float8)
    FROM due, webhook_endpoint w WHERE d.id = due.id AND w.id = d.endpoint_id
    RETURNING d.id, d.organization_id, d.connection_id, d.endpoint_id, d.event_id, d.body, d.test, d.tries,
        d.attempt_count, w.url, w.key_id, w.wrapped_key, w.sealed, w.failing_since
"""
_SETTLE: Final = """
    WITH told AS (
        SELECT * FROM unnest(:ids::uuid[], :states::text[], :delays::float8[], :attempts::uuid[],
            :organizations::uuid[], :connections::uuid[], :numbers::integer[], :at::timestamptz[],
            :durations::integer[], :statuses::integer[], :failures::text[], :addresses::text[], :heads::text[])
            AS t(id, state, delay_s, attempt_id, organization_id, connection_id, number, at, duration_ms, status,
                 failure, address, head)),
    kept AS (
        INSERT INTO webhook_attempt (id, organization_id, connection_id, delivery_id, number, at, duration_ms, status,
            failure, address, response_head)
        SELECT attempt_id, organization_id, connection_id, id, number, at, duration_ms, status, failure, address, head
        FROM told),
    good AS (
        UPDATE webhook_endpoint SET failing_since = NULL, last_success_at = now()
        WHERE id = ANY(:good::uuid[]) AND (failing_since IS NOT NULL OR last_success_at IS NULL
                                           OR last_success_at < now() - interval '1 minute')),
    bad AS (
        UPDATE webhook_endpoint SET last_failure_at = now(), failing_since =
            CASE WHEN last_failure_at < now() - interval '2 days' THEN now() ELSE coalesce(failing_since, now()) END
        WHERE id = ANY(:bad::uuid[]) AND (failing_since IS NULL OR last_failure_at IS NULL
                                          OR last_failure_at < now() - interval '10 seconds'))
    UPDATE webhook_delivery d SET state = t.state, attempt_count = d.attempt_count + 1, tries = d.tries + 1,
        next_attempt_at = now() + make_interval(secs => t.delay_s),
        settled_at = CASE WHEN t.state <> 'PENDING' THEN now() END, lease_owner = NULL, lease_expires_at = NULL
    FROM told t WHERE d.id = t.id AND d.state = 'PENDING' AND (d.lease_owner = :owner::text OR t.state = 'SUCCEEDED')
"""
"""A failure two days after the one before begins to count anew: in between nothing was tried, so nothing failed."""
_NEXT: Final = """
    SELECT extract(epoch FROM min(d.at) - now())::float8 AS seconds FROM webhook_endpoint w
    CROSS JOIN LATERAL (
        SELECT greatest(d.next_attempt_at, d.lease_expires_at) AS at FROM webhook_delivery d
        WHERE d.endpoint_id = w.id AND d.state = 'PENDING' AND d.next_attempt_at > now()
        ORDER BY d.next_attempt_at LIMIT 1) d
    WHERE w.state = 'ENABLED' AND w.deleted_at IS NULL
"""
_DISABLE: Final = text(
    """
    UPDATE webhook_endpoint SET state = 'DISABLED', disabled_as = :reason, disabled_at = now()
    WHERE id = :id AND organization_id = :organization AND state = 'ENABLED'
      AND (:reason <> 'FAILING' OR failing_since <= now() - make_interval(secs => :seconds))
    RETURNING url, connection_id, failing_since
    """
)
_PRUNE: Final = text(
    """
    WITH old AS (
        SELECT id FROM webhook_delivery
        WHERE id < CAST(rpad(lpad(to_hex(CAST(
            extract(epoch FROM now() - make_interval(days => :days)) * 1000 AS bigint)), 12, '0'), 32, '0') AS uuid)
        ORDER BY id LIMIT :most),
    attempts AS (DELETE FROM webhook_attempt WHERE delivery_id IN (SELECT id FROM old))
    DELETE FROM webhook_delivery WHERE id IN (SELECT id FROM old)
    """
)
"""Ids begin with the time they were made, in milliseconds (UUIDv7)."""


async def claim(
    database: Database, *, owner: str, lease_s: float, each: int, rooms: Mapping[UUID, int], most: int
) -> list[Claimed]:
    """Take leases of deliveries that are due, the oldest of each endpoint first.

    Args:
        owner: This process.
        each: The most of one endpoint.
        rooms: Endpoints that take fewer.
        most: The most of all.
    """
    rows = await database.at_once(
        _CLAIM,
        {
            "owner": owner,
            "lease_s": lease_s,
            "each": each,
            "busy": list(rooms),
            "rooms": list(rooms.values()),
            "most": most,
        },
    )
    return [_claimed(row) for row in rows]


def _claimed(row: Mapping[str, Any]) -> Claimed:
    values = dict(row)
    sealed = Sealed(values.pop("key_id"), values.pop("wrapped_key"), values.pop("sealed"))
    return Claimed(**values, secrets=sealed)


async def settle(
    database: Database, told: Sequence[Settled], *, owner: str, good: Sequence[UUID], bad: Sequence[UUID]
) -> None:
    """Store what became of attempts; a delivery whose lease was lost is changed by a success only.

    Args:
        good: Endpoints that took something.
        bad: Endpoints that took nothing of this batch.
    """
    await database.at_once(
        _SETTLE,
        {
            "owner": owner,
            "good": list(good),
            "bad": list(bad),
            "ids": [each.delivery.id for each in told],
            "states": [each.state.value for each in told],
            "delays": [each.delay_s for each in told],
            "attempts": new_ids(len(told)),
            "organizations": [each.delivery.organization_id for each in told],
            "connections": [each.delivery.connection_id for each in told],
            "numbers": [each.delivery.attempt_count + 1 for each in told],
            "at": [each.at for each in told],
            "durations": [each.duration_ms for each in told],
            "statuses": [each.status for each in told],
            "failures": [each.failure for each in told],
            "addresses": [each.address for each in told],
            "heads": [each.head for each in told],
        },
    )


async def next_in(database: Database) -> float | None:
    """Tell in how many seconds the next delivery is due that is not yet; None where there is none."""
    seconds: float | None = (await database.at_once(_NEXT, {}))[0]["seconds"]
    return seconds


async def disable(
    session: WriteSession, scope: Scope, endpoint_id: UUID, reason: EndpointEnd, *, after_s: float
) -> dict[str, Any] | None:
    """Disable an endpoint, a failing one only where it has failed for so long.

    Returns:
        What it was; None where nothing moved.
    """
    values = {"id": endpoint_id, "organization": scope.organization_id, "reason": reason.value, "seconds": after_s}
    row = (await session.execute(_DISABLE, values)).one_or_none()
    return None if row is None else dict(row._mapping)  # noqa: SLF001  (the documented way to a row's mapping)


async def prune(session: SystemSession, *, days: int, most: int = 5_000) -> int:
    """Delete the oldest deliveries that are older than `days`, with their attempts; gives how many it were."""
    return (await session.execute(_PRUNE, {"days": days, "most": most})).rowcount  # type: ignore[attr-defined,no-any-return]
