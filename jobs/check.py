"""Ask sources whether they work: by hand, and by itself for those behind an open breaker."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from connectors.base import Checked
from connectors.errors import AuthError, ConnectorError
from db import connections, events
from db import health as stored
from db.connections import Opened
from db.engine import Database
from db.scope import Scope
from db.types import encode_id
from jobs import health
from jobs.budget import Priority, Refused
from jobs.health import CHECK, Failure
from jobs.queue import Queue
from jobs.sources import Sources

log = structlog.get_logger(__name__)

_PRUNE_TICKS: Final = 300
_PRUNE_ROWS: Final = 1000


@dataclass(frozen=True, slots=True)
class Checks:
    """Makes live checks, and records what came of them.

    Attributes:
        now: The clock, UTC.
        apart: The least time between two checks of a source behind an open breaker, whoever asks.
        every: The time between the checks that are made of it by themselves.
        at_once: How many of those a process makes at a time.
        keep: How long errors, and issues after they were resolved, are kept.
    """

    database: Database
    queue: Queue
    sources: Sources
    now: Callable[[], datetime]
    apart: timedelta = timedelta(seconds=30)
    every: timedelta = timedelta(minutes=5)
    at_once: int = 16
    keep: timedelta = timedelta(days=30)

    async def check(self, scope: Scope) -> Checked:
        """Make the cheapest calls that prove a connection's address, credentials and rights.

        Behind an open breaker this is the check that may close it, where none was made just now.

        Raises:
            CutOff: The breaker is open, and a check was made within the last 30 s.
            ConnectorError: The source failed; that is recorded.
        """
        now = self.now()
        async with self.database.system() as session:
            probe = await stored.claim_probe(session, scope, now=now, apart=self.apart, every=self.every)
        return await self._checked(scope, probe=probe)

    async def watch(self, *, tick_seconds: float = 2.0) -> None:
        """Check what is behind an open breaker, and forget errors whose time is over, until cancelled."""
        for ticks in itertools.count():
            try:
                await self.probe_due()
                if ticks % _PRUNE_TICKS == 0:
                    await self.prune()
            except self.database.failures as error:
                log.warning("probes_failed", error=type(error).__name__)
            await asyncio.sleep(tick_seconds)

    async def prune(self) -> int:
        """Delete errors and issues whose time is over, in small transactions; gives how many."""
        deleted = last = _PRUNE_ROWS
        while last:
            async with self.database.system() as session:
                last = await stored.prune(session, before=self.now() - self.keep, limit=_PRUNE_ROWS)
            deleted += last
        return deleted - _PRUNE_ROWS

    async def probe_due(self) -> int:
        """Make the checks that are due by themselves; gives how many."""
        claim = {"apart": self.apart, "every": self.every}
        async with self.database.system() as session:
            scopes = await stored.claim_probes(session, now=self.now(), limit=self.at_once, **claim)
        async with asyncio.TaskGroup() as group:
            for scope in scopes:
                group.create_task(self._probe(scope))
        return len(scopes)

    async def _probe(self, scope: Scope) -> None:
        connection = encode_id("ConnectedSystem", scope.connection_id) if scope.connection_id else None
        try:
            await self._checked(scope, probe=True)
        except ConnectorError as error:
            log.info("probe_failed", connection_id=connection, code=error.code.value)
        except self.database.failures as error:
            log.warning("probe_not_recorded", connection_id=connection, error=type(error).__name__)
        except Exception:
            log.exception("probe_broke", connection_id=connection)  # a connector's own fault must not end the others
        else:
            log.info("source_answers_again", connection_id=connection)

    async def _checked(self, scope: Scope, *, probe: bool) -> Checked:
        opened = await self._opened(scope)
        try:
            async with self.sources.open(opened, priority=Priority.WRITE, probe=probe) as source:
                checked = await source.source.check()
        except Refused:
            raise
        except ConnectorError as error:
            await self._record(scope, opened, error)
            raise
        await self._record(scope, opened, None)
        return checked

    async def _opened(self, scope: Scope) -> Opened:
        if scope.connection_id is None:
            raise TypeError("a check is of one connection")
        async with self.database.read(scope) as session:
            opened = await connections.opened(session, scope, scope.connection_id)
        if opened is None:
            raise AuthError("The connection is gone.")
        return opened

    async def _record(self, scope: Scope, opened: Opened, error: ConnectorError | None) -> None:
        async with self.database.write(scope) as session:
            if error is None:
                told = await health.succeeded(session, scope, operation=CHECK, now=self.now())
            else:
                told = await health.failed(session, scope, Failure(error, CHECK, tried=opened.sealed), now=self.now())
            await events.append(session, scope, told)
        await self.queue.wake_followers(scope)
