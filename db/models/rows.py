"""Records as rows of text: what a mapping makes, what COPY carries, and what Postgres casts.

Values travel as the text that Postgres reads: decimals with the digits the source gave, dates, JSON. A row holds a
record's stored fields in the order of its class; lists of other `Fields` are its children's rows.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final, get_args, get_origin

import orjson
from sqlmodel import SQLModel

from db.models import columns as c
from db.models.base import Fields

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """A validated record.

    Attributes:
        values: Its stored fields, in the order of `stored_names`.
        children: The rows of each of its `child_fields`, in order.
    """

    values: Row
    children: tuple[tuple[Row, ...], ...] = ()


@cache
def child_fields(fields: type[Fields]) -> Mapping[str, type[Fields]]:
    """Give the fields that hold rows of their own, and the class of those."""
    found = {}
    for name, info in fields.model_fields.items():
        plain = c.plain_type(info.annotation)
        inner = get_args(plain)[0] if get_origin(plain) is list else None
        if isinstance(inner, type) and issubclass(inner, Fields):
            found[name] = inner
    return found


@cache
def stored_names(fields: type[Fields]) -> tuple[str, ...]:
    """Give the fields that are columns, in order."""
    return tuple(name for name in fields.model_fields if name not in child_fields(fields))


def record_of(fields: Fields) -> Record:
    """Give a validated record as rows.

    Raises:
        ValueError: Postgres would refuse a value, and with it the whole page.
    """
    kinds = child_fields(type(fields))
    children = tuple(tuple(_row(child) for child in getattr(fields, name)) for name in kinds)
    return Record(_row(fields), children)


def _row(fields: Fields) -> Row:
    row = tuple(text_of(getattr(fields, name)) for name in stored_names(type(fields)))
    for text in row:
        if text is not None and not storable(text):
            raise ValueError(NUL)
    return row


NUL: Final = "The item holds a NUL character, which text in Postgres cannot."
_JSON_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def storable(text: str) -> bool:
    """Tell whether Postgres takes a text, or the JSON written in it: neither may hold a NUL character."""
    return "\x00" not in text and not ("\\u0000" in text and _JSON_NUL.search(text))


def text_of(value: Any) -> str | None:
    """Give a validated value as the text that Postgres reads."""
    if value is None or type(value) is str:
        return value
    write = next((write for kind, write in _TEXTS if isinstance(value, kind)), json_text)
    return write(value)


def json_text(value: Any) -> str:
    """Write a value as JSON; fields of values inside that are null are left out."""
    return orjson.dumps(value, default=json_ready, option=orjson.OPT_NON_STR_KEYS).decode()


def json_ready(value: Any) -> Any:
    """Give what JSON has no word for as what it has one for."""
    return value.model_dump(mode="json", exclude_none=True) if isinstance(value, SQLModel) else str(value)


_TEXTS: Final[tuple[tuple[type, Callable[[Any], str]], ...]] = (
    (str, str.__str__),
    (bool, lambda value: "true" if value else "false"),
    (int, str),
    (Decimal, lambda value: format(value, "f")),
    (date, lambda value: value.isoformat()),
)
