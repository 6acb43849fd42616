"""Leases on entities of connections: owner, fence, expiry; each statement commits by itself."""

from datetime import datetime
from typing import Final
from uuid import UUID

from db.engine import Database
from db.models.sync import ACTIVE
from db.scope import Scope
from db.types import Entity

# What makes a run due is asked here, too: a wake-up may be late, or told twice, and costs one statement then.
_TAKE: Final = f"""
    UPDATE connected_entity e SET lease_owner = :owner, fence = e.fence + 1,
        lease_expires_at = now() + make_interval(secs => :seconds)
    FROM sync_run r, connection c, connection_health h
    WHERE r.connection_id = :connection AND r.id = :run AND r.status IN ('QUEUED', 'RUNNING', 'WAITING')
      AND NOT r.awaits_confirmation
      AND (r.next_attempt_at IS NULL OR r.next_attempt_at <= :now)
      AND NOT EXISTS (SELECT FROM sync_run o WHERE o.connection_id = r.connection_id AND o.entity = r.entity
          AND {ACTIVE} AND (o.created_at, o.id) < (r.created_at, r.id))
      AND c.id = r.connection_id AND c.status IN ('ACTIVE', 'UNREACHABLE')
      AND h.connection_id = r.connection_id AND h.breaker = 'CLOSED'
      AND (h.paused_until IS NULL OR h.paused_until <= :now)
      AND e.connection_id = r.connection_id AND e.entity = r.entity
      AND (e.lease_expires_at IS NULL OR e.lease_expires_at < now())
    RETURNING e.fence, e.entity
"""
_RENEW: Final = """
    UPDATE connected_entity SET lease_expires_at = now() + make_interval(secs => :seconds)
    WHERE connection_id = :connection AND entity = :entity AND fence = :fence RETURNING 1
"""
_RELEASE: Final = """
    UPDATE connected_entity SET lease_owner = NULL, lease_expires_at = NULL
    WHERE connection_id = :connection AND entity = :entity AND fence = :fence RETURNING 1
"""


async def take(
    database: Database, scope: Scope, run_id: UUID, *, owner: str, seconds: float, now: datetime
) -> tuple[Entity, int] | None:
    """Take the lease of a run's entity, where the run may go on.

    Args:
        database: Where leases are kept.
        scope: The connection.
        run_id: The run to work on.
        owner: Who takes it, for people.
        seconds: How long it lasts without renewal, by the database's clock.
        now: The clock, UTC, for the run's own time.

    Returns:
        The entity and the fence, larger than every one before; None where the run is not due, or another worker holds
        the lease.
    """
    values = {"owner": owner, "seconds": seconds, "connection": scope.connection_id, "run": run_id, "now": now}
    rows = await database.at_once(_TAKE, values)
    return (Entity(rows[0]["entity"]), rows[0]["fence"]) if rows else None


async def renew(database: Database, scope: Scope, entity: Entity, *, fence: int, seconds: float) -> bool:
    """Hold the lease longer; False where it was lost."""
    values = {"seconds": seconds, "connection": scope.connection_id, "entity": entity.value, "fence": fence}
    return bool(await database.at_once(_RENEW, values))


async def release(database: Database, scope: Scope, entity: Entity, *, fence: int) -> None:
    """Give the lease back, if it is still ours."""
    values = {"connection": scope.connection_id, "entity": entity.value, "fence": fence}
    await database.at_once(_RELEASE, values)
