"""Oracle's functions on SQLite: dates are bytes `YYYY-MM-DD HH:MM:SS`."""

import re
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

_PARTS: Final = re.compile(
    r'"([^"]*)"|(YYYY|HH24|HH12|HH|MI|MM|MON|SS|DD|YY|AM|PM|FF[1-9]?)|(.)', re.IGNORECASE | re.DOTALL
)
_SLICES: Final = {
    "YYYY": (0, 4),
    "YY": (2, 4),
    "MM": (5, 7),
    "DD": (8, 10),
    "HH24": (11, 13),
    "MI": (14, 16),
    "SS": (17, 19),
}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LENGTH: Final = 19
Piece = tuple[str, str]


class DateFormatError(ValueError):
    """A text does not fit the format that it should be read by."""


@lru_cache(maxsize=256)
def pieces(form: str) -> tuple[Piece, ...]:
    """Cut a format into parts of a date and the text between them."""
    found = []
    for literal, part, other in _PARTS.findall(form):
        found.append(("", other or literal) if not part else (part.upper(), part))
    return tuple(found)


def to_char(value: Any, form: str | None = None) -> str | None:
    """Write a date, or a number."""
    if value is None:
        return None
    if not isinstance(value, bytes):
        return plain(value)
    if form is None:
        return value[:10].decode()
    return "".join(_written(value, part, literal) for part, literal in pieces(form))


def to_date(value: Any, form: str | None = None) -> bytes | None:
    """Read a date.

    Raises:
        DateFormatError: The text does not fit.
    """
    if value is None or isinstance(value, bytes):
        return value
    pattern, names = _pattern(form or "YYYY-MM-DD")
    match = pattern.fullmatch(str(value))
    if match is None:
        raise DateFormatError(f"{value!r} does not fit the format {form!r}")
    found = dict(zip(names, match.groups(), strict=True))
    hour = int(found.get("HH24") or found.get("HH12") or found.get("HH") or 0)
    half = (found.get("AM") or found.get("PM") or "").upper()
    if half:
        hour = hour % 12 + (12 if half == "PM" else 0)
    month = _MONTHS.index(found["MON"].title()) + 1 if "MON" in found else int(found.get("MM") or 1)
    year = int(found["YYYY"]) if "YYYY" in found else 2000 + int(found["YY"])
    text = f"{year:04d}-{month:02d}-{int(found.get('DD') or 1):02d}"
    try:
        read = datetime.fromisoformat(
            f"{text} {hour:02d}:{int(found.get('MI') or 0):02d}:{int(found.get('SS') or 0):02d}"
        )
    except ValueError as error:
        raise DateFormatError(str(error)) from error
    return stored(read)


def stored(moment: datetime) -> bytes:
    """Bring an instant of the account's zone to the form in which it is stored."""
    return f"{moment:%Y-%m-%d %H:%M:%S}".encode()


def plain(value: Any) -> str:
    """Write a number as NetSuite shows it: no exponent, no zeros behind the last figure."""
    if isinstance(value, float):
        text = f"{value:.10f}".rstrip("0").rstrip(".")
        return "0" if text in {"-0", ""} else text
    return str(value)


def shown(value: bytes, form: str) -> str:
    """Write a date that no TO_CHAR formats: its day, as the account's preference has it."""
    year, month, day = value[:4].decode(), int(value[5:7]), int(value[8:10])
    if form == "D/M/YYYY":
        return f"{day}/{month}/{year}"
    return f"{year}-{month:02d}-{day:02d}" if form == "YYYY-MM-DD" else f"{month}/{day}/{year}"


def register(db: sqlite3.Connection) -> None:
    """Give a database Oracle's functions."""
    functions: tuple[tuple[str, int, Callable[..., Any]], ...] = (
        ("to_char", -1, to_char),
        ("to_date", -1, to_date),
        ("to_timestamp", -1, to_date),
        ("to_number", -1, _to_number),
        ("nvl", 2, lambda value, other: other if value is None else value),
        ("nvl2", 3, lambda value, then, other: other if value is None else then),
        ("decode", -1, _decode),
        ("trunc", -1, _trunc),
        ("add_days", 2, _add_days),
        ("concat", 2, lambda one, other: f"{one or ''}{other or ''}"),
        ("mod", 2, lambda one, other: one % other),
    )
    for name, count, function in functions:
        db.create_function(name, count, function, deterministic=True)


def _written(value: bytes, part: str, literal: str) -> str:
    if part in _SLICES:
        start, end = _SLICES[part]
        return value[start:end].decode()
    hour = int(value[11:13])
    match part:
        case "":
            return literal
        case "HH" | "HH12":
            return f"{hour % 12 or 12:02d}"
        case "AM" | "PM":
            return "PM" if hour >= 12 else "AM"
        case "MON":
            return _MONTHS[int(value[5:7]) - 1]
        case _:
            return "0" * (int(part[2:]) if part[2:] else 9)


@lru_cache(maxsize=256)
def _pattern(form: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    texts, names = [], []
    for part, literal in pieces(form):
        if not part:
            texts.append(re.escape(literal))
            continue
        names.append(part)
        width = {"YYYY": "{4}", "YY": "{2}"}.get(part, "{1,2}")
        texts.append(
            "([A-Za-z]+)" if part in {"MON", "AM", "PM"} else r"(\d+)" if part[:2] == "FF" else rf"(\d{width})"
        )
    return re.compile("".join(texts)), tuple(names)


def _to_number(value: Any, *_: Any) -> float | int | None:
    if value is None:
        return None
    number = float(value)
    return int(number) if number.is_integer() else number


def _decode(value: Any, *pairs: Any) -> Any:
    for place in range(0, len(pairs) - 1, 2):
        if value == pairs[place]:
            return pairs[place + 1]
    return pairs[-1] if len(pairs) % 2 else None


def _trunc(value: Any, *_: Any) -> Any:
    if isinstance(value, bytes):
        return value[:10] + b" 00:00:00"
    return None if value is None else int(value)


def _add_days(value: Any, days: Any) -> bytes | None:
    if not isinstance(value, bytes) or len(value) != _LENGTH:
        return None
    moment = datetime.fromisoformat(value.decode())
    return stored(moment + timedelta(seconds=round(float(days) * 86_400)))
