"""How values become JSON text in SQL.

JSON is written by concatenation, not by json_build_object (50 keys at most) or
row_to_json (merges long aliases), which look up how a value is told anew for each one: keys, their order and nulls are
ours. Non-null holds here, for nobody downstream nulls the parent.
"""

from typing import Final

import orjson

from db.pieces import Known, Piece, Told, known, listed, literal, told_object
from db.selection import Inside
from db.shapes import Column, Kind, Shape, value_fields
from db.types import PREFIXES

DATE_TEXT: Final = (
    "CASE WHEN isfinite({x}) THEN {x}::text WHEN {x} = 'infinity' THEN '9999-12-31'"
    " WHEN {x} = '-infinity' THEN '0001-01-01' END"
)
"""A date as ISO text: asyncpg stores Python's last and first date as infinities (its pgproto/codecs/datetime.pyx)."""
INSTANT_TEXT: Final = (
    """CASE WHEN isfinite({x}) THEN to_char({x} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    " WHEN {x} = 'infinity' THEN '9999-12-31T23:59:59.999999Z'"
    " WHEN {x} = '-infinity' THEN '0001-01-01T00:00:00.000000Z' END"
)
"""An instant as ISO text, UTC; Python's last and first instant are stored as infinities, too."""
_TEXT: Final = "JSON_SCALAR({x})::text"
"""A text with its escapes. Unlike to_json, it knows the type's way before the first row."""
_QUOTE: Final = Known('"')
_JSON: Final[dict[Kind, tuple[Piece, ...]]] = {
    "text": (_TEXT,),
    "enum": (_QUOTE, "{x}", _QUOTE),
    "integer": ("{x}::text",),
    "big": (_QUOTE, "{x}::text", _QUOTE),
    "boolean": ("{x}::text",),
    "decimal": (_QUOTE, "{x}::text", _QUOTE),
    "date": (_QUOTE, DATE_TEXT, _QUOTE),
    "instant": (_QUOTE, INSTANT_TEXT, _QUOTE),
    "json": ("{x}::text",),
    "texts": ("to_json({x})::text",),
}
_STRINGS: Final[frozenset[Kind]] = frozenset({"text", "enum", "decimal", "date"})
"""What is kept as a string inside a JSON value."""


def told_typename(name: str) -> Told:
    """Tell a type's name."""
    return known(orjson.dumps(name).decode())


def told_id(x: str, type_name: str, missing: str | None = None) -> Told:
    """Tell a public id, from a UUID."""
    return Told((Known(f'"{PREFIXES[type_name]}_'), f"encode(uuid_send({x}), 'hex')", _QUOTE), missing)


def told_column(alias: str, type_name: str, column: Column) -> Told:
    """Tell a column's value; of type `type_name`, for ids."""
    x = column.of(alias)
    missing = "null" if column.nullable else None
    if column.kind == "id":
        return told_id(x, type_name, missing)
    return _value(column.kind, x, missing)


def _value(kind: Kind, x: str, missing: str | None) -> Told:
    return Told(tuple(each if isinstance(each, Known) else each.format(x=x) for each in _JSON[kind]), missing)


def told_inside(alias: str, shape: Shape, part: Inside) -> Told:
    """Tell some fields of a JSON value, or of each in a list of them."""
    column = shape.columns[part.name]
    if column.value is None:
        raise TypeError(f"{shape.type_name}.{part.name} has no fields")
    kinds = value_fields(column.value)
    x = column.of(alias)

    def field(value: str, name: str) -> Told:
        if name == "__typename":
            return told_typename(part.type_name)
        if kinds[name] == "instant":
            return _value("instant", f"({value}->>{literal(name)})::timestamptz", "null")
        if kinds[name] in _STRINGS:
            return _value("text", f"({value}->>{literal(name)})", "null")
        return Told((f"({value}->{literal(name)})::text",), "[]" if kinds[name] == "texts" else "null")

    def told(value: str) -> str:
        return told_object((leaf.key, field(value, leaf.name)) for leaf in part.fields).sql

    if column.kind == "values":
        elements = f"jsonb_array_elements({x}) WITH ORDINALITY AS e(v, n)"
        return told_list(f"SELECT {told('e.v')} AS told, e.n FROM {elements}", "n")
    return Told((f"CASE WHEN {x} IS NULL THEN 'null' ELSE {told(x)} END",))


def told_list(rows: str, order: str) -> Told:
    """Tell a list, from rows that have their JSON in the column `told`."""
    return listed(f"(SELECT string_agg(r.told, ',' ORDER BY r.{order}) FROM ({rows}) r)")


class Refused(Exception):
    """A statement refused to answer.

    Attributes:
        what: What is wrong.
        detail: What is known of it.
    """

    def __init__(self, what: str, detail: str) -> None:
        super().__init__(f"{what} {detail}")
        self.what = what
        self.detail = detail


def refusal(what: str, detail: str) -> str:
    """Give the SQL of a text that no JSON begins like, to be told in place of an answer.

    Args:
        what: One word.
        detail: SQL of the text that says more.
    """
    return f"'!{what} ' || {detail}"


def answer(told: str | None) -> str | None:
    """Give what a statement told.

    Raises:
        Refused: It told a refusal.
    """
    if told is not None and told.startswith("!"):
        what, _, detail = told[1:].partition(" ")
        raise Refused(what, detail)
    return told
