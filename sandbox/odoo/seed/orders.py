"""Demo purchase orders, each made anew from its number whenever somebody looks at it: nothing is kept of them."""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final

from sandbox.odoo.rules import amounts
from sandbox.odoo.store import Row, Stamped
from sandbox.odoo.system import OdooSystem

RECENT_DAYS: Final = 80
_OLD_EACH: Final = 8
_NOTE_EACH: Final = 9
_MASK: Final = (1 << 64) - 1
_DAY_S: Final = 86_400
_KEPT: Final = 4096
_LIGHT: Final = frozenset({"id", "name", "partner_id", "date_order", "state", "create_date", "write_date"})
_LIGHT_LINE: Final = frozenset({"id", "order_id", "write_date"})


@dataclass(frozen=True, slots=True)
class _State:
    """What has become of an order."""

    state: str = "purchase"
    received: float = 0.0
    billed: float = 0.0
    locked: bool = False


_STATES: Final = (
    *(_State() for _ in range(6)),
    _State("draft"),
    _State("draft"),
    _State("sent"),
    _State("to approve"),
    _State("cancel"),
    _State(received=0.5),
    _State(received=0.5),
    _State(received=1.0),
    _State(received=1.0),
    _State(received=1.0, billed=1.0),
    _State(received=1.0, billed=1.0, locked=True),
    _State(locked=True),
    _State(),
    _State(),
)


def mixed(seed: int, number: int, salt: int) -> int:
    """Give a number that looks random and is always the same for the same three (splitmix64)."""
    value = (seed * 0x9E3779B97F4A7C15 + number * 0xBF58476D1CE4E5B9 + salt * 0x94D049BB133111EB) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


class OrderBase:
    """Seeded orders; see sandbox.odoo.store.Base."""

    def __init__(
        self, system: OdooSystem, count: int, vendors: Sequence[int], products: Sequence[int], *, seed: int, today: date
    ) -> None:
        self.count = count
        self.light_fields = _LIGHT
        self.system = system
        self.products = products
        self.seed = seed
        self._vendors = vendors
        self._today = today
        counts = (1 + mixed(seed, number, 1) % 4 + (number % _NOTE_EACH == 0) for number in range(1, count + 1))
        self.starts = array("L", accumulate(counts, initial=0))
        self.taxes: list[int] = [] if system.config.euro else [2]
        self.unit = system.name_for("product_uom")
        self.tax_field = system.name_for("taxes_id")
        self.lines = lru_cache(_KEPT)(self._lines)
        self.make = lru_cache(_KEPT)(self._make)

    def _make(self, number: int) -> Row:
        """Make an order; whoever changes it stores another."""
        state, light = _STATES[number % len(_STATES)], self.light(number)
        created, now = light["create_date"], light["write_date"]
        lines = self.lines(number)
        confirmed = state.state == "purchase"
        modern = self.system.version >= 19
        row: Row = {
            **light,
            "partner_ref": f"SUP-{number % 997:03d}" if number % 3 == 0 else None,
            "origin": f"REQ{number % 5000:04d}" if number % 4 == 0 else None,
            "date_approve": (created + timedelta(hours=2)).replace(microsecond=0) if confirmed else None,
            "effective_date": now.replace(microsecond=0) if state.received else None,
            "currency_id": 2 if number % 10 == 7 else 1,
            "currency_rate": 1.0,
            "payment_term_id": 1 + number % 4 if number % 5 else None,
            "incoterm_id": 1 + number % 3 if number % 3 else None,
            "picking_type_id": 1,
            "company_id": 1,
            "user_id": 2 if number % 2 else 6,
            self.system.name_for("notes"): f"<p>Deliver to gate {number % 5 + 1}.</p>" if number % 9 == 0 else None,
            "priority": "1" if number % 10 == 0 else "0",
            "x_studio_project_code": f"P-{number % 7:03d}" if number % 3 else None,
            "x_studio_budget_approved": number % 4 == 0,
            "create_uid": 2,
            "write_uid": 2,
        }
        if modern:
            row |= {"locked": state.locked, "acknowledged": False}
        row |= amounts.order_amounts(lines) | amounts.progress(row, lines)
        row["date_planned"] = amounts.earliest(lines)
        return row

    def light(self, number: int) -> Row:
        """Make what of an order does not hang on its lines."""
        state, created = _STATES[number % len(_STATES)], self.created(number)
        return {
            "id": number,
            "name": f"P{number:05d}",
            "partner_id": self.vendor(number),
            "date_order": created.replace(microsecond=0),
            "state": "done" if state.locked and self.system.version < 19 else state.state,
            "create_date": created,
            "write_date": self.stamp(number),
        }

    def stamps(self) -> list[Stamped]:
        """Give write_date and id of all, sorted."""
        return sorted((self.stamp(number), number) for number in range(1, self.count + 1))

    def children(self, _parent: int) -> range:
        """Give nothing: orders hang on nothing."""
        return range(0)

    def vendor(self, number: int) -> int:
        """Give whom an order goes to."""
        return self._vendors[mixed(self.seed, number, 2) % len(self._vendors)]

    def created(self, number: int) -> datetime:
        """Give when an order was made; the oldest has the lowest number, but for every eighth."""
        place = number - 1
        if place % _OLD_EACH == _OLD_EACH - 1:
            back = 95 + mixed(self.seed, number, 3) % 305
        else:
            back = 1 + (self.count - 1 - place) * RECENT_DAYS // self.count
        inside = mixed(self.seed, number, 4)
        start = datetime.combine(self._today - timedelta(days=back), time(6), UTC)
        return start + timedelta(seconds=inside % (_DAY_S // 2), microseconds=inside // 7 % 1_000_000)

    def stamp(self, number: int) -> datetime:
        """Give when an order was last changed: some days after it was made, before today."""
        created, chance = self.created(number), mixed(self.seed, number, 5)
        left = (self._today - created.date()).days - 1
        later = chance // 10 % left if chance % 10 < 4 and left > 0 else 0
        return created + timedelta(days=later, hours=3, microseconds=chance % 999_983)

    def _lines(self, number: int) -> list[Row]:
        return [self.line(number, line) for line in range(self.starts[number - 1] + 1, self.starts[number] + 1)]

    def line(self, order: int, number: int) -> Row:
        """Make a line of an order."""
        place, chance = number - self.starts[order - 1] - 1, mixed(self.seed, number, 6)
        created, stamp = self.created(order), self.stamp(order)
        log: Row = {"create_uid": 2, "create_date": created, "write_uid": 2, "write_date": stamp}
        row: Row = {"id": number, "order_id": order, "sequence": 10 + place, "company_id": 1, **log}
        last = number == self.starts[order]
        if order % _NOTE_EACH == 0 and last:
            return row | _note(f"Deliver to gate {order % 5 + 1}.", self.unit, self.tax_field)
        state = _STATES[order % len(_STATES)]
        product = self.system.tables["product.product"][self.products[chance % len(self.products)]]
        quantity = float(1 + chance // 11 % 60)
        priced: Row = {
            "display_type": None,
            "product_id": product["id"],
            "name": f"[{product['default_code']}] {product['name']}",
            "product_qty": quantity,
            self.unit: product["uom_id"],
            "price_unit": product["standard_price"],
            self.tax_field: self.taxes,
            "date_planned": (created + timedelta(days=5 + chance % 36)).replace(microsecond=0),
            "qty_received": _share(quantity, state.received),
            "qty_invoiced": _share(quantity, state.billed),
            "x_studio_inspection_level": ("", "01", "02")[place % 3] or None,
        }
        if self.system.version >= 17:
            priced["discount"] = 5.0 if chance % 10 == 3 else 0.0
        return row | priced | amounts.line_amounts(self.system, priced)


class LineBase:
    """Seeded lines; see sandbox.odoo.store.Base."""

    def __init__(self, orders: OrderBase) -> None:
        self._orders = orders
        self.count = orders.starts[-1]
        self.light_fields = _LIGHT_LINE

    def make(self, number: int) -> Row:
        """Make a line."""
        order = bisect_right(self._orders.starts, number - 1)
        return self._orders.lines(order)[number - self._orders.starts[order - 1] - 1]

    def light(self, number: int) -> Row:
        """Make what tells where a line belongs, and when it changed."""
        order = bisect_right(self._orders.starts, number - 1)
        return {"id": number, "order_id": order, "write_date": self._orders.stamp(order)}

    def stamps(self) -> list[Stamped]:
        """Give write_date and id of all, sorted."""
        orders = self._orders
        found: list[Any] = []
        for order in range(1, orders.count + 1):
            stamp = orders.stamp(order)
            found += [(stamp, line) for line in self.children(order)]
        return sorted(found)

    def children(self, parent: int) -> range:
        """Give the ids of an order's lines."""
        if not 1 <= parent <= self._orders.count:
            return range(0)
        return range(self._orders.starts[parent - 1] + 1, self._orders.starts[parent] + 1)


def _share(quantity: float, share: float) -> float:
    return quantity if share == 1 else float(int(quantity * share))


def _note(text: str, unit: str, taxes: str) -> Row:
    nothing = dict.fromkeys(
        ("product_qty", "product_uom_qty", "price_unit", "price_subtotal", "price_tax", "price_total", "qty_received",
         "qty_invoiced"), 0.0
    )  # fmt: skip
    return {"display_type": "line_note", "name": text, "product_id": None, unit: None, taxes: [], **nothing}
