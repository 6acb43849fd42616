"""The door out: disconnect, and delete what is left of a connection.

From the reply of `disconnect` on, the token is refused by every process, for each request looks it up. Open sockets and
running syncs learn of it by jobs/revocation.py.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from db import connections, events, statuses, tokens
from db import credits as credit_ledger
from db import disconnect as ending
from db.engine import Database
from db.models.organization import TokenEnd
from db.scope import Scope
from db.statuses import Change
from db.types import ErrorCode, Problem
from jobs.queue import Queue


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
                await ending.shred(session, own)
                await credit_ledger.give_back(session, own, now=now)
                await events.append(session, own, [moved])
        await self._queue.wake_revoked(own)
        await self._queue.wake_followers(own)
        return []
