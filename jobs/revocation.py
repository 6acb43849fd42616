"""Ends what hangs on a dead token or an ended connection, in every process: sockets, streams, running syncs.

Postgres is asked what has ended: at once when Redis says that something did, and every two seconds, for Redis may
lose that. Requests need none of this; each looks its token up.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

import structlog

from db import connections, tokens
from db.engine import Database
from db.scope import Scope
from db.tokens import Dead
from jobs.queue import REVOKED_CHANNEL, Queue, stop

log = structlog.get_logger(__name__)
T = TypeVar("T")

POLL_SECONDS: Final = 2.0


class Ended(Exception):
    """The connection has ended; what was done for it was cancelled."""


@dataclass(eq=False, slots=True)
class Watch:
    """What somebody holds open.

    Attributes:
        id: The token's or the connection's.
        why: Why it ended; None while it stands.
    """

    kind: Literal["token", "connection"]
    id: UUID
    scope: Scope
    why: Dead | None = None
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, why: Dead) -> None:
        """Tell the holder."""
        self.why = why
        self._ended.set()

    async def ended(self) -> Dead:
        """Wait for the end; gives why."""
        await self._ended.wait()
        return self.why or Dead.REVOKED


class Revocations:
    """Watches tokens and connections for whoever holds something open for them."""

    def __init__(self, database: Database, queue: Queue, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._queue = queue
        self._poll_seconds = poll_seconds
        self._watches: set[Watch] = set()
        self._suspects: set[Watch] = set()
        self._look = asyncio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Revocations"]:
        """Watch until left."""
        tasks = [
            asyncio.create_task(self._queue.listen(REVOKED_CHANNEL, self._heard)),
            asyncio.create_task(self._check()),
        ]
        try:
            yield self
        finally:
            await stop(*tasks)

    @asynccontextmanager
    async def token(self, token_id: UUID, scope: Scope) -> AsyncIterator[Watch]:
        """Watch a token; it is looked at right away, for it may have ended since it was looked up."""
        async with self._watching(Watch("token", token_id, scope)) as watch:
            yield watch

    async def look(self, token_id: UUID) -> Dead | None:
        """Tell why a token opens nothing any more, now; None while it is alive."""
        async with self._database.system() as session:
            return (await tokens.dead_among(session, {token_id})).get(token_id)

    async def unless_ended(self, scope: Scope, work: Coroutine[Any, Any, T]) -> T:
        """Do something for a connection, and cancel it when the connection ends.

        Raises:
            Ended: It did; the work was cancelled, calls under way with it.
        """
        if scope.connection_id is None:
            work.close()
            raise TypeError("only connections end")
        working = asyncio.ensure_future(work)
        async with self._watching(Watch("connection", scope.connection_id, scope)) as watch:
            ending = asyncio.ensure_future(watch.ended())
            try:
                await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
                if working.done():
                    return working.result()
                raise Ended
            finally:
                ending.cancel()
                if not working.done():
                    await stop(working)
                    if not working.cancelled():
                        working.exception()  # whatever it came to: nobody waits for it any more

    @asynccontextmanager
    async def _watching(self, watch: Watch) -> AsyncIterator[Watch]:
        self._watches.add(watch)
        self._suspect({watch})
        try:
            yield watch
        finally:
            self._watches.discard(watch)
            self._suspects.discard(watch)

    def _heard(self, organization_id: UUID, told: bytes) -> None:
        of_one = told.decode("ascii", "replace")
        own = {watch for watch in self._watches if watch.scope.organization_id == organization_id}
        self._suspect({watch for watch in own if of_one in {"", str(watch.scope.connection_id)}})

    def _suspect(self, watches: set[Watch]) -> None:
        self._suspects |= watches
        if self._suspects:
            self._look.set()

    async def _check(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):  # wait_for may lose a cancellation (CPython 86296)
                    await self._look.wait()
            asked = set(self._suspects if self._look.is_set() else self._watches)
            self._look.clear()
            self._suspects.clear()
            try:
                await self._end_among(asked)
            except self._database.failures as error:
                log.warning("revocations_not_checked", error=type(error).__name__)
                await asyncio.sleep(self._poll_seconds / 4)
                self._suspect(asked & self._watches)

    async def _end_among(self, watches: set[Watch]) -> None:
        by_kind = {
            kind: {watch.id for watch in watches if watch.kind == kind and watch.why is None}
            for kind in ("token", "connection")
        }
        if not any(by_kind.values()):
            return
        async with self._database.system() as session:
            dead = await tokens.dead_among(session, by_kind["token"]) if by_kind["token"] else {}
            ended = await connections.ended_among(session, by_kind["connection"]) if by_kind["connection"] else set()
        for watch in watches:
            if watch.kind == "token" and watch.id in dead:
                watch.end(dead[watch.id])
            elif watch.kind == "connection" and watch.id in ended:
                watch.end(Dead.DISCONNECTED)
