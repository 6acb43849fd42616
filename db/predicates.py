"""Filters as SQL text; values stay in their slots."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from db.keysets import bound
from db.models.base import AnyRecord
from db.models.custom import LONGEST_VALUE, CustomValue
from db.past import children
from db.selection import AnyChild, Combine, Compare, Condition, CustomField
from db.shapes import SHAPES, Column, Shape

_OPERATORS: Final = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_COARSE: Final = {"eq": "=", "gt": ">=", "gte": ">=", "lt": "<=", "lte": "<="}


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that a condition is about.

    Attributes:
        alias: Their table's name in the statement.
        connection: SQL of the one connection they belong to, known before they are read.
        next_alias: Gives names that nothing else in the statement has.
        past: They come out of the history (see db/past.py).
    """

    alias: str
    connection: str
    next_alias: Callable[[], str]
    past: bool = False


def filtered(condition: Condition, shape: Shape, rows: Rows) -> str:
    """Give a condition's SQL."""
    if isinstance(condition, Combine):
        parts = [filtered(part, shape, rows) for part in condition.parts]
        joined = f" {condition.op.upper()} ".join(parts) or ("true" if condition.op == "and" else "false")
        # A null comparison is not true, and so `not` of it is: three-valued logic would drop the row from both.
        return f"(({joined}) IS NOT TRUE)" if condition.negated else f"({joined})"
    if isinstance(condition, AnyChild):
        return _related(condition, shape, rows)
    if isinstance(condition, CustomField):
        return _custom(condition, shape, rows) if condition.column is None else _key(condition, shape, rows)
    column = shape.compared(condition.column)
    compare = _exactly if column.ordinal is not None else _compared
    return compare(condition, column, rows.alias)


def _related(condition: AnyChild, shape: Shape, rows: Rows) -> str:
    relation = shape.relations[condition.relation]
    if isinstance(relation, AnyRecord):
        raise TypeError(f"lists are not filtered by {condition.relation}")
    target, other = SHAPES[relation.target], rows.next_alias()
    inner = filtered(condition.condition, target, Rows(other, rows.connection, rows.next_alias))
    on = " AND ".join(f"{other}.{theirs} = {rows.alias}.{mine}" for theirs, mine in relation.on.items())
    source = children(shape.type_name, condition.relation, rows.alias) if rows.past else None
    return f"EXISTS (SELECT FROM {source or target.table} {other} WHERE {on} AND {inner})"


def _custom(condition: CustomField, shape: Shape, rows: Rows) -> str:
    other = rows.next_alias()
    value = Column("value", "text", nullable=False)
    if rows.past:
        # What the triggers of custom_value keep of the present ones (migration 0008).
        text = f"""(SELECT e.key, left(e.value #>> '{{}}', {LONGEST_VALUE + 1}) COLLATE "C" AS value
            FROM jsonb_each({rows.alias}.custom_fields) e
            WHERE jsonb_typeof(e.value) IN ('string', 'number', 'boolean'))"""
        conditions = [f"{other}.key = {bound('text', condition.name_slot)}"]
        conditions += [_compared(each, value, other) for each in condition.compares]
        found = f"EXISTS (SELECT FROM {text} {other} WHERE {' AND '.join(conditions)})"
        return f"NOT {found}" if condition.absent else found
    parts = [
        f"{other}.connection_id = {rows.alias}.connection_id",
        f"{other}.record_id = {rows.alias}.id",
        f"{other}.entity = '{shape.entity}'",
        f"{other}.name = {bound('text', condition.name_slot)}",
        *(_compared(each, value, other) for each in condition.compares),
    ]
    found = f"EXISTS (SELECT FROM {CustomValue.__tablename__} {other} WHERE {' AND '.join(parts)})"
    return f"NOT {found}" if condition.absent else found


_AT_TOP: Final = (
    "CASE WHEN jsonb_typeof({{row}}.{column} -> {name}) IN ('string', 'number', 'boolean')"
    ' THEN {{row}}.{column} ->> {name} END COLLATE "C"'
)


def _key(condition: CustomField, shape: Shape, rows: Rows) -> str:
    """Compare one value at the top of a JSON object; no index has it, so that this is for short lists."""
    held = shape.columns[condition.column or ""].name
    told = _AT_TOP.format(column=held, name=bound("text", condition.name_slot))
    value = Column("value", "text", sql=told)
    if condition.absent:
        return f"{value.of(rows.alias)} IS NULL"
    parts = [_compared(each, value, rows.alias) for each in condition.compares]
    return f"({' AND '.join([f'{value.of(rows.alias)} IS NOT NULL', *parts])})"


def _slot(condition: Compare) -> int:
    if condition.slot is None:
        raise TypeError(f"{condition.op} needs a value")
    return condition.slot


def _compared(condition: Compare, column: Column, alias: str) -> str:
    x = column.of(alias)
    if condition.op == "null":
        return f"{x} IS {'NOT ' if condition.negated else ''}NULL"
    slot = _slot(condition)
    if condition.op == "has":
        return f"{bound('text', slot)} = ANY({x})"
    if condition.op == "hasAny":
        return f"{x} && {bound('text', slot, many=True)}"
    if condition.op == "in":
        return f"{x} = ANY({bound(column.kind, slot, many=True)})"
    if condition.op == "prefix":
        # Two slots: the prefix, and the first text after everything that begins with it (C collation).
        return f"({x} >= {bound(column.kind, slot)} AND {x} < {bound(column.kind, slot + 1)})"
    return f"{x} {_OPERATORS[condition.op]} {bound(column.kind, slot)}"


def _exactly(condition: Compare, column: Column, alias: str) -> str:
    """Compare amounts: by their ordinals in the index, for numeric operators are not leakproof, and then exactly.

    Two slots: the amount or amounts, and their ordinals.
    """
    if condition.op == "null":
        return f"{alias}.{column.ordinal} IS {'NOT ' if condition.negated else ''}NULL"
    slot = _slot(condition)
    exact = _compared(condition, column, alias)
    x = f"{alias}.{column.ordinal}"
    if condition.op == "in":
        return f"({x} = ANY({bound('big', slot + 1, many=True)}) AND {exact})"
    return f"({x} {_COARSE[condition.op]} {bound('big', slot + 1)} AND {exact})"
