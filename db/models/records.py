"""What every record tells beside its own fields: its raw document, and why a field of it is null."""

from enum import StrEnum
from typing import Any, Final

from sqlmodel import SQLModel

from db.models import columns as c
from db.models.base import Computed, EntityRow, One, Value
from db.models.partial import camel
from db.types import PREFIXES, Entity


class IncompleteReason(StrEnum):
    """Why a list may lack something of a connection."""

    UNREACHABLE = "UNREACHABLE"
    """The source does not answer."""
    REAUTHORIZATION_REQUIRED = "REAUTHORIZATION_REQUIRED"
    """The source refuses the credentials."""
    PAUSED = "PAUSED"
    """The connection, or the entity, rests."""
    DISCONNECTED = "DISCONNECTED"
    """The connection was ended; what it had stays."""
    DEGRADED = "DEGRADED"
    """The entity's last syncs failed."""
    NOT_SYNCED = "NOT_SYNCED"
    """The entity was not read to its end yet."""


class Unavailability(StrEnum):
    """Why a field of a record is null."""

    NOT_SUPPORTED = "NOT_SUPPORTED"
    """The system has no such field."""
    NOT_MAPPED = "NOT_MAPPED"
    """The field is not mapped for this connection."""
    NO_PERMISSION = "NO_PERMISSION"
    """The credentials may not read it."""
    NOT_SYNCED = "NOT_SYNCED"
    """It was not read yet."""
    EMPTY = "EMPTY"
    """The source has no value there."""


class UnavailableField(Value):
    """A field of a record that is null, and why."""

    field: str = c.text("The field's name in this API.", default=c.REQUIRED)
    reason: Unavailability = c.choice(
        "NOT_SUPPORTED: the system has no such thing. NOT_MAPPED: the connector does not read it. NO_PERMISSION: the"
        " credentials may not read what it points at. NOT_SYNCED: what it points at is not stored. EMPTY: the source"
        " has no value."
    )


_BESIDE: Final = {"deleted_at"}
_KNOWN: Final = """
(SELECT coalesce((SELECT s.unavailable FROM connection c JOIN system_entity s ON s.system_slug = c.system_slug
                  WHERE c.id = {{row}}.connection_id AND s.entity = '{entity}'), '{{{{}}}}') AS known) k
"""
_REFUSED: Final = """
EXISTS (SELECT FROM connected_entity e WHERE e.connection_id = {{row}}.connection_id AND e.entity = '{entity}'
        AND e.state = 'DEGRADED' AND NOT EXISTS (
          SELECT FROM issue i WHERE i.connection_id = e.connection_id AND i.entity = e.entity
          AND i.resolved_at IS NULL AND i.code <> 'SOURCE_PERMISSION'))
"""


def beside(table: type[EntityRow], entity: Entity, entities: dict[str, Entity]) -> dict[str, Computed]:
    """Give what a table of records computes.

    Args:
        table: Where the records are stored.
        entity: What they are.
        entities: API type → entity, of all kinds of records.
    """
    raw = (
        f"SELECT raw.body FROM raw_item raw WHERE raw.connection_id = {{row}}.connection_id"
        f" AND raw.entity = '{entity}' AND raw.source_id = {{row}}.source_id"
    )
    return {
        "raw": Computed(
            dict[str, Any] | None, "The document it was made of, as the source sent it; see rawItem for when.", raw
        ),
        "unavailable_fields": Computed(
            list[UnavailableField],
            "Its fields that are null, and why; lines and custom fields are not looked at.",
            _unavailable(table, entity, entities),
            nullable=False,
        ),
    }


def _unavailable(table: type[EntityRow], entity: Entity, entities: dict[str, Entity]) -> str:
    reasons = [
        (public, f"CASE WHEN {{row}}.{name} IS NULL THEN {_reason(name)} END")
        for public, name in nullable_fields(table)
    ]
    reasons += [
        (public, _pointing(relation, entities))
        for public, relation in table.relations.items()
        if isinstance(relation, One) and relation.target in entities
    ]
    rows = ", ".join(f"({n}, '{camel(public)}', {reason})" for n, (public, reason) in enumerate(reasons))
    return (
        "SELECT coalesce(jsonb_agg(jsonb_build_object('field', f.field, 'reason', f.reason) ORDER BY f.n), '[]')"
        f" FROM {_KNOWN.format(entity=entity)}, LATERAL (VALUES {rows}) f(n, field, reason) WHERE f.reason IS NOT NULL"
    )


def nullable_fields(table: type[SQLModel]) -> list[tuple[str, str]]:
    """Give the fields of a record that may be null and are told: API name in snake case, column."""
    stored = table.__table__  # type: ignore[attr-defined]
    return [
        (name.rstrip("_"), name)
        for name, info in table.model_fields.items()
        if stored.columns[name].nullable and c.declared(info, "public") is not False and name not in _BESIDE
    ]


def explained(table: type[EntityRow]) -> set[str]:
    """Give the columns of a record whose nulls are told a reason of: its own, and the keys of what it points at."""
    keys = {mine for relation in table.relations.values() if isinstance(relation, One) for mine in relation.on.values()}
    return {name for _, name in nullable_fields(table)} | (keys - {"connection_id", "organization_id"})


def _reason(name: str) -> str:
    return f"coalesce(k.known->>'{name}', 'EMPTY')"


def _pointing(relation: One, entities: dict[str, Entity]) -> str:
    """Tell why a relation is null: by the column that holds its key, or because what the key names is not there."""
    [(theirs, mine)] = [pair for pair in relation.on.items() if pair[0] != "connection_id"]
    target = entities[relation.target]
    there = (
        f"EXISTS (SELECT FROM {target.value.lower()} o WHERE o.connection_id = {{row}}.connection_id"
        f" AND o.{theirs} = {{row}}.{mine})"
    )
    return (
        f"CASE WHEN {{row}}.{mine} IS NULL THEN {_reason(mine)} WHEN {there} THEN NULL"
        f" WHEN {_REFUSED.format(entity=target)} THEN 'NO_PERMISSION' ELSE 'NOT_SYNCED' END"
    )


def versions(entities: dict[str, Entity]) -> str:
    """Give the SQL of all versions of all records: those that changed one, and the first ones, which records tell.

    A first version is told as long as the one after it is kept.

    Args:
        entities: Table → what its records are.
    """
    keys = "organization_id, connection_id"
    first = (
        "SELECT {keys}, '{entity}', id, 1, first_seen_at, first_cause, first_run_id, first_operation_id, '[]'::json"
        " FROM {table} f WHERE version = 1 OR EXISTS (SELECT FROM record_version n WHERE"
        " n.connection_id = f.connection_id AND n.entity = '{entity}' AND n.record_id = f.id AND n.version = 2)"
    )
    changed = f"SELECT {keys}, entity, record_id, version, valid_from, cause, run_id, operation_id, diff"
    told = [f"{changed} FROM record_version"]
    told += [first.format(keys=keys, table=table, entity=entity) for table, entity in entities.items()]
    return f"({' UNION ALL '.join(told)})"


def record_id(entities: dict[str, Entity], *, nullable: bool) -> Computed:
    """Give the field that tells a record's public id, of a row that names its entity and its id.

    Args:
        entities: API type → what its records are.
        nullable: Some rows are about no record.
    """
    prefixes = " ".join(f"WHEN '{entity}' THEN '{PREFIXES[name]}_'" for name, entity in entities.items())
    told = f"CASE {{row}}.entity {prefixes} END || replace({{row}}.record_id::text, '-', '')"
    what = "The record; null where no record changed." if nullable else "The record."
    return Computed(str | None if nullable else str, what, told, nullable=nullable)
