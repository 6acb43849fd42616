"""Follow committed changes: Postgres holds them, Redis only says that there are new ones."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from db import sync
from db.engine import Database
from db.scope import Scope
from jobs.channels import Channels, positions
from jobs.queue import WAKE_CHANNEL, Queue, stop

POLL_SECONDS: Final = 2.0


class NoRun(Exception):
    """The scope sees no such run."""


class Events:
    """One listener on Redis per process, and followers that read Postgres when it wakes them.

    A follower also looks every `poll_seconds`, so that a lost wake-up only delays it.
    """

    def __init__(self, database: Database, queue: Queue, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._queue = queue
        self._poll_seconds = poll_seconds
        self._followers: dict[UUID, set[asyncio.Event]] = defaultdict(set)
        self.channels = Channels(database, self._follower, poll_seconds=poll_seconds)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Events"]:
        """Listen for wake-ups until left."""
        task = asyncio.create_task(self._queue.listen(WAKE_CHANNEL, self._wake))
        try:
            yield self
        finally:
            await stop(task)

    def _wake(self, organization_id: UUID, _: bytes) -> None:
        for follower in self._followers.get(organization_id, ()):
            follower.set()

    @asynccontextmanager
    async def _follower(self, scope: Scope) -> AsyncIterator[asyncio.Event]:
        follower = asyncio.Event()
        self._followers[scope.organization_id].add(follower)
        try:
            yield follower
        finally:
            self._followers[scope.organization_id].discard(follower)

    async def _pause(self, follower: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._poll_seconds):  # wait_for may lose a cancellation (CPython 86296)
                await follower.wait()
        follower.clear()

    async def follow_runs(self, scope: Scope, *, run_id: UUID | None = None) -> AsyncIterator[UUID]:
        """Yield the id of each sync run whose row changed; a named run is told once at the start.

        Raises:
            NoStream: The scope sees no such connection.
            NoRun: It sees no such run.
        """
        async with self._follower(scope) as follower:
            async with self._database.read(scope) as session:
                await positions(session, scope)
                known = await sync.revisions(session, scope, run_id=run_id)
            if run_id is not None and not known:
                raise NoRun
            known = {} if run_id else known
            while True:
                async with self._database.read(scope) as session:
                    found = await sync.revisions(session, scope, run_id=run_id)
                changed = [run for run, revision in found.items() if known.get(run) != revision]
                known.update(found)
                for run in changed:
                    yield run
                if not changed:
                    await self._pause(follower)
