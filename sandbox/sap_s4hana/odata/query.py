"""System query options over a set: filter, order, window, server-driven paging, count, and the shape of a row."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote

from sandbox.kit.system import NO_PAGE_FAULTS, PageFaults
from sandbox.sap_s4hana.edm import EntityType
from sandbox.sap_s4hana.odata.encode import Shape
from sandbox.sap_s4hana.odata.errors import ODataError, bad_option
from sandbox.sap_s4hana.odata.filters import Filter, parse_filter
from sandbox.sap_s4hana.store import Row, Table

KNOWN = frozenset({
    "$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$skiptoken", "$inlinecount", "$format",
})  # fmt: skip
_ORDER = re.compile(r"(?P<name>[\w/]+)(?:\s+(?P<way>asc|desc))?")
_REMEMBERED = 32
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Query:
    """The query string of a request: system options by name, and everything as it came."""

    options: Mapping[str, str]
    pairs: Sequence[tuple[str, str]]

    def number(self, name: str) -> int | None:
        """Read a non-negative whole number."""
        text = self.options.get(name)
        if text is None:
            return None
        if not text.isdigit():
            raise bad_option(f"Invalid value '{text}' for system query option '{name}'")
        return int(text)

    def text(self, name: str) -> str:
        """Read an option that may be missing or empty."""
        return self.options.get(name, "").strip()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows; `total` counts all that match, `next_offset` is where the following page begins."""

    rows: list[Row]
    total: int
    next_offset: int | None


class Queries:
    """Answers queries; remembers the last results by set and text, so that paging does not filter and sort again."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], tuple[int, list[Row]]] = {}

    def all_of(self, table: Table, query: Query) -> list[Row]:
        """Give all rows of a set that match, in the order asked for."""
        asked = (table.type.set_name, query.text("$filter"), query.text("$orderby"))
        known = self._known.get(asked)
        if known is not None and known[0] == table.version:
            return known[1]
        rows = select_rows(table, table.type, query)
        if len(self._known) >= _REMEMBERED:
            self._known.pop(next(iter(self._known)))
        self._known[asked] = (table.version, rows)
        return rows


def parse_query(raw: str) -> Query:
    """Read a query string; options without `$` (sap-client, sap-language, saml2) are let pass.

    Raises:
        ODataError: 400 for a system query option that does not exist.
    """
    pairs = parse_qsl(raw, keep_blank_values=True)
    options = {name: value for name, value in pairs if name.startswith("$")}
    for name in options:
        if name not in KNOWN:
            raise bad_option(f"The system query option '{name}' is not supported")
    if options.get("$inlinecount", "none") not in {"none", "allpages"}:
        raise bad_option(f"Invalid value '{options['$inlinecount']}' for system query option '$inlinecount'")
    return Query(options, pairs)


def select_rows(rows: Iterable[Row], entity_type: EntityType, query: Query) -> list[Row]:
    """Filter and order rows; over a table the filter may use the index on the first key part."""
    found: list[Row]
    text = query.text("$filter")
    if text:
        compiled = parse_filter(text, entity_type)
        found = [row for row in _candidates(rows, compiled) if compiled.test(row)]
    else:
        found = list(rows)
    return _ordered(found, entity_type, query.text("$orderby"))


def cut_page(rows: list[Row], query: Query, page_size: int, bent: PageFaults = NO_PAGE_FAULTS) -> Page:
    """Cut one page out of the matching rows, by $skip, $top, $skiptoken and the server's own limit; `bent` moves it."""
    skip, top = query.number("$skip") or 0, query.number("$top")
    token = query.options.get("$skiptoken")
    if token is not None and not token.isdigit():
        raise bad_option(f"Invalid value '{token}' for system query option '$skiptoken'")
    start = bent.start(skip if token is None else int(token))
    end = len(rows) if top is None else min(len(rows), skip + top)
    stop = min(start + page_size, end)
    return Page(rows[start:stop], len(rows), stop if stop < end else None)


def next_link(base: str, query: Query, offset: int) -> str:
    """Build the link to the following page: all options of the request, with the token of the place."""
    pairs = [(name, value) for name, value in query.pairs if name != "$skiptoken"]
    pairs.append(("$skiptoken", str(offset)))
    return f"{base}?" + "&".join(f"{name}={quote(value, safe=_PLAIN)}" for name, value in pairs)


def shape_of(entity_type: EntityType, types: Mapping[str, EntityType], query: Query) -> Shape:
    """Read $select and $expand into the shape of a row.

    Raises:
        ODataError: 400 for a name that is no property or navigation property.
    """
    root = Shape()
    for path in _split(query.text("$expand")):
        _expand(root, entity_type, types, path)
    for path in _split(query.text("$select")):
        _select(root, entity_type, types, path)
    return root


_PLAIN = "'(),:/$*-._~"


def _expand(shape: Shape, entity_type: EntityType, types: Mapping[str, EntityType], path: str) -> None:
    for name in path.split("/"):
        navigation = entity_type.navigation.get(name)
        if navigation is None:
            raise bad_option(f"Expand path '{path}' does not end with navigation property")
        shape = shape.expand.setdefault(name, Shape())
        entity_type = types[navigation.target]


def _select(shape: Shape, entity_type: EntityType, types: Mapping[str, EntityType], path: str) -> None:
    names = path.split("/")
    for place, name in enumerate(names):
        last = place == len(names) - 1
        if shape.select is None:
            shape.select = set()
        if name == "*" and last:
            shape.select.update(entity_type.properties)
        elif name in entity_type.properties and last:
            shape.select.add(name)
        elif name in entity_type.navigation and (last or name in shape.expand):
            shape.select.add(name)
            if not last:
                shape = shape.expand[name]
                entity_type = types[entity_type.navigation[name].target]
        else:
            raise ODataError(400, "005056A509B11EE1B9A8FEC11C21D78E", f"Resource not found for the segment '{name}'.")


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _candidates(rows: Iterable[Row], compiled: Filter) -> Iterable[Row]:
    if not isinstance(rows, Table) or compiled.keys is None:
        return rows
    if len(rows.type.key) == 1:
        return [row for key in sorted(compiled.keys) if (row := rows.get(key)) is not None]
    return [row for key in sorted(compiled.keys) for row in rows.children(key)]


def _ordered(rows: list[Row], entity_type: EntityType, text: str) -> list[Row]:
    for part in reversed(_split(text)):
        match = _ORDER.fullmatch(part)
        prop = entity_type.properties.get(match["name"]) if match else None
        if match is None or prop is None or not prop.may("sortable"):
            raise bad_option(f"Invalid token '{part}' in system query option '$orderby'")
        name, empty = prop.name, _lowest(prop.kind)
        rows = sorted(rows, key=lambda row: empty if row[name] is None else row[name], reverse=match["way"] == "desc")
    return rows


def _lowest(kind: str) -> Any:
    return {"DateTime": datetime.min, "DateTimeOffset": _NEVER}.get(kind, "")  # noqa: DTZ901 - dates have no zone
