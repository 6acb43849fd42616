"""One statement per read: a selection becomes SQL that returns the answer's JSON text.

JSON is written by concatenation, not by json_build_object (50 keys at most) or
row_to_json (merges long aliases): keys, their order and nulls are ours.
Non-null holds here, for nobody downstream nulls the parent.
"""

from collections.abc import Callable
from functools import lru_cache

import orjson

from db.fetch import Fetch
from db.models.base import Many, One
from db.predicates import DATE_TEXT, cursor_json, filtered, keyset, order_by
from db.scope import Scope
from db.selection import (
    All,
    Inside,
    Leaf,
    PagePart,
    PageSelection,
    Part,
    RelatedPage,
    Root,
    Selection,
    Slots,
)
from db.shapes import SHAPES, Column, Kind, Shape, value_fields
from db.types import PREFIXES

_INSTANT = """'"' || to_char({x} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"'"""
_JSON: dict[Kind, str] = {
    "text": "to_json({x})::text",
    "enum": """'"' || {x} || '"'""",
    "integer": "{x}::text",
    "boolean": "{x}::text",
    "decimal": """'"' || {x}::text || '"'""",
    "date": f"""'"' || {DATE_TEXT} || '"'""",
    "instant": _INSTANT,
    "json": "{x}::text",
    "texts": "to_json({x})::text",
}
FIRST_SLOT = 3
"""Slots follow the scope: $1 is the organization, $2 the connection or null."""


class _Names:
    """Hands out table aliases that no subquery shares."""

    def __init__(self) -> None:
        self._count = 0

    def next(self) -> str:
        self._count += 1
        return f"t{self._count}"


def literal(text: str) -> str:
    """Quote text of our own or a key of the caller's as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _key(key: str, *, first: bool) -> str:
    return literal(("" if first else ",") + orjson.dumps(key).decode() + ":")


def _object(parts: list[tuple[str, str]]) -> str:
    if not parts:  # everything asked for was skipped
        return "'{}'"
    inner = " || ".join(f"{_key(key, first=n == 0)} || {value}" for n, (key, value) in enumerate(parts))
    return f"'{{' || {inner} || '}}'"


def _typename(name: str) -> str:
    return literal(orjson.dumps(name).decode())


def _column(alias: str, shape: Shape, column: Column) -> str:
    x = column.of(alias)
    if column.kind == "id":
        told = f"""'"{PREFIXES[shape.type_name]}_' || replace({x}::text, '-', '') || '"'"""
    else:
        told = _JSON[column.kind].format(x=x)
    return f"coalesce({told}, 'null')" if column.nullable else told


def _inside(alias: str, shape: Shape, part: Inside) -> str:
    column = shape.columns[part.name]
    if column.value is None:
        raise TypeError(f"{shape.type_name}.{part.name} has no fields")
    kinds = value_fields(column.value)
    x = column.of(alias)

    def field(value: str, name: str) -> str:
        if name == "__typename":
            return _typename(part.type_name)
        missing = "[]" if kinds[name] == "texts" else "null"
        return f"coalesce(({value}->{literal(name)})::text, '{missing}')"

    def told(value: str) -> str:
        return _object([(leaf.key, field(value, leaf.name)) for leaf in part.fields])

    if column.kind == "values":
        elements = f"jsonb_array_elements({x}) WITH ORDINALITY AS e(v, n)"
        rows = f"SELECT '[' || string_agg({told('e.v')}, ',' ORDER BY e.n) || ']' FROM {elements}"
        return f"coalesce(({rows}), '[]')"
    return f"CASE WHEN {x} IS NULL THEN 'null' ELSE {told(x)} END"


def _joined(alias: str, own: str, on: dict[str, str]) -> str:
    return " AND ".join(f"{alias}.{theirs} = {own}.{mine}" for theirs, mine in on.items())


def _object_of(selection: Selection, alias: str, names: _Names) -> str:
    shape = SHAPES[selection.type_name]
    return _object([(part.key, _part(part, shape, alias, names)) for part in selection.parts])


def _part(part: Part, shape: Shape, alias: str, names: _Names) -> str:
    if isinstance(part, Leaf):
        return (
            _typename(shape.type_name) if part.name == "__typename" else _column(alias, shape, shape.columns[part.name])
        )
    if isinstance(part, Inside):
        return _inside(alias, shape, part)
    relation = shape.relations[part.name]
    target, other = SHAPES[relation.target], names.next()
    join = _joined(other, alias, relation.on)
    if isinstance(part, RelatedPage):
        return _page(part.page, where=[join], names=names, alias=other)
    told = _object_of(part.selection, other, names)
    if isinstance(relation, One):
        return f"coalesce((SELECT {told} FROM {target.table} {other} WHERE {join}), 'null')"
    return _whole(relation, told, f"{target.table} {other} WHERE {join}", other)


def _whole(relation: Many, told: str, source: str, alias: str) -> str:
    order = ", ".join(f"{alias}.{column}" for column in relation.order)
    return f"coalesce((SELECT '[' || string_agg({told}, ',' ORDER BY {order}) || ']' FROM {source}), '[]')"


def _page(page: PageSelection, *, where: list[str], names: _Names, alias: str) -> str:
    """Give a scalar subquery that tells a Relay list.

    One row more than asked is read, so that `hasNextPage` costs nothing.
    """
    shape = SHAPES[page.type_name]
    slot = FIRST_SLOT + page.limit_slot
    limit = f"${slot}::int"
    where = [*where, *([] if page.gone_too or not shape.deletable else [f"{alias}.deleted_at IS NULL"])]
    if page.condition is not None:
        where.append(filtered(page.condition, shape, alias, names.next))
    counted = f"SELECT count(*)::text FROM {shape.table} {alias} WHERE {' AND '.join(where)}"
    if page.keyset is not None:
        where.append(keyset(page, shape, alias))
    order = order_by(page, shape, alias)
    rows = f"SELECT {alias}.* FROM {shape.table} {alias} WHERE {' AND '.join(where)} ORDER BY {order} LIMIT {limit} + 1"
    told = _object([(part.key, _page_part(part, page, alias, limit, counted, names)) for part in page.parts])
    numbered = f"SELECT {alias}.*, row_number() OVER (ORDER BY {order}) AS rn FROM ({rows}) {alias}"
    # The empty count makes it an aggregate, and so one row, whatever was selected.
    return f"(SELECT {told} || left(count(*)::text, 0) FROM ({numbered}) {alias})"


def _listed(told: str, alias: str, limit: str, *, backward: bool) -> str:
    order = f"{alias}.rn{' DESC' if backward else ''}"
    return (
        f"coalesce('[' || string_agg({told}, ',' ORDER BY {order}) FILTER (WHERE {alias}.rn <= {limit}) || ']', '[]')"
    )


def _cursor_at(cursor: str, alias: str, limit: str, direction: str) -> str:
    rows = f"array_agg({cursor} ORDER BY {alias}.rn {direction}) FILTER (WHERE {alias}.rn <= {limit})"
    return f"coalesce(({rows})[1], 'null')"


def _page_part(part: PagePart, page: PageSelection, alias: str, limit: str, counted: str, names: _Names) -> str:
    cursor = cursor_json(page, SHAPES[page.type_name], alias)
    if part.name == "__typename":
        return _typename(f"{page.type_name}Connection")
    if part.name == "totalCount":
        return f"({counted})"
    if part.name == "nodes" and part.node is not None:
        return _listed(_object_of(part.node, alias, names), alias, limit, backward=page.backward)
    if part.name == "edges":
        edge: dict[str, Callable[[PagePart], str]] = {
            "cursor": lambda _: cursor,
            "__typename": lambda _: _typename(f"{page.type_name}Edge"),
            "node": lambda p: _object_of(p.node, alias, names) if p.node else "'null'",
        }
        told = _object([(p.key, edge[p.name](p)) for p in part.parts])
        return _listed(told, alias, limit, backward=page.backward)
    more, resumed = f"(count(*) > {limit})::text", literal("true" if page.keyset is not None else "false")
    first, last = _cursor_at(cursor, alias, limit, "ASC"), _cursor_at(cursor, alias, limit, "DESC")
    info = {
        "__typename": _typename("PageInfo"),
        "hasNextPage": resumed if page.backward else more,
        "hasPreviousPage": more if page.backward else resumed,
        "startCursor": last if page.backward else first,
        "endCursor": first if page.backward else last,
    }
    return _object([(p.key, info[p.name]) for p in part.parts])


def scope_clause(shape: Shape, alias: str, *, held: bool = False) -> str:
    """Give the application's own scope filter; row-level security holds without it too.

    Args:
        held: $2 names the connection that the read is held to. Were that asked in SQL ($2 IS NULL OR …), a plan
            made for any values could not begin at the connection in an index.
    """
    if shape.connection_column is None:
        return "coalesce($2::uuid, $1::uuid) IS NOT NULL"
    own = f"{alias}.organization_id = $1::uuid"
    return f"{own} AND {alias}.{shape.connection_column} = $2::uuid" if held else f"{own} AND $2::uuid IS NULL"


@lru_cache(maxsize=2048)
def compiled(root: Root, *, held: bool = False) -> str:
    """Give the statement for a selection, held to one connection or not; equal shapes share it."""
    names = _Names()
    alias = names.next()
    if isinstance(root, PageSelection):
        scope = scope_clause(SHAPES[root.type_name], alias, held=held)
        return f"SELECT {_page(root, where=[scope], names=names, alias=alias)}"
    shape = SHAPES[root.selection.type_name]
    told = _object_of(root.selection, alias, names)
    source = f"{shape.table} {alias} WHERE {scope_clause(shape, alias, held=held)}"
    if isinstance(root, All):
        return (
            f"SELECT coalesce('[' || string_agg({told}, ',' ORDER BY {alias}.{shape.key}) || ']', '[]') FROM {source}"
        )
    cast = "uuid" if shape.key == "id" else "text"
    return f"SELECT {told} FROM {source} AND {alias}.{shape.key} = ${FIRST_SLOT + root.id_slot}::{cast}"


async def read_json(fetch: Fetch, root: Root, slots: Slots, *, scope: Scope) -> str | None:
    """Run a read as one statement.

    Args:
        fetch: A transaction held to the same scope.
        root: The selection's shape.
        slots: Its values, in slot order, in the types of their columns.
        scope: Who asks.

    Returns:
        The answer as JSON text; None where no row has the id.
    """
    statement = compiled(root, held=scope.connection_id is not None)
    told: str | None = await fetch.value(statement, scope.organization_id, scope.connection_id, *slots)
    return told
