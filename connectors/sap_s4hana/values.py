"""Converters: SAP's values → ours. They raise ValueError for what they do not know, which quarantines the item."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from connectors.kit.odata2 import read_day, read_instant

Row = Mapping[str, Any]
ADDRESS: Final = (
    "FullName",
    "StreetName",
    "HouseNumber",
    "CityName",
    "PostalCode",
    "Region",
    "Country",
)
"""Properties of an address, wherever SAP tells one, behind a prefix of the place."""


def text(value: Any) -> str | None:
    """Keep text; blank is none."""
    if value.__class__ is str:
        return value.strip() or None
    return str(value).strip() or None if value is not None else None


def exact(value: Any) -> Decimal | None:
    """Read a decimal as SAP wrote it.

    Raises:
        ValueError: It is not a decimal.
        TypeError: It is a JSON float, which is not exact any more.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, (str, int)):
        raise TypeError(f"{value!r} is not an exact decimal")
    try:
        return Decimal(str(value).strip())
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not a decimal") from error


def unit_price(amount: Any, base: Any) -> Decimal | None:
    """Divide the net price by its price unit ("per"), exactly as far as decimals go; 0 or none counts as 1."""
    price, per = exact(amount), exact(base)
    if price is None:
        return None
    quotient = price / per if per else price
    # The shortest form of the same number: 195.00 per 1000 is 0.195, and 100 stays 100, not 1E+2.
    return quotient.quantize(Decimal(1)) if quotient == quotient.to_integral_value() else quotient.normalize()


def item_number(value: Any) -> str | None:
    """Name an item: `00010` and `10` are the same one, whichever form a service tells."""
    told = text(value)
    return (told.lstrip("0") or "0") if told and told.isdigit() else told


def day(value: Any) -> date | None:
    """Read a calendar day."""
    return read_day(value)


def instant(value: Any) -> datetime | None:
    """Read an instant."""
    return read_instant(value)


def first_day(schedules: Sequence[Row] | None) -> date | None:
    """Give the earliest delivery date of schedule lines."""
    days = [found for row in schedules or () if (found := read_day(row.get("ScheduleLineDeliveryDate")))]
    return min(days, default=None)


def address(prefix: str, row: Row) -> dict[str, Any] | None:
    """Make an address of the properties that begin with `prefix`; None when all are blank."""
    return postal(*(row.get(prefix + name) for name in ADDRESS))


def postal(*told: Any, name: Any = None) -> dict[str, Any] | None:
    """Make an address of its properties, in the order of ADDRESS; None when all are blank.

    Args:
        told: The properties.
        name: A name, where there is no full one.
    """
    if not any(told) and not name:
        return None
    full_name, street, house, city, postal_code, region, country = map(text, told)
    line = " ".join(filter(None, (street, house)))
    found = {
        "name": full_name or text(name),
        "lines": [line] if line else [],
        "city": city,
        "region": region,
        "postal_code": postal_code,
        "country": country,
    }
    return found if any(found.values()) else None


def place(plant: Any, storage: Any) -> str | None:
    """Name a storage location as `plant/storage`, or a plant alone."""
    return "/".join(filter(None, (text(plant), text(storage)))) or None


def coded(code: Any) -> dict[str, Any] | None:
    """Make payment terms of a code."""
    told = text(code)
    return {"code": told} if told else None


def custom(value: Any) -> dict[str, Any]:
    """Give custom fields that hold something."""
    return {name: one for name, one in (value or {}).items() if one is not None and one != ""}


def filled(row: Row, names: Iterable[str]) -> dict[str, Any]:
    """Give the named properties that hold something."""
    return {name: row[name] for name in names if row.get(name)}
