"""Adjusting stock: what should be there, counted on a stock row and applied."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from connectors.base import Change, JsonObject, Written
from connectors.errors import WriteRejected
from connectors.odoo import convert, stock
from connectors.odoo.client import Client
from connectors.odoo.resources import QUANT_MODEL
from connectors.odoo.units import native
from connectors.odoo.write import values as make
from connectors.odoo.write.journal import Journal

_COUNTING: Final = {"inventory_mode": True}
"""Without it Odoo lets nobody write a stock row, and makes a new one where there is one already."""


async def adjust(journal: Journal, change: Change, units: Mapping[str, str]) -> Written:
    """Count a product at a place and apply the count.

    Odoo takes what should be there. A `delta` is added to the quantity read just before: a movement between the two
    calls is not seen. The operation tells the quantity it started from.
    """
    client, values = journal.client, change.values
    place, product, lot = await _target(journal, change)
    domain = [["product_id", "=", product], ["location_id", "=", place], ["lot_id", "=", lot or False]]
    rows = await client.find(QUANT_MODEL, domain, ["id", "quantity"])
    on_hand = sum((convert.exact(row["quantity"]) or Decimal(0) for row in rows), Decimal(0))
    goods = await _product(journal, product, units, values.get("unit"))
    counted = values["quantity"] if values.get("quantity") is not None else on_hand + values["delta"]
    if counted < 0:
        raise make.rejected(("delta",), f"There are {on_hand}; Odoo counts no quantity below 0.")
    places = await make.digits(client, make.QUANTITY)
    told = make.number(counted, places=places, what="quantity", path=("quantity",))
    facts = {"onHand": str(on_hand), "difference": str(counted - on_hand), "unit": goods}
    named = stock.source_id((place, product, lot))
    if len(rows) > 1:
        raise WriteRejected("Odoo holds several stock rows of this product, place and lot: it merges them overnight.")
    if rows:
        row: int | None = rows[0]["id"]
        await journal.do(QUANT_MODEL, "write", [row or 0], extra=_COUNTING, vals={"inventory_quantity": told})
    else:
        made: JsonObject = {"product_id": product, "location_id": place, "inventory_quantity": told}
        keys = await journal.do(
            QUANT_MODEL, "create", extra=_COUNTING, vals_list=[made | ({"lot_id": lot} if lot else {})]
        )
        row = int(keys[0] if isinstance(keys, list) else keys) if keys else None
    answer = await journal.do(QUANT_MODEL, "action_apply_inventory", [row or 0], extra=_COUNTING)
    if isinstance(answer, dict):
        # A screen that asks a person: the quantity changed since it was counted, or a lot is missing.
        raise WriteRejected(
            "Odoo asks a person to confirm this count; it was not applied.", source_message=str(answer.get("name", ""))
        )
    return Written(named, facts)


async def _target(journal: Journal, change: Change) -> stock.Key:
    """Give place, product and lot: of the level, or as the change names them."""
    if change.source_id:
        key = stock.key_from(change.source_id)
        if key is None:
            raise WriteRejected("This is not the key of a level of Odoo.")
        return key
    values, client = change.values, journal.client
    place = await _place(client, make.row_id(values.get("location_source_id"), ("location",)))
    product = make.row_id(values.get("item_source_id"), ("item",))
    lot = 0
    if values.get("lot"):
        domain: list[Any] = [["product_id", "=", product]]
        lot = await make.one(client, "stock.lot", ("name",), values["lot"], ("lot",), domain=domain)
    return place, product, lot


async def _place(client: Client, asked: int) -> int:
    """Give a place that holds stock; a warehouse as a whole stands for its stock.

    Raises:
        WriteRejected: It holds none.
    """
    rows = await client.find("stock.location", [["id", "=", asked]], ["usage"])
    if rows and rows[0]["usage"] in stock.USAGES:
        return asked
    domain = [["view_location_id", "=", asked]]
    warehouses = await client.find("stock.warehouse", domain, ["lot_stock_id"]) if rows else []
    if not warehouses or not warehouses[0]["lot_stock_id"]:
        raise make.rejected(("location",), f"Odoo keeps no stock at location {asked}.")
    return int(warehouses[0]["lot_stock_id"][0])


async def _product(journal: Journal, product: int, units: Mapping[str, str], unit: str | None) -> str | None:
    """Check that there is such a product, and that it is counted in the caller's unit; gives Odoo's."""
    rows = await journal.client.find("product.product", [["id", "=", product]], ["uom_id"])
    if not rows:
        raise make.rejected(("item",), f"Odoo has no active product {product}.")
    own = convert.named(rows[0]["uom_id"] or None)
    if unit is not None and own not in native(unit, units):
        raise make.rejected(("unit",), f"Odoo counts this product in {own!r} only, not in {unit[:40]!r}.")
    return own
