"""What is true in a ledger: orders, vendors and items; every change of them is noted in its log."""

import itertools
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from sandbox.kit.clock import Clock
from sandbox.kit.log import Change, Edits
from sandbox.kit.system import Document
from sandbox.ledger.seeds import ITEMS, Seeds
from sandbox.ledger.tables import JsonObject, Table

KEY: Final = "ledger-key"
ORDERS: Final = "orders"
VENDORS: Final = "vendors"
UNREADABLE: Final = "EURO"
"""What spoils an order: as a currency, none."""


class Books:
    """A ledger's tables; changed by these methods as its own users would.

    Attributes:
        page_size: Rows a page.
        key: What it lets in.
        closed: Paths that this key may not use: 403.
        tombstones: Whether it tells what vanished; otherwise only the absence does.
        vanished: Key → when, of the orders that vanished.
    """

    def __init__(self, clock: Clock, *, seeds: Seeds | None = None, page_size: int = 2, key: str = KEY) -> None:
        self.clock = clock
        self.edits = Edits(clock.now)
        self.seeds = seeds or Seeds(clock.now())
        self.page_size = page_size
        self.key = key
        self.closed: set[str] = set()
        self.tombstones = False
        self.vanished: dict[str, str] = {}
        self.spoiled: set[str] = set()
        self.items = {"i1": "BOLT-8", "i2": "NUT-8", "i3": "TWIN", "i4": "TWIN"}
        self.items |= {f"p{n}": f"PART-{n:04d}" for n in range(1, ITEMS + 1)} if self.seeds.orders else {}
        self.orders = Table(self.seeds)
        self.vendors = Table()
        for n in range(1, self.seeds.vendors + 1):
            self.vendors.put(f"v{n}", self.seeds.vendor(n))
        self._numbers = itertools.count(self.seeds.orders + 1)

    @property
    def now(self) -> datetime:
        """Its own time, UTC."""
        return self.clock.now()

    def reserve(self) -> str:
        """Draw the key of an order that is still to be made."""
        return self.seeds.key(next(self._numbers))

    def add(self, *, at: str | None = None, stamp: datetime | None = None, **values: Any) -> str:
        """Make an order with two lines, stamped now; gives its key. `at` is a key that was reserved."""
        key = at or self.reserve()
        when = (stamp or self.clock.stamp()).isoformat()
        told = (("BOLT-8", "10", "1.50"), ("NUT-8", "4", "0.25"))
        lines = [self.line(f"{key}-{n}", *each, stamp=stamp) for n, each in enumerate(told, 1)]
        made = {"id": key, "number": f"L{int(key)}", "status": "APPROVED", "vendor": "v1", "currency": "EUR"}
        own = {"notes": None, "date": "2026-05-20", "changed": when, "version": 1, "lines": lines}
        self._put(ORDERS, key, {**made, **own, **values}, "created")
        return key

    def line(self, key: str, item: str, quantity: str, price: str, *, stamp: datetime | None = None) -> JsonObject:
        """Make a line, stamped now."""
        when = (stamp or self.clock.stamp()).isoformat()
        return {"id": key, "item": item, "quantity": quantity, "uom": "pc", "price": price, "changed": when}

    def add_vendor(self, key: str, name: str, **values: Any) -> None:
        """Make a vendor, stamped now; its code is its key in capitals."""
        known = key in self.vendors
        own = {"changed": self._stamp(), "version": self.vendors[key]["version"] + 1 if known else 1}
        row = {"id": key, "code": key.upper(), "name": name, **own, **values}
        self._put(VENDORS, key, row, "changed" if known else "created")

    def change(self, key: str, *, stamp: datetime | None = None, **values: Any) -> None:
        """Change an order and stamp it."""
        self.amend(key, **{"changed": (stamp or self.clock.stamp()).isoformat(), **values})

    def amend(self, key: str, **values: Any) -> None:
        """Change an order and leave its stamp as it is, unless `changed` is among the values."""
        row = self.orders[key]
        self._put(ORDERS, key, {**row, "version": row["version"] + 1, **values}, "changed")

    def change_line(self, key: str, place: int, *, stamp: datetime | None = None, **values: Any) -> None:
        """Change a line of an order, and stamp only the line."""
        lines = self.orders[key]["lines"]
        lines[place] |= {"changed": (stamp or self.clock.stamp()).isoformat(), **values}
        self.amend(key, lines=lines)

    def vanish(self, key: str) -> None:
        """Take an order out; nothing tells, but for tombstones where they are on."""
        self.orders.remove(key)
        self.spoiled.discard(key)
        self.vanished[key] = self._stamp()
        self.edits.note(ORDERS, key, "vanished", stamp=None)

    def pass_time(self, **more: float) -> None:
        """Move its clock on."""
        self.clock.offset += timedelta(**more)

    def documents(self, entity: str) -> Iterator[Document]:
        """Yield every row of `orders` or `vendors`, as whoever reads now is given it."""
        table = {ORDERS: self.orders, VENDORS: self.vendors}[entity]
        for key in list(table):
            body: Mapping[str, Any] = orjson.loads(table.body(key))
            yield Document(key, body["version"], body, entity != ORDERS or key not in self.spoiled)

    def _put(self, entity: str, key: str, values: JsonObject, change: Change) -> None:
        table = self.orders if entity == ORDERS else self.vendors
        body = table.put(key, values)
        readable = values.get("currency") != UNREADABLE
        (self.spoiled.discard if readable else self.spoiled.add)(key)
        self.edits.note(
            entity,
            key,
            change,
            stamp=datetime.fromisoformat(values["changed"]),
            reference=values.get("last_reference") or values.get("reference"),
            mappable=readable,
            body=body,
        )

    def _stamp(self) -> str:
        return self.clock.stamp().isoformat()
