"""Literals of OData V2: in URIs (`datetime'…'`, `12.5M`, `guid'…'`) and in JSON bodies (`/Date(0)/`, `PT8H`).

Dates are stored as naive midnight datetimes, instants as UTC, times as the text of their hours, minutes and seconds.
"""

import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.sap_s4hana.edm import Property
from sandbox.sap_s4hana.odata.errors import bad_value, unreadable
from sandbox.sap_s4hana.store import canonical

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - Edm.DateTime has no zone
_DATE = re.compile(r"/Date\((?P<ms>-?\d+)(?P<zone>[+-]\d{4})?\)/")
_TIME = re.compile(r"PT(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+)(?:\.\d+)?S)?")
_NUMBER = re.compile(r"(?P<digits>-?\d+(?:\.\d+)?)(?P<suffix>[MmDdFfLl]?)")
_TYPED = re.compile(r"(?P<prefix>datetimeoffset|datetime|time|guid|binary|X)'(?P<text>[^']*)'")
_FRACTION = re.compile(r"\.(\d{1,7})")
_NUMBERS = frozenset({"Decimal", "Int16", "Int32", "Int64", "Byte", "Double", "Single"})


def parse_uri_literal(text: str) -> tuple[str, Any]:
    """Read a literal of a URI and tell its Edm type ("Null" for null, "Number" for any number).

    Raises:
        ValueError: The text is no literal.
    """
    if text.startswith("'") and text.endswith("'") and len(text) > 1:
        return "String", text[1:-1].replace("''", "'")
    if text in {"true", "false"}:
        return "Boolean", text == "true"
    if text == "null":
        return "Null", None
    if number := _NUMBER.fullmatch(text):
        return "Number", Decimal(number["digits"])
    typed = _TYPED.fullmatch(text)
    if typed is None:
        raise ValueError(f"invalid literal {text}")
    return _typed_literal(typed["prefix"], typed["text"])


def literal_fits(kind: str, prop: Property) -> bool:
    """Say whether a literal of this type may be compared with the property.

    A datetimeoffset literal on an Edm.DateTime property passes, as on the real system, and is then misread.
    """
    if kind == "Null":
        return True
    if kind == "Number":
        return prop.kind in _NUMBERS
    return kind == prop.kind or (kind == "DateTimeOffset" and prop.kind == "DateTime")


def coerce_literal(kind: str, value: Any, prop: Property) -> Any:
    """Bring a fitting literal to the stored form of the property."""
    if kind == "String" and isinstance(value, str):
        return canonical(prop, value)
    if kind == "DateTimeOffset" and prop.kind == "DateTime":
        # The wrong literal silently misfilters: the backend gets the initial date.
        return EPOCH - timedelta(days=25_567)
    return value


def parse_json_value(prop: Property, value: Any, offset: int) -> Any:
    """Read a value of a JSON body into its stored form.

    Args:
        prop: The property that it is for.
        value: What the JSON parser gave; decimals and instants must be strings in OData V2.
        offset: Where the property stands in the body, for the error text.

    Raises:
        ODataError: 400 with the gateway's codes: another JSON type, too long, too many digits.
    """
    if value is None:
        if prop.required:
            raise bad_value(prop.name, "null", offset)
        return prop.initial
    if prop.kind == "Boolean":
        return _expect(bool, prop, value, offset)
    if prop.kind in {"Byte", "Int32"}:
        return _expect(int, prop, value, offset)
    text: str = _expect(str, prop, value, offset)
    if prop.kind == "String":
        return _text(prop, text, offset)
    try:
        return _from_text(prop, text)
    except (ValueError, ArithmeticError, OverflowError):
        raise bad_value(prop.name, text, offset) from None


def parse_instant(text: str, *, utc: bool) -> datetime:
    """Read `/Date(ms)/` or an ISO text; aware UTC for instants, naive for dates."""
    if match := _DATE.fullmatch(text):
        moment = EPOCH + timedelta(milliseconds=int(match["ms"]))
        return moment.replace(tzinfo=UTC) if utc else moment
    # Seven digits of a second are legal in OData and unknown to datetime.
    parsed = datetime.fromisoformat(_FRACTION.sub(lambda m: f".{m[1][:6]:0<6}", text))
    if not utc:
        return parsed.replace(tzinfo=None)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def parse_time(text: str) -> str:
    """Read an xsd:duration of a day's time into `PT08H05M00S`."""
    match = _TIME.fullmatch(text)
    if match is None or text == "PT":
        raise ValueError(f"no time: {text}")
    hours, minutes, seconds = (int(match[part] or 0) for part in ("h", "m", "s"))
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(f"no time of day: {text}")
    return f"PT{hours:02d}H{minutes:02d}M{seconds:02d}S"


def _typed_literal(prefix: str, text: str) -> tuple[str, Any]:
    if prefix == "datetime":
        if text.endswith("Z") or "T" not in text:
            raise ValueError(f"no datetime: {text}")
        return "DateTime", parse_instant(text, utc=False)
    if prefix == "datetimeoffset":
        return "DateTimeOffset", parse_instant(text, utc=True)
    if prefix == "time":
        return "Time", parse_time(text)
    if prefix == "guid":
        return "Guid", str(uuid.UUID(text))
    raise ValueError(f"unsupported literal {prefix}")


def _expect(wanted: type[Any], prop: Property, value: Any, offset: int) -> Any:
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise unreadable(prop.name, offset)
    return value


def _text(prop: Property, text: str, offset: int) -> str:
    if (prop.max_length is not None and len(text) > prop.max_length) or (prop.numeric and text and not text.isdigit()):
        raise bad_value(prop.name, text, offset)
    return canonical(prop, text.upper() if "upper" in prop.flags else text)


def _from_text(prop: Property, text: str) -> Any:
    if prop.kind == "Decimal":
        return _decimal(prop, Decimal(text))
    if prop.kind == "DateTime":
        moment = parse_instant(text, utc=False)
        return moment.replace(hour=0, minute=0, second=0, microsecond=0) if "date" in prop.flags else moment
    if prop.kind == "DateTimeOffset":
        moment = parse_instant(text, utc=True)
        return moment if prop.precision else moment.replace(microsecond=0)
    if prop.kind == "Time":
        return parse_time(text)
    return int(text) if prop.kind == "Int64" else str(uuid.UUID(text))


def _decimal(prop: Property, number: Decimal) -> Decimal:
    scale, precision = prop.scale or 0, prop.precision or 0
    if not number.is_finite():
        raise ValueError("not a number")
    fixed = number.quantize(Decimal(1).scaleb(-scale))
    if fixed != number or len(fixed.as_tuple().digits) > precision:
        raise ValueError("too many digits")
    return fixed
