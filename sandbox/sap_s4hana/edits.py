"""What the customer's own users do in SAP: purchase orders made, changed, spoiled and archived at random."""

import random
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sandbox.sap_s4hana.odata.encode import follow
from sandbox.sap_s4hana.store import Row
from sandbox.sap_s4hana.system import S4System

ORDERS: Final = "A_PurchaseOrder"
_PARTS: Final = ("A_PurchaseOrderItem", "A_PurchaseOrderScheduleLine", "A_PurOrdAccountAssignment")
UNREADABLE: Final = "?????"
"""As long as a currency may be in SAP, and none."""
_PLACES: Final = ("Gdańsk", "Lyon", "Porto", "Tampere", "Ulm")


class OrderEditor:
    """Edits purchase orders; see sandbox.kit.system.Editor."""

    entity = ORDERS

    def __init__(self, system: S4System) -> None:
        self._system = system

    def keys(self) -> Sequence[str]:
        """Give the numbers of all orders."""
        return [key[0] for key in self._system.tables[ORDERS].keys()]  # noqa: SIM118  (a Table, not a dict)

    def reserve(self) -> str:
        """Draw the number of an order that is still to be made."""
        return self._system.number("purchase_order")

    def create(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Make an order after the model of another."""
        model, number = self._order(rng.choice(self.keys())), key
        own = {"PurchaseOrder": number, "LastChangeDateTime": stamp, "CorrespncExternalReference": ""}
        self._system.add(ORDERS, {**model, **own, "DocumentCurrency": self._currency(model)})
        for name in _PARTS:
            table = self._system.tables[name]
            for row in table.children(model["PurchaseOrder"]):
                self._system.add(name, {**row, table.type.key[0]: number})

    def change(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Change the header, and the price of an item."""
        order = self._order(key)
        item = self._item(order, rng)
        if item is not None:
            item["NetPriceAmount"] = Decimal(rng.randint(100, 99_900) // 100 * 100) / 100
            self._system.changed(item)
        order.set(IncotermsLocation1=f"{rng.choice(_PLACES)} {rng.randint(1, 9999)}", LastChangeDateTime=stamp)
        self._system.changed(order)

    def change_part(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Change the quantity of an item; the order's stamp moves where the options say so."""
        order = self._order(key)
        item = self._item(order, rng)
        if item is None:
            return
        item["OrderQuantity"] = Decimal(rng.randint(1, 90))
        self._system.changed(item)
        if self._system.options.bump_on_item_change:
            order["LastChangeDateTime"] = stamp
            self._system.changed(order)

    def spoil(self, key: str, stamp: datetime) -> None:
        """Give the order a currency that is none."""
        self._system.spoiled.add((ORDERS, key))
        self._set(key, DocumentCurrency=UNREADABLE, LastChangeDateTime=stamp)

    def mend(self, key: str, stamp: datetime) -> None:
        """Give the order the currency of its items."""
        self._system.spoiled.discard((ORDERS, key))
        self._set(key, DocumentCurrency=self._currency(self._order(key)), LastChangeDateTime=stamp)

    def vanish(self, key: str) -> None:
        """Archive the order with all that hangs on it."""
        self._system.spoiled.discard((ORDERS, key))
        archive(self._system, self._order(key))

    def _set(self, key: str, **values: Any) -> None:
        self._system.changed(self._order(key).set(**values))

    def _order(self, key: str) -> Row:
        row = self._system.tables[ORDERS].get(key)
        if row is None:
            raise LookupError(f"no order {key}")
        return row

    def _item(self, order: Row, rng: random.Random) -> Row | None:
        items = self._system.tables["A_PurchaseOrderItem"].children(order["PurchaseOrder"])
        return rng.choice(items) if items else None

    def _currency(self, order: Row) -> str:
        items = self._system.tables["A_PurchaseOrderItem"].children(order["PurchaseOrder"])
        currency: str = items[0]["DocumentCurrency"] if items else "EUR"
        return currency


def archive(system: S4System, row: Row) -> None:
    """Take a row out with all that hangs on it."""
    for navigation in row.type.navigation.values():
        if navigation.many:
            for child in follow(system.tables, row, navigation):
                archive(system, child)
    system.remove(row)
