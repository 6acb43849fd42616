"""How values become JSON text in SQL.

JSON is written by concatenation, not by json_build_object (50 keys at most) or
row_to_json (merges long aliases): keys, their order and nulls are ours.
Non-null holds here, for nobody downstream nulls the parent.
"""

from collections.abc import Iterable
from typing import Final

import orjson

from db.selection import Inside
from db.shapes import Column, Kind, Shape, value_fields
from db.types import PREFIXES

DATE_TEXT: Final = "CASE {x} WHEN 'infinity' THEN '9999-12-31' WHEN '-infinity' THEN '0001-01-01' ELSE {x}::text END"
"""A date as ISO text: asyncpg stores Python's last and first date as infinities (its pgproto/codecs/datetime.pyx)."""
INSTANT_TEXT: Final = (
    "CASE {x} WHEN 'infinity' THEN '9999-12-31T23:59:59.999999Z' WHEN '-infinity' THEN '0001-01-01T00:00:00.000000Z'"
    """ ELSE to_char({x} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END"""
)
"""An instant as ISO text, UTC; Python's last and first instant are stored as infinities, too."""
_JSON: Final[dict[Kind, str]] = {
    "text": "to_json({x})::text",
    "enum": """'"' || {x} || '"'""",
    "integer": "{x}::text",
    "big": """'"' || {x}::text || '"'""",
    "boolean": "{x}::text",
    "decimal": """'"' || {x}::text || '"'""",
    "date": f"""'"' || {DATE_TEXT} || '"'""",
    "instant": f"""'"' || {INSTANT_TEXT} || '"'""",
    "json": "{x}::text",
    "texts": "to_json({x})::text",
}


def literal(text: str) -> str:
    """Quote text of our own or a key of the caller's as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def told_object(parts: Iterable[tuple[str, str]]) -> str:
    """Give the SQL of a JSON object from key → SQL of its JSON text."""
    told = list(parts)
    if not told:  # everything asked for was skipped
        return "'{}'"
    inner = " || ".join(f"{_key(key, first=n == 0)} || {value}" for n, (key, value) in enumerate(told))
    return f"'{{' || {inner} || '}}'"


def _key(key: str, *, first: bool) -> str:
    return literal(("" if first else ",") + orjson.dumps(key).decode() + ":")


def told_typename(name: str) -> str:
    """Give the SQL of a type's name as JSON."""
    return literal(orjson.dumps(name).decode())


def told_id(x: str, type_name: str) -> str:
    """Give the SQL of a public id as JSON, from a UUID."""
    return f"""'"{PREFIXES[type_name]}_' || replace({x}::text, '-', '') || '"'"""


def told_column(alias: str, type_name: str, column: Column) -> str:
    """Give the SQL of a column's value as JSON; of type `type_name`, for ids."""
    x = column.of(alias)
    told = told_id(x, type_name) if column.kind == "id" else _JSON[column.kind].format(x=x)
    return f"coalesce({told}, 'null')" if column.nullable else told


def told_inside(alias: str, shape: Shape, part: Inside) -> str:
    """Give the SQL of some fields of a JSON value, or of each in a list of them."""
    column = shape.columns[part.name]
    if column.value is None:
        raise TypeError(f"{shape.type_name}.{part.name} has no fields")
    kinds = value_fields(column.value)
    x = column.of(alias)

    def field(value: str, name: str) -> str:
        if name == "__typename":
            return told_typename(part.type_name)
        if kinds[name] == "instant":
            at = f"({value}->>{literal(name)})::timestamptz"
            return f"coalesce({_JSON['instant'].format(x=at)}, 'null')"
        missing = "[]" if kinds[name] == "texts" else "null"
        return f"coalesce(({value}->{literal(name)})::text, '{missing}')"

    def told(value: str) -> str:
        return told_object((leaf.key, field(value, leaf.name)) for leaf in part.fields)

    if column.kind == "values":
        elements = f"jsonb_array_elements({x}) WITH ORDINALITY AS e(v, n)"
        return told_list(f"SELECT {told('e.v')} AS told, e.n FROM {elements}", "n")
    return f"CASE WHEN {x} IS NULL THEN 'null' ELSE {told(x)} END"


def told_list(rows: str, order: str) -> str:
    """Give the SQL of a JSON list, from rows that have their JSON in the column `told`."""
    return f"coalesce((SELECT '[' || string_agg(r.told, ',' ORDER BY r.{order}) || ']' FROM ({rows}) r), '[]')"


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
