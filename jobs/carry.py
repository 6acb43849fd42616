"""Carry a write to its source, in whatever process holds its lease, and see it settled.

```
PENDING → SENT committed → the source → the record read back → SUCCEEDED, with record and events in one transaction
SENT, and its process gone; or the answer lost → OUTCOME_UNKNOWN → looked up until it is known:
    it took effect → read back, SUCCEEDED; it did not, and is not going to → sent once more; nobody can tell → people
```
A process that dies at any point leaves a row whose lease lapses; the tick finds it, and another process goes on.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from connectors.base import Change, JsonObject, Wire, WriteSpec, Written
from connectors.errors import ConnectorError, OutcomeUnknown, RateLimited, VersionConflict
from db import connections, writes
from db.connections import Opened
from db.engine import Database
from db.models.connection import ConnectionStatus
from db.models.sync import SourceError
from db.models.write import WriteOperation, WriteState
from db.scope import Scope
from db.sync import LeaseLost
from db.types import ErrorCode, Operation, Problem, encode_id
from jobs import outcomes
from jobs.budget import Priority
from jobs.failpoints import failpoint
from jobs.health import Failure, source_error
from jobs.held import Held
from jobs.outcomes import LOST, problems_of
from jobs.packing import unpack
from jobs.queue import Queue
from jobs.readback import Read, Readback
from jobs.settlement import MOST_SENDS, Absent, Applied, Rest, Unclear, Verdict, before, judge, look_delay
from jobs.sources import OpenSource, Sources
from jobs.turns import turn
from jobs.write_lease import write_leased

log = structlog.get_logger(__name__)

LEASE_SECONDS: Final = 15
_PATIENCE_SECONDS: Final = 10.0
"""What is due later than this is left to the tick."""
_MOST_TRIES: Final = 5


@dataclass(slots=True)
class _Work:
    """One operation while its lease is held."""

    scope: Scope
    operation: WriteOperation
    lease: Held
    opened: Opened
    change: Change
    spec: WriteSpec

    @property
    def id(self) -> UUID:
        return self.operation.id


class Carrier:
    """Carries write operations.

    Args:
        owner: Names the process in leases.
        now: The clock, UTC.
        lease_seconds: How long a lease outlives its process.
    """

    def __init__(
        self,
        *,
        database: Database,
        queue: Queue,
        sources: Sources,
        owner: str,
        now: Callable[[], datetime],
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        self._database = database
        self._queue = queue
        self._sources = sources
        self._now = now
        self._readback = Readback(database=database, queue=queue, now=now)
        self.owner = owner
        self.lease_seconds = lease_seconds

    async def carry(self, scope: Scope, operation_id: UUID, *, fence: int | None = None) -> None:
        """Work on an operation until it is settled, or has to wait for long; nothing happens where another holds it.

        Args:
            fence: Of the lease that the operation was made with.
        """
        held = write_leased(
            self._database, scope, operation_id, owner=self.owner, seconds=self.lease_seconds, fence=fence
        )
        async with held as lease:
            if lease is None:
                return
            with (
                structlog.contextvars.bound_contextvars(operation_id=encode_id("WriteOperation", operation_id)),
                suppress(LeaseLost),
            ):
                while await self._step(scope, operation_id, lease):
                    pass

    async def _step(self, scope: Scope, operation_id: UUID, lease: Held) -> bool:
        """Take an operation one step further; False where it goes no further here."""
        async with self._database.read(scope) as session:
            operation = await writes.load(session, scope, operation_id)
            opened = await connections.opened(session, scope, scope.connection_id) if scope.connection_id else None
        if operation is None or opened is None or operation.settled_at or operation.next_attempt_at is None:
            return False
        wait = (operation.next_attempt_at - self._now()).total_seconds()
        if wait > _PATIENCE_SECONDS:
            return False
        await asyncio.sleep(max(wait, 0.0))
        lease.check()
        change = unpack(operation.input["change"])
        connector = self._sources.connectors[opened.system]
        spec = connector.writes.get((change.entity, change.operation), WriteSpec())
        work = _Work(scope, operation, lease, opened, change, spec)
        with structlog.contextvars.bound_contextvars(request_id=operation.request_id):
            if operation.state == WriteState.PENDING:
                await self._begin(work)
            else:
                await self._look(work)
        return True

    def _open(self, work: _Work) -> AbstractAsyncContextManager[OpenSource]:
        return self._sources.open(work.opened, priority=Priority.WRITE, ready=work.lease.check, left=_left)

    async def _begin(self, work: _Work) -> None:
        """Send an operation that has not left yet, when its turn has come."""
        if work.opened.status is not ConnectionStatus.ACTIVE:
            await self._fail(work, (outcomes.not_writable(work.opened.status),))
            return
        if not await turn(self._database, work.scope, work.operation, lease=work.lease, now=self._now):
            return
        try:
            async with self._open(work) as source:
                await self._prepare(work, source)
                await self._send(work, source)
        except ConnectorError as error:
            await self._not_sent(work, error)

    async def _prepare(self, work: _Work, source: OpenSource) -> None:
        """Read the record that is to be changed: what it was tells later whether the change took effect.

        Raises:
            VersionConflict: It is gone, or no longer the version that the caller saw.
        """
        if work.change.source_id is None:
            return
        read = await self._readback.read(source, work.change.entity, work.change.source_id)
        if read.item is None:
            raise VersionConflict("The record is gone from the source.")
        expected = work.operation.input.get("expected_version")
        if expected is not None:
            version = await self._readback.keep(work.scope, read, operation_id=work.id)
            if version != expected:
                told = f"The record is at version {version} by now, not at {expected}."
                raise VersionConflict(told, problems=(Problem(ErrorCode.CONFLICT, told, ("expectedVersion",)),))
            stamp = source.connector.stamp(work.change.entity, read.item.body)
            work.change = replace(work.change, expected=stamp)
        work.operation.before = before(work.change, read.seen)

    async def _send(self, work: _Work, source: OpenSource) -> None:
        wire = Wire(allowed=work.lease.check)
        sends = work.operation.sends + 1
        await self._change(
            work,
            state=WriteState.SENT,
            sent_at=self._now(),
            sends=sends,
            before=work.operation.before,
            next_attempt_at=self._now(),
        )
        failpoint("write_before_send")
        try:
            written = await source.source.write(work.change, defaults=source.defaults, wire=wire)
        except LeaseLost:
            raise
        except ConnectorError as error:
            await self._refused(work, source, wire, error)
            return
        except Exception:
            log.exception("write_broke")  # by us, but what had left by then nobody knows
            await self._lost(work, wire, OutcomeUnknown("The write failed here, after it was begun."))
            return
        failpoint("write_after_answer")
        if sends > 1 and (doubt := await self._doubled(work, source)):
            await self._give_up(work, doubt, wire)
            return
        await self._succeed(work, source, written, wire)

    async def _doubled(self, work: _Work, source: OpenSource) -> str | None:
        """Look, after a second sending, whether the first took effect after all: a source may commit very late."""
        if work.spec.reference_field is None:
            return None
        try:
            found = await source.source.find(work.change, defaults=source.defaults)
        except ConnectorError:
            return None  # what was sent stands; a second one would be found by people, by its reference
        return _several(found, work.change.reference) if len(found) > 1 else None

    async def _refused(self, work: _Work, source: OpenSource, wire: Wire, error: ConnectorError) -> None:
        """Judge a failure after SENT: lost, not even sent, or refused."""
        if outcomes.lost(error, wire):
            await self._lost(work, wire, error)
        elif not wire.answers and (isinstance(error, RateLimited) or not wire.requests):
            await self._not_sent(work, error)
        else:
            # Refused half-way, or in conflict: the store must not keep what the source no longer has.
            stale = work.change.source_id if wire.answers or isinstance(error, VersionConflict) else None
            read = await self._readback.attempt(source, work.change.entity, stale) if stale else None
            await self._fail(work, problems_of(error), error=error, wire=wire, read=read)

    async def _not_sent(self, work: _Work, error: ConnectorError) -> None:
        """End an operation that took no effect, or put it off where waiting helps."""
        if isinstance(error, RateLimited) or (work.operation.background and error.transient):
            await self._put_off(work, error)
            return
        await self._fail(work, problems_of(error), error=error)

    async def _put_off(self, work: _Work, error: ConnectorError) -> None:
        tries = work.operation.tries + 1
        if tries > _MOST_TRIES:
            await self._fail(work, problems_of(error), error=error)
            return
        due = self._now() + timedelta(seconds=outcomes.wait_seconds(tries, error))
        told = source_error(error).model_dump(mode="json")
        await self._change(work, state=WriteState.PENDING, tries=tries, next_attempt_at=due, error=told)

    async def _look(self, work: _Work) -> None:
        """Look up what became of an operation whose answer was lost."""
        since = work.operation.unknown_since or self._now()
        try:
            async with self._open(work) as source:
                verdict = await self._verdict(work, source)
                late = (self._now() - since).total_seconds() < work.spec.late_seconds
                await self._settle(work, source, verdict, since=since, late=late)
        except ConnectorError as error:
            log.warning("look_failed", code=error.code.value)
            wait = outcomes.look_wait_seconds(work.operation.looks, error)
            await self._look_again(work, since=since, seconds=wait)

    async def _verdict(self, work: _Work, source: OpenSource) -> Verdict:
        change = work.change
        if change.operation in {Operation.CREATE, Operation.ADJUST}:
            if work.spec.reference_field is None:
                return Unclear(f"{source.connector.spec.name} keeps no reference by which it could be found.")
            found = await source.source.find(change, defaults=source.defaults)
            if len(found) > 1:
                return Unclear(_several(found, change.reference))
            return Applied(found[0], {"foundByReference": change.reference}) if found else Absent()
        read = await self._readback.read(source, change.entity, str(change.source_id))
        was = work.operation.before
        if was is None:
            return Unclear("What the record was before is not known.")
        return judge(change, was, read.seen if read.item is not None else None, work.spec)

    async def _settle(self, work: _Work, source: OpenSource, verdict: Verdict, *, since: datetime, late: bool) -> None:
        """Act on a verdict; `late` while the source may still be at it."""
        match verdict:
            case Applied(source_id, facts):
                await self._succeed(work, source, Written(source_id, facts), None)
            case Unclear(message) if not late or work.change.source_id is None:
                await self._give_up(work, message, None)
            case Absent() | Rest() if not late and work.operation.sends < MOST_SENDS:
                if isinstance(verdict, Rest):
                    work.change = verdict.change
                await self._send(work, source)
            case Absent() if not late:
                told = "The write was sent twice and its answer was lost each time; nothing of it is in the source."
                await self._fail(work, (Problem(ErrorCode.SOURCE_UNREACHABLE, told),))
            case Rest() if not late:
                await self._give_up(work, "Only a part of it took effect.", None)
            case _:
                await self._look_again(work, since=since, seconds=look_delay(work.operation.looks))

    async def _look_again(self, work: _Work, *, since: datetime, seconds: float) -> None:
        await self._change(
            work,
            state=WriteState.OUTCOME_UNKNOWN,
            unknown_since=since,
            looks=work.operation.looks + 1,
            next_attempt_at=self._now() + timedelta(seconds=seconds),
            error=LOST.model_dump(mode="json"),
        )

    async def _lost(self, work: _Work, wire: Wire, error: ConnectorError) -> None:
        """Keep that nobody knows the outcome; it is looked up at once."""
        log.warning("answer_lost", code=error.code.value)
        told = LOST.model_copy(update={"source_message": error.source_message or error.message})
        await self._change(
            work,
            state=WriteState.OUTCOME_UNKNOWN,
            unknown_since=self._now(),
            looks=0,
            next_attempt_at=self._now() + timedelta(seconds=look_delay(0)),
            error=told.model_dump(mode="json"),
            request={"calls": wire.requests},
            answer={"answers": wire.answers},
        )

    async def _give_up(self, work: _Work, message: str, wire: Wire | None) -> None:
        """Leave an operation to people: what is known, and what to look at."""
        error = SourceError(code=ErrorCode.OUTCOME_UNKNOWN, message=f"{LOST.message} {message}", remedy=work.spec.look)
        problem = Problem(ErrorCode.OUTCOME_UNKNOWN, f"{error.message} {work.spec.look}")
        values = {"state": WriteState.OUTCOME_UNKNOWN, "error": error.model_dump(mode="json")}
        await self._end(work, values, source_id=work.change.source_id, wire=wire, problems=(problem,))

    async def _fail(
        self,
        work: _Work,
        problems: tuple[Problem, ...],
        *,
        error: ConnectorError | None = None,
        wire: Wire | None = None,
        read: Read | None = None,
    ) -> None:
        effect = wire is not None and bool(wire.answers)
        values = {"state": WriteState.FAILED, **outcomes.failed(problems, error=error, effect=effect)}
        failure = self._failure(work, error)
        await self._end(
            work, values, source_id=work.change.source_id, wire=wire, read=read, problems=problems, failure=failure
        )

    @staticmethod
    def _failure(work: _Work, error: ConnectorError | None) -> Failure | None:
        if error is None:
            return None
        change, tried = work.change, work.opened.sealed
        return Failure(error, change.operation, change.entity, write_id=work.id, tried=tried)

    async def _succeed(self, work: _Work, source: OpenSource, written: Written, wire: Wire | None) -> None:
        """Read the record back, and store it with the event and the settled operation in one transaction."""
        read = None
        if work.change.operation is not Operation.DELETE:
            read = await self._readback.attempt(source, work.change.entity, written.source_id)
        values = {"state": WriteState.SUCCEEDED, "source_id": written.source_id, "error": None}
        await self._end(work, values, source_id=written.source_id, wire=wire, read=read, facts=written.facts)
        failpoint("write_after_commit")

    async def _end(
        self,
        work: _Work,
        values: dict[str, Any],
        *,
        source_id: str | None,
        wire: Wire | None,
        read: Read | None = None,
        facts: JsonObject | None = None,
        problems: tuple[Problem, ...] = (),
        failure: Failure | None = None,
    ) -> None:
        sent = {"request": {"calls": wire.requests}} if wire is not None else {}
        answered = {"answers": wire.answers} if wire is not None else dict(work.operation.answer or {})
        await self._readback.settle(
            work.scope,
            work.id,
            fence=work.lease.fence,
            entity=work.change.entity,
            operation=work.change.operation,
            values={**values, **sent, "answer": {**answered, **(facts or {})} or None},
            source_id=source_id,
            read=read,
            problems=problems,
            failure=failure,
        )

    async def _change(self, work: _Work, **values: Any) -> None:
        async with self._database.write(work.scope) as session:
            await writes.change(session, work.scope, work.id, fence=work.lease.fence, **values)
        for name, value in values.items():
            setattr(work.operation, name, value)


def _left() -> None:
    failpoint("write_after_send")


def _several(found: list[str], reference: str) -> str:
    return f"{len(found)} records carry the reference {reference}: {', '.join(found)}. One of them is too many."
