"""The write door: a validated change goes to the source, and comes back as the source has it.

The intent is committed first, then SENT, then the first byte leaves. A lost
answer is OUTCOME_UNKNOWN, never sent again blindly. What the source holds
afterwards is read back and stored with the event and the settled operation in
one transaction.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from connectors.base import Change, Connector, WriteSpec, Written
from connectors.errors import BadResponse, ConnectorError, OutcomeUnknown, SourceFault, SourceUnavailable
from db import connections, events, upsert, writes
from db.engine import Database
from db.history import Origin
from db.models.connection import ConnectionStatus
from db.models.partial import camel, checked
from db.models.registry import SPECS
from db.models.sync import SourceError
from db.models.write import WriteOperation, WriteState
from db.raw import Fetched
from db.scope import Scope
from db.types import Cause, Entity, ErrorCode, Operation, Problem, Reference, encode_id, new_id
from jobs.budget import Priority
from jobs.health import source_error
from jobs.pages import hashed, prepare
from jobs.queue import Queue
from jobs.references import Resolver
from jobs.sources import OpenSource, Sources

log = structlog.get_logger(__name__)

WAIT_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.1
_OPEN: Final = (WriteState.PENDING, WriteState.SENT)


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """What a caller wants changed.

    Attributes:
        values: Fields in our names; references are `Reference` values, lines a list of such mappings under `lines`.
        root: The input field that holds the values, for problem paths.
        actor: The token that asked.
    """

    connection_id: UUID
    entity: Entity
    operation: Operation
    values: Mapping[str, Any]
    root: str
    idempotency_key: str | None = None
    source_fields: Mapping[str, Any] = field(default_factory=dict)
    actor: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a write; `problems` where it was refused or its outcome is unknown."""

    operation_id: UUID | None = None
    record_id: UUID | None = None
    problems: tuple[Problem, ...] = ()


class WriteDoor:
    """Carries changes to sources.

    Args:
        wait_seconds: How long a repeat waits for the first write of its idempotency key.
    """

    def __init__(
        self,
        *,
        database: Database,
        queue: Queue,
        sources: Sources,
        now: Callable[[], datetime],
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._database = database
        self._queue = queue
        self._sources = sources
        self._now = now
        self._wait_seconds = wait_seconds

    async def perform(self, scope: Scope, request: WriteRequest) -> Outcome:
        """Validate a change, send it, read the record back and store it."""
        own = scope.narrowed(request.connection_id)
        async with self._database.read(own) as session:
            opened = await connections.opened(session, own, request.connection_id)
        if opened is None:
            return Outcome(problems=(Problem(ErrorCode.NOT_FOUND, "There is no such connection.", ("connectionId",)),))
        if opened.status is not ConnectionStatus.ACTIVE:
            return Outcome(problems=(_not_writable(opened.status),))
        repeated = await self._repeated(own, request)
        if repeated is not None:
            return repeated
        try:
            async with self._sources.open(opened, priority=Priority.WRITE) as source:
                change, problems = await self._change(own, request, source)
                if problems:
                    return Outcome(problems=tuple(problems))
                return await self._carry(own, request, change, source)
        except ConnectorError as error:
            return Outcome(problems=(_problem(error),))

    async def _repeated(self, own: Scope, request: WriteRequest) -> Outcome | None:
        if request.idempotency_key is None:
            return None
        first = await self._first(own, request.idempotency_key)
        if first is None:
            return None
        if first.input_hash != _hash(request):
            message = "This idempotency key was used with another input."
            return Outcome(problems=(Problem(ErrorCode.IDEMPOTENCY_CONFLICT, message, ("idempotencyKey",)),))
        error: Any = first.error  # stored as JSON
        problems = (
            (Problem(ErrorCode(error["code"]), error["message"], None, error["source_message"]),) if error else ()
        )
        return Outcome(first.id, first.record_id, problems)

    async def _first(self, own: Scope, key: str) -> WriteOperation | None:
        """Give the operation that used a key; while its outcome is open, wait for it as long as may be."""
        until = time.monotonic() + self._wait_seconds
        while True:
            async with self._database.read(own) as session:
                first = await writes.by_key(session, own, key)
            if first is None or first.state not in _OPEN or time.monotonic() > until:
                return first
            await asyncio.sleep(_LOOK_SECONDS)

    async def _change(self, own: Scope, request: WriteRequest, source: OpenSource) -> tuple[Change, list[Problem]]:
        spec = source.connector.writes.get((request.entity, request.operation))
        change = Change(request.entity, request.operation, "", source_fields=dict(request.source_fields))
        if spec is None:
            return change, [_unsupported(source.connector, request)]
        problems = _capability_problems(spec, request)
        if problems:
            return change, problems
        record = SPECS[request.entity].record
        plain, problems = _checked(record, request)
        values, wrong = await _resolved(Resolver(self._database, own, source.source), plain, request)
        return replace(change, values=values), problems + wrong

    async def _carry(self, own: Scope, request: WriteRequest, change: Change, source: OpenSource) -> Outcome:
        operation_id = new_id()
        change = replace(change, reference=operation_id.hex[-12:].upper())
        intent = {
            "connection_id": own.connection_id,
            "id": operation_id,
            "organization_id": own.organization_id,
            "entity": request.entity.value,
            "operation": request.operation.value,
            "idempotency_key": request.idempotency_key,
            "input_hash": _hash(request),
            "input": orjson.dumps(change.values, default=_told).decode(),
            "created_at": self._now(),
            "source_id": change.source_id,
            "actor": request.actor,
            "request_id": request.request_id,
        }
        async with self._database.write(own) as session:
            new = await writes.intend(session, intent)
        if not new:
            return await self._repeated(own, request) or Outcome()
        async with self._database.write(own) as session:
            await writes.change(session, own, operation_id, state=WriteState.SENT, sent_at=self._now())
        try:
            written = await source.source.write(change, defaults=source.defaults)
        except ConnectorError as error:
            return await self._refused(own, operation_id, error)
        except Exception:
            log.exception("write_broke")  # by us, but what had left by then nobody knows
            return await self._refused(own, operation_id, OutcomeUnknown("The write failed here, after it was begun."))
        return await self._settle(own, operation_id, change, written, source)

    async def _refused(self, own: Scope, operation_id: UUID, error: ConnectorError) -> Outcome:
        unknown = isinstance(error, (OutcomeUnknown, SourceFault, BadResponse)) or (
            isinstance(error, SourceUnavailable) and error.sent
        )
        told = source_error(error)
        problems = error.problems or (_problem(error),)
        if unknown:
            message = (
                "The answer to this write was lost; it may have taken effect. Look the operation up before retrying."
            )
            told = SourceError(code=ErrorCode.OUTCOME_UNKNOWN, message=message, source_message=error.source_message)
            problems = (Problem(ErrorCode.OUTCOME_UNKNOWN, message, None, error.source_message),)
        async with self._database.write(own) as session:
            state = WriteState.OUTCOME_UNKNOWN if unknown else WriteState.FAILED
            values = {"state": state, "error": told.model_dump(mode="json")}
            settled = {} if unknown else {"settled_at": self._now()}
            await writes.change(session, own, operation_id, **values, **settled)
            await events.append(session, own, [_settled_event(operation_id, state)])
        await self._queue.wake_followers(own)
        return Outcome(operation_id, problems=problems)

    async def _settle(
        self, own: Scope, operation_id: UUID, change: Change, written: Written, source: OpenSource
    ) -> Outcome:
        """Read the record back, and store it with the event and the settled operation in one transaction."""
        spec, entity = SPECS[change.entity], change.entity
        fetched = Fetched(self._now())
        try:
            items = await source.source.fetch(entity, [written.source_id])
        except ConnectorError as error:
            log.warning("read_back_failed", code=error.code.value)  # the write stands; the next sync brings it
            items = []
        incoming = prepare(
            source.connector,
            entity,
            hashed(source.connector, entity, items).values(),
            fetched=fetched,
            units=source.connector.units(source.defaults),
        )
        origin = Origin(Cause.WRITE, self._now(), operation_id=operation_id)
        async with self._database.write(own) as session:
            changed = await upsert.store(session, own, spec, incoming, origin=origin)
            record_id = await writes.record_of(session, own, spec.table, written.source_id)
            await writes.change(
                session,
                own,
                operation_id,
                state=WriteState.SUCCEEDED,
                settled_at=self._now(),
                source_id=written.source_id,
                record_id=record_id,
                request=written.request,
                answer=written.answer,
            )
            told = [*upsert.events_of(spec, changed), _settled_event(operation_id, WriteState.SUCCEEDED)]
            await events.append(session, own, told)
        await self._queue.wake_followers(own)
        return Outcome(operation_id, record_id)


def _not_writable(status: ConnectionStatus) -> Problem:
    codes = {
        ConnectionStatus.REAUTHORIZATION_REQUIRED: ErrorCode.REAUTHORIZATION_REQUIRED,
        ConnectionStatus.UNREACHABLE: ErrorCode.SOURCE_UNREACHABLE,
    }
    message = f"The connection is {status.value}; nothing can be written to it."
    return Problem(codes.get(status, ErrorCode.CONFLICT), message, ("connectionId",))


def _unsupported(connector: Connector, request: WriteRequest) -> Problem:
    what = f"{request.operation.value} {request.entity.value}"
    return Problem(ErrorCode.UNSUPPORTED, f"{connector.spec.name} cannot do {what} through this API.")


def _names(request: WriteRequest) -> dict[str, tuple[str, ...]]:
    """Give every field that the caller gave (`lines.quantity` for a line's) with its place in the input."""
    names: dict[str, tuple[str, ...]] = {}
    for name, value in request.values.items():
        names[name] = (request.root, camel(name))
        for n, line in enumerate(value if name == "lines" else ()):
            names.update({f"lines.{key}": (request.root, "lines", str(n), camel(key)) for key in line})
    return names


def _capability_problems(spec: WriteSpec, request: WriteRequest) -> list[Problem]:
    given = _names(request)
    writable = {name.removesuffix("_source_id") for name in spec.writable | spec.required} | {"lines"}
    required = {name.removesuffix("_source_id") for name in spec.required}
    problems = [
        Problem(ErrorCode.UNSUPPORTED, f"The system cannot take {path[-1]} here.", path)
        for name, path in given.items()
        if name not in writable
    ]
    lines = request.values.get("lines") or []
    problems += [
        _missing(name, (request.root, camel(name)))
        for name in sorted(required)
        if not name.startswith("lines.") and request.values.get(name) is None
    ]
    for name in sorted(n.removeprefix("lines.") for n in required if n.startswith("lines.")):
        problems += [
            _missing(name, (request.root, "lines", str(n), camel(name)))
            for n, line in enumerate(lines)
            if line.get(name) is None
        ]
    return problems


def _missing(name: str, path: tuple[str, ...]) -> Problem:
    return Problem(ErrorCode.BAD_USER_INPUT, f"The system needs {camel(name)}.", path)


def _checked(record: type[Any], request: WriteRequest) -> tuple[dict[str, Any], list[Problem]]:
    """Validate what is not a reference under the record's own limits."""
    spec = SPECS[request.entity]
    children = {child.name: child.fields for child in spec.children}
    plain = {k: v for k, v in request.values.items() if not isinstance(v, Reference) and k not in children}
    values, problems = checked(record, plain, path=(request.root,))
    told: dict[str, Any] = {**{k: v for k, v in request.values.items() if isinstance(v, Reference)}, **values}
    for name, fields in children.items():
        rows = []
        for n, row in enumerate(request.values.get(name) or ()):
            own = {k: v for k, v in row.items() if not isinstance(v, Reference)}
            good, wrong = checked(fields, own, path=(request.root, name, str(n)))
            problems += wrong
            rows.append({**{k: v for k, v in row.items() if isinstance(v, Reference)}, **good})
        if name in request.values:
            told[name] = rows
    return told, problems


async def _resolved(
    resolver: Resolver, values: Mapping[str, Any], request: WriteRequest
) -> tuple[dict[str, Any], list[Problem]]:
    names = {name: camel(name) for name in ("vendor", "item", "payment_terms", "location")}
    lines = values.get("lines", ())
    head = {k: v for k, v in values.items() if k != "lines"}
    told, problems = await resolver.values(head, path=(request.root,), camel=names)
    rows = []
    for n, line in enumerate(lines):
        row, wrong = await resolver.values(line, path=(request.root, "lines", str(n)), camel=names)
        rows.append(row)
        problems += wrong
    if "lines" in values:
        told["lines"] = rows
    return told, problems


def _problem(error: ConnectorError) -> Problem:
    return Problem(error.code, error.message, None, error.source_message)


def _told(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else str(value)


def _hash(request: WriteRequest) -> bytes:
    told = [request.entity, request.operation, dict(request.values), dict(request.source_fields)]
    return hashlib.sha256(orjson.dumps(told, default=_hashable, option=orjson.OPT_SORT_KEYS)).digest()


def _hashable(value: Any) -> Any:
    if isinstance(value, Reference):
        return {"id": value.id, "source_id": value.source_id, "code": value.code}
    return _told(value)


def _settled_event(operation_id: UUID, state: WriteState) -> events.NewEvent:
    data = {"operationId": encode_id("WriteOperation", operation_id), "state": state.value}
    return events.NewEvent("write.settled", data)
