"""The door out: disconnect, and delete what is left of a connection.

From the reply of `disconnect` on, the token is refused by every process, for each request looks it up. Open sockets and
running syncs learn of it by jobs/revocation.py.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from db import audit, connections, credentials, events, purge, statuses, tokens
from db import credits as credit_ledger
from db import disconnect as ending
from db.engine import Database
from db.models.organization import TokenEnd
from db.purge import Verdict
from db.scope import Scope
from db.statuses import Change
from db.types import ErrorCode, Problem
from jobs.purge import Deletion, work_off
from jobs.queue import Queue

DELETE_SECONDS: Final = 10.0
"""How long a caller waits for a deletion; workers go on with the rest."""


class DisconnectDoor:
    """Ends connections."""

    def __init__(self, *, database: Database, queue: Queue, now: Callable[[], datetime]) -> None:
        self._database = database
        self._queue = queue
        self._now = now

    async def disconnect(self, scope: Scope, connection_id: UUID) -> list[Problem]:
        """End a connection: token, schedules, runs, credentials and credits; one that is ended stays as it is."""
        own, now = scope.narrowed(connection_id), self._now()
        async with self._database.write(own) as session:
            await ending.end_work(session, own, now=now)
            if await connections.locked(session, own) is None:
                return [Problem(ErrorCode.NOT_FOUND, "There is no such connection.", ("connectionId",))]
            moved = await statuses.change(session, own, Change.DISCONNECTED, reason="It was disconnected.")
            if moved is not None:
                await tokens.end(session, own, TokenEnd.DISCONNECTED, now=now, token_id=None)
                await credentials.shred(session, own)
                await credit_ledger.give_back(session, own, now=now)
                audit.record(session, own, "disconnect")
                await events.append(session, own, [moved])
        await self._queue.wake_revoked(own)
        await self._queue.wake_followers(own)
        return []

    async def delete_data(
        self, scope: Scope, connection_id: UUID, *, confirm: str
    ) -> tuple[Deletion | None, list[Problem]]:
        """Delete all that a disconnected connection left.

        Args:
            confirm: The name of the connection's customer.
        """
        own = scope.narrowed(connection_id)
        async with self._database.write(own) as session:
            verdict = await purge.request(session, own, confirm=confirm, now=self._now())
            if verdict is Verdict.BEGUN:
                audit.record(session, own, "deleteConnectionData")
        if verdict in _NOT_DELETED:
            return None, [_NOT_DELETED[verdict]]
        return await work_off(self._database, own, seconds=DELETE_SECONDS), []


_NOT_DELETED: Final = {
    Verdict.UNKNOWN: Problem(ErrorCode.NOT_FOUND, "There is no such connection.", ("connectionId",)),
    Verdict.NOT_DISCONNECTED: Problem(
        ErrorCode.CONFLICT, "Only what is disconnected can be deleted; disconnect it first.", ("connectionId",)
    ),
    Verdict.NOT_CONFIRMED: Problem(
        ErrorCode.BAD_USER_INPUT, "This is not the name of the connection's customer.", ("confirm",)
    ),
}
