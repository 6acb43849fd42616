"""The simulated database: one table an entity set, rows found by key and by leading parts of the key.

A row is a mapping that knows its entity type: a property that was never set reads as its initial value, and a name
that the vendor's metadata does not hold raises, so a misspelt property cannot be written or read anywhere.
"""

import zlib
from bisect import insort
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Self

from sandbox.sap_s4hana.edm import EntityType, Property

Key = tuple[str, ...]

# Fields with the conversion exit ALPHA (or MATN1): stored and shown without leading zeros, found with or without.
ALPHA = frozenset({
    "AddressID", "BusinessPartner", "CostCenter", "Customer", "Equipment", "GLAccount", "InvoicingParty",
    "MaintenanceOrder", "Material", "MaterialDocument", "Product", "PurchaseOrder", "PurchasingDocument", "Supplier",
    "SupplyingSupplier",
})  # fmt: skip
_INDEXED_PARTS = 2  # children are looked up by one or two leading key parts, never by more


class DuplicateKeyError(ValueError):
    """A row with this key exists already."""


class Row(dict[str, Any]):
    """One stored entity; unset properties read as initial values, unknown ones raise KeyError."""

    __slots__ = ("type",)

    def __init__(self, entity_type: EntityType, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.type = entity_type
        self._check(values)

    def __missing__(self, name: str) -> Any:
        return self.type.properties[name].initial

    def __setitem__(self, name: str, value: Any) -> None:
        self._check((name,))
        super().__setitem__(name, value)

    def set(self, **values: Any) -> Self:
        """Set several properties at once."""
        self._check(values)
        super().update(values)
        return self

    @property
    def key(self) -> Key:
        """The key in canonical form."""
        return tuple(canonical(self.type.properties[name], self[name]) for name in self.type.key)

    def _check(self, names: Iterable[str]) -> None:
        known = self.type.properties
        for name in names:
            if name not in known:
                raise KeyError(f"{self.type.name} has no property {name}")


def canonical(prop: Property, text: str | datetime) -> str:
    """Bring a key part to the form in which it is stored: numbers without leading zeros, days as in a literal."""
    if isinstance(text, datetime):
        return f"{text:%Y-%m-%dT%H:%M:%S}"
    if prop.numeric or (prop.name in ALPHA and text.isdigit()):
        return text.lstrip("0") or ("0" if prop.numeric else "")
    return text


class Table:
    """All rows of one entity set."""

    def __init__(self, entity_type: EntityType) -> None:
        self.type = entity_type
        self.version = 0
        self._rows: dict[Key, Row] = {}
        self._order: list[tuple[int, Key]] = []
        self._sorted = True
        self._prefixes: dict[Key, dict[Key, None]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        """Yield all rows in a stable order that has nothing to do with keys or age, as a database without ORDER BY."""
        if not self._sorted:
            self._order.sort()
            self._sorted = True
        for _, key in self._order:
            yield self._rows[key]

    def keys(self) -> list[Key]:
        """Give all keys, in the order in which they came."""
        return list(self._rows)

    def get(self, *key: str) -> Row | None:
        """Find one row by its key, in any spelling of numbers."""
        names = self.type.key
        return self._rows.get(tuple(canonical(self.type.properties[n], v) for n, v in zip(names, key, strict=True)))

    def children(self, *prefix: str) -> list[Row]:
        """Give the rows whose key begins so, in the order of their keys."""
        if len(prefix) > _INDEXED_PARTS:
            raise ValueError(f"no index over {len(prefix)} key parts")
        found = self._prefixes.get(prefix, {})
        return [self._rows[key] for key in sorted(found, key=lambda key: [(len(part), part) for part in key])]

    def add(self, values: Mapping[str, Any], *, bulk: bool = False) -> Row:
        """Store a new row; `bulk` puts off sorting until the next listing.

        Raises:
            KeyError: A property that the metadata does not know.
            DuplicateKeyError: The key is taken.
        """
        row = Row(self.type, values)
        key = row.key
        for name, part in zip(self.type.key, key, strict=True):
            if not isinstance(row[name], datetime):
                dict.__setitem__(row, name, part)
        if key in self._rows:
            raise DuplicateKeyError(f"{self.type.set_name}{key} exists")
        self._rows[key] = row
        entry = (zlib.crc32("\x00".join(key).encode()), key)
        if bulk:
            self._order.append(entry)
            self._sorted = False
        else:
            self._insert(entry)
        for prefix in _prefixes(key):
            self._prefixes.setdefault(prefix, {})[key] = None
        self.touch()
        return row

    def remove(self, row: Row) -> None:
        """Take a row out without a trace."""
        key = row.key
        del self._rows[key]
        self._order.remove((zlib.crc32("\x00".join(key).encode()), key))
        for prefix in _prefixes(key):
            del self._prefixes[prefix][key]
        self.touch()

    def touch(self) -> None:
        """Note that a row changed, so that remembered query results are dropped."""
        self.version += 1

    def _insert(self, entry: tuple[int, Key]) -> None:
        if self._sorted:
            insort(self._order, entry)
        else:
            self._order.append(entry)


def _prefixes(key: Key) -> list[Key]:
    return [key[:length] for length in range(1, min(len(key), _INDEXED_PARTS + 1))]
