"""Work on sync runs: under a lease, for a slice of time, until the pass is complete or cannot go on."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from connectors.errors import ConnectorError
from db import connections, sync
from db.connections import Opened
from db.engine import Database
from db.models.sync import SourceError, SyncRun, SyncStatus
from db.scope import Scope
from db.types import ErrorCode, encode_id
from jobs.budget import Priority, Refused
from jobs.failpoints import failpoint
from jobs.failures import Failures
from jobs.lease import Lease, leased
from jobs.pages import Pages
from jobs.passes import Passes
from jobs.protections import ALL_ON, Protections
from jobs.queue import Queue
from jobs.revocation import Ended, Revocations
from jobs.sources import Sources
from jobs.sweeps import PERCENT, Sweeps
from jobs.work import Cancelled, Paused, SliceEnded

log = structlog.get_logger(__name__)

SLICE_SECONDS: Final = 240.0
SHORT_SLICE_SECONDS: Final = 20.0
"""For runs that are expected to be short; what goes on for longer goes on among the long ones."""
_OPEN: Final = (SyncStatus.QUEUED, SyncStatus.RUNNING, SyncStatus.WAITING)


class SyncRunner:
    """Runs sync runs for a worker.

    Args:
        revocations: Tells when a connection ends; its runs are then cancelled, calls under way with them.
        owner: Names the worker in leases.
        now: The clock, UTC.
        lease_seconds: How long a lease outlives its worker.
        slice_seconds: How long a run works before it makes room for others.
        vanishing_percent: Where more vanished from a source, people are asked before it is deleted.
        protections: All on, but in tests that show what one of them is for.
    """

    def __init__(
        self,
        *,
        database: Database,
        queue: Queue,
        sources: Sources,
        revocations: Revocations,
        owner: str,
        now: Callable[[], datetime],
        lease_seconds: int = 30,
        slice_seconds: float = SLICE_SECONDS,
        vanishing_percent: int = PERCENT,
        protections: Protections = ALL_ON,
    ) -> None:
        self._database = database
        self._queue = queue
        self._sources = sources
        self._revocations = revocations
        self._owner = owner
        self._now = now
        self._lease_seconds = lease_seconds
        self._failures = Failures(database=database, queue=queue, now=now)
        pages = Pages(database=database, queue=queue, now=now, protections=protections)
        sweeps = Sweeps(database=database, pages=pages, now=now, protections=protections, percent=vanishing_percent)
        self._passes = {
            long: Passes(
                database=database,
                queue=queue,
                pages=pages,
                sweeps=sweeps,
                now=now,
                slice_seconds=slice_seconds if long else min(slice_seconds, SHORT_SLICE_SECONDS),
                protections=protections,
            )
            for long in (False, True)
        }

    async def run(self, scope: Scope, run_id: UUID, *, long: bool = True) -> None:
        """Work on a run for one slice; nothing happens where it is not due or another worker holds it."""
        again, seconds = False, self._lease_seconds
        held = leased(self._database, scope, run_id, owner=self._owner, seconds=seconds, now=self._now())
        async with held as lease:
            if lease is not None:
                told = {"run_id": encode_id("SyncRun", run_id), "entity": lease.entity.value}
                with structlog.contextvars.bound_contextvars(**told):
                    again = await self._slice(scope, run_id, lease, long=long)
        if again:  # only now: whoever wakes must find the lease free
            await self._queue.wake_sync(scope, run_id, long=True)

    async def _slice(self, scope: Scope, run_id: UUID, lease: Lease, *, long: bool) -> bool:
        """Work on a run while the lease is held; True where it goes on in another slice at once."""
        # Read again: until the lease was ours, another worker may have gone on with it.
        async with self._database.read(scope) as session:
            run = await sync.load(session, scope, run_id)
            opened = await connections.opened(session, scope, scope.connection_id) if scope.connection_id else None
        if run is None or opened is None or not self._due(run, opened):
            return False
        try:
            await self._revocations.unless_ended(scope, self._pass(run, scope, opened, lease, self._passes[long]))
        except Ended:
            log.info("sync_ended_with_its_connection")
        except SliceEnded:
            log.info("sync_slice_ended")
            failpoint("slice_ended")
            return True
        except sync.LeaseLost:
            log.warning("sync_lease_lost")
        return False

    def _due(self, run: SyncRun, opened: Opened) -> bool:
        """Tell whether a run may go on: a wake-up may be late, or told twice."""
        asks = run.awaits_confirmation
        early = run.next_attempt_at is not None and run.next_attempt_at > self._now()
        return run.status in _OPEN and opened.status in connections.SYNCED and not early and not asks

    async def _pass(self, run: SyncRun, scope: Scope, opened: Opened, lease: Lease, passes: Passes) -> None:
        try:
            async with self._sources.open(opened, priority=Priority.SYNC, ready=lease.check) as source:
                await passes.walk(run, scope, opened, source, lease)
        except Cancelled:
            await self._failures.end(run, scope, lease, SyncStatus.CANCELLED)
        except Paused:
            log.info("sync_paused")
        except Refused as refused:
            await self._failures.refused(run, scope, lease, refused)
        except ConnectorError as error:
            await self._failures.failed(run, scope, lease, error)
        except (SliceEnded, sync.LeaseLost):
            raise
        except self._database.unreachable:
            raise  # the run is found again once the database is back
        except Exception:
            # Begun again it would fail again: it ends where people see it, and the schedule goes on.
            log.exception("sync_broke")
            told = SourceError(code=ErrorCode.INTERNAL, message="The run failed here, not in the source.")
            await self._failures.end(run, scope, lease, SyncStatus.FAILED, told)
