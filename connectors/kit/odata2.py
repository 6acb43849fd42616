"""OData 2.0 on the wire: literals, JSON encodings, envelopes, links and error bodies.

Sources: OData 2.0 "URI Conventions" and "JSON Format" (odata.org); the SAP Gateway shape of errors
(`error.message.value`, `error.innererror.errordetails`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, urljoin, urlsplit

from connectors.errors import BadResponse

JsonObject = dict[str, Any]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS: Final = re.compile(r"/Date\((-?\d+)(?:[+-]\d+)?\)/")
_TIME: Final = re.compile(r"P(?:0D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d+))?S)?")


def text_literal(value: str) -> str:
    """Quote a text for a filter or key; quotes inside are doubled."""
    return "'" + value.replace("'", "''") + "'"


def day_literal(value: date) -> str:
    """Give an Edm.DateTime literal of a calendar day."""
    return f"datetime'{value:%Y-%m-%d}T00:00:00'"


def instant_literal(value: datetime) -> str:
    """Give an Edm.DateTimeOffset literal, UTC, to the second (rounded down)."""
    return f"datetimeoffset'{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"


def time_literal(value: time) -> str:
    """Give an Edm.Time literal."""
    return f"time'PT{value.hour:02d}H{value.minute:02d}M{value.second:02d}S'"


def read_instant(value: str | None) -> datetime | None:
    """Decode `/Date(ms)/` or `/Date(ms+0000)/`; the number is UTC, the offset only tells how to show it.

    Raises:
        ValueError: It is something else.
    """
    if not value:
        return None
    match = _TICKS.fullmatch(value)
    if match is None:
        raise ValueError(f"{value!r} is not an OData 2.0 date")
    return _EPOCH + timedelta(milliseconds=int(match[1]))


@lru_cache(10_000)
def read_day(value: str | None) -> date | None:
    """Decode an Edm.DateTime that holds a calendar day: always in UTC, or the day shifts.

    Few days are told again and again: they are kept.
    """
    found = read_instant(value)
    return found.date() if found else None


def read_time(value: str | None) -> time | None:
    """Decode an Edm.Time such as `PT14H05M00S`.

    Raises:
        ValueError: It is something else.
    """
    if not value:
        return None
    match = _TIME.fullmatch(value)
    if match is None:
        raise ValueError(f"{value!r} is not an OData 2.0 time")
    return time(int(match[1] or 0), int(match[2] or 0), int(match[3] or 0))


def write_day(value: date) -> str:
    """Encode a calendar day as Edm.DateTime."""
    return write_instant(datetime(value.year, value.month, value.day, tzinfo=UTC))


def write_instant(value: datetime) -> str:
    """Encode an instant, UTC, to the millisecond."""
    return f"/Date({(value - _EPOCH) // timedelta(milliseconds=1)})/"


def write_decimal(value: Decimal) -> str:
    """Encode an exact decimal: a JSON string without exponent."""
    return format(value, "f")


def key_path(entity_set: str, keys: Mapping[str, str] | str) -> str:
    """Give the path of one entity: `Set('key')` or `Set(A='1',B='2')`, percent-encoded."""
    if isinstance(keys, str):
        return f"{entity_set}({_quoted(keys)})"
    parts = ",".join(f"{name}={_quoted(value)}" for name, value in keys.items())
    return f"{entity_set}({parts})"


def _quoted(value: str) -> str:
    return quote(text_literal(value), safe="'")


def query(options: Mapping[str, str]) -> str:
    """Encode query options; a space is %20, for `+` is a plus sign to many gateways."""
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in options.items() if value)


@dataclass(frozen=True, slots=True)
class Listed:
    """One answer to a list request.

    Attributes:
        rows: The entities, without transport fields.
        next_link: As the server gave it; None ends the list.
        count: Rows in the whole list, when asked for.
    """

    rows: list[JsonObject]
    next_link: str | None = None
    count: int | None = None


def listed(body: Any, *, gather: str = "") -> Listed:
    """Read the envelope of a list: `{"d": {"results": […], "__next", "__count"}}` or `{"d": […]}`; it is used up.

    Args:
        gather: A prefix; see Tidy.

    Raises:
        BadResponse: It is something else.
    """
    tidy = Tidy(gather)
    data = body.get("d") if isinstance(body, dict) else None
    if isinstance(data, list):
        return Listed(tidy.each(data))
    if not isinstance(data, dict) or not isinstance(data.get("results"), list):
        raise BadResponse("The answer is not an OData 2.0 list.", source_message=str(body)[:200])
    count = data.get("__count")
    return Listed(tidy.each(data["results"]), data.get("__next"), int(count) if count else None)


def single(body: Any) -> JsonObject:
    """Read the envelope of one entity: `{"d": {…}}`.

    Raises:
        BadResponse: It is something else.
    """
    data = body.get("d") if isinstance(body, dict) else None
    if not isinstance(data, dict):
        raise BadResponse("The answer is not an OData 2.0 entity.", source_message=str(body)[:200])
    found = plain(data)
    if not isinstance(found, dict):
        raise BadResponse("The answer is a list where one entity was expected.")
    return found


def plain(value: Any) -> Any:
    """Take out of a value what is the transport's; see Tidy."""
    return Tidy().value(value)


_LEAVES: Final = (str, int, float, bool)


class Tidy:
    """Makes plain documents of the entities of one answer, in place.

    `__metadata` and deferred links are dropped, expanded lists unwrapped, and properties whose names begin with
    `gather` collected under that one key, the last of its entity.

    Which properties of a type hold more than a value is looked up once: in OData 2.0 all entities of a type have the
    same properties, and one that holds a value here holds a value or null there.
    """

    def __init__(self, gather: str = "") -> None:
        self._gather = gather
        self._kinds: dict[tuple[Any, int], tuple[list[str], list[str]]] = {}
        """Type and number of properties → the names that may lead further, and those to be gathered."""

    def value(self, told: Any) -> Any:
        """Tidy whatever it is.

        Raises:
            BadResponse: An expanded list is cut by a page border, so that taking it would lose rows.
        """
        if told.__class__ is list:
            return self.each(told)
        if told.__class__ is not dict:
            return told
        rows = told.get("results")
        if rows.__class__ is not list:
            return self._entity(told)
        if told.get("__next"):
            raise BadResponse("An expanded list is longer than one page of the source.")
        return self.each(rows)

    def each(self, rows: list[Any]) -> list[Any]:
        """Tidy the rows of a list."""
        return [self._entity(row) if row.__class__ is dict else self.value(row) for row in rows]

    def _entity(self, row: JsonObject) -> JsonObject:
        metadata = row.pop("__metadata", None)
        told = metadata.get("type") if metadata.__class__ is dict else None
        kind = (told, len(row))
        found = self._kinds.get(kind) if told is not None else None
        if found is None:
            found = self._kinds[kind] = self._look(row)
        further, gathered = found
        for name in further:
            inner = row.get(name)
            if inner.__class__ is dict:
                if "__deferred" in inner:
                    del row[name]
                else:
                    row[name] = self.value(inner)
            elif inner.__class__ is list:
                row[name] = self.each(inner)
        if gathered:
            row[self._gather] = {name: row.pop(name) for name in gathered if name in row}
        return row

    def _look(self, row: JsonObject) -> tuple[list[str], list[str]]:
        further = [name for name, told in row.items() if told.__class__ not in _LEAVES]
        return further, [name for name in row if name.startswith(self._gather)] if self._gather else []


def etag_of(body: Any) -> str | None:
    """Read the entity's ETag from its metadata; None where the service has none."""
    data = body.get("d") if isinstance(body, dict) else None
    metadata = data.get("__metadata") if isinstance(data, dict) else None
    etag = metadata.get("etag") if isinstance(metadata, dict) else None
    return etag if isinstance(etag, str) and etag else None


def follow(link: str, *, came_from: str) -> str:
    """Resolve a next link, absolute or relative, against the address it came from.

    Raises:
        BadResponse: It leads to another scheme, host or port; credentials never go there.
    """
    target = urljoin(came_from, link)
    here, there = urlsplit(came_from), urlsplit(target)
    if (here.scheme, here.hostname, here.port) != (there.scheme, there.hostname, there.port):
        raise BadResponse(f"The source's next link leads to another host: {there.scheme}://{there.netloc}.")
    return target


@dataclass(frozen=True, slots=True)
class Detail:
    """One of the reasons in an error body; `target` is a property path where the service tells one."""

    code: str
    message: str
    severity: str = "error"
    target: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error body."""

    code: str
    message: str
    details: tuple[Detail, ...] = ()


def read_fault(body: Any) -> Fault | None:
    """Read an error body; None when it is not one.

    The real reasons are often in `innererror.errordetails`; entries of severity info and warning, and the
    one that repeats the headline, are left out.
    """
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return None
    message = error.get("message")
    text = message.get("value") if isinstance(message, dict) else message
    inner = error.get("innererror")
    told = inner.get("errordetails") if isinstance(inner, dict) else None
    details = tuple(
        Detail(
            str(one.get("code") or ""),
            str(one.get("message") or ""),
            str(one.get("severity") or "error"),
            str(one.get("target") or one.get("propertyref") or ""),
        )
        for one in (told if isinstance(told, list) else [])
        if isinstance(one, dict) and one.get("message")
    )
    real = tuple(detail for detail in details if detail.severity not in {"info", "warning", "success"})
    return Fault(str(error.get("code") or ""), str(text or ""), real)
