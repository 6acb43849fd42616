"""One pass over one entity of one connection: feed by feed, page by page, under a lease.

A page is one transaction: records, raw items, events, counters and the feed's
position. A worker that dies repeats at most one page. A run works for a slice
of time and goes on in the next, so that jobs stay short.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from connectors.base import Connector, Feed, Item, Page, Window
from connectors.errors import AuthError, ConnectorError, MappingError, RateLimited
from connectors.mapping import project
from db import connections, events, sync, upsert
from db.connections import Opened
from db.engine import Database
from db.models.base import Fields
from db.models.connection import ConnectionStatus
from db.models.registry import SPECS
from db.models.sync import SourceError, SyncMode, SyncRun, SyncStatus
from db.scope import Scope
from db.types import Entity, ErrorCode, encode_id
from db.upsert import Incoming
from jobs import retry
from jobs.lease import Lease, leased
from jobs.queue import Queue
from jobs.sources import OpenSource, Sources

log = structlog.get_logger(__name__)

SLICE_SECONDS: Final = 240.0
_OPEN: Final = (SyncStatus.QUEUED, SyncStatus.RUNNING, SyncStatus.WAITING)


class _Cancelled(Exception):
    """Somebody asked the run to stop."""


class _Paused(Exception):
    """The connection rests; the run goes on from here once it is resumed."""


class _SliceEnded(Exception):
    """The slice of time is over; the run goes on in the next."""


@dataclass(slots=True)
class _Pass:
    """The state of one slice of a run."""

    run: SyncRun
    scope: Scope
    opened: Opened
    source: OpenSource
    lease: Lease
    checkpoints: dict[str, Any]
    units: Mapping[str, str]
    until: float

    @property
    def entity(self) -> Entity:
        return Entity(self.run.entity)

    @property
    def first(self) -> bool:
        """True when there is nothing to resume from: a first run, or a full one."""
        return self.run.mode == SyncMode.FULL or not self.checkpoints

    @property
    def all_feeds(self) -> list[Feed]:
        """The entity's feeds, those included that a first or full run leaves out."""
        return [feed for feed in self.source.connector.feeds if feed.entity == self.entity]

    def feeds(self) -> list[Feed]:
        return [feed for feed in self.all_feeds if feed.full] if self.first else self.all_feeds

    def window(self, feed: Feed) -> Window:
        start = self.run.window_start or datetime.now(UTC)
        if not self.first and feed.name in self.checkpoints:
            return Window(since=datetime.fromisoformat(self.checkpoints[feed.name]))
        days = timedelta(days=self.opened.historical_period_days)
        return Window(period_start=(start - days).date() if feed.period_field else None)


class SyncRunner:
    """Runs sync runs for a worker.

    Args:
        owner: Names the worker in leases.
        now: The clock, UTC.
        lease_seconds: How long a lease outlives its worker.
        slice_seconds: How long a run works before it makes room for others.
    """

    def __init__(
        self,
        *,
        database: Database,
        queue: Queue,
        sources: Sources,
        owner: str,
        now: Callable[[], datetime],
        lease_seconds: int = 30,
        slice_seconds: float = SLICE_SECONDS,
    ) -> None:
        self._database = database
        self._queue = queue
        self._sources = sources
        self._owner = owner
        self._now = now
        self._lease_seconds = lease_seconds
        self._slice_seconds = slice_seconds

    async def run(self, scope: Scope, run_id: UUID) -> None:
        """Work on a run for one slice; nothing happens where it is not due or another worker holds it."""
        async with self._database.read(scope) as session:
            run = await sync.load(session, scope, run_id)
        if run is None or run.status not in _OPEN:
            return
        entity, again = Entity(run.entity), False
        async with leased(self._database, scope, entity, owner=self._owner, seconds=self._lease_seconds) as lease:
            if lease is not None:
                with structlog.contextvars.bound_contextvars(run_id=encode_id("SyncRun", run_id), entity=entity.value):
                    again = await self._slice(scope, run_id, lease)
        if again:  # only now: whoever wakes must find the lease free
            await self._queue.wake_sync(scope, run_id)

    async def _slice(self, scope: Scope, run_id: UUID, lease: Lease) -> bool:
        """Work on a run while the lease is held; True where it goes on in another slice at once."""
        # Read again: until the lease was ours, another worker may have gone on with it.
        async with self._database.read(scope) as session:
            run = await sync.load(session, scope, run_id)
            opened = await connections.opened(session, scope, scope.connection_id) if scope.connection_id else None
        if run is None or opened is None or not self._due(run, opened):
            return False
        try:
            await self._pass(run, scope, opened, lease)
        except _SliceEnded:
            log.info("sync_slice_ended")
            return True
        except sync.LeaseLost:
            log.warning("sync_lease_lost")
        return False

    def _due(self, run: SyncRun, opened: Opened) -> bool:
        """Tell whether a run may go on: a wake-up may be late, or told twice."""
        early = run.next_attempt_at is not None and run.next_attempt_at > self._now()
        return run.status in _OPEN and opened.status in connections.SYNCED and not early

    async def _pass(self, run: SyncRun, scope: Scope, opened: Opened, lease: Lease) -> None:
        try:
            async with self._sources.open(opened) as source:
                work = await self._begin(run, scope, opened, source, lease)
                for feed in work.feeds():
                    await self._feed(work, feed)
                await self._succeed(work)
        except _Cancelled:
            await self._end(run, scope, lease, SyncStatus.CANCELLED)
        except _Paused:
            log.info("sync_paused")
        except ConnectorError as error:
            await self._failed(run, scope, lease, error)
        except (_SliceEnded, sync.LeaseLost):
            raise
        except self._database.unreachable:
            raise  # the run is found again once the database is back
        except Exception:
            # Begun again it would fail again: it ends where people see it, and the schedule goes on.
            log.exception("sync_broke")
            told = SourceError(code=ErrorCode.INTERNAL, message="The run failed here, not in the source.")
            await self._end(run, scope, lease, SyncStatus.FAILED, told)

    async def _begin(self, run: SyncRun, scope: Scope, opened: Opened, source: OpenSource, lease: Lease) -> _Pass:
        entity = Entity(run.entity)
        window_start = run.window_start or await source.source.clock()
        async with self._database.write(scope) as session:
            await sync.guard(session, scope, entity, fence=lease.fence)
            known = await sync.checkpoints(session, scope, entity)
            started = run.started_at is None
            run.window_start, run.started_at = window_start, run.started_at or self._now()
            first_feed = next((f.name for f in source.connector.feeds if f.entity == entity), None)
            resumed = known.get(first_feed) if first_feed and run.mode == SyncMode.INCREMENTAL else None
            run.since = datetime.fromisoformat(resumed) if resumed else None
            await sync.change(
                session,
                scope,
                run.id,
                status=SyncStatus.RUNNING,
                window_start=window_start,
                started_at=run.started_at,
                since=run.since,
                next_attempt_at=None,
                error=None,
            )
            if started:
                await events.append(session, scope, [self._event(run, "sync.started")])
        await self._queue.wake_followers(scope)
        units = source.connector.units(source.defaults)
        return _Pass(run, scope, opened, source, lease, known, units, time.monotonic() + self._slice_seconds)

    async def _feed(self, work: _Pass, feed: Feed) -> None:
        state = work.run.feeds.get(feed.name, {})
        if state.get("done"):
            return
        pages = work.source.source.read(feed, window=work.window(feed), position=state.get("position"))
        async for page in pages:
            await self._store(work, feed, page)
            if time.monotonic() > work.until:
                raise _SliceEnded
        if not work.run.feeds.get(feed.name, {}).get("done"):
            await self._store(work, feed, Page((), None))

    async def _store(self, work: _Pass, feed: Feed, page: Page) -> None:
        if work.lease.lost.is_set():
            raise sync.LeaseLost
        spec, scope = SPECS[work.entity], work.scope
        latest = {item.source_id: item for item in page.items}
        done = page.position is None
        feeds = {**work.run.feeds, feed.name: {"position": page.position, "done": done}}
        async with self._database.write(scope) as session:
            await sync.guard(session, scope, work.entity, fence=work.lease.fence)
            known = await upsert.known_hashes(session, scope, work.entity, list(latest))
            incoming = prepare(work.source.connector, work.entity, list(latest.values()), known=known, units=work.units)
            changed = await upsert.store(session, scope, spec, incoming, now=self._now(), run_id=work.run.id)
            created, failed = sum(c.created for c in changed), sum(i.record is None for i in incoming)
            counts = {
                "fetched": len(page.items),
                "created": created,
                "updated": len(changed) - created,
                "unchanged": len(page.items) - len(changed) - failed,
                "quarantined": failed,
            }
            stop = await sync.progress(session, scope, work.run.id, feeds=feeds, counts=counts)
            await events.append(session, scope, upsert.events_of(spec, changed))
        work.run.feeds = feeds
        work.run.quarantined += failed
        await self._queue.wake_followers(scope)
        if stop is sync.Stop.CANCEL:
            raise _Cancelled
        if stop is sync.Stop.PAUSE:
            raise _Paused

    async def _succeed(self, work: _Pass) -> None:
        run, start = work.run, work.run.window_start or self._now()
        status = SyncStatus.PARTIAL if run.quarantined else SyncStatus.SUCCEEDED
        moved = {feed.name: (start - feed.overlap).isoformat() for feed in work.all_feeds}
        async with self._database.write(work.scope) as session:
            await sync.guard(session, work.scope, work.entity, fence=work.lease.fence)
            await sync.succeed(
                session, work.scope, work.entity, checkpoints=moved, complete_through=start, now=self._now()
            )
            await sync.change(session, work.scope, run.id, status=status, finished_at=self._now())
            before = await connections.set_status(
                session, work.scope, ConnectionStatus.ACTIVE, reason=None, unless=frozenset({ConnectionStatus.PAUSED})
            )
            told = [self._event(run, "sync.succeeded")]
            if before is not None:
                told.insert(0, connection_event(work.scope, ConnectionStatus.ACTIVE, before, None))
            await events.append(session, work.scope, told)
        await self._queue.wake_followers(work.scope)
        log.info("sync_succeeded", status=status.value)

    async def _end(
        self, run: SyncRun, scope: Scope, lease: Lease, status: SyncStatus, error: SourceError | None = None
    ) -> None:
        async with self._database.write(scope) as session:
            await sync.guard(session, scope, Entity(run.entity), fence=lease.fence)
            told = error.model_dump(mode="json") if error else None
            await sync.change(session, scope, run.id, status=status, finished_at=self._now(), error=told)
            if status is SyncStatus.FAILED:
                await sync.degrade(session, scope, Entity(run.entity))
                await events.append(session, scope, [self._event(run, "sync.failed")])
        await self._queue.wake_followers(scope)

    async def _failed(self, run: SyncRun, scope: Scope, lease: Lease, error: ConnectorError) -> None:
        log.warning("sync_failed", code=error.code.value, transient=error.transient)
        told = source_error(error)
        if not error.transient:
            await self._end(run, scope, lease, SyncStatus.FAILED, told)
            await self._require_reauthorization(scope, error)
            return
        async with self._database.write(scope) as session:
            await sync.guard(session, scope, Entity(run.entity), fence=lease.fence)
            current = await sync.load(session, scope, run.id)
            attempts = (current.attempts if current else 0) + 1
            asked = error.retry_after_s if isinstance(error, RateLimited) else None
            wait = retry.delay(attempts, retry_after_s=asked)
            await sync.change(
                session,
                scope,
                run.id,
                status=SyncStatus.WAITING,
                attempts=attempts,
                next_attempt_at=self._now() + timedelta(seconds=wait),
                error=told.model_dump(mode="json"),
            )
        await self._queue.wake_followers(scope)

    async def _require_reauthorization(self, scope: Scope, error: ConnectorError) -> None:
        if not isinstance(error, AuthError):
            return
        status = ConnectionStatus.REAUTHORIZATION_REQUIRED
        async with self._database.write(scope) as session:
            before = await connections.set_status(session, scope, status, reason=error.message)
            if before is not None:
                await events.append(session, scope, [connection_event(scope, status, before, error.message)])
        await self._queue.wake_followers(scope)

    @staticmethod
    def _event(run: SyncRun, name: str) -> events.NewEvent:
        data = {"syncRunId": encode_id("SyncRun", run.id), "entity": str(run.entity), "mode": str(run.mode)}
        return events.NewEvent(name, data)


def connection_event(
    scope: Scope, status: ConnectionStatus, before: ConnectionStatus, reason: str | None
) -> events.NewEvent:
    """Tell a change of a connection's status."""
    connection = encode_id("ConnectedSystem", scope.connection_id) if scope.connection_id else None
    data = {"connectionId": connection, "status": status.value, "previousStatus": before.value, "reason": reason}
    return events.NewEvent("connection.status_changed", data)


def source_error(error: ConnectorError) -> SourceError:
    """Keep a source's failure with its remedy."""
    return SourceError(
        code=ErrorCode(error.code),
        message=error.message[:2000],
        source_message=error.source_message[:2000] if error.source_message else None,
        remedy=error.remedy,
        reason=getattr(error, "reason", None),
    )


def prepare(
    connector: Connector,
    entity: Entity,
    items: Sequence[Item],
    *,
    known: Mapping[str, bytes],
    units: Mapping[str, str],
) -> list[Incoming]:
    """Map the items whose hash is new; equal ones are left out, for they can change nothing."""
    mapping = connector.mappings[entity]
    incoming = []
    for item in items:
        hashed = upsert.item_hash(item.body, mapping_version=mapping.version)
        if known.get(item.source_id) == hashed:
            continue
        try:
            record = project(mapping, item.body, units=units)
        except MappingError as error:
            incoming.append(Incoming(item.source_id, item.body, hashed, item.updated_at, None, str(error)))
        else:
            reason = _unstorable(record)
            stored = record if reason is None else None
            incoming.append(Incoming(item.source_id, item.body, hashed, item.updated_at, stored, reason))
    return incoming


def _unstorable(record: Fields) -> str | None:
    """Tell why Postgres would refuse a valid record, and with it the whole page."""
    if "\\u0000" in record.model_dump_json():
        return "The item holds a NUL character, which text in Postgres cannot."
    return None
