"""The simulated system as a whole: tables, clock, options, and what rules and doors work on."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Final

from sandbox.kit.clock import Clock, wall_clock
from sandbox.kit.log import Change, Edits
from sandbox.odoo.config import Config, Options
from sandbox.odoo.schema.model import models_of
from sandbox.odoo.store import Row, Table

REFERENCES: Final = {
    "purchase.order": "origin",
    "res.partner": "comment",
    "maintenance.request": "description",
}
"""Where a caller's own reference of a document may stand, by itself or behind other words."""
_REFERENCE: Final = re.compile(r"\b[A-Z0-9]{12}\b")
_PARENTS: Final = {"purchase.order.line": "order_id"}
ADMIN_UID: Final = 2


class OdooSystem:
    """One database.

    Args:
        config: Version and users.
        options: Behaviour; may be changed while running.
        clock: Where the time comes from, UTC.

    Attributes:
        edits: Every change of a record since the data was seeded; lines are parts of their order.
        spoiled: Documents that no mapping can read, by model and id.
    """

    def __init__(
        self, config: Config | None = None, options: Options | None = None, clock: Callable[[], datetime] = wall_clock
    ) -> None:
        self.config = config or Config()
        self.options = options or Options()
        self.clock = Clock(clock)
        self.edits = Edits(self.clock.now)
        self.models = models_of(self.config.version)
        self.spoiled: set[tuple[str, int]] = set()
        self.tables: dict[str, Table] = {}
        self._names: dict[tuple[str, int], tuple[int, str]] = {}
        self._noted: list[tuple[str, Row, Change]] | None = None
        self.clear()

    def clear(self) -> None:
        """Forget all records."""
        parents = _PARENTS
        self.tables = {name: Table(model, parent=parents.get(name, "")) for name, model in self.models.items()}
        self.spoiled.clear()
        self._names.clear()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all that is done in the block visible at its end, or nothing of it where it raises."""
        undo: list[Callable[[], None]] = []
        self._noted = []
        for table in self.tables.values():
            table.undo = undo
        try:
            yield
        except BaseException:
            for table in self.tables.values():
                table.undo = None
            for back in reversed(undo):
                back()
            self._noted = None
            raise
        for table in self.tables.values():
            table.undo = None
        noted, self._noted = self._noted, None
        for each in noted:
            self.note(*each)

    @property
    def version(self) -> int:
        """The major version."""
        return self.config.version

    def today(self) -> date:
        """Tell the system's date, UTC."""
        return self.clock.now().date()

    def name_for(self, name: str) -> str:
        """Give the name that this version has for a field that was renamed."""
        return _RENAMED.get((name, self.version >= 19), name)

    def add(self, model: str, values: Row, *, stamp: datetime, uid: int = ADMIN_UID, note: bool = True) -> Row:
        """Store a new record."""
        log = {"create_uid": uid, "create_date": stamp, "write_uid": uid, "write_date": stamp}
        row = {**values, **log}
        table = self.tables[model]
        row.setdefault("id", table.next_id)
        table.put(row)
        if note:
            self.note(model, row, "created")
        return row

    def change(self, model: str, number: int, values: Row, *, stamp: datetime, uid: int = ADMIN_UID) -> Row:
        """Change a record, and stamp it."""
        row = {**self.tables[model][number], **values, "write_uid": uid, "write_date": stamp}
        self.tables[model].put(row)
        self.note(model, row, "changed")
        return row

    def remove(self, model: str, number: int) -> None:
        """Take a record out without a trace, with what hangs on it."""
        row = self.tables[model][number]
        if model == "purchase.order":
            for line in self.tables["purchase.order.line"].children(number):
                self.tables["purchase.order.line"].remove(line)
        self.tables[model].remove(number)
        self.spoiled.discard((model, number))
        self.note(model, row, "vanished")

    def note(self, model: str, row: Row, change: Change) -> None:
        """Note a change of a document, or of a part of one, once the transaction is over."""
        if self._noted is not None:
            self._noted.append((model, row, change))
            return
        if model in _PARENTS:
            order = row[_PARENTS[model]]
            if order in self.tables["purchase.order"]:
                stamp = self.tables["purchase.order"][order]["write_date"]
                part = f"{model}({row['id']})"
                self.edits.note("purchase.order", str(order), "changed", stamp=stamp, part=part)
            return
        told = row.get(REFERENCES.get(model, "")) or None
        reference = (_REFERENCE.findall(told) or [told])[-1] if told else None
        self.edits.note(
            model,
            str(row["id"]),
            change,
            stamp=row["write_date"],
            reference=reference,
            mappable=(model, row["id"]) not in self.spoiled,
        )

    def lines(self, order: int) -> list[Row]:
        """Give the lines of an order, as people see them."""
        table = self.tables["purchase.order.line"]
        rows = [table[number] for number in table.children(order)]
        return sorted(rows, key=lambda row: (row["sequence"], row["id"]))

    def named(self, model: str, number: int) -> str:
        """Give the name by which people know a record."""
        table = self.tables["product.product" if model == "product.template" else model]
        cached = self._names.get((model, number))
        if cached is not None and cached[0] == table.version:
            return cached[1]
        row = table.get(number)
        name = _name_of(model, row) if row is not None else ""
        self._names[model, number] = (table.version, name)
        return name


_RENAMED: Final = {
    ("product_uom", True): "product_uom_id",
    ("taxes_id", True): "tax_ids",
    ("notes", True): "note",
}


# What else stands in a record's name, and how.
_NAMED_BY: Final = {
    "product.product": "default_code",
    "product.template": "default_code",
    "purchase.order": "partner_ref",
    "maintenance.equipment": "serial_no",
    "stock.location": "complete_name",
}
_NAMES: Final = {
    "product.product": "[{1}] {0}",
    "product.template": "[{1}] {0}",
    "purchase.order": "{0} ({1})",
    "maintenance.equipment": "{0}/{1}",
}


def _name_of(model: str, row: Row) -> str:
    name, more = str(row.get("name") or ""), row.get(_NAMED_BY.get(model, ""))
    match model:
        case "stock.location":
            return str(more or name)
        case "stock.picking.type":
            return f"My Company: {name}"
        case "stock.quant":
            return f"Quant {row['id']}"
    return _NAMES[model].format(name, more) if more else name
