"""The worker: arq for wake-ups, a ticker for what is due, both brought back after Redis was away."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog
from arq.connections import RedisSettings
from arq.worker import Worker, func
from redis.exceptions import RedisError

from db.engine import Database
from db.scope import Scope
from jobs import purge, schedule
from jobs.carry import Carrier
from jobs.check import Checks
from jobs.queue import SYNC_QUEUE, WRITE_QUEUE, Queue, pack, unpack
from jobs.sync import SLICE_SECONDS, SyncRunner

log = structlog.get_logger(__name__)

JOB_SECONDS: Final = int(SLICE_SECONDS) + 180
"""A slice ends after its page; a page that takes longer than this is given up and repeated."""
WRITE_SECONDS: Final = 300
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
    redis: RedisSettings
    max_jobs: int = 4


async def sync_run(ctx: dict[str, Any], *, organization_id: str, connection_id: str, run_id: str) -> None:
    """Work on a run (the job that `Queue.wake_sync` sends)."""
    runner: SyncRunner = ctx["runner"]
    await runner.run(Scope(UUID(organization_id), UUID(connection_id)), UUID(run_id))


async def write_operation(ctx: dict[str, Any], *, organization_id: str, connection_id: str, operation_id: str) -> None:
    """Work on a write (the job that `Queue.wake_write` sends)."""
    carrier: Carrier = ctx["carrier"]
    await carrier.carry(Scope(UUID(organization_id), UUID(connection_id)), UUID(operation_id))


def make_worker(parts: WorkerParts, *, queue: str = SYNC_QUEUE, burst: bool = False) -> Worker:
    """Build the arq worker of a queue; it never retries by itself, since what is due is found in Postgres."""
    syncs = queue == SYNC_QUEUE
    seconds = JOB_SECONDS if syncs else WRITE_SECONDS
    function, name = (sync_run, "sync_run") if syncs else (write_operation, "write_operation")
    return Worker(
        functions=[func(function, name=name, timeout=seconds, max_tries=1, keep_result=0)],
        queue_name=queue,
        redis_settings=parts.redis,
        burst=burst,
        handle_signals=False,
        max_jobs=parts.max_jobs if syncs else _WRITE_JOBS,
        keep_result=0,
        job_timeout=seconds,
        health_check_interval=30,
        job_serializer=pack,
        job_deserializer=unpack,
        ctx={"runner": parts.runner, "carrier": parts.carrier},
    )


async def _listen(parts: WorkerParts, queue: str) -> None:
    """Run the arq worker of a queue again and again: it ends when Redis goes away."""
    while True:
        worker = make_worker(parts, queue=queue)
        try:
            await worker.async_run()
        except (RedisError, OSError) as error:
            log.warning("worker_lost_redis", error=type(error).__name__)
        finally:
            with contextlib.suppress(RedisError, OSError):
                await worker.close()
        await asyncio.sleep(1.0)


async def run(parts: WorkerParts) -> None:
    """Work until cancelled."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_listen(parts, SYNC_QUEUE))
        group.create_task(_listen(parts, WRITE_QUEUE))
        group.create_task(schedule.run(parts.database, parts.queue))
        group.create_task(parts.checks.watch())
        group.create_task(purge.run(parts.database))
