"""A caller's values in the types that the slots of their columns take; a ValueError says that no column holds such."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from db.shapes import Column
from db.types import decode_id

_MOST_DIGITS: Final = 300
_INT64: Final = range(-(2**63), 2**63)
_LAST, _BEFORE_SURROGATES, _AFTER_SURROGATES = "\U0010ffff", "\ud7ff", "\ue000"


def of_filter(value: Any, column: Column, *, type_name: str) -> Any:
    """Give a filter's value, as GraphQL coerced it, for its column of `type_name`.

    Raises:
        InvalidId: An id of another type, or none at all.
        ValueError: Text with NUL or half a surrogate pair, an instant beyond year 1 or 9999, an amount of 300 digits.
    """
    if column.kind == "id":
        return decode_id(value, type_name=type_name)[1]
    if column.kind in {"text", "enum"}:
        return text(str(getattr(value, "value", value)))
    if isinstance(value, Decimal):
        return _amount(value)
    return utc(value) if isinstance(value, datetime) else value


def of_cursor(value: Any, column: Column) -> Any:
    """Give a key value out of a cursor, which tells each as text.

    Raises:
        ValueError: It is not what a cursor of ours holds.
    """
    if value is None and column.nullable:
        return None
    if not isinstance(value, str):
        raise TypeError("a cursor holds texts, and nulls where the column does")
    return _READERS.get(column.kind, text)(value)


def text(value: str) -> str:
    """Refuse what Postgres cannot hold in a text: NUL, and half a surrogate pair."""
    if "\0" in value:
        raise ValueError("it holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("it holds half a surrogate pair") from error
    return value


def end_of_prefix(prefix: str) -> str | None:
    """Give the first text, by code point, after all that begin with the prefix; None where none comes after."""
    head = prefix.rstrip(_LAST)
    if not head:
        return None
    after = _AFTER_SURROGATES if head[-1] == _BEFORE_SURROGATES else chr(ord(head[-1]) + 1)
    return head[:-1] + after


def _integer(value: str) -> int:
    number = int(value)
    if number not in _INT64:
        raise ValueError("it has more than 64 bits")
    return number


def _amount(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value.adjusted()) >= _MOST_DIGITS or len(value.as_tuple().digits) > _MOST_DIGITS:
        raise ValueError(f"it is no amount of fewer than {_MOST_DIGITS} digits")
    return value


def utc(value: datetime) -> datetime:
    """Give an instant in UTC; one without a zone is taken for UTC."""
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("it lies beyond the years 1 to 9999") from error


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "id": UUID,
    "integer": _integer,
    "big": _integer,
    "boolean": lambda value: value == "true",
    "date": date.fromisoformat,
    "instant": lambda value: utc(datetime.fromisoformat(value)),
}
