"""Changes as JSON, kept with their operation, so that any process can carry them out later."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from connectors.base import Change, JsonObject
from db.types import Entity, Operation


def pack(change: Change) -> JsonObject:
    """Give a change as JSON; decimals, days and instants stay what they are."""
    return {
        "entity": change.entity.value,
        "operation": change.operation.value,
        "reference": change.reference,
        "source_id": change.source_id,
        "values": packed(change.values),
        "add_lines": packed(change.add_lines),
        "change_lines": packed(change.change_lines),
        "remove_lines": list(change.remove_lines),
        "transition": change.transition,
        "source_fields": packed(change.source_fields),
    }


def unpack(told: Mapping[str, Any]) -> Change:
    """Make the change again of what `pack` gave."""
    return Change(
        Entity(told["entity"]),
        Operation(told["operation"]),
        told["reference"],
        source_id=told["source_id"],
        values=unpacked(told["values"]),
        add_lines=tuple(unpacked(told["add_lines"])),
        change_lines=tuple(unpacked(told["change_lines"])),
        remove_lines=tuple(told["remove_lines"]),
        transition=told["transition"],
        source_fields=unpacked(told["source_fields"]),
    )


_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "$decimal": Decimal,
    "$instant": datetime.fromisoformat,
    "$day": date.fromisoformat,
}


def packed(value: Any) -> Any:
    """Give a value as JSON."""
    if isinstance(value, Mapping):
        # A caller's own key that looks like a mark is told apart from ours.
        return {f"${name}" if str(name).startswith("$") else name: packed(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [packed(each) for each in value]
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, date):  # an instant is a day, too
        return {"$instant" if isinstance(value, datetime) else "$day": value.isoformat()}
    return value


def unpacked(value: Any) -> Any:
    """Make the value again of what `packed` gave."""
    if isinstance(value, list):
        return [unpacked(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (mark := next(iter(value))) in _READ:
        return _READ[mark](value[mark])
    return {name.removeprefix("$"): unpacked(each) for name, each in value.items()}
