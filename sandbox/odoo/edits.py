"""What the customer's own users do in Odoo: purchase orders made, changed, spoiled and deleted at random."""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sandbox.odoo.rules import amounts
from sandbox.odoo.seed.masters import UNREADABLE_CURRENCY
from sandbox.odoo.store import Row
from sandbox.odoo.system import OdooSystem

ORDERS: Final = "purchase.order"
LINES: Final = "purchase.order.line"


class OrderEditor:
    """Edits purchase orders; see sandbox.kit.system.Editor."""

    entity = ORDERS

    def __init__(self, system: OdooSystem) -> None:
        self._system = system

    def keys(self) -> Sequence[str]:
        """Give the ids of all orders."""
        return [str(number) for number in self._system.tables[ORDERS].ids()]

    def reserve(self) -> str:
        """Draw the id of an order that is still to be made, as a sequence does."""
        table = self._system.tables[ORDERS]
        table.next_id += 1
        return str(table.next_id - 1)

    def create(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Make an order after the model of another."""
        ids = self._system.tables[ORDERS].ids()
        model = self._system.tables[ORDERS][ids[rng.randrange(len(ids))]]
        own: Row = {"id": int(key), "name": f"P{int(key):05d}", "currency_id": 1, "origin": None}
        self._system.add(ORDERS, {**model, **own}, stamp=stamp)
        for line in self._system.lines(model["id"]):
            fresh = {name: value for name, value in line.items() if name != "id"}
            self._system.add(LINES, {**fresh, "order_id": int(key)}, stamp=stamp)

    def change(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Change the vendor's reference, and the price of a line."""
        order = self._order(key)
        line = self._line(order, rng)
        if line is not None:
            priced = {**line, "price_unit": rng.randint(100, 99_900) / 100}
            self._system.change(LINES, line["id"], priced | amounts.line_amounts(self._system, priced), stamp=stamp)
        totals = amounts.order_amounts(self._system.lines(order["id"]))
        self._system.change(ORDERS, order["id"], totals | {"partner_ref": f"REF-{rng.randint(1, 9999)}"}, stamp=stamp)

    def change_part(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Change the text of a line, which leaves the order's stamp where it is, or its quantity, which moves it."""
        order = self._order(key)
        line = self._line(order, rng)
        if line is None:
            return
        if rng.random() < 0.5:
            text = f"{line['name'].partition(' · ')[0]} · {rng.randint(1, 9999)}"
            self._system.change(LINES, line["id"], {"name": text}, stamp=stamp)
            return
        counted = {**line, "product_qty": float(rng.randint(1, 90))}
        self._system.change(LINES, line["id"], counted | amounts.line_amounts(self._system, counted), stamp=stamp)
        amounts.recompute(self._system, order["id"], stamp=stamp, uid=2)

    def spoil(self, key: str, stamp: datetime) -> None:
        """Give the order a currency that is none."""
        self._system.spoiled.add((ORDERS, int(key)))
        self._system.change(ORDERS, int(key), {"currency_id": UNREADABLE_CURRENCY}, stamp=stamp)

    def mend(self, key: str, stamp: datetime) -> None:
        """Give the order the company's currency."""
        self._system.spoiled.discard((ORDERS, int(key)))
        self._system.change(ORDERS, int(key), {"currency_id": 1}, stamp=stamp)

    def vanish(self, key: str) -> None:
        """Delete the order with its lines; there is no tombstone."""
        self._system.remove(ORDERS, int(key))

    def _order(self, key: str) -> Row:
        return self._system.tables[ORDERS][int(key)]

    def _line(self, order: Row, rng: random.Random) -> Row | None:
        goods = [line for line in self._system.lines(order["id"]) if not line.get("display_type")]
        return rng.choice(goods) if goods else None
