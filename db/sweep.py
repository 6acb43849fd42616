"""What is gone from a source: what a whole pass met, what it should have met, and what is left to be looked up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import TextClause, text

from db.engine import ReadSession, WriteSession, straight
from db.models.registry import EntitySpec
from db.models.sync import SyncRun
from db.scope import Scope

_MET: Final = (
    "INSERT INTO sync_seen (organization_id, connection_id, run_id, page, keys)"
    " VALUES (:organization, :connection, :run, :page, :keys)"
)


async def met(session: WriteSession, scope: Scope, run: SyncRun, keys: Sequence[str]) -> None:
    """Note the keys of a page of a whole pass: one row, whatever its items were."""
    await straight(session, _MET, {**_whose(scope, run), "page": run.pages, "keys": keys})


@cache
def _present(spec: EntitySpec, *, dated: bool = False) -> str:
    """Give the SQL of what stands for something in the source: records, and items in quarantine.

    Args:
        dated: Of documents dated from `:period` on only.
    """
    join = (
        f" JOIN raw_item r ON r.connection_id = t.connection_id AND r.entity = '{spec.entity}'"
        " AND r.source_id = t.source_id AND r.dated_on >= CAST(:period AS date)"
    )
    return (
        f"SELECT t.source_id FROM {spec.event_prefix} t{join if dated else ''}"
        " WHERE t.connection_id = :connection AND t.deleted_at IS NULL"
        " UNION ALL SELECT q.source_id FROM quarantined_item q"
        f" WHERE q.connection_id = :connection AND q.entity = '{spec.entity}'"
        f"{' AND q.dated_on >= CAST(:period AS date)' if dated else ''}"
    )


@cache
def _judge(spec: EntitySpec, *, dated: bool) -> TextClause:
    return text(
        f"""
        WITH due AS (SELECT DISTINCT p.source_id FROM ({_present(spec, dated=dated)}) p),
        met AS MATERIALIZED (
            SELECT unnest(keys) AS source_id FROM sync_seen WHERE connection_id = :connection AND run_id = :run),
        gone AS (
            INSERT INTO vanished_item (organization_id, connection_id, run_id, source_id, entity)
            SELECT CAST(:organization AS uuid), CAST(:connection AS uuid), CAST(:run AS uuid), d.source_id, :entity
            FROM due d WHERE NOT EXISTS (SELECT FROM met m WHERE m.source_id = d.source_id)
            ON CONFLICT DO NOTHING RETURNING 1)
        SELECT (SELECT count(*) FROM due) AS judged, (SELECT count(*) FROM gone) AS vanished
        """
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """What a whole pass should have met, and what of it it did not."""

    judged: int
    vanished: int

    def too_many(self, percent: int) -> bool:
        """Tell whether more vanished than may be deleted without asking."""
        return self.vanished * 100 > self.judged * percent


async def judge(session: WriteSession, scope: Scope, spec: EntitySpec, run: SyncRun) -> Judged:
    """Note what a pass that is complete did not meet, to be looked up.

    Judged is only what lies within the window that was read: documents dated before the run's `period_start`, and
    those without a date, are not.
    """
    dated = run.period_start is not None
    values = {**_whose(scope, run), "entity": spec.entity.value} | ({"period": run.period_start} if dated else {})
    found = (await session.execute(_judge(spec, dated=dated), values)).one()
    return Judged(found.judged, found.vanished)


async def told(session: WriteSession, scope: Scope, spec: EntitySpec, run: SyncRun, keys: Collection[str]) -> None:
    """Note what the source says was deleted, to be looked up; what is not here is left out."""
    await session.execute(
        text(
            "INSERT INTO vanished_item (organization_id, connection_id, run_id, source_id, entity)"
            " SELECT DISTINCT CAST(:organization AS uuid), CAST(:connection AS uuid), CAST(:run AS uuid),"
            f" p.source_id, :entity FROM ({_present(spec)}) p WHERE p.source_id = ANY(:keys) ON CONFLICT DO NOTHING"
        ),
        {**_whose(scope, run), "entity": spec.entity.value, "keys": list(keys)},
    )


async def pending(session: ReadSession, scope: Scope, run: SyncRun, *, limit: int) -> list[str]:
    """Give keys that are still to be looked up."""
    found = await session.execute(
        text(
            "SELECT source_id FROM vanished_item WHERE connection_id = :connection AND run_id = :run"
            " ORDER BY source_id LIMIT :limit"
        ),
        {"connection": scope.connection_id, "run": run.id, "limit": limit},
    )
    return list(found.scalars())


async def settle(session: WriteSession, scope: Scope, run: SyncRun, keys: Collection[str]) -> None:
    """Note that keys were looked up."""
    await session.execute(
        text(
            "DELETE FROM vanished_item WHERE connection_id = :connection AND run_id = :run AND source_id = ANY(:keys)"
        ),
        {"connection": scope.connection_id, "run": run.id, "keys": list(keys)},
    )


async def forget_met(session: WriteSession, scope: Scope, run: SyncRun) -> None:
    """Let go of the keys of a run that has judged."""
    await session.execute(
        text("DELETE FROM sync_seen WHERE connection_id = :connection AND run_id = :run"),
        {"connection": scope.connection_id, "run": run.id},
    )


def _whose(scope: Scope, run: SyncRun) -> dict[str, Any]:
    return {"organization": scope.organization_id, "connection": scope.connection_id, "run": run.id}
