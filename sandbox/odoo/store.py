"""The simulated database: a table a model, most of its rows not made before somebody looks at them.

A row is a mapping of stored fields: many2one as an id or None, datetimes aware with microseconds, dates as text.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from datetime import datetime
from heapq import merge
from typing import Any, Protocol

from sandbox.odoo.schema.model import Model

Row = dict[str, Any]
Stamped = tuple[datetime, int]


class Base(Protocol):
    """Seeded rows with ids 1 to `count`, made on demand and always the same.

    Attributes:
        light_fields: Fields that `light` tells.
    """

    count: int
    light_fields: frozenset[str]

    def make(self, number: int) -> Row:
        """Make one row."""
        ...

    def light(self, number: int) -> Row:
        """Make of a row only what costs little, for searches among many."""
        ...

    def stamps(self) -> list[Stamped]:
        """Give write_date and id of all, sorted."""
        ...

    def children(self, parent: int) -> range:
        """Give the ids of rows that hang on a parent's row."""
        ...


class Table:
    """All rows of one model.

    Attributes:
        version: Grows with each change.
        undo: Where it notes how to take changes back, while a transaction is open.
    """

    def __init__(self, model: Model, base: Base | None = None, *, parent: str = "") -> None:
        self.model = model
        self.base = base
        self.version = 0
        self.next_id = (base.count if base else 0) + 1
        self._parent = parent
        self._rows: dict[int, Row] = {}
        self._gone: set[int] = set()
        self._seeded: list[Stamped] | None = None
        self._later: list[Stamped] = []
        self._hung: dict[int, list[int]] = {}
        self._ids: tuple[int, list[int]] = (-1, [])
        self.undo: list[Callable[[], None]] | None = None

    def __len__(self) -> int:
        return len(self.ids())

    def __contains__(self, number: object) -> bool:
        return number in self._rows or (
            isinstance(number, int)
            and self.base is not None
            and 1 <= number <= self.base.count
            and number not in self._gone
        )

    def get(self, number: int) -> Row | None:
        """Find a row by its id; what is changed in it is lost unless `put` takes it."""
        row = self._rows.get(number)
        if row is not None or self.base is None or number not in self:
            return row
        return self.base.make(number)

    def light(self, number: int) -> Row | None:
        """Find a row, or of a seeded one at least the light fields."""
        row = self._rows.get(number)
        if row is not None or self.base is None or number not in self:
            return row
        return self.base.light(number)

    def __getitem__(self, number: int) -> Row:
        row = self.get(number)
        if row is None:
            raise KeyError(f"{self.model.name}({number})")
        return row

    def ids(self) -> list[int]:
        """Give all ids, sorted."""
        if self._ids[0] != self.version:
            seeded = self.base.count if self.base else 0
            own = sorted(number for number in self._rows if number > seeded)
            self._ids = (self.version, [*(n for n in range(1, seeded + 1) if n not in self._gone), *own])
        return self._ids[1]

    def put(self, row: Row) -> None:
        """Store a row as it is now; new ones get the next id where they have none."""
        number = row.setdefault("id", self.next_id)
        new = number not in self
        self._undoable(number)
        self.next_id = max(self.next_id, number + 1)
        if (before := self._rows.get(number)) is not None:
            self._forget_stamp(before)
        self._rows[number] = row
        insort(self._later, (row["write_date"], number))
        if new and self._parent and row.get(self._parent):
            self._hung.setdefault(row[self._parent], []).append(number)
        self.version += 1

    def remove(self, number: int) -> None:
        """Take a row out without a trace."""
        self._undoable(number)
        row = self._rows.pop(number, None)
        if row is not None:
            self._forget_stamp(row)
            hung = self._hung.get(row.get(self._parent) or 0, [])
            if number in hung:
                hung.remove(number)
        self._gone.add(number)
        self.version += 1

    def children(self, parent: int) -> list[int]:
        """Give the ids of rows that hang on a parent's row."""
        seeded = self.base.children(parent) if self.base else ()
        return [*(number for number in seeded if number not in self._gone), *self._hung.get(parent, ())]

    def ids_from(self, low: int) -> list[int]:
        """Give the ids at or after one, sorted."""
        ids = self.ids()
        return ids[bisect_left(ids, low) :]

    def by_stamp(self, low: datetime | None = None) -> Iterator[int]:
        """Yield ids by write_date and id, from a write_date on."""
        if self._seeded is None:
            self._seeded = self.base.stamps() if self.base else []
        start = 0 if low is None else bisect_left(self._seeded, (low, 0))
        later = self._later if low is None else self._later[bisect_left(self._later, (low, 0)) :]
        seeded = (self._seeded[place] for place in range(start, len(self._seeded)))
        fresh = (each for each in seeded if each[1] not in self._rows and each[1] not in self._gone)
        return (number for _, number in merge(fresh, list(later)))

    def _undoable(self, number: int) -> None:
        if self.undo is not None:
            row, gone = self._rows.get(number), number in self._gone
            self.undo.append(lambda: self._restore(number, row, gone=gone))

    def _restore(self, number: int, row: Row | None, *, gone: bool) -> None:
        """Bring a row back to what it was before a change."""
        now = self._rows.pop(number, None)
        if now is not None:
            self._forget_stamp(now)
        hung = self._hung.get((row or now or {}).get(self._parent) or 0, [])
        seeded = self.base is not None and number <= self.base.count
        if row is None:
            if not seeded and number in hung:
                hung.remove(number)
        else:
            self._rows[number] = row
            insort(self._later, (row["write_date"], number))
            if not seeded and self._parent and number not in hung:
                self._hung.setdefault(row[self._parent], []).append(number)
        (self._gone.add if gone else self._gone.discard)(number)
        self.version += 1

    def _forget_stamp(self, row: Row) -> None:
        entry = (row["write_date"], row["id"])
        place = bisect_left(self._later, entry)
        if place < len(self._later) and self._later[place] == entry:
            del self._later[place]
