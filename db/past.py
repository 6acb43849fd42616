"""Records as of an instant: those that have not changed since as they are stored, the others out of their history.

Either kind is a source of rows with the columns of the records' table. Beside them stand `past`, true of rows out of
the history, and `past_…` with the children that such a row had (see db/history.py for what a snapshot holds).
"""

from typing import Any, Final

from db.history import META
from db.models.columns import ordinal_sql
from db.models.registry import SPECS_BY_TYPE, Child, EntitySpec
from db.models.rows import stored_names
from db.told import INSTANT_TEXT

MOST: Final = 50_000
"""So many versions may have ended since an instant where a list has to look at all of them."""


def unchanged(type_name: str, *, at: str) -> str:
    """Give the source of the records that were there at an instant and have not changed since."""
    spec = SPECS_BY_TYPE[type_name]
    columns = ", ".join(f"p.{column.name}" for column in _columns(spec))
    beside = "".join(f", NULL::json AS past_{child.name}" for child in spec.children)
    later = (
        f"SELECT FROM record_version v WHERE v.connection_id = p.connection_id AND v.entity = '{spec.entity}'"
        f" AND v.record_id = p.id AND v.valid_from > {at}"
    )
    return (
        f"(SELECT {columns}, false AS past{beside} FROM {spec.event_prefix} p"
        f" WHERE p.first_seen_at <= {at} AND NOT EXISTS ({later}))"
    )


def changed(type_name: str, *, at: str, connection: str, record: str | None = None) -> str:
    """Give the source of the records that were there at an instant and have changed since.

    Args:
        at: SQL of the instant.
        connection: SQL of the one connection that they belong to.
        record: SQL of the only record's id.
    """
    spec = SPECS_BY_TYPE[type_name]
    table = spec.event_prefix
    told = {*META, *stored_names(spec.record)}
    own = ", ".join(_past_column(column, told) for column in _columns(spec))
    beside = "".join(f", v.before -> '{child.name}' AS past_{child.name}" for child in spec.children)
    only = f" AND v.record_id = {record}" if record else ""
    return (
        f"(SELECT {own}, true AS past{beside} FROM ("
        "SELECT DISTINCT ON (v.connection_id, v.record_id) v.connection_id, v.record_id, v.before"
        f" FROM record_version v WHERE v.connection_id = {connection} AND v.entity = '{spec.entity}'"
        f" AND v.valid_from > {at}{only} ORDER BY v.connection_id, v.record_id, v.version) v"
        f" JOIN {table} p ON p.connection_id = v.connection_id AND p.id = v.record_id AND p.first_seen_at <= {at}"
        f" CROSS JOIN LATERAL json_populate_record(NULL::{table}, v.before) r)"
    )


def children(type_name: str, name: str, alias: str) -> str | None:
    """Give the source of the children that a record as of an instant had; None where the relation is to others."""
    child = next((each for each in SPECS_BY_TYPE[type_name].children if each.name == name), None)
    if child is None:
        return None
    table = child.table.__tablename__
    columns = _columns(child)
    stored = ", ".join(f"l.{column.name}" for column in columns)
    keys = {"organization_id": "organization_id", "connection_id": "connection_id", child.parent_key: "id"}
    past = ", ".join(
        f"{alias}.{keys[column.name]} AS {column.name}" if column.name in keys else f"r.{column.name}"
        for column in columns
    )
    return (
        f"(SELECT {stored} FROM {table} l WHERE NOT {alias}.past AND l.connection_id = {alias}.connection_id"
        f" AND l.{child.parent_key} = {alias}.id"
        f" UNION ALL SELECT {past} FROM json_populate_recordset(NULL::{table}, {alias}.past_{name}) r"
        f" WHERE {alias}.past)"
    )


def forgotten(at: str, *, connections: str) -> tuple[str, str]:
    """Give the SQL that tells whether versions of an instant were deleted, and since when all are kept.

    Args:
        at: SQL of the instant.
        connections: The condition on connections `c` that are read.
    """
    since = f"(SELECT max(c.history_since) FROM connection c WHERE {connections})"
    return f"coalesce({at} < {since}, false)", INSTANT_TEXT.format(x=since)


def too_many(type_name: str, *, at: str, connections: str) -> str:
    """Give the SQL that tells whether more versions ended since an instant than a list may look at."""
    entity = SPECS_BY_TYPE[type_name].entity
    ended = (
        "SELECT FROM record_version v WHERE v.connection_id = c.id"
        f" AND v.entity = '{entity}' AND v.valid_from > {at} LIMIT {MOST + 1}"
    )
    some = f"SELECT FROM connection c CROSS JOIN LATERAL ({ended}) v WHERE {connections} LIMIT {MOST + 1}"
    return f"(SELECT count(*) FROM ({some}) s) > {MOST}"


def _columns(of: EntitySpec | Child) -> list[Any]:
    return list(of.table.__table__.columns)  # type: ignore[attr-defined]


def _past_column(column: Any, told: set[str]) -> str:
    name: str = column.name
    if name == "id":
        return "v.record_id AS id"
    if column.computed is not None:
        return f"{ordinal_sql('r.' + name.removesuffix('_ordinal'))} AS {name}"
    return f"{'r' if name in told else 'p'}.{name}"
