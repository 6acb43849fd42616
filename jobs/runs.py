"""The door to runs: stop one, or answer what it asks."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from db import audit, events, runs
from db.engine import Database, WriteSession
from db.events import NewEvent
from db.models.sync import SyncRun
from db.runs import Answer, Cancel
from db.scope import Scope
from db.types import Entity, ErrorCode, Problem
from jobs import attention
from jobs.queue import Queue
from jobs.work import run_event

_REFUSALS = {
    Cancel.ENDED_BEFORE: "The run has ended already.",
    Answer.NOT_ASKED: "The run asks for no confirmation.",
    Answer.BEHIND: "A newer run of the same kind is open; it will judge anew.",
}


class RunDoor:
    """Handles runs as people ask for it."""

    def __init__(self, *, database: Database, queue: Queue, now: Callable[[], datetime]) -> None:
        self._database = database
        self._queue = queue
        self._now = now

    async def cancel(self, scope: Scope, run_id: UUID) -> list[Problem]:
        """Stop a run: at its next page where a worker is at it, at once where none is; its checkpoint stays."""
        own = await self._own(scope, run_id)
        if own is None:
            return [_unknown()]
        async with self._database.write(own) as session:
            came_to, run = await runs.cancel(session, own, run_id)
            if came_to not in {Cancel.UNKNOWN, Cancel.ENDED_BEFORE}:
                audit.record(session, own, "cancelSync", target=("SyncRun", run_id))
            if run is not None and came_to is Cancel.ENDED:
                await events.append(session, own, await self._answered(session, own, run))
        return await self._told(own, came_to)

    async def answer(self, scope: Scope, run_id: UUID, *, delete: bool) -> list[Problem]:
        """Answer a run that asks whether to delete what vanished from its source.

        Args:
            delete: True: each is looked up in the source, and deleted where it is gone. False: all are left.
        """
        own = await self._own(scope, run_id)
        if own is None:
            return [_unknown()]
        async with self._database.write(own) as session:
            came_to, run = await runs.answer(session, own, run_id, delete=delete)
            if run is not None and came_to is Answer.TAKEN:
                audit.record(session, own, "confirmDeletions", target=("SyncRun", run_id), changes={"confirm": delete})
                told = await self._answered(session, own, run)
                ended = [] if delete else [run_event(run, "sync.succeeded")]
                await events.append(session, own, [*told, *ended])
        if came_to is Answer.TAKEN and delete:
            await self._queue.wake_sync(own, run_id)
        return await self._told(own, came_to)

    async def _answered(self, session: WriteSession, own: Scope, run: SyncRun) -> list[NewEvent]:
        return await attention.settle(session, own, "SWEEP", Entity(run.entity), now=self._now())

    async def _told(self, own: Scope, came_to: Cancel | Answer) -> list[Problem]:
        if came_to in {Cancel.UNKNOWN, Answer.UNKNOWN}:
            return [_unknown()]
        if came_to in _REFUSALS:
            return [Problem(ErrorCode.CONFLICT, _REFUSALS[came_to], ("syncRunId",))]
        await self._queue.wake_followers(own)
        return []

    async def _own(self, scope: Scope, run_id: UUID) -> Scope | None:
        async with self._database.read(scope) as session:
            connection_id = await runs.connection_of(session, scope, run_id)
        return scope.narrowed(connection_id) if connection_id is not None else None


def _unknown() -> Problem:
    return Problem(ErrorCode.NOT_FOUND, "There is no such run.", ("syncRunId",))
