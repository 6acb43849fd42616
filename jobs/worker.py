"""The worker: arq for wake-ups, a ticker for what is due, both brought back after Redis was away."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import structlog
from arq.connections import RedisSettings
from arq.worker import Worker, func
from redis.exceptions import RedisError

from db.engine import Database
from db.scope import Scope
from jobs import purge, relay, retention, schedule
from jobs.carry import Carrier
from jobs.check import Checks
from jobs.deliver import Sender
from jobs.queue import LONG_QUEUE, SYNC_QUEUE, WRITE_QUEUE, Queue, mind_cancelling, pack, unpack
from jobs.retention import Retention
from jobs.sync import SHORT_SLICE_SECONDS, SLICE_SECONDS, SyncRunner

log = structlog.get_logger(__name__)

_PAGE_SECONDS: Final = 180
"""A slice ends after its page; a page that takes longer than this is given up and repeated."""
JOB_SECONDS: Final = {
    SYNC_QUEUE: int(SHORT_SLICE_SECONDS) + _PAGE_SECONDS,
    LONG_QUEUE: int(SLICE_SECONDS) + _PAGE_SECONDS,
    WRITE_QUEUE: 300,
}
_WRITE_JOBS: Final = 32
"""Writes spend their time waiting for sources, and none of them may wait for syncs."""


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What the worker works with."""

    database: Database
    queue: Queue
    runner: SyncRunner
    checks: Checks
    carrier: Carrier
    sender: Sender
    redis: RedisSettings
    max_jobs: int = 4
    max_long_jobs: int = 2
    retention: Retention = field(default_factory=Retention)


async def sync_run(ctx: dict[str, Any], *, organization_id: str, connection_id: str, run_id: str) -> None:
    """Work on a run (the job that `Queue.wake_sync` sends)."""
    runner: SyncRunner = ctx["runner"]
    await runner.run(Scope(UUID(organization_id), UUID(connection_id)), UUID(run_id), long=ctx["long"])


async def write_operation(ctx: dict[str, Any], *, organization_id: str, connection_id: str, operation_id: str) -> None:
    """Work on a write (the job that `Queue.wake_write` sends)."""
    carrier: Carrier = ctx["carrier"]
    await carrier.carry(Scope(UUID(organization_id), UUID(connection_id)), UUID(operation_id))


class _Polling(Worker):
    """Ends when it is cancelled, also where that comes with an answer of Redis: redis-py then loses it."""

    async def _poll_iteration(self) -> None:
        await super()._poll_iteration()
        mind_cancelling()


def make_worker(parts: WorkerParts, *, queue: str = SYNC_QUEUE, burst: bool = False) -> Worker:
    """Build the arq worker of a queue; it never retries by itself, since what is due is found in Postgres."""
    syncs, seconds = queue != WRITE_QUEUE, JOB_SECONDS[queue]
    function, name = (sync_run, "sync_run") if syncs else (write_operation, "write_operation")
    at_once = {SYNC_QUEUE: parts.max_jobs, LONG_QUEUE: parts.max_long_jobs, WRITE_QUEUE: _WRITE_JOBS}
    return _Polling(
        functions=[func(function, name=name, timeout=seconds, max_tries=1, keep_result=0)],
        queue_name=queue,
        redis_pool=Queue.open(parts.redis).redis,  # arq's own has no timeout: a Redis that hangs would hang the worker
        burst=burst,
        handle_signals=False,
        max_jobs=at_once[queue],
        poll_delay=0.2,  # places that came free are filled at the next poll only
        keep_result=0,
        job_timeout=seconds,
        health_check_interval=30,
        job_serializer=pack,
        job_deserializer=unpack,
        ctx={"runner": parts.runner, "carrier": parts.carrier, "long": queue == LONG_QUEUE},
    )


async def _listen(parts: WorkerParts, queue: str) -> None:
    """Run the arq worker of a queue again and again: it ends when Redis goes away."""
    while True:
        worker = make_worker(parts, queue=queue)
        redis = worker.pool
        try:
            await worker.async_run()
        except (RedisError, OSError) as error:
            log.warning("worker_lost_redis", error=type(error).__name__)
        finally:
            with contextlib.suppress(RedisError, OSError):
                await worker.close()
            with contextlib.suppress(RedisError, OSError):
                await redis.aclose(close_connection_pool=True)  # without Redis, arq leaves its connections open
        await asyncio.sleep(1.0)


async def run(parts: WorkerParts) -> None:
    """Work until cancelled."""
    async with asyncio.TaskGroup() as group:
        for queue in JOB_SECONDS:
            group.create_task(_listen(parts, queue))
        group.create_task(schedule.run(parts.database, parts.queue))
        group.create_task(parts.checks.watch())
        group.create_task(relay.run(parts.database, parts.queue, parts.sender.wake))
        group.create_task(parts.sender.run())
        group.create_task(purge.run(parts.database))
        group.create_task(retention.run(parts.database, parts.retention))
