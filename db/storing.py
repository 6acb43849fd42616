"""The SQL that stores one kind of record, derived from its tables once.

Rows come from a stage (see db/staging.py): `stage_<table>` holds a record beside its raw item, `stage_<child table>`
its children. A staged record has the id that it gets if it is new.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from db import history
from db.models.registry import Child, EntitySpec
from db.models.rows import stored_names
from db.staging import Stage, cast_of

_KEYS: Final = (
    ("batch", "integer"),
    ("id", "uuid"),
    ("source_id", "text"),
    ("item_hash", "bytea"),
    ("fetched_at", "timestamptz"),
    ("run_id", "uuid"),
    ("feed", "text"),
    ("dated_on", "date"),
    ("body", "text"),
    ("content_hash", "bytea"),
    ("source_updated_at", "timestamptz"),
)
_CHILD_KEYS: Final = (("batch", "integer"), ("parent_id", "uuid"), ("position", "integer"))


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of one kind of record.

    Attributes:
        enter: Keeps the raw items and lets them go from quarantine; makes the records that are new, and where all
            `count` of them are, their children too. Gives the source ids `kept` and the ids `made`.
        compare: Gives those of the kept that differ from the stored ones, before and after.
        update: Changes them; those in `told` get a version.
        insert_children: For each kind of child: stores those of new and changed records; `staged` → `ids`.
        delete_children: Takes away those of changed records.
        snapshots: Gives records as they are, to be deleted.
        delete: Marks them.
    """

    stage: Stage
    child_stages: tuple[Stage, ...]
    enter: str
    compare: str
    update: str
    insert_children: tuple[str, ...]
    delete_children: tuple[str, ...]
    snapshots: str
    delete: str


@cache
def statements(spec: EntitySpec) -> Statements:
    """Give the statements of a kind of record."""
    return Statements(
        stage=Stage(f"stage_{spec.event_prefix}", _KEYS, stored_names(spec.record)),
        child_stages=tuple(
            Stage(f"stage_{child.table.__tablename__}", _CHILD_KEYS, stored_names(child.fields))
            for child in spec.children
        ),
        enter=_enter(spec),
        compare=_compare(spec),
        update=_update(spec),
        insert_children=tuple(_insert_children(child) for child in spec.children),
        delete_children=tuple(_delete_children(child) for child in spec.children),
        snapshots=_snapshots(spec),
        delete=_delete(spec),
    )


def _values(of: EntitySpec | Child, names: tuple[str, ...]) -> str:
    return ", ".join(f"s.{name}{cast_of(of.table, name)}" for name in names)


def _enter(spec: EntitySpec) -> str:
    # One statement for what every batch needs: between two of them the server waits for us.
    children = "".join(f", {child.name} AS ({_insert_all_children(child)})" for child in spec.children)
    return f"""
        WITH kept AS (
            INSERT INTO raw_item AS r (organization_id, connection_id, entity, source_id, item_hash, body,
                                       fetched_at, feed, run_id, read_at, dated_on)
            SELECT CAST(:organization AS uuid), CAST(:connection AS uuid), :entity, source_id, item_hash,
                   CAST(body AS json), fetched_at, feed, run_id, fetched_at, dated_on
            FROM stage_{spec.event_prefix} WHERE batch = :batch
            ON CONFLICT (connection_id, entity, source_id) DO UPDATE
            SET item_hash = excluded.item_hash, body = excluded.body, fetched_at = excluded.fetched_at,
                feed = excluded.feed, run_id = excluded.run_id, read_at = excluded.read_at,
                dated_on = excluded.dated_on
            WHERE r.read_at <= excluded.read_at
            RETURNING source_id),
        released AS (
            DELETE FROM quarantined_item q USING kept
            WHERE q.connection_id = :connection AND q.entity = :entity AND q.source_id = kept.source_id),
        made AS ({_insert(spec)}){children}
        SELECT ARRAY(SELECT source_id FROM kept) AS kept, ARRAY(SELECT id FROM made) AS made
        """


def _insert(spec: EntitySpec) -> str:
    # IS TRUE: what is kept is hashed; as a join, or as an array, each row would be compared with all of them.
    table, names = spec.event_prefix, stored_names(spec.record)
    return (
        f"INSERT INTO {table} (organization_id, connection_id, id, source_id, version, content_hash,"
        f" source_updated_at, synced_at, first_seen_at, first_cause, first_run_id, first_operation_id,"
        f" {', '.join(names)})"
        " SELECT CAST(:organization AS uuid), CAST(:connection AS uuid), s.id, s.source_id, 1, s.content_hash,"
        " s.source_updated_at, CAST(:now AS timestamptz), CAST(:now AS timestamptz), :cause, CAST(:run AS uuid),"
        f" CAST(:operation AS uuid), {_values(spec, names)} FROM stage_{table} s"
        " WHERE s.batch = :batch AND (s.source_id IN (SELECT source_id FROM kept)) IS TRUE"
        " ON CONFLICT (connection_id, source_id) DO NOTHING RETURNING id"
    )


def _compare(spec: EntitySpec) -> str:
    table = spec.event_prefix
    return (
        f"SELECT s.id AS staged_id, t.id, t.source_id, t.version, t.synced_at,"
        f" {history.snapshot(spec, 't')} AS before, {history.staged_snapshot(spec)} AS after"
        f" FROM stage_{table} s JOIN {table} t ON t.connection_id = :connection AND t.source_id = s.source_id"
        " WHERE s.batch = :batch AND s.source_id = ANY(:kept)"
        " AND (t.content_hash <> s.content_hash OR t.deleted_at IS NOT NULL)"
        " ORDER BY t.source_id FOR UPDATE OF t"
    )


def _update(spec: EntitySpec) -> str:
    table = spec.event_prefix
    sets = ", ".join(f"{name} = s.{name}{cast_of(spec.table, name)}" for name in stored_names(spec.record))
    return (
        f"UPDATE {table} t SET {sets}, content_hash = s.content_hash, source_updated_at = s.source_updated_at,"
        " synced_at = greatest(t.synced_at, CAST(:now AS timestamptz)), deleted_at = NULL,"
        " version = t.version + CASE WHEN t.id = ANY(:told) THEN 1 ELSE 0 END"
        f" FROM stage_{table} s"
        " WHERE s.batch = :batch AND t.connection_id = :connection AND t.source_id = s.source_id AND t.id = ANY(:ids)"
    )


def _insert_children(child: Child) -> str:
    pairs = "unnest(CAST(:staged AS uuid[]), CAST(:ids AS uuid[]))"
    chosen = f" JOIN {pairs} AS p(staged_id, id) ON p.staged_id = s.parent_id WHERE s.batch = :batch"
    return _children_from_stage(child, "p.id", chosen)


def _insert_all_children(child: Child) -> str:
    every = " WHERE s.batch = :batch AND (SELECT count(*) FROM made) = CAST(:count AS bigint)"
    return _children_from_stage(child, "s.parent_id", every)


def _children_from_stage(child: Child, parent: str, chosen: str) -> str:
    table, names = child.table.__tablename__, stored_names(child.fields)
    return (
        f"INSERT INTO {table} (organization_id, connection_id, {child.parent_key}, position, {', '.join(names)})"
        f" SELECT CAST(:organization AS uuid), CAST(:connection AS uuid), {parent}, s.position, {_values(child, names)}"
        f" FROM stage_{table} s{chosen}"
    )


def _delete_children(child: Child) -> str:
    return (
        f"DELETE FROM {child.table.__tablename__} WHERE connection_id = :connection AND {child.parent_key} = ANY(:ids)"
    )


def _snapshots(spec: EntitySpec) -> str:
    return (
        f"SELECT t.id, t.source_id, t.version, t.synced_at, {history.snapshot(spec, 't')} AS before"
        f" FROM {spec.event_prefix} t"
        " WHERE t.connection_id = :connection AND t.source_id = ANY(:ids) AND t.deleted_at IS NULL"
        " ORDER BY t.source_id FOR UPDATE OF t"
    )


def _delete(spec: EntitySpec) -> str:
    return (
        f"UPDATE {spec.event_prefix} SET deleted_at = :now, version = version + 1,"
        " synced_at = greatest(synced_at, CAST(:now AS timestamptz))"
        " WHERE connection_id = :connection AND id = ANY(:ids)"
    )
