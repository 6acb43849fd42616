"""The door to runs: stop one."""

from uuid import UUID

from db import runs
from db.engine import Database
from db.runs import Cancel
from db.scope import Scope
from db.types import ErrorCode, Problem
from jobs.queue import Queue


class RunDoor:
    """Handles runs as people ask for it."""

    def __init__(self, *, database: Database, queue: Queue) -> None:
        self._database = database
        self._queue = queue

    async def cancel(self, scope: Scope, run_id: UUID) -> list[Problem]:
        """Stop a run: at its next page where a worker is at it, at once where none is; its checkpoint stays."""
        own = await self._own(scope, run_id)
        if own is None:
            return [_unknown()]
        async with self._database.write(own) as session:
            came_to = await runs.cancel(session, own, run_id)
        if came_to is Cancel.UNKNOWN:
            return [_unknown()]
        if came_to is Cancel.ENDED_BEFORE:
            return [Problem(ErrorCode.CONFLICT, "The run has ended already.", ("syncRunId",))]
        await self._queue.wake_followers(own)
        return []

    async def _own(self, scope: Scope, run_id: UUID) -> Scope | None:
        async with self._database.read(scope) as session:
            connection_id = await runs.connection_of(session, scope, run_id)
        return scope.narrowed(connection_id) if connection_id is not None else None


def _unknown() -> Problem:
    return Problem(ErrorCode.NOT_FOUND, "There is no such run.", ("syncRunId",))
