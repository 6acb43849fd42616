"""Runs, leases and checkpoints as rows: Postgres is the truth about work."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, text, update
from sqlmodel import col, select

from db.connections import SYNCED
from db.engine import ReadSession, SystemSession, WriteSession, straight
from db.models.sync import ACTIVE, OPEN_STATUSES, SyncMode, SyncRun, SyncStatus, SyncTrigger
from db.scope import Scope
from db.types import Entity, new_id


class LeaseLost(Exception):
    """Another worker holds a newer fence; nothing of this one may be stored."""


class Stop(Enum):
    """Why a run stops at its next page."""

    CANCEL = "CANCEL"
    PAUSE = "PAUSE"


# Jitter of 5 % either way spreads what was connected at one time.
NEXT: Final = "now() + make_interval(secs => every_minutes * 60 * (0.95 + random() * 0.1))"
NEXT_FULL: Final = "now() + make_interval(secs => full_every_hours * 3600 * (0.95 + random() * 0.1))"
NEW_COLUMNS: Final = (
    "status, created_at, fetched, created, updated, unchanged, deleted, quarantined, pages, attempts, feeds,"
    " worked_ms, source_ahead_ms, awaits_confirmation, cancel_requested, revision"
)
NEW_VALUES: Final = "'QUEUED', now(), 0, 0, 0, 0, 0, 0, 0, 0, '{}', 0, 0, false, false, 0"
"""Of a run that nobody has worked on yet."""
_REQUEST: Final = text(
    f"""
    INSERT INTO sync_run (connection_id, id, organization_id, entity, mode, trigger, {NEW_COLUMNS})
    SELECT :connection, :id, :organization, :entity, :mode, :trigger, {NEW_VALUES}
    WHERE NOT EXISTS (SELECT FROM sync_run o WHERE o.connection_id = :connection AND o.entity = :entity AND {ACTIVE}
        AND (:mode IN ('INCREMENTAL', o.mode) OR o.trigger = 'INITIAL'))
    ON CONFLICT (connection_id, entity, mode) WHERE {ACTIVE} DO NOTHING
    RETURNING id
    """
)
_OPEN_RUN: Final = text(
    f"SELECT o.id FROM sync_run o WHERE o.connection_id = :connection AND o.entity = :entity AND {ACTIVE}"
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


async def guard(session: WriteSession, scope: Scope, entity: Entity, *, fence: int) -> None:
    """Hold this transaction to a fence: until it commits, nobody can be given a newer one.

    Raises:
        LeaseLost: A newer fence exists.
    """
    if not await straight(
        session,
        "SELECT 1 FROM connected_entity"
        " WHERE connection_id = :connection AND entity = :entity AND fence = :fence FOR SHARE",
        {"connection": scope.connection_id, "entity": entity.value, "fence": fence},
    ):
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
    (row,) = await straight(
        session,
        f"UPDATE sync_run r SET {sums}, attempts = 0, feeds = CAST(:feeds AS jsonb),"
        " status = CASE WHEN c.status IN ('ACTIVE', 'UNREACHABLE') THEN r.status ELSE 'WAITING' END,"
        " revision = r.revision + 1 FROM connection c"
        " WHERE r.connection_id = :connection AND r.id = :id AND c.id = r.connection_id"
        " RETURNING r.cancel_requested, c.status",
        {"connection": scope.connection_id, "id": run_id, "feeds": orjson.dumps(feeds).decode(), **counts, **pace},
    )
    if row["cancel_requested"]:
        return Stop.CANCEL
    return None if row["status"] in SYNCED else Stop.PAUSE


async def begin(session: WriteSession, scope: Scope, run_id: UUID, **values: Any) -> bool:
    """Note that a run is worked on, and set its columns; False where it has ended meanwhile."""
    values |= {"status": SyncStatus.RUNNING, "next_attempt_at": None, "error": None}
    return await _set(session, scope, run_id, values, col(SyncRun.status).in_(OPEN_STATUSES))


async def change(session: WriteSession | SystemSession, scope: Scope, run_id: UUID, **values: Any) -> None:
    """Set columns of a run and count the revision.

    Raises:
        LookupError: The scope has no such run.
    """
    if not await _set(session, scope, run_id, values):
        raise LookupError(run_id)


async def _set(
    session: WriteSession | SystemSession,
    scope: Scope,
    run_id: UUID,
    values: Mapping[str, Any],
    *conditions: ColumnElement[bool],
) -> bool:
    changed = update(SyncRun).where(
        col(SyncRun.connection_id) == scope.connection_id, col(SyncRun.id) == run_id, *conditions
    )
    ends = {"estimated_end_at": None} if "status" in values else {}  # whatever was expected, it is no more
    counted = changed.values(**values, **ends, revision=SyncRun.revision + 1).returning(col(SyncRun.id))
    return (await session.execute(counted)).scalar_one_or_none() is not None


async def succeed(
    session: WriteSession,
    scope: Scope,
    run: SyncRun,
    *,
    checkpoints: Mapping[str, Any] | None,
    whole: bool,
    now: datetime,
) -> None:
    """Move the checkpoints of an entity after its run's pass is complete; one that was DEGRADED works again.

    Args:
        checkpoints: Where each feed resumes; None leaves them where they are.
        whole: All there is was read, so that the next full run may wait its full time.
    """
    await session.execute(
        text(
            "UPDATE connected_entity SET last_success_at = :now,"
            " checkpoints = CASE WHEN :moves THEN CAST(:checkpoints AS jsonb) ELSE checkpoints END,"
            " source_ahead_ms = CASE WHEN :moves THEN :ahead ELSE source_ahead_ms END,"
            " complete_through = CASE WHEN :moves THEN :through ELSE complete_through END,"
            " state = CASE state WHEN 'DEGRADED' THEN 'ACTIVE' ELSE state END,"
            f" next_full_run_at = CASE WHEN :whole THEN {NEXT_FULL} ELSE next_full_run_at END"
            " WHERE connection_id = :connection AND entity = :entity"
        ),
        {
            "moves": checkpoints is not None,
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
