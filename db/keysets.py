"""Orders, cursors and keysets of lists as SQL text.

The rows after a cursor are told as ranges of an index: `key > x OR key IS NULL`, or keys that run in different
directions, would be filters, and the hundredth page would read the ninety-nine before it.
"""

from typing import Final

import orjson

from db.pieces import Known, Piece, Told, joined, literal, quoted
from db.selection import PageSelection, Sort
from db.shapes import SHAPES, Column, Kind, Shape
from db.told import DATE_TEXT, INSTANT_TEXT

CASTS: Final[dict[Kind, str]] = {
    "id": "uuid",
    "text": "text",
    "enum": "text",
    "integer": "bigint",
    "big": "bigint",
    "decimal": "numeric",
    "boolean": "boolean",
    "date": "date",
    "instant": "timestamptz",
}
ORGANIZATION: Final = "$1::uuid"
CONNECTION: Final = "$2::uuid"
FIRST_SLOT: Final = 3
"""Slots follow the scope: $1 is the organization, $2 the connection or null."""
_TEXTS: Final[dict[Kind, str]] = {"date": DATE_TEXT, "instant": INSTANT_TEXT}


def bound(kind: Kind, slot: int, *, many: bool = False) -> str:
    """Give a slot as a parameter of the type that columns of the kind have."""
    return f"${FIRST_SLOT + slot}::{CASTS[kind]}{'[]' if many else ''}"


def _keys(page: PageSelection, shape: Shape) -> tuple[Sort, ...]:
    """Give the sort keys with the tie-break that makes them unique; what comes after it orders nothing."""
    for n, sort in enumerate(page.sorts):
        if sort.column == shape.key:
            return page.sorts[: n + 1]
    descending = page.sorts[-1].descending if page.sorts else False
    return (*page.sorts, Sort(shape.key, descending=descending))


def _stored(sort: Sort, shape: Shape) -> Column:
    column = shape.keys.get(sort.column) or shape.columns.get(sort.column)
    if column is None:
        return Column(sort.column, "text", nullable=False)
    return column if column.ordinal is None else Column(column.ordinal, "big", nullable=column.nullable)


def order_by(page: PageSelection, shape: Shape, alias: str, *, told: bool = False) -> str:
    """Give the ORDER BY list; a backward page is read in reverse, and told in order."""
    turned = page.backward and not told
    return ", ".join(
        f"{alias}.{_stored(sort, shape).name} {'DESC' if sort.descending != turned else 'ASC'}"
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


def told_cursor(page: PageSelection, shape: Shape, alias: str) -> Told:
    """Tell a row's cursor: base64url of [signature, key values…], or a plain number."""
    if page.numbered:
        return quoted(f"{alias}.{shape.key}::text")
    values: list[Piece] = []
    for sort in _keys(page, shape):
        values += [Known(","), _key_text(_stored(sort, shape), alias)]
    head = Known("[" + orjson.dumps(signature(page)).decode())
    told = f"encode(convert_to({joined([head, *values, Known(']')])}, 'UTF8'), 'base64')"
    for sign, ours in (("+", "-"), ("/", "_"), ("=", ""), ("\n", "")):  # translate() looks at each character in turn
        told = f"replace({told}, {literal(sign)}, {literal(ours)})"
    return quoted(told)


def _key_text(column: Column, alias: str) -> str:
    told = _TEXTS.get(column.kind, "{x}::text").format(x=f"{alias}.{column.name}")
    return f"coalesce(JSON_SCALAR({told})::text, 'null')"


def ranges(page: PageSelection, shape: Shape, alias: str) -> list[str]:
    """Give the conditions that part the rows after the cursor, in reading direction; each is one range of an index.

    No row fulfils two of them. They begin with the rows that share most of the cursor's keys.
    """
    if page.keyset is None:
        return []
    keys = _keys(page, shape)
    columns = [_stored(sort, shape) for sort in keys]
    slots = page.keyset.slots
    down = [sort.descending != page.backward for sort in keys]
    same = [
        f"{alias}.{column.name} " + ("IS NULL" if slot is None else f"= {bound(column.kind, slot)}")
        for column, slot in zip(columns, slots, strict=True)
    ]
    row = _row_begins(columns, slots, down)
    left = ", ".join(f"{alias}.{column.name}" for column in columns[row:])
    right = ", ".join(bound(c.kind, s) for c, s in zip(columns[row:], slots[row:], strict=True) if s is not None)
    found = [[*same[:row], f"({left}) {'<' if down[row] else '>'} ({right})"]]
    for n in reversed(range(row + 1)):
        beyond = _beyond(f"{alias}.{columns[n].name}", columns[n], slots[n], descending=down[n])
        found += [[*same[:n], each] for each in (beyond[1:] if n == row else beyond)]
    return [" AND ".join(each) for each in found]


def _row_begins(columns: list[Column], slots: tuple[int | None, ...], down: list[bool]) -> int:
    """Tell from which key on one comparison of rows serves: one direction, and no null but in its first column."""
    first = len(columns) - 1
    while first > 0 and slots[first - 1] is not None and down[first - 1] == down[first] and not columns[first].nullable:
        first -= 1
    return first


def _beyond(x: str, column: Column, slot: int | None, *, descending: bool) -> list[str]:
    """Give what comes strictly after a key value; nulls are last ascending, first descending."""
    if slot is None:
        return [f"{x} IS NOT NULL"] if descending else []
    if descending:
        return [f"{x} < {bound(column.kind, slot)}"]
    return [f"{x} > {bound(column.kind, slot)}", *([f"{x} IS NULL"] if column.nullable else [])]
