"""Lines of a purchase in Tryton's terms: what a caller gives, and what Tryton's client would have filled in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from connectors.base import JsonObject
from connectors.tryton import values as make
from connectors.tryton.guard import LINE, refuse_fields
from connectors.tryton.journal import Journal
from connectors.tryton.values import Path

# What on_change of the product sets and create() does not.
_FILLED: Final = ("unit", "unit_price", "product_supplier")
_CHANGEABLE: Final = frozenset({"source_line_id", "description", "quantity", "unit", "unit_price", "required_date"})
_CAMEL: Final = {
    "item_source_id": "item",
    "unit_price": "unitPrice",
    "required_date": "requiredDate",
    "location_source_id": "location",
    "source_line_id": "sourceLineId",
}


def field_path(path: Path, field: str) -> Path:
    """Give the caller's path of a line's field."""
    return (*path, _CAMEL.get(field, field))


@dataclass(frozen=True, slots=True)
class Order:
    """What lines take from their purchase, as Tryton's ids; and the connection's units."""

    company: int
    party: int
    currency: int
    purchase_date: date | None
    units: Mapping[str, str]
    warehouse: Mapping[str, Any] | None


async def created(journal: Journal, order: Order, lines: Iterable[JsonObject], path: Path) -> list[JsonObject]:
    """Make the values of new lines.

    Args:
        journal: The change they belong to.
        order: Their purchase.
        lines: See Change: item_source_id, description, quantity, unit, unit_price, required_date.
        path: The caller's path of the list.

    Raises:
        WriteRejected: An item, unit or quantity does not fit, with its path.
    """
    numbered = [((*path, str(number)), line) for number, line in enumerate(lines)]
    wanted = {
        make.row_id(line["item_source_id"], field_path(where, "item_source_id")): field_path(where, "item_source_id")
        for where, line in numbered
        if line.get("item_source_id") is not None
    }
    known = await make.products(journal.client, wanted) if wanted else {}
    return [await _created(journal, order, line, where, known) for where, line in numbered]


async def _created(
    journal: Journal, order: Order, line: JsonObject, path: Path, known: Mapping[int, JsonObject]
) -> JsonObject:
    product = make.row_id(line["item_source_id"], path) if line.get("item_source_id") is not None else None
    if line.get("quantity") is None:
        raise make.rejected(field_path(path, "quantity"), "A line needs a quantity.")
    place = line.get("location_source_id")
    if place is not None and (order.warehouse is None or str(order.warehouse["id"]) != str(place)):
        raise make.rejected(field_path(path, "location_source_id"), "In Tryton all lines go to the order's warehouse.")
    category = known[product]["default_uom_category"] if product is not None else None
    made: JsonObject = {"type": "line", "product": product}
    made |= await _values(journal, order, line, path, category=category)
    parent = {key: getattr(order, key) for key in ("company", "party", "currency", "purchase_date")}
    # The unit is given first, so that Tryton works the price out for it.
    filled = await journal.work_out("purchase.line", {**made, "purchase": parent}, "product")
    taxes = [tax["id"] for _, tax in (filled.get("taxes") or {}).get("add", ())]
    if taxes:
        made["taxes"] = [["add", taxes]]
    for field in _FILLED:
        if filled.get(field) is not None:
            made.setdefault(field, make.price(filled[field]) if field == "unit_price" else filled[field])
    return made


async def changed(
    journal: Journal, order: Order, lines: Iterable[JsonObject], path: Path, *, state: str, present: Mapping[str, Any]
) -> list[list[Any]]:
    """Make the operations that change lines.

    Args:
        state: The purchase's state.
        present: Its lines as read, by key.

    Raises:
        WriteRejected: A line is not of this purchase, or may not change so.
    """
    operations: list[list[Any]] = []
    for number, line in enumerate(lines):
        where = (*path, str(number))
        key = str(line.get("source_line_id"))
        if key not in present:
            raise make.rejected(field_path(where, "source_line_id"), "The order has no such line.")
        for field in line.keys() - _CHANGEABLE:
            raise make.rejected(field_path(where, field), "Tryton cannot change this on a line; add another line.")
        row = present[key]
        category = row["product."]["default_uom_category"] if row.get("product.") else None
        values = await _values(journal, order, line, where, category=category)
        refuse_fields(state, dict.fromkeys(values, where), LINE)
        operations.append(["write", [int(key)], values])
    return operations


def removed(keys: Iterable[str], path: Path, *, present: Mapping[str, Any]) -> list[int]:
    """Give the ids of lines to remove.

    Raises:
        WriteRejected: A line is not of this purchase.
    """
    for number, key in enumerate(keys):
        if key not in present:
            raise make.rejected((*path, str(number)), "The order has no such line.")
    return [int(key) for key in keys]


async def _values(journal: Journal, order: Order, line: JsonObject, path: Path, *, category: int | None) -> JsonObject:
    made: JsonObject = {}
    if "description" in line:
        made["description"] = line["description"]
    if line.get("quantity") is not None:
        made["quantity"] = make.quantity(line["quantity"], field_path(path, "quantity"))
    if line.get("unit") is not None:
        where = field_path(path, "unit")
        made["unit"] = await make.unit(journal.client, line["unit"], category=category, units=order.units, path=where)
    if line.get("unit_price") is not None:
        made["unit_price"] = line["unit_price"]
    if "required_date" in line:
        made["delivery_date_edit"] = line["required_date"] is not None
        made["delivery_date_store"] = line["required_date"]
    return made
