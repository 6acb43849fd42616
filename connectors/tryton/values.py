"""A caller's values in Tryton's terms: keys, currencies, warehouses, units, and exact quantities."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from connectors.base import JsonObject
from connectors.errors import WriteRejected
from connectors.tryton.client import Client
from connectors.tryton.references import LOOKUPS, find_exact
from connectors.tryton.units import native
from db.models.parties.vendor import Address
from db.types import ErrorCode, Problem

Path = tuple[str, ...]
_PLACE_PARTS: Final = ("name", "lines", "city", "region", "postal_code", "country")


def rejected(path: Path, message: str) -> WriteRejected:
    """Make a refusal of one value."""
    return WriteRejected(message, problems=(Problem(ErrorCode.SOURCE_REJECTED, message, path),))


def row_id(value: Any, path: Path) -> int:
    """Read one of Tryton's keys.

    Raises:
        WriteRejected: It is not a number.
    """
    if not str(value).isdecimal():
        raise rejected(path, f"{str(value)[:80]!r} is not a key of Tryton.")
    return int(value)


def price(text: str) -> Decimal:
    """Make Tryton's decimal again of the text that wire.plain made of it."""
    return Decimal(text)


def quantity(value: Decimal, path: Path) -> float:
    """Make Tryton's float of a quantity.

    Raises:
        WriteRejected: A float cannot hold it exactly.
    """
    number = float(value)
    if Decimal(repr(number)) != value:
        raise rejected(path, f"Tryton cannot hold the quantity {value} exactly.")
    return number


async def one(client: Client, model: str, fields: Sequence[str], code: str, path: Path, *, domain: Any = ()) -> int:
    """Find the one active record called so.

    Raises:
        WriteRejected: There is none, or more than one.
    """
    found = await find_exact(client, model, fields, code, domain=domain)
    if len(found) != 1:
        many = "no record is" if not found else "more than one record is"
        raise rejected(path, f"In Tryton {many} called {code[:80]!r}.")
    return found[0]


async def currency(client: Client, code: str, path: Path) -> int:
    """Find a currency by its ISO 4217 code."""
    return await one(client, "currency.currency", ("code",), code, path)


async def warehouse(client: Client, named: str | int, path: Path) -> int:
    """Find a warehouse by code or name; a number is its key."""
    kind = ["type", "=", "warehouse"]
    if isinstance(named, int):
        rows = await client.find("stock.location", [["id", "=", named], kind], ["id"])
        if not rows:
            raise rejected(path, f"Tryton has no warehouse with the key {named}.")
        return named
    return await one(client, *LOOKUPS["location"], named, path, domain=[kind])


async def ship_to(client: Client, place: Address | Mapping[str, Any], path: Path) -> int:
    """Find the warehouse that an address names; Tryton delivers to its warehouses only.

    Raises:
        WriteRejected: The address names no site, or holds more than a site.
    """
    given = place.model_dump(exclude_none=True) if isinstance(place, Address) else place
    if not given.get("site_code") or any(given.get(part) for part in _PLACE_PARTS):
        raise rejected(path, "Tryton delivers to its own warehouses only: give siteCode and nothing else.")
    return await warehouse(client, str(given["site_code"]), (*path, "siteCode"))


async def unit(client: Client, named: str, *, category: int | None, units: Mapping[str, str], path: Path) -> int:
    """Find a unit by Rec 20 code or symbol, in the product's category of units where there is one.

    Raises:
        WriteRejected: Tryton has no such unit for the product.
    """
    domain: list[Any] = [["symbol", "in", list(native(named, units))]]
    if category is not None:
        domain.append(["category", "=", category])
    rows = await client.find("product.uom", domain, ["id"])
    if not rows:
        what = "for this item" if category is not None else "at all"
        raise rejected(path, f"Tryton has no unit {named[:40]!r} {what}.")
    return int(rows[0]["id"])


async def products(client: Client, wanted: Mapping[int, Path]) -> dict[int, JsonObject]:
    """Read the products of new lines.

    Raises:
        WriteRejected: One does not exist, is retired or may not be purchased; each with its path.
    """
    rows = await client.find(
        "product.product", [["id", "in", list(wanted)]], ["purchasable", "default_uom_category"], limit=len(wanted) or 1
    )
    found = {row["id"]: row for row in rows}
    problems = []
    for product, path in wanted.items():
        if product not in found:
            problems.append(Problem(ErrorCode.SOURCE_REJECTED, f"Tryton has no active product {product}.", path))
        elif not found[product]["purchasable"]:
            problems.append(Problem(ErrorCode.SOURCE_REJECTED, f"Product {product} may not be purchased.", path))
    if problems:
        raise WriteRejected("Tryton does not know or sell an item.", problems=tuple(problems))
    return found
