"""OData 4.0 on the wire: literals, envelopes, links and error bodies.

Sources: OData 4.01 Part 2 (URL conventions) and JSON Format (docs.oasis-open.org/odata).
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from connectors.errors import BadResponse
from connectors.kit.odata2 import Detail, Fault, JsonObject, Listed

ACCEPT: Final = "application/json;odata.metadata=minimal;IEEE754Compatible=true"
"""Asks for decimals and 64-bit integers as text, exact."""
_CONTROL: Final = "@odata."


def text_literal(value: str) -> str:
    """Quote a text; quotes inside are doubled."""
    return "'" + value.replace("'", "''") + "'"


def day_literal(value: date) -> str:
    """Give an Edm.Date: bare, without quotes."""
    return f"{value:%Y-%m-%d}"


def instant_literal(value: datetime) -> str:
    """Give an Edm.DateTimeOffset, UTC, with every digit that it has: bare, without quotes."""
    told = value.astimezone(UTC).replace(tzinfo=None)
    return f"{told.isoformat(timespec='microseconds' if told.microsecond else 'seconds')}Z"


def decimal_literal(value: Decimal) -> str:
    """Give an exact decimal, without an exponent."""
    return format(value, "f")


def read_instant(value: str | None) -> datetime | None:
    """Read an Edm.DateTimeOffset; digits behind the microsecond are cut.

    Raises:
        ValueError: It is something else, or tells no zone.
    """
    if not value:
        return None
    head, dot, tail = value.partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        value = f"{head}.{tail[:digits][:6]}{tail[digits:]}"
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError(f"{value!r} tells no zone")
    return found.astimezone(UTC)


def read_day(value: str | None) -> date | None:
    """Read an Edm.Date.

    Raises:
        ValueError: It is something else.
    """
    return date.fromisoformat(value) if value else None


def key_path(entity_set: str, keys: Mapping[str, str] | str) -> str:
    """Give the path of one entity: `Set('key')` or `Set(A='1',B='2')`, percent-encoded."""
    if isinstance(keys, str):
        return f"{entity_set}({_quoted(keys)})"
    return f"{entity_set}({','.join(f'{name}={_quoted(value)}' for name, value in keys.items())})"


def listed(body: Any) -> Listed:
    """Read the envelope of a list: `{"value": […], "@odata.nextLink", "@odata.count"}`.

    Raises:
        BadResponse: It is something else.
    """
    rows = body.get("value") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise BadResponse("The answer is not an OData 4.0 list.", source_message=str(body)[:200])
    count = body.get(f"{_CONTROL}count", body.get("@count"))
    link = body.get(f"{_CONTROL}nextLink", body.get("@nextLink"))
    return Listed([plain(row) for row in rows], link or None, int(count) if count is not None else None)


def single(body: Any) -> JsonObject:
    """Read the envelope of one entity: the object itself.

    Raises:
        BadResponse: It is something else.
    """
    if not isinstance(body, dict) or "error" in body:
        raise BadResponse("The answer is not an OData 4.0 entity.", source_message=str(body)[:200])
    found: JsonObject = plain(body)
    return found


def plain(value: Any) -> Any:
    """Drop control information (`@odata.…`, `name@odata.…`), at every depth.

    Raises:
        BadResponse: An expanded list is cut by a page border, so that taking it would lose rows.
    """
    if isinstance(value, list):
        return [plain(element) for element in value]
    if not isinstance(value, dict):
        return value
    cut = next((name for name in value if name.endswith(f"{_CONTROL}nextLink") and not name.startswith("@")), None)
    if cut is not None:
        raise BadResponse(f"The expanded list {cut.partition('@')[0]} is longer than one page of the source.")
    return {
        name: plain(element) if isinstance(element, (dict, list)) else element
        for name, element in value.items()
        if "@" not in name
    }


def etag_of(body: Any) -> str | None:
    """Read an entity's ETag; None where the service has none."""
    told = body.get(f"{_CONTROL}etag") if isinstance(body, dict) else None
    return told if isinstance(told, str) and told else None


def read_fault(body: Any) -> Fault | None:
    """Read an error body, `{"error": {"code", "message", "target", "details": […]}}`; None when it is not one."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return None
    told = error.get("details")
    details = tuple(
        Detail(str(one.get("code") or ""), str(one["message"]), "error", str(one.get("target") or ""))
        for one in (told if isinstance(told, list) else [])
        if isinstance(one, dict) and one.get("message")
    )
    return Fault(str(error.get("code") or ""), str(error.get("message") or ""), details)


def _quoted(value: str) -> str:
    return quote(text_literal(value), safe="'")
