"""Tables of whole rows: seeded ones made on demand, edited ones kept as bytes, and none that can be changed by hand."""

from bisect import bisect_right, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from sandbox.ledger.seeds import Seeds

JsonObject = dict[str, Any]
_REMEMBERED: Final = 16


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what it is asked by, and its JSON."""

    changed: str
    line_changed: str
    day: str
    references: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows as JSON; `following` is the key to go on after, None at the end."""

    rows: list[bytes]
    following: str | None
    total: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: changed at or after `since` (of a line, where `lines`), dated `day` or later."""

    since: str = ""
    day: str = ""
    lines: bool = False


class Table(Mapping[str, JsonObject]):
    """Rows by key; reading one gives a copy of its own."""

    def __init__(self, seeds: Seeds | None = None) -> None:
        self._seeds = seeds
        self._keys: list[str] = seeds.keys() if seeds else []
        self._rows: dict[str, Row] = {}
        self._gone: set[str] = set()
        self._known: dict[Wanted, Sequence[str]] = {}

    def __getitem__(self, key: str) -> JsonObject:
        """Give a row's values."""
        row: JsonObject = orjson.loads(self.body(key))
        return row

    def __contains__(self, key: object) -> bool:
        """Tell whether there is a row of this key."""
        return key in self._rows or (isinstance(key, str) and self._seeded(key))

    def __iter__(self) -> Iterator[str]:
        """Yield the keys in order."""
        return iter(self._keys)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._keys)

    def sorted_keys(self) -> Sequence[str]:
        """Give the keys in order, as they are: not to be kept."""
        return self._keys

    def body(self, key: str) -> bytes:
        """Give a row as JSON.

        Raises:
            KeyError: There is none.
        """
        row = self._rows.get(key)
        if row is not None:
            return row.body
        if self._seeds is None or not self._seeded(key):
            raise KeyError(key)
        return self._seeds.order(key)

    def put(self, key: str, values: Mapping[str, Any]) -> bytes:
        """Store a row; gives its JSON."""
        if key not in self:
            insort(self._keys, key)
            self._gone.discard(key)
        body = orjson.dumps(values)
        lines = [line["changed"] for line in values.get("lines", ())]
        kept = tuple(values[name] for name in ("reference", "last_reference") if values.get(name))
        self._rows[key] = Row(values["changed"], max(lines, default=""), values.get("date", ""), kept, body)
        self._known.clear()
        return body

    def remove(self, key: str) -> None:
        """Take a row out.

        Raises:
            KeyError: There is none.
        """
        if key not in self:
            raise KeyError(key)
        self._rows.pop(key, None)
        self._gone.add(key)
        place = bisect_right(self._keys, key) - 1
        del self._keys[place]
        self._known.clear()

    def referring(self, reference: str) -> list[bytes]:
        """Give the rows that keep a reference."""
        return [row.body for _, row in sorted(self._rows.items()) if reference in row.references]

    def page(self, wanted: Wanted, *, after: str, size: int, start: Callable[[int], int]) -> Page:
        """Give a page in the order of keys.

        Args:
            start: Moves the place at which it begins.
        """
        keys = self._select(wanted)
        first = start(bisect_right(keys, after))
        chosen = keys[first : first + size]
        more = first + size < len(keys)
        return Page([self.body(key) for key in chosen], chosen[-1] if chosen and more else None, len(keys))

    def _select(self, wanted: Wanted) -> Sequence[str]:
        if not wanted.since and (
            not wanted.day or (self._seeds and not self._rows and wanted.day <= self._seeds.oldest_day)
        ):
            return self._keys
        known = self._known.get(wanted)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[wanted] = self._matching(wanted)
        return known

    def _matching(self, wanted: Wanted) -> list[str]:
        seeds = self._seeds
        if seeds is not None and not wanted.since and wanted.day <= seeds.oldest_day:
            older = {key for key, row in self._rows.items() if row.day < wanted.day}
            return [key for key in self._keys if key not in older]
        edited = sorted(key for key, row in self._rows.items() if _matches(row, wanted))
        if seeds is None or not seeds.orders or wanted.since > seeds.newest:
            return edited
        found = set(edited)
        return [
            key for key in self._keys if key in found or (key not in self._rows and self._seed_matches(key, wanted))
        ]

    def _seed_matches(self, key: str, wanted: Wanted) -> bool:
        if self._seeds is None:
            return False
        stamp = self._seeds.stamp(key)
        return stamp >= wanted.since and stamp[:10] >= wanted.day

    def _seeded(self, key: str) -> bool:
        return self._seeds is not None and key not in self._gone and key not in self._rows and self._seeds.holds(key)


def _matches(row: Row, wanted: Wanted) -> bool:
    stamp = row.line_changed if wanted.lines else row.changed
    return stamp >= wanted.since and row.day >= wanted.day
