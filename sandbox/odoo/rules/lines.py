"""Lines of purchase orders: what is filled in by itself, what a change of one does to its order."""

from datetime import timedelta
from typing import Any, Final

from sandbox.odoo.env import Env
from sandbox.odoo.errors import bad_value, user_error, validation
from sandbox.odoo.rules import amounts
from sandbox.odoo.store import Row
from sandbox.odoo.values import cleaned, need

MODEL: Final = "purchase.order.line"
_CONFIRMED: Final = {"purchase": "Purchase Order", "done": "Locked", "to approve": "To Approve"}


class LineRules:
    """Rules of `purchase.order.line`."""

    def defaults(self, _env: Env, _values: Row) -> Row:
        """Give what a new line has where nothing is said."""
        return {"sequence": 10, "qty_received": 0.0, "qty_invoiced": 0.0, "price_unit": 0.0, "company_id": 1}

    def create(self, env: Env, values: Row) -> int:
        """Add a line by itself; its order follows."""
        number = self.add(env, values)
        amounts.recompute(env.system, values["order_id"], stamp=env.now, uid=env.user.uid, dates=True)
        return number

    def add(self, env: Env, values: Row) -> int:
        """Store a new line of an order that is there.

        Raises:
            OdooError: ValidationError: a mandatory field is missing, or a note has goods.
        """
        row = {**self.defaults(env, values), **values}
        if row.get("order_id") in env.system.tables["purchase.order"]:
            row = self._completed(env, row)
        need(env.model(MODEL), row)
        made: int = env.system.add(MODEL, row, stamp=env.now, uid=env.user.uid)["id"]
        return made

    def write(self, env: Env, number: int, values: Row) -> None:
        """Change a line; the order is stamped only where its own stored values change."""
        line = self.change(env, number, values)
        amounts.recompute(env.system, line["order_id"], stamp=env.now, uid=env.user.uid, dates="date_planned" in values)

    def change(self, env: Env, number: int, values: Row) -> Row:
        """Store a change of a line."""
        before = env.system.tables[MODEL][number]
        row = {**before, **_taxes(env, before, values)}
        if values.keys() & amounts.PRICED:
            row |= amounts.line_amounts(env.system, row)
        return env.system.change(MODEL, number, row, stamp=env.now, uid=env.user.uid)

    def unlink(self, env: Env, number: int) -> None:
        """Refuse to delete a line of a confirmed order."""
        line = env.system.tables[MODEL][number]
        state = env.system.tables["purchase.order"][line["order_id"]]["state"]
        if state in _CONFIRMED and not line.get("display_type"):
            raise user_error(
                f"Cannot delete a purchase order line which is in state “{_CONFIRMED[state]}”."
                if env.system.version >= 17
                else f"Cannot delete a purchase order line which is in state '{state}'."
            )

    def command(self, env: Env, order: int, commands: Any) -> None:
        """Carry out x2many commands on the lines of an order.

        Raises:
            OdooError: A command that there is not, or one that the rules refuse.
        """
        if not isinstance(commands, list):
            raise bad_value(f"Wrong value for purchase.order.order_line: {commands!r}")
        for each in commands:
            match each:
                case [0, _, dict(values)]:
                    self.add(env, {**cleaned(env, env.model(MODEL), values), "order_id": order})
                case [1, int(number), dict(values)]:
                    env.existing(MODEL, [number])
                    self.change(env, number, cleaned(env, env.model(MODEL), values))
                case [2 | 3, int(number), *_]:
                    env.existing(MODEL, [number])
                    self._remove(env, number)
                case [4, int(), *_]:
                    continue
                case [5, *_]:
                    for number in list(env.system.tables[MODEL].children(order)):
                        self._remove(env, number)
                case _:
                    raise bad_value(f"Unknown x2many command {each!r}")

    def _remove(self, env: Env, number: int) -> None:
        self.unlink(env, number)
        env.system.remove(MODEL, number)

    def _completed(self, env: Env, row: Row) -> Row:
        """Fill in what the product, the vendor and the order tell."""
        system = env.system
        unit = system.name_for("product_uom")
        if row.get("display_type"):
            if row.get("product_id") or row.get("product_qty"):
                raise validation("Forbidden values on non-accountable purchase order line")
            empty: Row = {"product_qty": 0.0, "product_id": None, unit: None, "date_planned": None}
            return row | empty | {"price_subtotal": 0.0, "price_tax": 0.0, "price_total": 0.0, "product_uom_qty": 0.0}
        order = system.tables["purchase.order"][row["order_id"]]
        product = system.tables["product.product"].get(row.get("product_id") or 0)
        if product is None:
            raise validation("Missing required fields on accountable purchase order line.")
        filled = {
            "name": system.named("product.product", product["id"]),
            unit: product.get("uom_po_id") or product["uom_id"],
            "product_qty": 1.0,
            "date_planned": order["date_order"] + timedelta(days=_delay(env, product["id"], order["partner_id"])),
            system.name_for("taxes_id"): [] if system.config.euro else [2],
        }
        filled |= {} if row.get("price_unit") else {"price_unit": product["standard_price"]}
        row = {**filled, **_taxes(env, {}, row)}
        if not row["price_unit"]:
            row["price_unit"] = 0.0
        return row | amounts.line_amounts(system, row)


def _delay(env: Env, product: int, vendor: int) -> int:
    """Give the vendor's lead time for a product; 0 where it is not one of its vendors."""
    infos = env.system.tables["product.supplierinfo"]
    rows = (infos[number] for number in infos.ids())
    return next((r["delay"] for r in rows if r["product_id"] == product and r["partner_id"] == vendor), 0)


def _taxes(env: Env, before: Row, values: Row) -> Row:
    """Carry out x2many commands on the taxes."""
    name = env.system.name_for("taxes_id")
    if name not in values:
        return values
    taxes = list(before.get(name) or ())
    for each in values[name] or ():
        match each:
            case [6, _, list(ids)]:
                taxes = list(ids)
            case [4, int(number), *_]:
                taxes.append(number)
            case [3 | 2, int(number), *_] if number in taxes:
                taxes.remove(number)
            case [5, *_]:
                taxes = []
            case int(number):
                taxes.append(number)
            case _:
                raise bad_value(f"Unknown x2many command {each!r}")
    return {**values, name: taxes}
