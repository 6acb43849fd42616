"""What an order and its lines come to, and how far they are received and billed."""

from datetime import datetime
from typing import Any, Final

from sandbox.odoo.store import Row
from sandbox.odoo.system import OdooSystem
from sandbox.odoo.values import rounded

PRICED: Final = frozenset({"product_qty", "price_unit", "discount", "taxes_id", "tax_ids"})


def line_amounts(system: OdooSystem, line: Row) -> Row:
    """Give subtotal, tax and total of a line."""
    net = rounded(line["product_qty"] * line["price_unit"] * (1 - (line.get("discount") or 0) / 100), 2)
    taxes = line.get(system.name_for("taxes_id")) or ()
    rate = sum(system.tables["account.tax"][number]["amount"] for number in taxes)
    tax = rounded(net * rate / 100, 2)
    return {
        "price_subtotal": net,
        "price_tax": tax,
        "price_total": rounded(net + tax, 2),
        "product_uom_qty": line["product_qty"],
    }


def order_amounts(lines: list[Row]) -> Row:
    """Give the totals of an order."""
    return {
        "amount_untaxed": rounded(sum(line["price_subtotal"] for line in lines), 2),
        "amount_tax": rounded(sum(line["price_tax"] for line in lines), 2),
        "amount_total": rounded(sum(line["price_total"] for line in lines), 2),
    }


def progress(order: Row, lines: list[Row]) -> Row:
    """Give how far an order is received and billed."""
    goods = [line for line in lines if not line.get("display_type")]
    if order["state"] not in {"purchase", "done"} or not goods:
        return {"receipt_status": None, "invoice_status": "no"}
    received = [line["qty_received"] >= line["product_qty"] for line in goods]
    any_received = any(line["qty_received"] for line in goods)
    billed = all(line["qty_invoiced"] >= line["product_qty"] for line in goods)
    return {
        "receipt_status": "full" if all(received) else "partial" if any_received else "pending",
        "invoice_status": "invoiced" if billed else "to invoice" if any_received else "no",
    }


def earliest(lines: list[Row]) -> datetime | None:
    """Give the earliest date of the lines."""
    dates: list[Any] = [line["date_planned"] for line in lines if line.get("date_planned")]
    return min(dates, default=None)


def recompute(system: OdooSystem, number: int, *, stamp: datetime, uid: int, dates: bool = False) -> bool:
    """Bring an order in line with its lines; only what truly changes moves its stamp.

    Args:
        dates: The order's expected arrival follows its lines, too.
    """
    order, lines = system.tables["purchase.order"][number], system.lines(number)
    wanted = order_amounts(lines) | progress(order, lines)
    if dates and (day := earliest(lines)) is not None:
        wanted["date_planned"] = day
    changed = {name: value for name, value in wanted.items() if order.get(name) != value}
    if changed:
        system.change("purchase.order", number, changed, stamp=stamp, uid=uid)
    return bool(changed)
