"""Fill a bare Tryton database through Tryton's own API: master data, purchase orders, receipts and productions."""

import datetime as dt
from collections import defaultdict
from typing import Any

from sandbox.tryton import catalogue
from sandbox.tryton.client import TrytonClient
from sandbox.tryton.masterdata import Ids, set_up
from sandbox.tryton.orders import Fate, Order, orders

_CREATE_ROWS = 50
# Tryton's workflow steps take time by the square of the rows: 130 orders at once 38 s, ten at a time 18 s.
_WORKFLOW_ROWS = 10
_CONFIRMED: tuple[Fate, ...] = ("confirmed", "waiting", "partly_received", "received", "done")
_SHIPPED: tuple[Fate, ...] = ("partly_received", "received", "done")


def seed(client: TrytonClient, *, anchor: dt.date) -> None:
    """Bring a bare database to the demo company's state.

    Args:
        client: The admin of a database that holds modules but no company.
        anchor: The day of the newest order; the oldest lies orders.OLDEST_ORDER_DAYS before it.

    Raises:
        TrytonError: Tryton refused a step, so the database is of no use.
    """
    ids = set_up(client, today=anchor)
    by_fate: dict[Fate, list[int]] = defaultdict(list)
    planned = orders(catalogue.products(), anchor=anchor, terms=len(ids.terms))
    for start in range(0, len(planned), _CREATE_ROWS):
        batch = planned[start : start + _CREATE_ROWS]
        created = client.call("purchase.purchase", "create", [_purchase(order, ids) for order in batch])
        for order, purchase in zip(batch, created, strict=True):
            by_fate[order.fate].append(purchase)
    _advance(client, by_fate)
    _receive(client, by_fate, ids)
    _produce(client, ids, anchor=anchor)


def _purchase(order: Order, ids: Ids) -> dict[str, Any]:
    lines = []
    for line in order.lines:
        if line.product_code is None or line.unit is None:
            lines.append({"type": "comment", "description": line.description})
            continue
        values: dict[str, Any] = {
            "type": "line",
            "product": ids.products[line.product_code],
            "quantity": line.quantity,
            "unit": ids.units[line.unit],
            "unit_price": line.unit_price,
            "description": line.description,
        }
        if line.delivery_on is not None:
            values |= {"delivery_date_edit": True, "delivery_date_store": line.delivery_on}
        lines.append(values)
    return {
        "party": ids.parties[order.party_code],
        "invoice_address": ids.addresses[order.party_code],
        "currency": ids.currencies[order.currency],
        "payment_term": None if order.term is None else ids.terms[order.term],
        "purchase_date": order.purchase_on,
        "reference": order.reference,
        "description": order.description,
        # Invoices come for orders that will be done, and for those that cannot be invoiced and so stay "confirmed".
        "invoice_method": "order" if order.fate in {"done", "confirmed"} else "manual",
        "lines": [["create", lines]],
    }


def _advance(client: TrytonClient, by_fate: dict[Fate, list[int]]) -> None:
    confirmed = sorted(purchase for fate in _CONFIRMED for purchase in by_fate[fate])
    quoted = sorted([*confirmed, *by_fate["quotation"], *by_fate["cancelled_quotation"]])
    client.call("purchase.purchase", "quote", quoted)
    client.call("purchase.purchase", "cancel", by_fate["cancelled_draft"] + by_fate["cancelled_quotation"])
    # The orders that stay "confirmed" go alone: processing fails for all orders of one call together.
    client.call("purchase.purchase", "confirm", by_fate["confirmed"])
    for batch in _batches([purchase for purchase in confirmed if purchase not in by_fate["confirmed"]]):
        client.call("purchase.purchase", "confirm", batch)
    # An order is done once it is received and its invoices are paid or set aside; to set aside needs no fiscal year.
    rows = client.call("purchase.purchase", "read", by_fate["done"], ["invoices"])
    client.call("account.invoice", "cancel", [invoice for row in rows for invoice in row["invoices"]])
    for row in rows:
        client.call("purchase.purchase", "write", [row["id"]], {"invoices_ignored": [["add", row["invoices"]]]})


def _receive(client: TrytonClient, by_fate: dict[Fate, list[int]], ids: Ids) -> None:
    """Receive goods: all lines, or half of the first line for orders that are to be partly received."""
    purchases = [purchase for fate in _SHIPPED for purchase in by_fate[fate]]
    partly = set(by_fate["partly_received"])
    rows = client.call("purchase.purchase", "read", purchases, ["party", "moves", "warehouse"])
    moves = {row["id"]: sorted(row["moves"])[:1] if row["id"] in partly else row["moves"] for row in rows}
    firsts = [moves[purchase][0] for purchase in sorted(partly)]
    for move in client.call("stock.move", "read", firsts, ["quantity"]):
        client.call("stock.move", "write", [move["id"]], {"quantity": float(move["quantity"] // 2)})
    warehouse = rows[0]["warehouse"]
    zones = client.call("stock.location", "read", [warehouse], ["input_location", "storage_location"])[0]
    values = [
        {
            "supplier": row["party"],
            "company": ids.company,
            "reference": f"DN-{row['id']:04d}",
            "warehouse": warehouse,
            "warehouse_input": zones["input_location"],
            "warehouse_storage": zones["storage_location"],
            "incoming_moves": [["add", moves[row["id"]]]],
        }
        for row in rows
    ]
    shipments = client.call("stock.shipment.in", "create", values)
    for batch in _batches(shipments):
        client.call("stock.shipment.in", "receive", batch)
        client.call("stock.shipment.in", "do", batch)


def _produce(client: TrytonClient, ids: Ids, *, anchor: dt.date) -> None:
    """Plan ten productions: three stay in draft, two wait, three run, two are done."""
    [warehouse] = client.call("stock.location", "search", [["type", "=", "warehouse"]], 0, 1, None)
    zones = client.call("stock.location", "read", [warehouse], ["production_location", "storage_location"])[0]
    made = [product for product in catalogue.products() if product.unit == "u"][:10]
    values = []
    for place, product in enumerate(made):
        output = {
            "product": ids.products[product.code],
            "quantity": float(5 + place),
            "unit": ids.units[product.unit],
            "from_location": zones["production_location"],
            "to_location": zones["storage_location"],
            "currency": ids.currencies["EUR"],
            "unit_price": product.price,
        }
        values.append(
            {
                "product": output["product"],
                "quantity": output["quantity"],
                "unit": output["unit"],
                "planned_date": anchor + dt.timedelta(days=7 + place),
                "planned_start_date": anchor + dt.timedelta(days=place),
                "warehouse": warehouse,
                "location": zones["production_location"],
                "outputs": [["create", [output]]],
            }
        )
    productions = client.call("production", "create", values)
    client.call("production", "wait", productions[3:])
    client.call("production", "assign_try", productions[5:])
    client.call("production", "run", productions[5:])
    client.call("production", "do", productions[8:])


def _batches(ids: list[int]) -> list[list[int]]:
    return [ids[start : start + _WORKFLOW_ROWS] for start in range(0, len(ids), _WORKFLOW_ROWS)]
