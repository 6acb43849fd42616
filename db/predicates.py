"""Filters, orders, cursors and keysets as SQL text; values stay in their slots."""

from collections.abc import Callable
from typing import Final

import orjson

from db.selection import AnyChild, Combine, Compare, Condition, PageSelection, Sort
from db.shapes import SHAPES, Column, Kind, Shape

_CASTS: Final[dict[Kind, str]] = {
    "id": "uuid",
    "text": "text",
    "enum": "text",
    "integer": "bigint",
    "decimal": "numeric",
    "boolean": "boolean",
    "date": "date",
    "instant": "timestamptz",
}
_OPERATORS: Final = {"eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_SCOPE_SLOTS: Final = 3
DATE_TEXT: Final = "CASE {x} WHEN 'infinity' THEN '9999-12-31' WHEN '-infinity' THEN '0001-01-01' ELSE {x}::text END"
"""A date as ISO text: asyncpg stores Python's last and first date as infinities (its pgproto/codecs/datetime.pyx)."""


def _bound(column: Column, slot: int, *, many: bool = False) -> str:
    return f"${_SCOPE_SLOTS + slot}::{_CASTS[column.kind]}{'[]' if many else ''}"


def filtered(condition: Condition, shape: Shape, alias: str, next_alias: Callable[[], str]) -> str:
    """Give a condition's SQL over `alias`."""
    if isinstance(condition, Combine):
        parts = [filtered(part, shape, alias, next_alias) for part in condition.parts]
        joined = f" {condition.op.upper()} ".join(parts) or ("true" if condition.op == "and" else "false")
        # A null comparison is not true, and so `not` of it is: three-valued logic would drop the row from both.
        return f"(({joined}) IS NOT TRUE)" if condition.negated else f"({joined})"
    if isinstance(condition, AnyChild):
        relation = shape.relations[condition.relation]
        target, other = SHAPES[relation.target], next_alias()
        on = " AND ".join(f"{other}.{theirs} = {alias}.{mine}" for theirs, mine in relation.on.items())
        inner = filtered(condition.condition, target, other, next_alias)
        return f"EXISTS (SELECT FROM {target.table} {other} WHERE {on} AND {inner})"
    return _compared(condition, shape.columns[condition.column], alias)


def _compared(condition: Compare, column: Column, alias: str) -> str:
    x = f"{alias}.{column.name}"
    if condition.op == "null":
        return f"{x} IS {'NOT ' if condition.negated else ''}NULL"
    if condition.slot is None:
        raise TypeError(f"{condition.op} needs a value")
    if condition.op == "in":
        return f"{x} = ANY({_bound(column, condition.slot, many=True)})"
    if condition.op == "prefix":
        # Two slots: the prefix, and the first text after everything that begins with it (C collation).
        return f"({x} >= {_bound(column, condition.slot)} AND {x} < {_bound(column, condition.slot + 1)})"
    return f"{x} {_OPERATORS[condition.op]} {_bound(column, condition.slot)}"


def _keys(page: PageSelection, shape: Shape) -> tuple[Sort, ...]:
    """Give the sort keys with the tie-break that makes them unique."""
    if any(sort.column == shape.key for sort in page.sorts):
        return page.sorts
    descending = page.sorts[-1].descending if page.sorts else False
    return (*page.sorts, Sort(shape.key, descending=descending))


def _stored(sort: Sort, shape: Shape) -> Column:
    return shape.columns.get(sort.column) or Column(sort.column, "text", nullable=False)


def order_by(page: PageSelection, shape: Shape, alias: str) -> str:
    """Give the ORDER BY list; a backward page is read in reverse."""
    return ", ".join(
        f"{alias}.{_stored(sort, shape).name} {'DESC' if sort.descending != page.backward else 'ASC'}"
        for sort in _keys(page, shape)
    )


def signature(page: PageSelection) -> str:
    """Name the order of a list: a cursor of another order is refused."""
    shape = SHAPES[page.type_name]
    return page.type_name + "".join(f"{'-' if s.descending else '+'}{s.column}" for s in _keys(page, shape))


def key_columns(page: PageSelection) -> list[Column]:
    """Give the columns whose values a cursor holds, in order."""
    shape = SHAPES[page.type_name]
    return [_stored(sort, shape) for sort in _keys(page, shape)]


def cursor_json(page: PageSelection, shape: Shape, alias: str) -> str:
    """Give the SQL of a row's cursor, as a JSON string: base64url of [signature, key values…]."""
    values = " || ',' || ".join(_key_text(_stored(sort, shape), alias) for sort in _keys(page, shape))
    head = orjson.dumps(signature(page)).decode().replace("'", "''")
    told = f"convert_to('[{head},' || {values} || ']', 'UTF8')"
    return f"""'"' || translate(encode({told}, 'base64'), E'+/=\\n', '-_') || '"'"""


def _key_text(column: Column, alias: str) -> str:
    x = f"{alias}.{column.name}"
    told = DATE_TEXT.format(x=x) if column.kind == "date" else f"{x}::text"
    return f"coalesce(to_json({told})::text, 'null')"


def keyset(page: PageSelection, shape: Shape, alias: str) -> str:
    """Give the condition for rows after the cursor, in the page's reading direction."""
    if page.keyset is None:
        raise TypeError("a page without a cursor has no keyset")
    keys = _keys(page, shape)
    columns = [_stored(sort, shape) for sort in keys]
    slots = page.keyset.slots
    down = [sort.descending != page.backward for sort in keys]
    if not any(column.nullable for column in columns) and len(set(down)) == 1:
        left = ", ".join(f"{alias}.{column.name}" for column in columns)
        right = ", ".join(_bound(column, slot) for column, slot in zip(columns, slots, strict=True) if slot is not None)
        return f"({left}) {'<' if down[0] else '>'} ({right})"
    cases = []
    for n, (column, slot) in enumerate(zip(columns, slots, strict=True)):
        x = f"{alias}.{column.name}"
        after = _after(x, column, slot, descending=down[n])
        if after is None:
            continue
        same = [
            f"{alias}.{c.name} IS NULL" if s is None else f"{alias}.{c.name} = {_bound(c, s)}"
            for c, s in zip(columns[:n], slots[:n], strict=True)
        ]
        cases.append("(" + " AND ".join([*same, after]) + ")")
    return "(" + (" OR ".join(cases) or "false") + ")"


def _after(x: str, column: Column, slot: int | None, *, descending: bool) -> str | None:
    """Give what comes strictly after a key value; nulls are last ascending, first descending."""
    if slot is None:
        return f"{x} IS NOT NULL" if descending else None
    if descending:
        return f"{x} < {_bound(column, slot)}"
    return f"({x} > {_bound(column, slot)} OR {x} IS NULL)" if column.nullable else f"{x} > {_bound(column, slot)}"
