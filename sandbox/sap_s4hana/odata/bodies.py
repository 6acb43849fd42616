"""Request bodies: JSON entities with inline children, read against the metadata."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.sap_s4hana.edm import EntityType
from sandbox.sap_s4hana.odata.errors import ODataError, bad_property, unreadable
from sandbox.sap_s4hana.odata.literals import parse_json_value

Mode = Literal["creatable", "updatable"]


@dataclass(slots=True)
class Draft:
    """What a caller sent for one entity.

    Attributes:
        values: Stored forms by property; only what was sent, and only what the metadata lets a caller set: read-only
            properties are dropped without a word, as the real service does.
        nested: Inline children by navigation property.
    """

    type: EntityType
    values: dict[str, Any] = field(default_factory=dict)
    nested: dict[str, list["Draft"]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        """Give the value sent, else the initial value; an unknown name raises KeyError."""
        return self.values[name] if name in self.values else self.type.properties[name].initial

    def __contains__(self, name: str) -> bool:
        if name not in self.type.properties:
            raise KeyError(name)
        return name in self.values

    def children(self, navigation: str) -> list["Draft"]:
        """Give the inline children of a navigation property; an unknown name raises KeyError."""
        return self.nested.get(self.type.navigation[navigation].name, [])


def parse_body(raw: bytes, entity_type: EntityType, types: Mapping[str, EntityType], mode: Mode) -> Draft:
    """Read a body.

    Raises:
        ODataError: 400: no JSON object, unknown property, value of a wrong kind, value too long.
    """
    try:
        data = json.loads(raw)
    except ValueError:
        raise _malformed() from None
    if isinstance(data, dict) and set(data) == {"d"}:
        data = data["d"]
    return _draft(_Source(raw.decode("utf-8", "replace"), types, mode), data, entity_type)


@dataclass(frozen=True, slots=True)
class _Source:
    text: str
    types: Mapping[str, EntityType]
    mode: Mode

    def offset(self, name: str) -> int:
        return max(self.text.find(f'"{name}"'), 0)


def _draft(source: _Source, data: Any, entity_type: EntityType) -> Draft:
    if not isinstance(data, dict):
        raise _malformed()
    draft = Draft(entity_type)
    for name, value in data.items():
        if name in entity_type.properties:
            prop = entity_type.properties[name]
            parsed = parse_json_value(prop, value, source.offset(name))
            if prop.may(source.mode) and not (source.mode == "updatable" and name in entity_type.key):
                draft.values[name] = parsed
        elif name in entity_type.navigation:
            inner = source.types[entity_type.navigation[name].target]
            rows = _inline(source, name, value, many=entity_type.navigation[name].many)
            if rows is not None:
                draft.nested[name] = [_draft(source, row, inner) for row in rows]
        elif name != "__metadata":
            raise bad_property(name)
    return draft


def _inline(source: _Source, name: str, value: Any, *, many: bool) -> list[Any] | None:
    """Take children as an array or as {"results": […]}; a deferred link carries nothing."""
    if value is None or (isinstance(value, dict) and "__deferred" in value):
        return None
    if not many:
        return [value]
    rows = value.get("results") if isinstance(value, dict) else value
    if not isinstance(rows, list):
        raise unreadable(name, source.offset(name))
    return rows


def _malformed() -> ODataError:
    return ODataError(
        400,
        "005056A509B11ED1B9BF94F386DD82E6",
        "The Data Services Request could not be understood due to malformed syntax",
    )
