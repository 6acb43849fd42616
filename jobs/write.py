"""The write door: what a caller asks is checked, kept as an operation, carried out, and answered from its row.

By default this process carries it out and the caller waits for a while; a worker does it where the caller asked for
that, and wherever this process could not finish it. See jobs/carry.py for the way of one operation.
"""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from connectors.base import Change
from connectors.errors import ConnectorError
from db import capabilities, connections, writes
from db.connections import Opened
from db.engine import Database
from db.models.connection import ConnectionStatus
from db.models.registry import SPECS
from db.models.write import WriteOperation, WriteState
from db.scope import Scope
from db.types import ErrorCode, Problem, new_id
from jobs import outcomes
from jobs.budget import Priority
from jobs.carry import Carrier
from jobs.changes import WriteRequest, input_hash, refused, validated
from jobs.failpoints import failpoint
from jobs.packing import pack, unpack
from jobs.predict import DryRun, predicted
from jobs.queue import Queue, stop
from jobs.references import Resolver
from jobs.sources import Sources

__all__ = ["DryRun", "Outcome", "WriteDoor", "WriteRequest"]

log = structlog.get_logger(__name__)

WAIT_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.05
_MOST_SECONDS: Final = 0.5
_CANDIDATES: Final = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a write.

    Attributes:
        problems: Why it was refused or its outcome is unknown; none while it is under way.
        dry_run: What would be sent, where that was all that was asked.
    """

    operation_id: UUID | None = None
    record_id: UUID | None = None
    problems: tuple[Problem, ...] = ()
    dry_run: DryRun | None = None


class WriteDoor:
    """Carries changes to sources.

    Args:
        carrier: What performs operations in this process.
        wait_seconds: How long a caller who does not say otherwise waits for an outcome.
    """

    def __init__(
        self,
        *,
        database: Database,
        queue: Queue,
        sources: Sources,
        carrier: Carrier,
        now: Callable[[], datetime],
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._database = database
        self._queue = queue
        self._sources = sources
        self._carrier = carrier
        self._now = now
        self._wait_seconds = wait_seconds
        self._tasks: set[asyncio.Task[None]] = set()

    async def aclose(self, *, grace_seconds: float = 5.0) -> None:
        """Let what is under way end; what does not is left to a worker."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_seconds)
        await stop(*self._tasks)

    async def perform(self, scope: Scope, request: WriteRequest) -> Outcome:
        """Validate a change and carry it out, or tell what would be sent."""
        until = time.monotonic() + (self._wait_seconds if request.timeout_s is None else request.timeout_s)
        found = await self._target(scope, request)
        if isinstance(found, Problem):
            return Outcome(problems=(found,))
        own, opened, source_id = found
        repeated = None if request.dry else await self._repeated(own, request, until)
        if repeated is not None:
            return repeated
        if opened.status is not ConnectionStatus.ACTIVE:
            return Outcome(problems=(outcomes.not_writable(opened.status),))
        try:
            change, problems = await self._change(own, opened, request, source_id)
            if change is not None and request.dry and not problems:
                return await self._dry(own, opened, request, change)
        except ConnectorError as error:
            change, problems = None, list(outcomes.problems_of(error))
        if problems or change is None:
            return Outcome(problems=tuple(placed(request, problems)))
        return await self._intend(own, request, change, until)

    async def _target(self, scope: Scope, request: WriteRequest) -> tuple[Scope, Opened, str | None] | Problem:
        """Give the connection that is written to, and the source's key of the record to change."""
        connection_id, source_id = request.connection_id, None
        if request.record_id is not None:
            async with self._database.read(scope) as session:
                table = SPECS[request.entity].table
                target = await writes.target(session, scope, table, request.record_id)
            if target is None or target.deleted:
                return Problem(ErrorCode.NOT_FOUND, "There is no such record.", ("id",))
            connection_id, source_id = target.connection_id, target.source_id
            if request.expected_version is not None and target.version != request.expected_version and request.dry:
                told = f"The record is at version {target.version} by now, not at {request.expected_version}."
                return Problem(ErrorCode.CONFLICT, told, ("expectedVersion",))
        if connection_id is None:
            raise TypeError("a write names a connection or a record")
        own = scope.narrowed(connection_id)
        async with self._database.read(own) as session:
            opened = await connections.opened(session, own, connection_id)
        return (own, opened, source_id) if opened else _gone()

    async def _change(
        self, own: Scope, opened: Opened, request: WriteRequest, source_id: str | None
    ) -> tuple[Change | None, list[Problem]]:
        """Make the change: what the connection can do, limits, references; before anything is kept."""
        connector = self._sources.connectors[opened.system]
        spec = connector.writes.get((request.entity, request.operation))
        async with self._database.read(own) as session:
            capability = await capabilities.of(session, own, request.entity, request.operation)
        problems = refused(capability, spec, request, connector.spec.name)
        if problems:
            return None, problems
        async with self._sources.open(opened, priority=Priority.WRITE) as source:
            change, problems = await validated(request, Resolver(self._database, own, source.source))
        return replace(change, source_id=source_id), problems

    async def _dry(self, own: Scope, opened: Opened, request: WriteRequest, change: Change) -> Outcome:
        [reference, *_] = await self._references(own, request)
        change = unpack(pack(replace(change, reference=reference)))
        async with self._sources.open(opened, priority=Priority.WRITE, dry=True) as source:
            told = await predicted(source, change, guarded=request.expected_version is not None)
        return Outcome(dry_run=told)

    async def _intend(self, own: Scope, request: WriteRequest, change: Change, until: float) -> Outcome:
        """Keep the intent, and see it carried out; a key that was used meanwhile gives its first outcome."""
        for reference in await self._references(own, request):
            told = replace(change, reference=reference)
            async with self._database.write(own) as session:
                operation_id = await writes.intend(session, self._intent(own, request, told))
            if operation_id is not None:
                failpoint("write_intended")
                return await self._carried(own, request, operation_id, until)
            repeated = await self._repeated(own, request, until)
            if repeated is not None:
                return repeated
        raise RuntimeError("a hundred writes of this very input are under way")

    def _intent(self, own: Scope, request: WriteRequest, change: Change) -> dict[str, Any]:
        kept = {"change": pack(change), "expected_version": request.expected_version, "root": request.root}
        leased = 0 if request.background else 1
        return {
            "connection_id": own.connection_id,
            "id": new_id(),
            "organization_id": own.organization_id,
            "entity": request.entity.value,
            "operation": request.operation.value,
            "idempotency_key": request.idempotency_key,
            "reference": change.reference,
            "input_hash": input_hash(request),
            "input": orjson.dumps(kept).decode(),
            "created_at": self._now(),
            "source_id": change.source_id,
            "record_id": request.record_id,
            "actor": request.actor,
            "request_id": request.request_id,
            "background": request.background,
            "fence": leased,
            "lease_owner": self._carrier.owner if leased else None,
            "seconds": self._carrier.lease_seconds,
        }

    async def _carried(self, own: Scope, request: WriteRequest, operation_id: UUID, until: float) -> Outcome:
        if request.background:
            await self._queue.wake_write(own, operation_id)
            return Outcome(operation_id)
        task = asyncio.create_task(self._carrier.carry(own, operation_id, fence=1))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        await asyncio.wait({task}, timeout=max(until - time.monotonic(), 0.0))
        if task.done():
            task.result()
        return await self._awaited(own, operation_id, until)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("write_left", error=type(task.exception()).__name__)  # a worker goes on with it

    async def _references(self, own: Scope, request: WriteRequest) -> Sequence[str]:
        """Give references for a request that no operation has: the same for a dry run and the write after it.

        They come from the input, the day and a count, so that what was asked twice on purpose is told apart.
        """
        seed = b"|".join(
            (
                own.connection_id.bytes if own.connection_id else b"",
                input_hash(request),
                (request.idempotency_key or "").encode(),
                self._now().date().isoformat().encode(),
            )
        )
        made = [_reference(seed, number) for number in range(_CANDIDATES)]
        async with self._database.read(own) as session:
            used = await writes.taken(session, own, made)
        return [reference for reference in made if reference not in used]

    async def _repeated(self, own: Scope, request: WriteRequest, until: float) -> Outcome | None:
        """Give the outcome of the operation that holds the key, and wait for it while it may; None where none does."""
        if request.idempotency_key is None:
            return None
        async with self._database.read(own) as session:
            first = await writes.by_key(session, own, request.idempotency_key, now=self._now())
        if first is None:
            return None
        if first.input_hash != input_hash(request):
            message = "This idempotency key was used with another input."
            return Outcome(problems=(Problem(ErrorCode.IDEMPOTENCY_CONFLICT, message, ("idempotencyKey",)),))
        return _told(first) if request.background else await self._awaited(own, first.id, until)

    async def _awaited(self, own: Scope, operation_id: UUID, until: float) -> Outcome:
        """Give the outcome of an operation, of which some process sees to it; the open operation when time is up."""
        pause = _LOOK_SECONDS
        while True:
            async with self._database.read(own) as session:
                operation = await writes.load(session, own, operation_id)
            if operation is None:
                return Outcome(operation_id)
            if operation.next_attempt_at is None or time.monotonic() > until:
                return _told(operation)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _MOST_SECONDS)


def _told(operation: WriteOperation) -> Outcome:
    kept: Any = operation.user_errors  # stored as JSON
    problems = tuple(outcomes.told(each) for each in kept)
    if not problems and operation.state == WriteState.OUTCOME_UNKNOWN:
        problems = (Problem(ErrorCode.OUTCOME_UNKNOWN, f"{outcomes.LOST.message} {outcomes.LOST.remedy}"),)
    root, adds = operation.input.get("root", ""), bool(operation.input["change"]["add_lines"])
    return Outcome(operation.id, operation.record_id, tuple(_rooted(root, adds, problem) for problem in problems))


def placed(request: WriteRequest, problems: Sequence[Problem]) -> list[Problem]:
    """Give problems with paths from the top of the caller's input, whoever found them."""
    return [_rooted(request.root, bool(request.add_lines), problem) for problem in problems]


_TOPS: Final = frozenset({"sourceFields", "connectionId", "id", "expectedVersion", "idempotencyKey"})


def _rooted(root: str, adds: bool, problem: Problem) -> Problem:
    if not root or not problem.path or problem.path[0] == root or problem.path[0] in _TOPS:
        return problem
    first, *rest = problem.path
    if root == "changes" and first == "lines":
        first = "addLines" if adds else "changeLines"  # of the two, the one in which sources miss values
    return replace(problem, path=(root, first, *rest))


def _reference(seed: bytes, number: int) -> str:
    """Make a reference: 12 letters and digits, as the narrowest of the sources' fields takes."""
    digest = hashlib.sha256(seed + b"|%d" % number).digest()
    return base64.b32encode(digest)[:12].decode()


def _gone() -> Problem:
    return Problem(ErrorCode.NOT_FOUND, "There is no such connection.", ("connectionId",))
