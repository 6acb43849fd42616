"""Lines of purchase orders: new ones, changes, removals, as Odoo's commands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from connectors.base import Change, JsonObject
from connectors.odoo import convert
from connectors.odoo.client import Client
from connectors.odoo.mapping.orders import PURCHASE_ORDER
from connectors.odoo.resources import LINE_MODEL
from connectors.odoo.write import values as make
from connectors.odoo.write.values import Path

_CREATE, _UPDATE, _DELETE = 0, 1, 2
LINES: Final = "lines"


@dataclass(frozen=True, slots=True)
class Kept:
    """How many decimal places Odoo keeps; None where the user may not know."""

    price: int | None
    quantity: int | None

    @classmethod
    async def of(cls, client: Client, lines: Sequence[Mapping[str, Any]]) -> "Kept":
        """Ask, where lines hold numbers."""
        if not any(line.get(name) is not None for line in lines for name in ("quantity", "unit_price")):
            return cls(None, None)
        return cls(await make.digits(client, make.PRICE), await make.digits(client, make.QUANTITY))


async def commands(
    client: Client, change: Change, body: JsonObject | None, root: Path, *, units: Mapping[str, str]
) -> list[list[Any]]:
    """Make the commands that change an order's lines; `body` is the order as it is, None for a new one.

    Raises:
        WriteRejected: A line is not there, or a value cannot be Odoo's; with its path.
    """
    new = change.values.get(LINES) or change.add_lines
    kept = await Kept.of(client, [*new, *change.change_lines])
    present = {str(line["id"]): line for line in (body or {}).get("lines.") or ()}
    made: list[list[Any]] = []
    for place, line in enumerate(change.change_lines):
        path = (*root, "changeLines", str(place))
        known = _known(present, line.get("source_line_id"), path)
        _guard(line, known, path)
        told = {name: value for name, value in line.items() if name != "source_line_id"}
        made.append([_UPDATE, known["id"], await _values(client, told, kept, units, path)])
    for place, removed in enumerate(change.remove_lines):
        path = (*root, "removeLines", str(place))
        known = _known(present, removed, path)
        if body is not None and body["state"] in convert.CONFIRMED:
            raise make.rejected(path, "Odoo removes no lines of a confirmed order; set the quantity to what came.")
        made.append([_DELETE, known["id"], 0])
    where = (*root, LINES if LINES in change.values else "addLines")
    for place, line in enumerate(new):
        path = (*where, str(place))
        values = await _values(client, line, kept, units, path)
        if "product_id" not in values:
            raise make.rejected((*path, "item"), "A line of Odoo orders a product: name the item.")
        made.append([_CREATE, 0, values])
    return made


def _known(present: Mapping[str, JsonObject], key: Any, path: Path) -> JsonObject:
    if str(key) not in present:
        raise make.rejected(path, f"The order has no line {str(key)[:40]!r}.")
    return present[str(key)]


def _guard(line: Mapping[str, Any], known: JsonObject, path: Path) -> None:
    """Refuse what Odoo's screens refuse and its interface takes: less than what came."""
    received = convert.exact(known.get("qty_received")) or Decimal(0)
    if line.get("quantity") is not None and line["quantity"] < received:
        raise make.rejected((*path, "quantity"), f"Already {received} of this line came.")


async def _values(
    client: Client, line: Mapping[str, Any], kept: Kept, units: Mapping[str, str], path: Path
) -> JsonObject:
    kinds = await client.fields(LINE_MODEL)
    made: JsonObject = {}
    if line.get("item_source_id") is not None:
        made[_back("item_source_id")] = make.row_id(line["item_source_id"], (*path, "item"))
    if line.get("description") is not None:
        made[_back("description")] = line["description"]
    if line.get("quantity") is not None:
        made[_back("quantity")] = make.number(
            line["quantity"], places=kept.quantity, what="quantity", path=(*path, "quantity")
        )
    if line.get("unit_price") is not None:
        made[_back("unit_price")] = make.number(
            line["unit_price"], places=kept.price, what="price", path=(*path, "unitPrice")
        )
    if line.get("unit") is not None:
        field = "product_uom" if "product_uom" in kinds else "product_uom_id"
        made[field] = await make.unit(client, line["unit"], units, (*path, "unit"))
    if line.get("required_date") is not None:
        made[_back("required_date")] = make.noon(line["required_date"])
    return made | await make.custom_fields(client, LINE_MODEL, line.get("custom_fields"), (*path, "customFields"))


def _back(target: str) -> str:
    return make.back(PURCHASE_ORDER, target, LINES)
