"""Rows as OData V2 JSON: `__metadata`, `__deferred`, decimals as text of fixed scale, dates as `/Date(ms)/`.

Instants leave with milliseconds although seven digits are stored and compared: a client that filters `gt` the last
stamp it saw gets the same row again, as on the real system.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from sandbox.sap_s4hana.edm import EntityType, Navigation, Property
from sandbox.sap_s4hana.odata.literals import EPOCH
from sandbox.sap_s4hana.store import Row, Table

_MS = timedelta(milliseconds=1)
_EPOCH_UTC = EPOCH.replace(tzinfo=UTC)
_PLAIN_IN_KEYS = "'!$*-._~:@"
ETAG_SETS = frozenset({"A_BusinessPartner"})


@dataclass(slots=True)
class Shape:
    """What of an entity is wanted: `select` None is everything; `expand` holds the shapes of expanded navigation."""

    select: set[str] | None = None
    expand: dict[str, "Shape"] = field(default_factory=dict)

    def wants(self, name: str) -> bool:
        """Say whether the property or navigation is to be shown."""
        return self.select is None or name in self.select


class Encoder:
    """Encodes rows; knows the address of the service and the tables that navigation leads to."""

    def __init__(self, root: str, tables: Mapping[str, Table]) -> None:
        self.root = root
        self.tables = tables
        self._blanks: dict[str, dict[str, Any]] = {}

    def entity(self, row: Row, shape: Shape) -> dict[str, Any]:
        """Encode one row with its expanded navigation."""
        uri = f"{self.root}/{entity_path(row)}"
        about: dict[str, Any] = {"id": uri, "uri": uri, "type": row.type.full_name}
        if (tag := etag(row)) is not None:
            about["etag"] = tag
        out: dict[str, Any] = {"__metadata": about}
        if shape.select is None:
            out.update(self._blank(row.type))
            for name, value in row.items():
                out[name] = encode_value(row.type.properties[name], value)
        else:
            out.update(
                (name, encode_value(prop, row[name])) for name, prop in row.type.properties.items() if shape.wants(name)
            )
        for navigation in row.type.navigation.values():
            if shape.wants(navigation.name):
                out[navigation.name] = self._linked(row, navigation, shape, uri)
        return out

    def collection(self, rows: Iterable[Row], shape: Shape) -> list[dict[str, Any]]:
        """Encode many rows."""
        return [self.entity(row, shape) for row in rows]

    def _blank(self, entity_type: EntityType) -> dict[str, Any]:
        """All properties at their initial values: most of a row, copied at once instead of encoded one by one."""
        blank = self._blanks.get(entity_type.set_name)
        if blank is None:
            blank = {name: encode_value(prop, prop.initial) for name, prop in entity_type.properties.items()}
            self._blanks[entity_type.set_name] = blank
        return blank

    def _linked(self, row: Row, navigation: Navigation, shape: Shape, uri: str) -> Any:
        inner = shape.expand.get(navigation.name)
        if inner is None:
            return {"__deferred": {"uri": f"{uri}/{navigation.name}"}}
        rows = follow(self.tables, row, navigation)
        if navigation.many:
            return {"results": self.collection(rows, inner)}
        return self.entity(rows[0], inner) if rows else None


def follow(tables: Mapping[str, Table], row: Row, navigation: Navigation) -> list[Row]:
    """Give the rows that a navigation property leads to."""
    table = tables[navigation.target]
    values = {right: row[left] for left, right in navigation.on}
    key = table.type.key
    if set(values) == set(key):
        found = table.get(*(values[name] for name in key))
        return [] if found is None else [found]
    return table.children(*(values[name] for name in key if name in values))


def entity_path(row: Row) -> str:
    """Give the canonical path of an entity: one key part alone, more by name."""
    parts = dict(zip(row.type.key, row.key, strict=True))
    if len(parts) == 1:
        return f"{row.type.set_name}({_quoted(row.key[0])})"
    told = {
        name: "datetime" * (row.type.properties[name].kind == "DateTime") + _quoted(part)
        for name, part in parts.items()
    }
    return f"{row.type.set_name}({','.join(f'{name}={literal}' for name, literal in told.items())})"


def etag(row: Row) -> str | None:
    """Give the entity tag of the sets that have one."""
    return f"W/\"'{quote(row['ETag'], safe='')}'\"" if row.type.set_name in ETAG_SETS else None


def encode_value(prop: Property, value: Any) -> Any:
    """Encode one stored value."""
    return None if value is None else _ENCODERS[prop.kind](prop, value)


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{quote(doubled, safe=_PLAIN_IN_KEYS)}'"


def _ticks(_: Property, value: datetime) -> str:
    return f"/Date({(value - EPOCH) // _MS})/"


def _instant(_: Property, value: datetime) -> str:
    return f"/Date({(value - _EPOCH_UTC) // _MS}+0000)/"


def _same(_: Property, value: Any) -> Any:
    return value


_ENCODERS: dict[str, Callable[[Property, Any], Any]] = {
    "String": _same,
    "Boolean": _same,
    "Byte": _same,
    "Int32": _same,
    "Int64": lambda _, value: str(value),
    "Time": _same,
    "Guid": _same,
    "Decimal": lambda prop, value: f"{value:.{prop.scale}f}",
    "DateTime": _ticks,
    "DateTimeOffset": _instant,
}
