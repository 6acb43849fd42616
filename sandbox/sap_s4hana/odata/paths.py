"""Resource paths: sets, keys, navigation, properties, $count and $value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from sandbox.sap_s4hana.edm import EntityType, FunctionImport, Navigation, Property, Service
from sandbox.sap_s4hana.odata.encode import follow
from sandbox.sap_s4hana.odata.errors import ODataError, no_entity, no_segment
from sandbox.sap_s4hana.odata.literals import parse_uri_literal
from sandbox.sap_s4hana.store import Row, Table

Kind = Literal["service", "metadata", "batch", "set", "children", "entity", "property", "function"]
_SEGMENT = re.compile(r"(?P<name>[$\w]+)(?:\((?P<key>.*)\))?")
_KEY_PART = re.compile(r"\s*(?:(?P<name>\w+)=)?(?P<literal>\w*'(?:[^']|'')*'|[^,']+)\s*(?:,|$)")


@dataclass(slots=True)
class Target:
    """What a path leads to.

    Attributes:
        kind: `set` is a whole set, `children` what a to-many navigation of `row` leads to.
        entity_type: Type of the rows, for all kinds that have rows.
        row: The entity, or the parent of `children`.
        count: Whether /$count was asked; `raw` whether /$value was.
    """

    kind: Kind
    entity_type: EntityType | None = None
    row: Row | None = None
    navigation: Navigation | None = None
    prop: Property | None = None
    function: FunctionImport | None = None
    count: bool = False
    raw: bool = False

    @property
    def type(self) -> EntityType:
        """The type of the rows that the path leads to."""
        if self.entity_type is None:
            raise LookupError("this path has no rows")
        return self.entity_type


def resolve(raw_path: str, service: Service, tables: Mapping[str, Table]) -> Target:
    """Find what a path behind the service root means.

    Args:
        raw_path: Undecoded, so that an encoded slash inside a key does not split it.
        service: The service that the path belongs to.
        tables: The rows of all sets.

    Raises:
        ODataError: 404 for unknown segments and keys, 400 for malformed keys.
    """
    segments = [unquote(part) for part in raw_path.split("/") if part]
    if not segments:
        return Target("service")
    if segments[0] in {"$metadata", "$batch"} and len(segments) == 1:
        return Target("metadata" if segments[0] == "$metadata" else "batch")
    target = _first(segments[0], service, tables)
    for segment in segments[1:]:
        target = _step(target, segment, service, tables)
    return target


def _first(segment: str, service: Service, tables: Mapping[str, Table]) -> Target:
    name, key = _split(segment)
    if name in service.functions and key is None:
        return Target("function", function=service.functions[name])
    entity_type = service.sets.get(name)
    if entity_type is None:
        raise no_segment(name)
    if key is None:
        return Target("set", entity_type)
    row = tables[name].get(*_key_values(key, entity_type))
    if row is None:
        raise no_entity(name)
    return Target("entity", entity_type, row)


def _step(target: Target, segment: str, service: Service, tables: Mapping[str, Table]) -> Target:
    name, key = _split(segment)
    if name == "$count" and target.kind in {"set", "children"}:
        target.count = True
        return target
    if name == "$value" and target.kind == "property":
        target.raw = True
        return target
    if target.kind != "entity" or target.row is None:
        raise no_segment(segment)
    if name in target.type.properties and key is None:
        return Target("property", target.entity_type, target.row, prop=target.type.properties[name])
    navigation = target.type.navigation.get(name)
    if navigation is None:
        raise no_segment(name)
    entity_type = service.sets[navigation.target]
    if navigation.many and key is None:
        return Target("children", entity_type, target.row, navigation)
    return Target("entity", entity_type, _linked(target.row, navigation, key, tables))


def _linked(row: Row, navigation: Navigation, key: str | None, tables: Mapping[str, Table]) -> Row:
    found = follow(tables, row, navigation)
    if key is not None:
        wanted = tables[navigation.target].get(*_key_values(key, tables[navigation.target].type))
        found = [one for one in found if one is wanted]
    if not found:
        raise no_entity(navigation.name)
    return found[0]


def _split(segment: str) -> tuple[str, str | None]:
    match = _SEGMENT.fullmatch(segment)
    if match is None:
        raise no_segment(segment)
    return match["name"], match["key"] or None


def _key_values(text: str, entity_type: EntityType) -> list[str]:
    given: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _KEY_PART.match(text, at)
        if match is None:
            raise _bad_key(text)
        at = match.end()
        name = match["name"] or (entity_type.key[0] if len(entity_type.key) == 1 else "")
        given[name] = _key_text(match["literal"], text)
    if set(given) != set(entity_type.key):
        raise _bad_key(text)
    return [given[name] for name in entity_type.key]


def _key_text(literal: str, text: str) -> str:
    try:
        kind, value = parse_uri_literal(literal.strip())
    except ValueError:
        raise _bad_key(text) from None
    if kind == "DateTime":
        return f"{value:%Y-%m-%dT%H:%M:%S}"
    if kind != "String":
        raise _bad_key(text)
    return str(value)


def _bad_key(text: str) -> ODataError:
    return ODataError(400, "005056A509B11EE1B9A8FEC11C21578E", f"Invalid key predicate '({text})'")
