"""From what a caller asks to a change for the source: capabilities, limits and references, each with its place."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson

from connectors.base import Change, JsonObject, WriteSpec
from db.models.base import Fields
from db.models.capability import Capability
from db.models.inputs import INPUTS
from db.models.partial import camel, checked
from db.types import Entity, ErrorCode, Operation, Problem, Reference
from jobs.references import Resolver, kind_of

_LINES: Final = {"lines": "lines", "add_lines": "addLines", "change_lines": "changeLines"}


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """What a caller wants changed.

    Attributes:
        values: Fields in our names; references are `Reference` values, new lines a list of such mappings under
            `lines`; None clears a field.
        root: The input field that holds the values, for problem paths; empty where they stand at its top.
        record_id: The record to change; None makes one, or adjusts stock.
        connection_id: Where; None where the record tells.
        expected_version: The version that the caller saw.
        dry: Tell what would be sent, and send nothing.
        background: Let a worker do it, and answer at once.
        timeout_s: How long the caller waits for the outcome.
        actor: The token that asked.
    """

    entity: Entity
    operation: Operation
    values: Mapping[str, Any] = field(default_factory=dict)
    root: str = ""
    connection_id: UUID | None = None
    record_id: UUID | None = None
    add_lines: Sequence[Mapping[str, Any]] = ()
    change_lines: Sequence[Mapping[str, Any]] = ()
    remove_lines: Sequence[str] = ()
    transition: str | None = None
    expected_version: int | None = None
    idempotency_key: str | None = None
    source_fields: Mapping[str, Any] = field(default_factory=dict)
    dry: bool = False
    background: bool = False
    timeout_s: float | None = None
    actor: str | None = None
    request_id: str | None = None

    def lines(self) -> Iterator[tuple[str, tuple[str, ...], Mapping[str, Any]]]:
        """Give the lines it names: which list, the path of the line, and its values."""
        for name, told in _LINES.items():
            rows = self.values.get("lines") if name == "lines" else getattr(self, name)
            for number, row in enumerate(rows or ()):
                yield name, (*self.path(told), str(number)), row

    def path(self, *steps: str) -> tuple[str, ...]:
        """Give a path in the caller's input."""
        return (self.root, *steps) if self.root else steps


def input_hash(request: WriteRequest) -> bytes:
    """Hash all that decides a write's effect, to tell a repeat from another use of its key."""
    told = [
        request.entity,
        request.operation,
        dict(request.values),
        request.record_id,
        list(request.add_lines),
        list(request.change_lines),
        list(request.remove_lines),
        request.transition,
        request.expected_version,
        dict(request.source_fields),
    ]
    return hashlib.sha256(orjson.dumps(told, default=_hashable, option=orjson.OPT_SORT_KEYS)).digest()


def _hashable(value: Any) -> Any:
    if isinstance(value, Reference):
        return {"id": value.id, "source_id": value.source_id, "code": value.code}
    return str(value)


def refused(capability: Capability | None, spec: WriteSpec | None, request: WriteRequest, system: str) -> list[Problem]:
    """Tell what of a request the connection cannot do, and what it needs and was not given."""
    what = f"{request.operation.value} {request.entity.value}"
    if spec is None or capability is None:
        return [Problem(ErrorCode.UNSUPPORTED, f"{system} cannot do {what} through this API.")]
    if not capability.supported:
        code = ErrorCode.SOURCE_PERMISSION if capability.refused else ErrorCode.UNSUPPORTED
        return [Problem(code, capability.unavailable_reason or f"This connection cannot do {what}.")]
    return [
        *_unwritable(spec, request),
        *_missing(spec, request),
        *_too_long(spec, request),
        *_transition(spec, request),
    ]


def _bare(names: frozenset[str]) -> set[str]:
    return {name.removesuffix("_source_id") for name in names}


def _unwritable(spec: WriteSpec, request: WriteRequest) -> Iterator[Problem]:
    writable = _bare(spec.writable | spec.required)
    given = [(name, request.path(camel(name))) for name in request.values if name != "lines"]
    for _, path, row in request.lines():
        given += [(f"lines.{name}", (*path, camel(name))) for name in row if name != "source_line_id"]
    if not any(name.startswith("lines") for name in writable):
        named = {"lines": request.values.get("lines"), "addLines": request.add_lines}
        named |= {"changeLines": request.change_lines, "removeLines": request.remove_lines}
        given += [("lines", request.path(told)) for told, rows in named.items() if rows]
    for name, path in given:
        if name not in writable:
            yield Problem(ErrorCode.UNSUPPORTED, f"The system cannot take {path[-1]} here.", path)


def _missing(spec: WriteSpec, request: WriteRequest) -> Iterator[Problem]:
    required = sorted(_bare(spec.required) - {"lines"})
    for name in required:
        if "." not in name and request.values.get(name) is None:
            yield _needed(name, request.path(camel(name)))
    of_lines = [name.removeprefix("lines.") for name in required if name.startswith("lines.")]
    for where, path, row in request.lines():
        for name in of_lines:
            if row.get(name) is None and (where != "change_lines" or name in row):
                yield _needed(name, (*path, camel(name)))
    if request.operation is Operation.ADJUST:
        both = [name for name in ("quantity", "delta") if request.values.get(name) is not None]
        if len(both) != 1:
            yield Problem(ErrorCode.BAD_USER_INPUT, "Give either quantity or delta.", request.path("quantity"))


def _needed(name: str, path: tuple[str, ...]) -> Problem:
    return Problem(ErrorCode.BAD_USER_INPUT, f"The system needs {camel(name)}.", path)


def _too_long(spec: WriteSpec, request: WriteRequest) -> Iterator[Problem]:
    texts = [(name, request.path(camel(name)), value) for name, value in request.values.items()]
    for _, path, row in request.lines():
        texts += [(f"lines.{name}", (*path, camel(name)), value) for name, value in row.items()]
    for name, path, value in texts:
        limit = spec.max_length.get(name)
        if limit is not None and isinstance(value, str) and len(value) > limit:
            yield Problem(ErrorCode.BAD_USER_INPUT, f"The system takes at most {limit} characters here.", path)


def _transition(spec: WriteSpec, request: WriteRequest) -> Iterator[Problem]:
    if request.transition is not None and request.transition not in spec.transitions:
        can = ", ".join(sorted(spec.transitions)) or "none"
        message = f"The system cannot {request.transition} here; it can: {can}."
        yield Problem(ErrorCode.UNSUPPORTED, message, request.path("status"))


async def validated(request: WriteRequest, resolver: Resolver) -> tuple[Change, list[Problem]]:
    """Make the change of a request: values under the record's own limits, references as the source's keys."""
    given = INPUTS[request.entity, request.operation]
    head = {name: value for name, value in request.values.items() if name != "lines"}
    values, problems = await _row(request.entity, given.record, head, request.path(), resolver)
    rows: dict[str, list[JsonObject]] = {name: [] for name in _LINES}
    for name, path, row in request.lines():
        if given.line is None:
            raise TypeError(f"{request.entity} has no lines")
        made, wrong = await _row(request.entity, given.line, dict(row), path, resolver)
        rows[name].append(made)
        problems += wrong
    if "lines" in request.values:
        values["lines"] = rows["lines"]
    change = Change(
        request.entity,
        request.operation,
        "",
        values=values,
        add_lines=tuple(rows["add_lines"]),
        change_lines=tuple(rows["change_lines"]),
        remove_lines=tuple(request.remove_lines),
        transition=request.transition,
        source_fields=dict(request.source_fields),
    )
    return change, problems


async def _row(
    entity: Entity, record: type[Fields], row: Mapping[str, Any], path: tuple[str, ...], resolver: Resolver
) -> tuple[JsonObject, list[Problem]]:
    references = {n: v for n, v in row.items() if isinstance(v, Reference) or (v is None and kind_of(entity, n))}
    plain = {name: value for name, value in row.items() if name not in references}
    values, problems = checked(record, plain, path=path)
    resolved, wrong = await resolver.values(entity, references, path=path)
    return values | resolved, problems + wrong
