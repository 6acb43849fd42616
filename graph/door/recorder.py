"""The request log's way to the store: kept in memory, written each second, never in the way of a request."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import islice
from typing import Any, Final

import structlog

from db import request_log
from db.engine import Database
from db.request_log import LoggedRequest
from jobs.queue import stop

log = structlog.get_logger(__name__)

FLUSH_SECONDS: Final = 1.0
ROOM: Final = 20_000
"""How many requests are kept in memory while the store is away; then the oldest are dropped, and counted."""
FLUSHING: Final = "request log"
_BATCH: Final = 1_000


class Recorder:
    """Notes requests, and stores them each second while it is open."""

    def __init__(self, database: Database, *, now: Callable[[], datetime], room: int = ROOM) -> None:
        self._database = database
        self._now = now
        self._waiting: deque[LoggedRequest] = deque(maxlen=room)
        self._dropped = 0

    @asynccontextmanager
    async def writing(self) -> AsyncIterator["Recorder"]:
        """Store until left; what is noted by then is stored, too."""
        task = asyncio.create_task(self._write(), name=FLUSHING)
        try:
            yield self
        finally:
            await stop(task)
            await self.flush()

    def note(self, **request: Any) -> None:
        """Keep a request until the next flush; takes what LoggedRequest holds, without the time."""
        if len(self._waiting) == self._waiting.maxlen:
            self._dropped += 1
        self._waiting.append(LoggedRequest(**request, at=self._now()))

    async def flush(self) -> None:
        """Store what is noted; while the store is away it is kept for the next flush."""
        if self._dropped:
            log.warning("request_log_dropped", requests=self._dropped)
            self._dropped = 0
        left = len(self._waiting)  # what is noted meanwhile is the next flush's
        while left > 0:
            batch = list(islice(self._waiting, min(left, _BATCH)))
            left -= len(batch)
            try:
                async with self._database.lookups.fetch() as fetch:
                    await request_log.store(fetch, batch)
            except self._database.unreachable as error:
                log.warning("request_log_waits", error=type(error).__name__, requests=len(self._waiting))
                return
            except self._database.failures as error:
                log.error("request_log_refused", error=str(error), requests=len(batch))  # noqa: TRY400  (it is no trace)
            stored = set(map(id, batch))
            while self._waiting and id(self._waiting[0]) in stored:
                self._waiting.popleft()

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()
