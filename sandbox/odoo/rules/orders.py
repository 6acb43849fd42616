"""Purchase orders: numbers, dates, the buttons, and what may not be done any more."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.odoo.env import Env
from sandbox.odoo.errors import user_error
from sandbox.odoo.rules import amounts
from sandbox.odoo.rules.lines import LineRules
from sandbox.odoo.store import Row
from sandbox.odoo.values import need

MODEL: Final = "purchase.order"
_LINES: Final = LineRules()


class OrderRules:
    """Rules of `purchase.order`."""

    def defaults(self, env: Env, values: Row) -> Row:
        """Give what a new order has where nothing is said."""
        partner = env.system.tables["res.partner"].get(values.get("partner_id") or 0) or {}
        company = env.system.tables["res.company"][1]
        given: Row = {
            "date_order": env.now.replace(microsecond=0),
            "state": "draft",
            "company_id": 1,
            "picking_type_id": 1,
            "user_id": env.user.uid,
            "currency_id": partner.get("property_purchase_currency_id") or company["currency_id"],
            "payment_term_id": partner.get("property_supplier_payment_term_id"),
            "currency_rate": 1.0,
            "priority": "0",
            "invoice_status": "no",
            "receipt_status": None,
        }
        return given | ({"locked": False, "acknowledged": False} if env.system.version >= 19 else {})

    def create(self, env: Env, values: Row) -> int:
        """Make an order with its lines."""
        system = env.system
        plain = {name: value for name, value in values.items() if name != "order_line"}
        row = {**self.defaults(env, values), **amounts.order_amounts([]), **plain}
        number = system.tables[MODEL].next_id
        row = {"name": f"P{number:05d}", **row} if row.get("name") in {None, "New"} else row
        need(env.model(MODEL), row)
        # The order stands first, for its lines look at it; it is noted once it is whole.
        system.add(MODEL, row, stamp=env.now, uid=env.user.uid, note=False)
        _LINES.command(env, number, values.get("order_line") or [])
        lines = system.lines(number)
        whole = amounts.order_amounts(lines) | amounts.progress(row, lines)
        if not values.get("date_planned"):
            whole["date_planned"] = amounts.earliest(lines)
        system.tables[MODEL].put({**system.tables[MODEL][number], **whole})
        system.note(MODEL, system.tables[MODEL][number], "created")
        return number

    def write(self, env: Env, number: int, values: Row) -> None:
        """Change an order and its lines; confirmed ones, too, for nothing keeps one from it."""
        plain = {name: value for name, value in values.items() if name != "order_line"}
        need(env.model(MODEL), {**env.system.tables[MODEL][number], **plain})
        env.system.change(MODEL, number, plain, stamp=env.now, uid=env.user.uid)
        if "order_line" in values:
            _LINES.command(env, number, values["order_line"])
            dates = "date_planned" not in values
            amounts.recompute(env.system, number, stamp=env.now, uid=env.user.uid, dates=dates)

    def unlink(self, env: Env, number: int) -> None:
        """Refuse to delete an order that is not cancelled."""
        if env.system.tables[MODEL][number]["state"] != "cancel":
            raise user_error("In order to delete a purchase order, you must cancel it first.")


def button_confirm(env: Env, ids: list[int]) -> bool:
    """Confirm requests for quotation; others are passed over without a word."""
    for order in _orders(env, ids):
        if order["state"] not in {"draft", "sent"}:
            continue
        limit = env.system.options.approval_limit
        if limit is not None and order["amount_total"] >= limit:
            _set(env, order, {"state": "to approve"})
        else:
            _approve(env, order)
    return True


def button_approve(env: Env, ids: list[int], force: bool = False) -> dict[str, Any]:
    """Approve orders that wait for it."""
    for order in _orders(env, ids):
        if order["state"] == "to approve" or force:
            _approve(env, order)
    return {}


def button_cancel(env: Env, ids: list[int]) -> None:
    """Cancel orders; gives nothing at all."""
    for order in _orders(env, ids):
        lines = env.system.lines(order["id"])
        if order.get("locked"):
            raise user_error("Unable to cancel purchase order(s) since they are locked. You must unlock them first.")
        if any(line["qty_received"] for line in lines):
            raise user_error(
                f"Unable to cancel purchase order {order['name']} as some receptions have already been done."
            )
        if any(line["qty_invoiced"] for line in lines):
            raise user_error("Unable to cancel this purchase order. You must first cancel the related vendor bills.")
        _set(env, order, {"state": "cancel"})


def button_draft(env: Env, ids: list[int]) -> dict[str, Any]:
    """Make requests for quotation of cancelled orders."""
    for order in _orders(env, ids):
        if order["state"] == "cancel":
            _set(env, order, {"state": "draft"})
    return {}


def button_lock(env: Env, ids: list[int]) -> None:
    """Lock orders: a state of its own up to 18, a mark since."""
    for order in _orders(env, ids):
        _set(env, order, {"locked": True} if env.system.version >= 19 else {"state": "done"})


def button_unlock(env: Env, ids: list[int]) -> None:
    """Unlock orders."""
    for order in _orders(env, ids):
        _set(env, order, {"locked": False} if env.system.version >= 19 else {"state": "purchase"})


BUTTONS: Final[Mapping[str, Callable[..., Any]]] = {
    "button_confirm": button_confirm,
    "button_approve": button_approve,
    "button_cancel": button_cancel,
    "button_draft": button_draft,
    "button_done": button_lock,
    "button_lock": button_lock,
    "button_unlock": button_unlock,
}


def receive(env: Env, number: int, share: float) -> None:
    """Let a share of what was ordered arrive, as the warehouse would book it."""
    for line in env.system.lines(number):
        if not line.get("display_type"):
            arrived = {"qty_received": line["product_qty"] * share}
            env.system.change("purchase.order.line", line["id"], arrived, stamp=env.now)
    env.system.change(MODEL, number, {"effective_date": env.now.replace(microsecond=0)}, stamp=env.now)
    amounts.recompute(env.system, number, stamp=env.now, uid=env.user.uid)


def _orders(env: Env, ids: list[int]) -> list[Row]:
    env.allow(MODEL, "write")
    return [env.system.tables[MODEL][number] for number in env.existing(MODEL, ids)]


def _approve(env: Env, order: Row) -> None:
    locked: Row = {}
    if env.system.options.lock_confirmed:
        locked = {"locked": True} if env.system.version >= 19 else {"state": "done"}
    approved: Row = {"state": "purchase", "date_approve": env.now.replace(microsecond=0)}
    _set(env, order, approved | locked)


def _set(env: Env, order: Row, values: Row) -> None:
    lines = env.system.lines(order["id"])
    told = amounts.progress({**order, **values}, lines)
    env.system.change(MODEL, order["id"], {**values, **told}, stamp=env.now, uid=env.user.uid)
