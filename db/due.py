"""What is due: the runs whose time has come are made, and those that may go on are picked."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.engine import Database
from db.models.sync import ACTIVE
from db.scope import Scope
from db.sync import NEW_COLUMNS, NEW_VALUES, NEXT, NEXT_FULL
from db.types import Entity, new_id


@dataclass(frozen=True, slots=True)
class Due:
    """A run that a worker should look at; `long` ones read all there is, or went on for long already."""

    run_id: UUID
    scope: Scope
    entity: Entity
    long: bool


# One statement for all that is due. Where both a full and an incremental run are, the full one does for both.
_SCHEDULE: Final = f"""
    WITH due AS (
        SELECT e.organization_id, e.connection_id, e.entity, coalesce(e.next_run_at <= now(), false) AS changes,
            coalesce(e.next_full_run_at <= now() AND e.last_success_at IS NOT NULL, false) AS whole
        FROM connected_entity e JOIN connection c ON c.id = e.connection_id
        WHERE (e.next_run_at <= now() OR (e.next_full_run_at <= now() AND e.last_success_at IS NOT NULL))
          AND e.state <> 'PAUSED' AND c.status IN ('ACTIVE', 'UNREACHABLE')
        ORDER BY e.next_run_at LIMIT :limit FOR UPDATE OF e SKIP LOCKED),
    moved AS (
        UPDATE connected_entity e SET next_run_at = CASE WHEN due.changes THEN {NEXT} ELSE e.next_run_at END,
            next_full_run_at = CASE WHEN due.whole THEN {NEXT_FULL} ELSE e.next_full_run_at END
        FROM due WHERE e.connection_id = due.connection_id AND e.entity = due.entity),
    asked AS (
        SELECT *, CASE WHEN whole THEN 'FULL' ELSE 'INCREMENTAL' END AS mode, row_number() OVER () AS n FROM due)
    INSERT INTO sync_run (connection_id, id, organization_id, entity, mode, trigger, {NEW_COLUMNS})
    SELECT a.connection_id, (CAST(:ids AS uuid[]))[a.n], a.organization_id, a.entity, a.mode, 'SCHEDULED', {NEW_VALUES}
    FROM asked a
    WHERE NOT EXISTS (SELECT FROM sync_run o WHERE o.connection_id = a.connection_id AND o.entity = a.entity
        AND {ACTIVE}
        AND (a.mode IN ('INCREMENTAL', o.mode) OR o.trigger = 'INITIAL'))
    ON CONFLICT (connection_id, entity, mode) WHERE {ACTIVE} DO NOTHING
    RETURNING id
"""
_PICK: Final = f"""
    WITH due AS (
        SELECT r.connection_id, r.id FROM sync_run r
        JOIN connected_entity e ON e.connection_id = r.connection_id AND e.entity = r.entity
        JOIN connection c ON c.id = r.connection_id
        JOIN connection_health h ON h.connection_id = r.connection_id
        WHERE r.status IN ('QUEUED', 'RUNNING', 'WAITING') AND NOT r.awaits_confirmation
          AND c.status IN ('ACTIVE', 'UNREACHABLE')
          AND h.breaker = 'CLOSED' AND (h.paused_until IS NULL OR h.paused_until <= now())
          AND (r.status <> 'WAITING' OR coalesce(r.next_attempt_at, now()) <= now())
          AND NOT EXISTS (SELECT FROM sync_run o WHERE o.connection_id = r.connection_id AND o.entity = r.entity
              AND {ACTIVE} AND (o.created_at, o.id) < (r.created_at, r.id))
          AND (e.lease_expires_at IS NULL OR e.lease_expires_at < now())
          AND (r.woken_at IS NULL OR r.woken_at < now() - make_interval(secs => :again))
        ORDER BY r.id LIMIT :limit FOR UPDATE OF r SKIP LOCKED)
    UPDATE sync_run r SET woken_at = now() FROM due
    WHERE r.connection_id = due.connection_id AND r.id = due.id
    RETURNING r.id, r.organization_id, r.connection_id, r.entity,
        r.mode = 'FULL' OR r.trigger = 'INITIAL' OR r.worked_ms > 20000 AS long
"""


async def schedule(database: Database, *, limit: int = 500) -> int:
    """Make the runs whose time has come, and set each entity's next times; gives how many were made."""
    return len(await database.at_once(_SCHEDULE, {"limit": limit, "ids": [new_id() for _ in range(limit)]}))


async def pick(database: Database, *, limit: int = 500, again_seconds: int = 10) -> list[Due]:
    """Give the runs that no worker holds and that may go on now; each is given once per `again_seconds`."""
    rows = await database.at_once(_PICK, {"limit": limit, "again": again_seconds})
    return [
        Due(row["id"], Scope(row["organization_id"], row["connection_id"]), Entity(row["entity"]), row["long"])
        for row in rows
    ]
