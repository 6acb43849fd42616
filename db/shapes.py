"""How each readable type is told as JSON: its columns and relations, derived from the tables."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Final, Literal, get_args, get_origin
from uuid import UUID

from sqlmodel import SQLModel

from db.models import columns as c
from db.models.base import AnyRecord, Findable, Relation, across
from db.models.connection import ConnectedSystem
from db.models.registry import READABLE, SPECS_BY_TYPE
from db.models.summary import Summary
from db.types import PREFIXES, Entity

Kind = Literal[
    "id", "text", "enum", "integer", "big", "decimal", "boolean", "date", "instant", "json", "texts", "value", "values"
]
_KINDS: Final[dict[Any, Kind]] = {
    "text": "text",
    "enum": "enum",
    "decimal": "decimal",
    "date": "date",
    "instant": "instant",
    "boolean": "boolean",
    "integer": "integer",
}


_KEYS: Final[dict[str, Kind]] = {"record_id": "id", "sequence": "big"}
"""Columns that are told by an expression, and that lists are ordered by as they are stored."""


@dataclass(frozen=True, slots=True)
class Column:
    """A stored field and how it is told.

    Attributes:
        name: Its column.
        kind: How it becomes JSON.
        value: The class of the JSON value inside, for `value` and `values`.
        filterable: Lists may be filtered and ordered by it.
        nullable: It may be null.
        sql: The expression that gives it, over `{row}`, where it is no stored column.
        ordinal: For amounts that lists are filtered or ordered by, the column that holds their place in the order.
    """

    name: str
    kind: Kind
    value: type[SQLModel] | None = None
    filterable: bool = False
    nullable: bool = True
    sql: str | None = None
    ordinal: str | None = None

    def of(self, alias: str) -> str:
        """Give its SQL over a row."""
        return f"{alias}.{self.name}" if self.sql is None else f"({self.sql.format(row=alias)})"


@dataclass(frozen=True, slots=True)
class Shape:
    """One readable type.

    Attributes:
        type_name: Its name in the API.
        table: Where it is stored, or the SQL in brackets that gives its rows.
        columns: API field (snake case) → column.
        relations: API field → join.
        entity: The record kind, for records.
        connection_column: The column that names its connection; None where rows belong to no one.
        key: The column that is unique within a connection and breaks ties.
        by_connection: Each row belongs to a connection, and its indexes begin with it.
        findable: API field → how lists are filtered by it, for what is no plain column.
        summary: What its records are counted and summed by, where they are.
        keys: Columns that lists are ordered by and that are told in another way, or not at all.
        indexed_across: An index serves the rows of all connections of an organization (`db.models.base.across`).
    """

    type_name: str
    table: str
    columns: dict[str, Column] = field(hash=False)
    relations: dict[str, Relation] = field(hash=False)
    entity: Entity | None
    connection_column: str | None
    key: str
    by_connection: bool
    indexed_across: bool
    keys: dict[str, Column] = field(hash=False)
    summary: Summary | None
    findable: dict[str, Findable] = field(hash=False, default_factory=dict)

    @property
    def custom(self) -> bool:
        """True where records have custom fields, which lists may be filtered by."""
        return self.entity is not None and "custom_fields" in self.columns

    def compared(self, name: str) -> Column:
        """Give the column that a condition names: a field's, or `field.inside` of one that is found by its inside."""
        outer, _, inside = name.partition(".")
        if inside:
            return Column(self.findable[outer].columns[inside], "text", nullable=False)
        return self.columns[name]

    @property
    def deletable(self) -> bool:
        """True where rows stay, marked, after the source lost them."""
        return "deleted_at" in self.columns


def public_name(attribute: str) -> str:
    """Give the API's snake-case name of an attribute (`metadata_` is told as `metadata`)."""
    return attribute.rstrip("_")


def kind_of(annotation: Any) -> tuple[Kind, type[SQLModel] | None]:
    """Tell how a field of this type is told as JSON, and the class of a JSON value inside."""
    plain = c.plain_type(annotation)
    if get_origin(plain) is list:
        inner = get_args(plain)[0]
        return ("texts", None) if inner is str else ("values", inner) if _is_value(inner) else ("json", None)
    if _is_value(plain):
        return "value", plain
    if plain is UUID:
        return "id", None
    return _KINDS.get(c.filter_kind(plain), "json"), None


def _is_value(annotation: Any) -> bool:
    return (
        isinstance(annotation, type)
        and issubclass(annotation, SQLModel)
        and not issubclass(annotation, (Enum, Decimal))
    )


def _shape(table: type[SQLModel]) -> Shape:
    columns: dict[str, Column] = {}
    stored = table.__table__  # type: ignore[attr-defined]
    for name, info in table.model_fields.items():
        if c.declared(info, "public") is False or name not in stored.columns:
            continue
        kind, value = kind_of(info.annotation)
        columns[public_name(name)] = Column(
            name,
            kind,
            value,
            filterable := bool(c.declared(info, "filterable")),
            bool(stored.columns[name].nullable),
            ordinal=stored.columns[f"{name}_ordinal"].name if filterable and kind == "decimal" else None,
        )
    for name, computed in getattr(table, "computed", {}).items():
        kind, value = kind_of(computed.annotation)
        columns[name] = Column(name, kind, value, nullable=computed.nullable, sql=computed.sql)
    spec = SPECS_BY_TYPE.get(table.__name__)
    connection = "id" if table is ConnectedSystem else "connection_id" if "connection_id" in stored.columns else None
    keys = ("id", "position", "entity", "slug", "connection_id")
    key = getattr(table, "tie_break", None) or next(name for name in keys if name in stored.columns)
    return Shape(
        type_name=table.__name__,
        table=getattr(table, "source", stored.name),
        columns=columns,
        relations=dict(getattr(table, "relations", {})),
        entity=spec.entity if spec else None,
        connection_column=getattr(table, "held_by", connection),
        key=key,
        keys={
            name: Column(name, kind, nullable=False)
            for name, kind in _KEYS.items()
            if name in stored.columns and name in columns and columns[name].sql is not None
        },
        summary=getattr(table, "summary", None),
        by_connection="connection_id" in stored.primary_key.columns,
        indexed_across=any(
            str(each) == across("organization_id") for index in stored.indexes for each in index.expressions
        ),
        findable=dict(getattr(table, "findable", {})),
    )


SHAPES: Final[dict[str, Shape]] = {table.__name__: _shape(table) for table in READABLE}


@cache
def value_fields(value: type[SQLModel]) -> dict[str, Kind]:
    """Give the fields of a JSON value, and how each is told."""
    return {name: kind_of(info.annotation)[0] for name, info in value.model_fields.items()}


for _shape_ in SHAPES.values():
    for _relation in _shape_.relations.values():
        if not isinstance(_relation, AnyRecord) and _relation.target not in SHAPES:
            raise TypeError(f"{_shape_.type_name} points at {_relation.target}, which nobody can read")
    if _shape_.type_name in PREFIXES and "id" not in _shape_.columns:
        raise TypeError(f"{_shape_.type_name} has ids, but no id column")
