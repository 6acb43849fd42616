"""What NetSuite's values mean in ours: the converters that the mapping names. SuiteQL tells most things as text."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from db.models.inventory.inventory_level import StockClass
from db.models.inventory.location import LocationType
from db.models.items.item import ItemType
from db.models.purchasing.purchase_order import LineKind

Row = Mapping[str, Any]
Rows = Sequence[Row] | None


def text(value: Any) -> str | None:
    """Keep text; blank is none."""
    return str(value).strip() or None if value is not None else None


def exact(value: Any) -> Decimal | None:
    """Read a decimal: text, a whole number, or a float by the shortest text that names it.

    Raises:
        ValueError: It is not a decimal.
    """
    if value is None or value == "":
        return None
    try:
        return Decimal(repr(value) if isinstance(value, float) else str(value).strip())
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not a decimal") from error


def amount(value: Any) -> Decimal | None:
    """Read a quantity or amount without its sign, by which NetSuite tells debit from credit."""
    found = exact(value)
    return abs(found) if found is not None else None


def day(value: Any) -> date | None:
    """Read a day."""
    return date.fromisoformat(str(value)[:10]) if value else None


def flag(value: Any) -> bool:
    """Read a flag: T, F, or JSON's own."""
    return value is True or str(value).upper() in {"T", "TRUE"}


def active(inactive: Any) -> bool:
    """Tell whether a record is in use."""
    return not flag(inactive)


def price_base(rate: Any) -> Decimal | None:
    """Tell how many units a rate is for: one."""
    return None if rate is None or rate == "" else Decimal(1)


def terms(key: Any, name: Any) -> dict[str, Any] | None:
    """Make payment terms; their name is what people know."""
    told = text(name) or text(key)
    return {"code": told, "text": text(name)} if told else None


def currency(symbol: Any) -> str | None:
    """Give an ISO code; a currency that the account did not name stays unknown.

    Raises:
        ValueError: It is no three letters.
    """
    told = text(symbol)
    if told is not None and not (len(told) == 3 and told.isalpha()):
        raise ValueError(f"{told!r} is no currency")
    return told.upper() if told else None


def first(*told: Any) -> str | None:
    """Give the first text that is not blank."""
    return next((found for value in told if (found := text(value))), None)


def address(row: Any) -> dict[str, Any] | None:
    """Make an address; None where nothing of it is told."""
    if not row:
        return None
    told = {
        "name": text(row.get("addressee")),
        "lines": [line for line in (text(row.get("addr1")), text(row.get("addr2"))) if line],
        "city": text(row.get("city")),
        "region": text(row.get("state")),
        "postal_code": text(row.get("zip")),
        "country": text(row.get("country")),
    }
    return told if any(told.values()) else None


def addresses(rows: Rows) -> list[dict[str, Any]]:
    """Make a vendor's addresses, the one that bills go to first."""
    ordered = sorted(rows or (), key=lambda row: not flag(row.get("defaultbilling")))
    return [found for row in ordered if (found := address(row))]


def assignment(department: Any, classification: Any) -> dict[str, Any] | None:
    """Tell what a line is accounted to."""
    told = {"department": text(department), "class": text(classification)}
    return {name: value for name, value in told.items() if value} or None


def vendor_name(company: Any, legal: Any, given: Any, family: Any, entity: Any) -> str | None:
    """Name a vendor: a company by its name, a person by theirs, and in need by its number."""
    return first(company, legal, " ".join(filter(None, (text(given), text(family)))), entity)


_KINDS: Final = {
    "Service": LineKind.SERVICE,
    "OthCharge": LineKind.CHARGE,
    "Markup": LineKind.CHARGE,
    "Discount": LineKind.CHARGE,
    "Description": LineKind.COMMENT,
    "Subtotal": LineKind.COMMENT,
}


def kind(item: Any, item_type: Any) -> LineKind:
    """Tell what a line orders; one without an item is an expense."""
    if item_type in _KINDS:
        return _KINDS[item_type]
    return LineKind.ITEM if item else LineKind.ACCOUNT


_TYPES: Final = {
    "InvtPart": ItemType.STOCK,
    "Assembly": ItemType.STOCK,
    "NonInvtPart": ItemType.NON_STOCK,
    "OthCharge": ItemType.NON_STOCK,
    "Service": ItemType.SERVICE,
    "Kit": ItemType.KIT,
    "Group": ItemType.KIT,
}


def item_type(native: Any) -> ItemType:
    """Judge an item's type."""
    return _TYPES.get(str(native or ""), ItemType.UNKNOWN)


def stock_class(_location: Any) -> StockClass:
    """Tell what may be done with stock at a location: anything; NetSuite keeps other stock by inventory status."""
    return StockClass.UNRESTRICTED


def location_type(native: Any) -> LocationType:
    """Judge a location: a warehouse where it says so, else a site."""
    return LocationType.WAREHOUSE if "warehouse" in str(native or "").lower() else LocationType.SITE


def level_id(item: Any, location: Any) -> str:
    """Name a level."""
    return f"{item}:{location}"


def custom(value: Any) -> dict[str, Any]:
    """Give custom fields that hold something."""
    return {name: one for name, one in (value or {}).items() if one is not None and one != ""}


def line_days(lines: Rows) -> date | None:
    """Give the earliest day that a line is expected."""
    return min((found for line in lines or () if (found := day(line.get("expectedreceiptdate")))), default=None)


def required_on(due: Any, lines: Rows) -> date | None:
    """Give the order's due date, else the earliest of its lines."""
    return day(due) or line_days(lines)
