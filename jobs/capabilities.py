"""What a connector declares of its writes, told as rows: field by field, with limits and the values that fit."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from connectors.base import Checked, Connector, WriteSpec
from db.models import columns as c
from db.models.base import Fields
from db.models.capability import CapabilityField
from db.models.inputs import INPUTS, REFERENCES
from db.models.partial import camel
from db.models.registry import SPECS
from db.types import Entity, Operation


def declared(connector: Connector) -> list[dict[str, Any]]:
    """Give the capabilities of all connections to a system, one for every entity and operation of the API."""
    system = connector.spec
    read = {feed.entity for feed in connector.feeds}
    told = []
    for entity in SPECS:
        for operation in (Operation.READ, *(each for of, each in INPUTS if of is entity)):
            spec = connector.writes.get((entity, operation))
            supported = entity in read if operation is Operation.READ else spec is not None
            told.append(
                {
                    "system": system.slug,
                    "entity": entity.value,
                    "operation": operation.value,
                    "supported": supported,
                    "unavailable_reason": None if supported else f"{system.name} cannot do this through this API.",
                    "reference_field": spec.reference_field if spec else None,
                    "fields": [each.model_dump(mode="json") for each in _fields(entity, operation, spec)]
                    if spec
                    else [],
                }
            )
    return told


def refusals(connector: Connector, checked: Checked) -> dict[tuple[Entity, Operation], str]:
    """Give what the credentials of a connection may not do: who may not read an entity cannot write it either."""
    return {
        **{(entity, operation): reason for entity, reason in checked.refused.items() for operation in Operation},
        **{write: reason for write, reason in checked.unwritable.items() if write in connector.writes},
    }


def _fields(entity: Entity, operation: Operation, spec: WriteSpec) -> Iterator[CapabilityField]:
    """Tell each field of an operation's input: the writable ones, and those that this system cannot take."""
    writable = {name.removesuffix("_source_id") for name in spec.writable | spec.required}
    required = {name.removesuffix("_source_id") for name in spec.required}
    for name, limits in _named(entity, operation):
        if name in writable:
            longest = spec.max_length.get(name, limits.get("max_length"))
            yield CapabilityField(
                path=_path(name),
                required=name in required,
                writable=True,
                max_length=longest,
                allowed_values=limits.get("allowed", []),
            )
        else:
            yield CapabilityField(path=_path(name), unavailable_reason="The system cannot take this field.")
    if spec.transitions:
        yield CapabilityField(path="status", writable=True, allowed_values=sorted(spec.transitions))


def _named(entity: Entity, operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the fields that the API's input of an operation has, with their limits."""
    given = INPUTS[entity, operation]
    for name in given.fields:
        yield name, _limits(given.record, name)
    for name in given.lines:
        yield f"lines.{name}", _limits(given.line or given.record, name)


def _limits(record: type[Fields], name: str) -> dict[str, Any]:
    info = record.model_fields.get(name)
    if info is None or name in REFERENCES:
        return {}
    plain = c.plain_type(info.annotation)
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return {"allowed": [each.value for each in plain]}
    longest = next((each for limit in info.metadata if (each := getattr(limit, "max_length", None))), None)
    return {"max_length": longest} if longest else {}


def _path(name: str) -> str:
    return ".".join(camel(step) for step in name.split("."))
