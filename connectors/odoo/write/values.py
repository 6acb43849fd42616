"""A caller's values in Odoo's terms: keys, currencies, warehouses, units, instants, and numbers that Odoo can hold."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from connectors.base import Item, JsonObject
from connectors.errors import BadResponse, PermissionRefused, WriteRejected
from connectors.mapping import EntityMapping, To
from connectors.odoo import convert
from connectors.odoo.client import Client
from connectors.odoo.references import find_exact
from connectors.odoo.rows import CUSTOM
from connectors.odoo.units import native
from db.types import ErrorCode, Problem

Path = tuple[str, ...]
NOON: Final = "12:00:00"
"""A day becomes noon, UTC: the same day nearly everywhere."""
PRICE: Final = ("Product Price",)
QUANTITY: Final = ("Product Unit of Measure", "Product Unit")
"""Names of Odoo's settings for decimal places; the second lost two words in 19."""
_PLACES: Final = 2


def rejected(path: Path, message: str) -> WriteRejected:
    """Make a refusal of one value."""
    return WriteRejected(message, problems=(Problem(ErrorCode.SOURCE_REJECTED, message, path),))


def row_id(value: Any, path: Path) -> int:
    """Read one of Odoo's keys.

    Raises:
        WriteRejected: It is not a number.
    """
    if not str(value).isdecimal():
        raise rejected(path, f"{str(value)[:80]!r} is not a key of Odoo.")
    return int(value)


def noon(value: date | None) -> str | bool:
    """Make an instant of a day."""
    return f"{value:%Y-%m-%d} {NOON}" if value else False


def stamp(value: datetime | None) -> str | bool:
    """Write an instant as Odoo does: UTC, to the second, without saying so."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if value else False


def back(mapping: EntityMapping, target: str, part: str | None = None) -> str:
    """Give Odoo's field that takes one of ours, as the mapping has it."""
    fields = mapping.fields
    if part is not None:
        found = mapping.part(part)
        fields = () if found is None or isinstance(found, To) else found.fields
    for each in fields:
        if isinstance(each, To) and each.target == target and each.back is not None:
            return each.back
    raise LookupError(f"{target} has no way back")


async def digits(client: Client, names: Sequence[str]) -> int | None:
    """Ask how many decimal places Odoo keeps of prices or quantities; None where the user may not know."""
    try:
        rows = await client.find("decimal.precision", [["name", "in", list(names)]], ["name", "digits"])
    except (PermissionRefused, BadResponse):
        return None
    return max((int(row["digits"]) for row in rows), default=_PLACES)


def number(value: Decimal, *, places: int | None, what: str, path: Path) -> float:
    """Make Odoo's float of a number, which it would round in silence.

    Raises:
        WriteRejected: It has more decimal places than Odoo keeps.
    """
    if places is not None and value != round(value, places):
        raise rejected(path, f"Odoo keeps {places} decimal places of a {what}, and would round {value} in silence.")
    return float(value)


async def one(client: Client, model: str, fields: Sequence[str], code: str, path: Path, *, domain: Any = ()) -> int:
    """Find the one active record called so.

    Raises:
        WriteRejected: There is none, or more than one.
    """
    found = await find_exact(client, model, fields, code, domain=domain)
    if len(found) != 1:
        many = "no record is" if not found else "more than one record is"
        raise rejected(path, f"In Odoo {many} called {code[:80]!r}.")
    return found[0]


async def currency(client: Client, code: str, path: Path) -> int:
    """Find an active currency by its ISO 4217 code."""
    return await one(client, "res.currency", ("name",), code, path)


async def receipts_of(client: Client, code: str, path: Path) -> int:
    """Find the kind of receipt of a warehouse: where an order's goods go."""
    rows = await client.find("stock.warehouse", [["code", "=", code]], ["in_type_id"], limit=2)
    if len(rows) != 1 or not rows[0]["in_type_id"]:
        raise rejected(path, f"Odoo has no warehouse with the short name {code[:40]!r}.")
    return int(rows[0]["in_type_id"][0])


async def unit(client: Client, named: str, units: Mapping[str, str], path: Path) -> int:
    """Find a unit by Rec 20 code or name.

    Raises:
        WriteRejected: Odoo has no such unit, or several.
    """
    rows = await client.find("uom.uom", [["name", "in", list(native(named, units))]], ["id"], limit=2)
    if len(rows) != 1:
        raise rejected(path, f"Odoo has {'no' if not rows else 'more than one'} unit {named[:40]!r}.")
    return int(rows[0]["id"])


async def custom_fields(client: Client, model: str, given: Mapping[str, Any] | None, path: Path) -> JsonObject:
    """Check custom fields against those that this Odoo has.

    Raises:
        WriteRejected: There is none of this name.
    """
    if not given:
        return {}
    known = await client.fields(model)
    for name in given:
        if not name.startswith(CUSTOM) or name not in known:
            raise rejected((*path, name), f"Odoo has no custom field {name[:80]!r} on {model}.")
    return {name: False if value is None else value for name, value in given.items()}


def source_fields(given: Mapping[str, Any], kept: frozenset[str]) -> JsonObject:
    """Take values for Odoo's own fields, except those that the connector sets by itself.

    Raises:
        WriteRejected: One of those is named.
    """
    for name in given.keys() & kept:
        raise rejected(("sourceFields", name), "Odoo's connector does not let this field be set here.")
    return {name: False if value is None else value for name, value in given.items()}


def carries(html_or_text: Any, reference: str) -> bool:
    """Tell whether a text ends with our reference."""
    return bool(reference) and isinstance(html_or_text, str) and convert.mark_of(html_or_text) == reference


def present(found: Sequence[Item], what: str) -> Item:
    """Give the record that a change is about.

    Raises:
        WriteRejected: It is not there.
    """
    if not found:
        raise WriteRejected(f"Odoo has no such {what}, or the user may not see it.")
    return found[0]
