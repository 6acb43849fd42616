"""Dry runs: the exact requests that a write would send, and what it would change."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.base import Change, JsonObject, Wire
from connectors.errors import VersionConflict
from connectors.mapping import project
from db.models.partial import camel
from jobs.packing import packed
from jobs.sources import OpenSource


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that would change; values as JSON."""

    path: tuple[str, ...]
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a write would do.

    Attributes:
        reference: Our reference; the same input, sent today, carries it.
        requests: See Wire.requests.
    """

    reference: str
    requests: list[JsonObject]
    changes: list[FieldChange]


async def predicted(source: OpenSource, change: Change, *, guarded: bool) -> DryRun:
    """Tell what a change would send, through the connector's own way of sending it.

    Args:
        source: Opened so that nothing can be changed through it.
        change: As it would be sent.
        guarded: The caller expects a version, which is mapped to the source's own stamp.

    Raises:
        ConnectorError: The source, or the connector for it, refuses the change.
    """
    record: Mapping[str, Any] = {}
    if change.source_id is not None:
        items = await source.source.fetch(change.entity, [change.source_id])
        if not items:
            raise VersionConflict("The record is gone from the source.")
        units = source.connector.units(source.defaults)
        mapped = project(source.connector.mappings[change.entity], items[0].body, units=units)
        record = mapped.model_dump(mode="json")
        if guarded:
            change = replace(change, expected=source.connector.stamp(change.entity, items[0].body))
    wire = Wire(dry=True)
    await source.source.write(change, defaults=source.defaults, wire=wire)
    return DryRun(change.reference, wire.requests, list(_changes(change, record)))


def _changes(change: Change, record: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name, value in change.values.items():
        if name != "lines":
            after = _shown(value)
            if record.get(name) != after:
                yield FieldChange((_named(name),), record.get(name), after)
    lines = {str(line["source_line_id"]): line for line in record.get("lines") or ()}
    for number, line in enumerate(change.values.get("lines") or change.add_lines):
        yield FieldChange(("lines", f"+{number}"), None, _line(line))
    for line in change.change_lines:
        key = str(line["source_line_id"])
        for name, value in line.items():
            before = lines.get(key, {}).get(name)
            if name != "source_line_id" and before != _shown(value):
                yield FieldChange(("lines", key, _named(name)), before, _shown(value))
    for key in change.remove_lines:
        yield FieldChange(("lines", key), _line(lines.get(key, {})), None)
    if change.transition is not None:
        yield FieldChange(("status",), record.get("status"), change.transition)


def _line(line: Mapping[str, Any]) -> JsonObject:
    return {_named(name): _shown(value) for name, value in line.items() if value is not None}


def _named(name: str) -> str:
    return camel(name)


def _shown(value: Any) -> Any:
    told = packed(value)
    if isinstance(told, dict) and len(told) == 1 and next(iter(told)).startswith("$"):
        return next(iter(told.values()))
    if isinstance(told, list):
        return [_shown(each) for each in told]
    return {name: _shown(each) for name, each in told.items()} if isinstance(told, dict) else told
