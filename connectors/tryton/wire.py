"""Tryton's JSON-RPC: envelopes, and the typed values inside them.

Requests carry decimals, dates and instants as `{"__class__": …}` objects; a bare number for a decimal is refused.
In what we read they become plain JSON text, so that a stored raw item reads like the document it is:
Decimal → its exact digits, date → `2026-11-20`, datetime (Tryton's are UTC) → `2026-11-21T01:58:55.520038Z`,
time → `01:58:55`, timedelta → seconds as a number, bytes → base64. Quantities are JSON floats and stay so.

Source: trytond/protocols/jsonrpc.py of trytond 7.4.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

import orjson

from connectors.egress import Request

_DECODERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "Decimal": lambda typed: typed["decimal"],
    "date": lambda typed: date(typed["year"], typed["month"], typed["day"]).isoformat(),
    "datetime": lambda typed: f"{_instant(typed).isoformat(timespec='microseconds')}Z",
    "time": lambda typed: f"{typed['hour']:02d}:{typed['minute']:02d}:{typed['second']:02d}",
    "timedelta": lambda typed: typed["seconds"],
    "bytes": lambda typed: "".join(typed["base64"].split()),
}
_DAY: Final = ("year", "month", "day")
_INSTANT: Final = (*_DAY, "hour", "minute", "second", "microsecond")
# datetime before date, whose subclass it is.
_ENCODERS: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (Decimal, lambda value: {"__class__": "Decimal", "decimal": format(value, "f")}),
    (datetime, lambda value: {"__class__": "datetime", **{part: getattr(value, part) for part in _INSTANT}}),
    (date, lambda value: {"__class__": "date", **{part: getattr(value, part) for part in _DAY}}),
    (bytes, lambda value: {"__class__": "bytes", "base64": b64encode(value).decode()}),
)


def plain(value: Any) -> Any:
    """Make plain JSON of a decoded answer, in its place; unknown typed objects stay as they are."""
    if value.__class__ is dict:
        decode = _DECODERS.get(str(value.get("__class__")))
        if decode is not None:
            return decode(value)
        inner: Any = value.items()
    elif value.__class__ is list:
        inner = enumerate(value)
    else:
        return value
    for place, element in inner:
        if element.__class__ is dict or element.__class__ is list:
            value[place] = plain(element)
    return value


def typed(value: Any) -> Any:
    """Make Tryton's JSON of Python values: Decimal, date and UTC datetime become typed objects, tuples lists."""
    if isinstance(value, Mapping):
        return {key: typed(element) for key, element in value.items()}
    if isinstance(value, (list, tuple)):
        return [typed(element) for element in value]
    for kind, encode in _ENCODERS:
        if isinstance(value, kind):
            return encode(value)
    return value


def endpoint(base_url: str, database: str = "") -> str:
    """Give the address of a database, or of the server itself when none is named."""
    root = base_url.rstrip("/")
    return f"{root}/{quote(database, safe='')}/" if database else f"{root}/"


def request(url: str, method: str, *params: Any, safe: bool = True) -> Request:
    """Make one call.

    Args:
        url: `endpoint` of the database or server.
        method: E.g. `model.purchase.purchase.search_read`.
        params: Python values; calls of models end with the context.
        safe: Sending it twice does no harm.
    """
    # Exactly these three keys: with any other set Tryton answers errors as bare HTTP statuses.
    body = orjson.dumps({"id": 1, "method": method, "params": typed(params)})
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    return Request("POST", url, headers, body, safe=safe)


def _instant(typed_value: Mapping[str, Any]) -> datetime:
    return datetime(*(typed_value[part] for part in _INSTANT))  # noqa: DTZ001 - Tryton's are UTC and say so nowhere
