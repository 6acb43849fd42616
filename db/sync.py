"""Runs, leases and checkpoints as rows: Postgres is the truth about work."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlmodel import col, select

from db.connections import SYNCED
from db.engine import ReadSession, SystemSession, WriteSession
from db.models.sync import OPEN_STATUSES, SyncMode, SyncRun, SyncStatus, SyncTrigger
from db.scope import Scope
from db.types import Entity, new_id


class LeaseLost(Exception):
    """Another worker holds a newer fence; nothing of this one may be stored."""


class Stop(Enum):
    """Why a run stops at its next page."""

    CANCEL = "CANCEL"
    PAUSE = "PAUSE"


@dataclass(frozen=True, slots=True)
class Due:
    """A run that a worker should look at."""

    run_id: UUID
    scope: Scope
    entity: Entity


# Jitter of 5 % either way spreads what was connected at one time.
_NEXT: Final = "now() + make_interval(secs => every_minutes * 60 * (0.95 + random() * 0.1))"
_NEXT_FULL: Final = "now() + make_interval(secs => full_every_hours * 3600 * (0.95 + random() * 0.1))"
_REQUEST: Final = text(
    """
    INSERT INTO sync_run (connection_id, id, organization_id, entity, mode, trigger, status, created_at,
        fetched, created, updated, unchanged, deleted, quarantined, pages, attempts, feeds, worked_ms, source_ahead_ms,
        cancel_requested, revision)
    SELECT :connection, :id, :organization, :entity, :mode, :trigger, 'QUEUED', now(),
        0, 0, 0, 0, 0, 0, 0, 0, '{}', 0, 0, false, 0
    WHERE NOT EXISTS (SELECT FROM sync_run o WHERE o.connection_id = :connection AND o.entity = :entity
        AND o.status IN ('QUEUED', 'RUNNING', 'WAITING')
        AND (:mode IN ('INCREMENTAL', o.mode) OR o.trigger = 'INITIAL'))
    ON CONFLICT (connection_id, entity, mode) WHERE status IN ('QUEUED', 'RUNNING', 'WAITING') DO NOTHING
    RETURNING id
    """
)
_OPEN_RUN: Final = text(
    "SELECT o.id FROM sync_run o WHERE o.connection_id = :connection AND o.entity = :entity"
    " AND o.status IN ('QUEUED', 'RUNNING', 'WAITING')"
    " AND (:mode IN ('INCREMENTAL', o.mode) OR o.trigger = 'INITIAL')"
    " ORDER BY o.created_at, o.id LIMIT 1"
)


async def request(
    session: WriteSession | SystemSession, scope: Scope, *, entity: Entity, mode: SyncMode, trigger: SyncTrigger
) -> tuple[UUID, bool]:
    """Ask for a run; while one is open that reads as much, that one is given.

    A full run asked for while an incremental one is open is not lost in it: it is queued, and begins when the other
    has ended. Any open run will do for an incremental one, and a connection's initial run, which reads all, for both.

    Returns:
        The run's id, and whether it is new.
    """
    values = {
        "connection": scope.connection_id,
        "organization": scope.organization_id,
        "entity": entity.value,
        "mode": mode.value,
        "trigger": trigger.value,
    }
    made = (await session.execute(_REQUEST, {**values, "id": new_id()})).scalar_one_or_none()
    if made is not None:
        return made, True
    asked = {name: values[name] for name in ("connection", "entity", "mode")}
    present = (await session.execute(_OPEN_RUN, asked)).scalar_one_or_none()
    # Between the two statements the open run may have ended; then there is room for a new one.
    return (present, False) if present else await request(session, scope, entity=entity, mode=mode, trigger=trigger)


async def load(session: ReadSession, scope: Scope, run_id: UUID) -> SyncRun | None:
    """Give a run of the scope."""
    found = await session.execute(
        select(SyncRun).where(col(SyncRun.id) == run_id, col(SyncRun.connection_id) == scope.connection_id)
    )
    return found.scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class Resume:
    """Where the next pass over an entity begins.

    Attributes:
        checkpoints: Feed → the instant from which its changes are read, by the source's clock, as ISO text.
        source_ahead_ms: How far that clock was ahead of the database's when they were set.
        now: The database's clock.
    """

    checkpoints: dict[str, str]
    source_ahead_ms: int
    now: datetime


async def resume(session: ReadSession, scope: Scope, entity: Entity) -> Resume:
    """Give where the feeds of an entity resume."""
    found = await session.execute(
        text(
            "SELECT checkpoints, source_ahead_ms, clock_timestamp() AS now FROM connected_entity"
            " WHERE connection_id = :connection AND entity = :entity"
        ),
        {"connection": scope.connection_id, "entity": entity.value},
    )
    return Resume(**found.one()._mapping)  # noqa: SLF001  (the documented way to a row's mapping)


async def take_lease(session: SystemSession, scope: Scope, entity: Entity, *, owner: str, seconds: int) -> int | None:
    """Take the lease of an entity of a connection.

    Returns:
        The fence, larger than every one before; None while another worker holds the lease.
    """
    taken = await session.execute(
        text(
            "UPDATE connected_entity SET lease_owner = :owner, fence = fence + 1,"
            " lease_expires_at = now() + make_interval(secs => :seconds)"
            " WHERE connection_id = :connection AND entity = :entity"
            " AND (lease_expires_at IS NULL OR lease_expires_at < now()) RETURNING fence"
        ),
        {"owner": owner, "seconds": seconds, "connection": scope.connection_id, "entity": entity.value},
    )
    return taken.scalar_one_or_none()


async def renew_lease(session: SystemSession, scope: Scope, entity: Entity, *, fence: int, seconds: int) -> bool:
    """Hold the lease longer; False where it was lost."""
    renewed = await session.execute(
        text(
            "UPDATE connected_entity SET lease_expires_at = now() + make_interval(secs => :seconds)"
            " WHERE connection_id = :connection AND entity = :entity AND fence = :fence RETURNING 1"
        ),
        {"seconds": seconds, "connection": scope.connection_id, "entity": entity.value, "fence": fence},
    )
    return renewed.scalar_one_or_none() is not None


async def release_lease(session: SystemSession, scope: Scope, entity: Entity, *, fence: int) -> None:
    """Give the lease back, if it is still ours."""
    await session.execute(
        text(
            "UPDATE connected_entity SET lease_owner = NULL, lease_expires_at = NULL"
            " WHERE connection_id = :connection AND entity = :entity AND fence = :fence"
        ),
        {"connection": scope.connection_id, "entity": entity.value, "fence": fence},
    )


async def guard(session: WriteSession, scope: Scope, entity: Entity, *, fence: int) -> None:
    """Hold this transaction to a fence: until it commits, nobody can be given a newer one.

    Raises:
        LeaseLost: A newer fence exists.
    """
    held = await session.execute(
        text(
            "SELECT 1 FROM connected_entity"
            " WHERE connection_id = :connection AND entity = :entity AND fence = :fence FOR SHARE"
        ),
        {"connection": scope.connection_id, "entity": entity.value, "fence": fence},
    )
    if held.scalar_one_or_none() is None:
        raise LeaseLost


async def progress(
    session: WriteSession,
    scope: Scope,
    run_id: UUID,
    *,
    feeds: Mapping[str, Any],
    counts: Mapping[str, int],
    pace: Mapping[str, Any],
) -> Stop | None:
    """Add a page's counters and keep where each feed stands; gives why the run has to stop, if it has.

    Where the connection rests, the run waits with it, until no time of its own.

    Args:
        counts: What to add: fetched, created … and pages.
        pace: What to set: total, worked_ms, items_per_second, estimated_end_at.
    """
    sums = ", ".join([*(f"{name} = r.{name} + :{name}" for name in counts), *(f"{name} = :{name}" for name in pace)])
    found = await session.execute(
        text(
            f"UPDATE sync_run r SET {sums}, attempts = 0, feeds = CAST(:feeds AS jsonb),"
            " status = CASE WHEN c.status IN ('ACTIVE', 'UNREACHABLE') THEN r.status ELSE 'WAITING' END,"
            " revision = r.revision + 1 FROM connection c"
            " WHERE r.connection_id = :connection AND r.id = :id AND c.id = r.connection_id"
            " RETURNING r.cancel_requested, c.status"
        ),
        {"connection": scope.connection_id, "id": run_id, "feeds": orjson.dumps(feeds).decode(), **counts, **pace},
    )
    row = found.one()
    if row.cancel_requested:
        return Stop.CANCEL
    return None if row.status in SYNCED else Stop.PAUSE


async def begin(session: WriteSession, scope: Scope, run_id: UUID, **values: Any) -> bool:
    """Note that a run is worked on, and set its columns; False where it has ended meanwhile."""
    run = await session.get_one(SyncRun, (scope.connection_id, run_id), with_for_update=True)
    if run.status not in OPEN_STATUSES:
        return False
    await change(session, scope, run_id, status=SyncStatus.RUNNING, next_attempt_at=None, error=None, **values)
    return True


async def change(session: WriteSession | SystemSession, scope: Scope, run_id: UUID, **values: Any) -> None:
    """Set columns of a run and count the revision."""
    run = await session.get_one(SyncRun, (scope.connection_id, run_id), with_for_update=True)
    for name, value in values.items():
        setattr(run, name, value)
    if "status" in values:  # whatever was expected, it is no more
        run.estimated_end_at = None
    run.revision += 1
    await session.flush()


async def succeed(
    session: WriteSession,
    scope: Scope,
    run: SyncRun,
    *,
    checkpoints: Mapping[str, Any],
    whole: bool,
    now: datetime,
) -> None:
    """Move the checkpoints of an entity after its run's pass is complete; one that was DEGRADED works again.

    Args:
        whole: All there is was read, so that the next full run may wait its full time.
    """
    await session.execute(
        text(
            "UPDATE connected_entity SET checkpoints = CAST(:checkpoints AS jsonb), source_ahead_ms = :ahead,"
            " last_success_at = :now, complete_through = :through,"
            " state = CASE state WHEN 'DEGRADED' THEN 'ACTIVE' ELSE state END,"
            f" next_full_run_at = CASE WHEN :whole THEN {_NEXT_FULL} ELSE next_full_run_at END"
            " WHERE connection_id = :connection AND entity = :entity"
        ),
        {
            "checkpoints": orjson.dumps(checkpoints).decode(),
            "ahead": run.source_ahead_ms,
            "now": now,
            "through": run.window_start,
            "whole": whole,
            "connection": scope.connection_id,
            "entity": run.entity,
        },
    )


async def degrade(session: WriteSession, scope: Scope, entity: Entity) -> None:
    """Mark an entity whose run failed for good; its schedule goes on, and its next success lifts the mark."""
    await session.execute(
        text(
            "UPDATE connected_entity SET state = 'DEGRADED'"
            " WHERE connection_id = :connection AND entity = :entity AND state = 'ACTIVE'"
        ),
        {"connection": scope.connection_id, "entity": entity.value},
    )


_SCHEDULED: Final = text(
    """
    SELECT e.organization_id, e.connection_id, e.entity, e.next_run_at <= now() AS changes,
        e.next_full_run_at <= now() AND e.last_success_at IS NOT NULL AS full
    FROM connected_entity e JOIN connection c ON c.id = e.connection_id
    WHERE (e.next_run_at <= now() OR (e.next_full_run_at <= now() AND e.last_success_at IS NOT NULL))
      AND e.state <> 'PAUSED' AND c.status IN ('ACTIVE', 'UNREACHABLE')
    ORDER BY e.next_run_at LIMIT :limit FOR UPDATE OF e SKIP LOCKED
    """
)
_DUE: Final = text(
    """
    WITH due AS (
        SELECT r.connection_id, r.id FROM sync_run r
        JOIN connected_entity e ON e.connection_id = r.connection_id AND e.entity = r.entity
        JOIN connection c ON c.id = r.connection_id
        WHERE r.status IN ('QUEUED', 'RUNNING', 'WAITING') AND c.status IN ('ACTIVE', 'UNREACHABLE')
          AND (r.status <> 'WAITING' OR coalesce(r.next_attempt_at, now()) <= now())
          AND NOT EXISTS (SELECT FROM sync_run o WHERE o.connection_id = r.connection_id AND o.entity = r.entity
              AND o.status IN ('QUEUED', 'RUNNING', 'WAITING') AND (o.created_at, o.id) < (r.created_at, r.id))
          AND (e.lease_expires_at IS NULL OR e.lease_expires_at < now())
          AND (r.woken_at IS NULL OR r.woken_at < now() - make_interval(secs => :again))
        ORDER BY r.id LIMIT :limit FOR UPDATE OF r SKIP LOCKED)
    UPDATE sync_run r SET woken_at = now() FROM due
    WHERE r.connection_id = due.connection_id AND r.id = due.id
    RETURNING r.id, r.organization_id, r.connection_id, r.entity
    """
)


async def schedule(session: SystemSession, *, limit: int = 100) -> list[Due]:
    """Make the runs whose time has come, and set each entity's next times."""
    due = []
    for row in (await session.execute(_SCHEDULED, {"limit": limit})).all():
        scope = Scope(row.organization_id, row.connection_id)
        entity = Entity(row.entity)
        # Where both are due, the full one does for both.
        mode = SyncMode.FULL if row.full else SyncMode.INCREMENTAL
        run_id, new = await request(session, scope, entity=entity, mode=mode, trigger=SyncTrigger.SCHEDULED)
        await session.execute(
            text(
                f"UPDATE connected_entity SET next_run_at = CASE WHEN :changes THEN {_NEXT} ELSE next_run_at END,"
                f" next_full_run_at = CASE WHEN :full THEN {_NEXT_FULL} ELSE next_full_run_at END"
                " WHERE connection_id = :connection AND entity = :entity"
            ),
            {
                "changes": bool(row.changes),
                "full": bool(row.full),
                "connection": scope.connection_id,
                "entity": entity.value,
            },
        )
        if new:
            due.append(Due(run_id, scope, entity))
    return due


async def pick_due(session: SystemSession, *, limit: int = 100, again_seconds: int = 10) -> list[Due]:
    """Give the runs that no worker holds and that may go on now; each is given once per `again_seconds`."""
    rows = await session.execute(_DUE, {"limit": limit, "again": again_seconds})
    return [Due(row.id, Scope(row.organization_id, row.connection_id), Entity(row.entity)) for row in rows]


async def revisions(session: ReadSession, scope: Scope, *, run_id: UUID | None = None) -> dict[UUID, int]:
    """Give the revision of each run that is open or ended within the last minute."""
    rows = await session.execute(
        text(
            "SELECT id, revision FROM sync_run WHERE organization_id = :organization"
            " AND (CAST(:connection AS uuid) IS NULL OR connection_id = :connection)"
            " AND (CAST(:run AS uuid) IS NULL OR id = :run)"
            " AND (status IN ('QUEUED', 'RUNNING', 'WAITING') OR finished_at > now() - interval '1 minute'"
            "      OR CAST(:run AS uuid) IS NOT NULL)"
        ),
        {"organization": scope.organization_id, "connection": scope.connection_id, "run": run_id},
    )
    return {row.id: row.revision for row in rows}
