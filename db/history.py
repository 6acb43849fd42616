"""History: each change of a record as a row with what changed, and with the whole of what it ended."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlmodel import SQLModel

from db.engine import WriteSession
from db.models import columns as c
from db.models.base import One
from db.models.partial import camel
from db.models.registry import Child, EntitySpec
from db.models.rows import stored_names
from db.scope import Scope
from db.shapes import kind_of
from db.staging import cast_of
from db.types import Cause, Entity, tell_instant

Json = dict[str, Any]
META: Final = ("id", "source_id", "version", "source_updated_at", "synced_at", "deleted_at")
"""What a snapshot holds beside the record's fields and children."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Why records change, and when.

    Attributes:
        at: When they are stored, by our clock, UTC.
        run_id: The run that changes them.
        operation_id: The write that does.
    """

    cause: Cause
    at: datetime
    run_id: UUID | None = None
    operation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """A version that begins.

    Attributes:
        number: From 2.
        valid_from: When it begins; never before the version that it ends.
        before: The version that it ends, as JSON text.
    """

    record_id: UUID
    number: int
    valid_from: datetime
    diff: list[Json]
    before: str


def snapshot(spec: EntitySpec, alias: str) -> str:
    """Give the SQL of a stored record as JSON: columns in our names, exact decimals as text, children as lists."""
    own = [_told(spec, name, alias) for name in (*META, *stored_names(spec.record))]
    return _object([*own, *(f"({_children(child, alias)}) AS {child.name}" for child in spec.children)])


def _told(of: EntitySpec | Child, name: str, alias: str) -> str:
    decimal = cast_of(of.table, name) == "::numeric"
    return f"{alias}.{name}::text AS {name}" if decimal else f"{alias}.{name}"


def _children(child: Child, alias: str) -> str:
    own = ", ".join(_told(child, name, "c") for name in ("position", *stored_names(child.fields)))
    rows = (
        f"SELECT {own} FROM {child.table.__tablename__} c"
        f" WHERE c.connection_id = {alias}.connection_id AND c.{child.parent_key} = {alias}.id"
    )
    return f"SELECT coalesce(json_agg(x ORDER BY x.position), '[]') FROM ({rows}) x"


def _object(parts: Sequence[str]) -> str:
    return f"(SELECT row_to_json(r) FROM (SELECT {', '.join(parts)}) r)::text"


@cache
def staged_snapshot(spec: EntitySpec) -> str:
    """Give the SQL of a staged record `s` as the same JSON, without what stands beside its fields."""
    own = [_cast(spec, name, "s") for name in stored_names(spec.record)]
    told = []
    for child in spec.children:
        columns = ", ".join(["position", *(_cast(child, name, "c") for name in stored_names(child.fields))])
        rows = f"SELECT {columns} FROM stage_{child.table.__tablename__} c WHERE c.parent_id = s.id"
        told.append(f"(SELECT coalesce(json_agg(x ORDER BY x.position), '[]') FROM ({rows}) x) AS {child.name}")
    return _object([*own, *told])


def _cast(of: EntitySpec | Child, name: str, alias: str) -> str:
    cast = cast_of(of.table, name)
    return f"{alias}.{name}{cast}{'::text' if cast == '::numeric' else ''} AS {name}"


def difference(spec: EntitySpec, before: Json, after: Json) -> list[Json]:
    """Tell which fields changed between two snapshots, in the API's names: path, before, after.

    A child is found again by its key: `["lines", key, "quantity"]` is a field of it, `["lines", key]` one that came or
    went, and `["lines"]` the keys' order where those that stayed changed places. What points at another record is told
    under the relation's name, with the other's source id.
    """
    told = []
    for name in ("deleted_at", *stored_names(spec.record)):
        if before.get(name) != after.get(name):
            old, new = (_shown(spec.table, name, each.get(name)) for each in (before, after))
            told.append(_change([_named(spec.table, name)], old, new))
    for child in spec.children:
        told += _children_changes(child, _by_key(child, before[child.name]), _by_key(child, after[child.name]))
    return told


def _change(path: list[str], before: Any, after: Any) -> Json:
    return {"path": path, "before": before, "after": after}


@cache
def _named(table: type[SQLModel], name: str) -> str:
    """Give the API's name of a column, of one that holds a relation's key the relation's."""
    if c.declared(table.model_fields[name], "public") is False:
        for relation, joined in getattr(table, "relations", {}).items():
            if isinstance(joined, One) and name in joined.on.values():
                return camel(relation)
    return camel(name)


_ENDS: Final = {"infinity": "9999-12-31T23:59:59.999999Z", "-infinity": "0001-01-01T00:00:00.000000Z"}
"""Python's last and first instant, as the snapshots of Postgres have them."""


def _shown(table: type[SQLModel], name: str, value: Any) -> Any:
    """Give a column's value with the API's names of what is inside."""
    kind, _ = kind_of(table.model_fields[name].annotation)
    if kind == "value" and isinstance(value, dict):
        return {camel(key): inner for key, inner in value.items()}
    if kind == "values" and isinstance(value, list):
        return [{camel(key): inner for key, inner in each.items()} for each in value]
    if kind == "instant" and isinstance(value, str):
        return _ENDS.get(value) or tell_instant(datetime.fromisoformat(value))
    return value


def _by_key(child: Child, rows: Sequence[Json]) -> dict[str, Json]:
    """Give the rows by their key; where a source uses one twice, the second is `key#2`."""
    seen: Counter[str] = Counter()
    found = {}
    for row in rows:
        key = row[child.key]
        seen[key] += 1
        found[key if seen[key] == 1 else f"{key}#{seen[key]}"] = {n: v for n, v in row.items() if n != "position"}
    return found


def _children_changes(child: Child, before: dict[str, Json], after: dict[str, Json]) -> list[Json]:
    told = []
    stayed = [[key for key in one if key in other] for one, other in ((before, after), (after, before))]
    if stayed[0] != stayed[1]:
        told.append(_change([child.name], *stayed))
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            told.append(_change([child.name, key], _whole(child, old), _whole(child, new)))
            continue
        for name in new:
            if old[name] != new[name]:
                values = (_shown(child.table, name, each[name]) for each in (old, new))
                told.append(_change([child.name, key, _named(child.table, name)], *values))
    return told


def _whole(child: Child, row: Json | None) -> Json | None:
    if row is None:
        return None
    return {_named(child.table, name): _shown(child.table, name, value) for name, value in row.items()}


_INSERT: Final = text(
    """
    INSERT INTO record_version (organization_id, connection_id, entity, record_id, version, valid_from, cause, run_id,
                                operation_id, diff, before)
    SELECT CAST(:organization AS uuid), CAST(:connection AS uuid), :entity, v.record_id, v.version, v.valid_from,
           :cause, CAST(:run AS uuid), CAST(:operation AS uuid), CAST(v.diff AS json), CAST(v.before AS json)
    FROM unnest(CAST(:records AS uuid[]), CAST(:versions AS int[]), CAST(:from AS timestamptz[]),
                CAST(:diffs AS text[]), CAST(:befores AS text[])) AS v(record_id, version, valid_from, diff, before)
    """
)


async def append(
    session: WriteSession, scope: Scope, spec: EntitySpec, versions: Sequence[Version], *, origin: Origin
) -> None:
    """Store versions that begin."""
    if not versions:
        return
    await session.execute(
        _INSERT,
        {
            "organization": scope.organization_id,
            "connection": scope.connection_id,
            "entity": spec.entity.value,
            "cause": origin.cause.value,
            "run": origin.run_id,
            "operation": origin.operation_id,
            "records": [each.record_id for each in versions],
            "versions": [each.number for each in versions],
            "from": [each.valid_from for each in versions],
            "diffs": [orjson.dumps(each.diff).decode() for each in versions],
            "befores": [each.before for each in versions],
        },
    )


_PRUNE: Final = text(
    """
    WITH gone AS (
        DELETE FROM record_version d USING connection c
        CROSS JOIN unnest(CAST(:entities AS text[])) AS e(entity)
        CROSS JOIN LATERAL (
            SELECT v.record_id, v.version FROM record_version v
            WHERE v.connection_id = c.id AND v.entity = e.entity AND v.valid_from <= CAST(:before AS timestamptz)
            ORDER BY v.valid_from LIMIT :most) v
        WHERE c.organization_id = :organization AND d.connection_id = c.id AND d.entity = e.entity
          AND d.record_id = v.record_id AND d.version = v.version
        RETURNING d.connection_id),
    noted AS (
        UPDATE connection c SET history_since = greatest(c.history_since, CAST(:before AS timestamptz))
        FROM (SELECT DISTINCT connection_id FROM gone) g WHERE c.id = g.connection_id)
    SELECT count(*) FROM gone
    """
)
"""What began by an instant is not needed to tell what was valid then or later. The connection says so at once."""


async def prune(session: WriteSession, scope: Scope, *, before: datetime, most: int) -> int:
    """Delete an organization's versions that began by an instant, at most so many of each entity; gives how many."""
    values = {
        "organization": scope.organization_id,
        "entities": [entity.value for entity in Entity],
        "before": before,
        "most": most,
    }
    return int((await session.execute(_PRUNE, values)).scalar_one())
