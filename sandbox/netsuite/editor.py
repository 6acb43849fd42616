"""What the customer's own users do in NetSuite: purchase orders made, changed, spoiled and deleted at random."""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sandbox.netsuite.records.orders import Orders
from sandbox.netsuite.store import Row
from sandbox.netsuite.system import NetSuite

ORDERS: Final = "purchaseOrder"
UNREADABLE: Final = 99
"""A currency whose symbol is none."""
_WORDS: Final = ("gate", "ramp", "dock", "yard", "store")


class OrderEditor:
    """Edits purchase orders; see sandbox.kit.system.Editor."""

    entity = ORDERS

    def __init__(self, system: NetSuite, orders: Orders) -> None:
        self._system = system
        self._store = system.store
        self._orders = orders

    def keys(self) -> Sequence[str]:
        """Give the ids of all orders."""
        found = self._store.db.execute("SELECT id FROM \"transaction\" WHERE type = 'PurchOrd' ORDER BY id")
        return [str(key) for (key,) in found]

    def reserve(self) -> str:
        """Draw the id of an order that is still to be made."""
        return str(self._system.new_transaction())

    def create(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Make an order after the model of another."""
        model = self._order(rng.choice([each for each in self.keys() if (ORDERS, each) not in self._system.spoiled]))
        number = int(key)
        own = {"id": number, "tranid": f"PO{number:05d}", "externalid": None, **self._system.stamped(stamp)}
        self._store.add("transaction", {**model, **own, "transactionnumber": f"PURCHORD{number}"})
        for line in list(self._store.rows("transactionline", {"transaction": model["id"]})):
            unique = number * 1000 + line["id"]
            self._store.add("transactionline", {**line, "transaction": number, "uniquekey": unique})
        self._note(key, "created", stamp)

    def change(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Change the memo, and the rate of a line."""
        line = self._line(key, rng)
        if line is not None:
            rate = rng.randint(100, 99_900) / 100
            self._set_line(line, rate=rate, foreignamount=round(line["quantity"] * rate, 2))
        self._set(key, stamp, memo=f"{rng.choice(_WORDS)} {rng.randint(1, 1_000_000)}")

    def change_part(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Change the quantity of a line; NetSuite saves the whole order, so its stamp moves."""
        line = self._line(key, rng)
        if line is not None:
            quantity = float(rng.randint(500, 999))
            self._set_line(line, quantity=quantity, foreignamount=round(quantity * (line["rate"] or 0), 2))
        self._set(key, stamp)

    def spoil(self, key: str, stamp: datetime) -> None:
        """Give the order a currency that has no ISO code."""
        self._system.spoiled.add((ORDERS, key))
        self._set(key, stamp, currency=UNREADABLE)

    def mend(self, key: str, stamp: datetime) -> None:
        """Give the order a currency."""
        self._system.spoiled.discard((ORDERS, key))
        self._set(key, stamp, currency=1)

    def vanish(self, key: str) -> None:
        """Delete the order; the table of deleted records tells."""
        self._system.spoiled.discard((ORDERS, key))
        order = self._order(key)
        self._orders.remove(order["id"])
        self._system.forget(ORDERS, order["id"], f"Purchase Order #{order['tranid']}")

    def _set(self, key: str, stamp: datetime, **values: Any) -> None:
        self._store.change("transaction", {"id": int(key)}, {**values, **self._system.stamped(stamp)})
        self._orders.settle(int(key))
        self._note(key, "changed", stamp)

    def _set_line(self, line: Row, **values: Any) -> None:
        self._store.change("transactionline", {"transaction": line["transaction"], "id": line["id"]}, values)

    def _note(self, key: str, change: Any, stamp: datetime) -> None:
        mappable = (ORDERS, key) not in self._system.spoiled
        self._system.edits.note(ORDERS, key, change, stamp=stamp.replace(microsecond=0), mappable=mappable)

    def _order(self, key: str) -> Row:
        row = self._store.one("transaction", {"id": int(key)})
        if row is None:
            raise LookupError(f"no order {key}")
        return row

    def _line(self, key: str, rng: random.Random) -> Row | None:
        lines = [
            line for line in self._store.rows("transactionline", {"transaction": int(key)}) if line["mainline"] == "F"
        ]
        return rng.choice(lines) if lines else None
