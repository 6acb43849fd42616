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
from jobs import schedule
from jobs.check import Checks
from jobs.queue import SYNC_QUEUE, Queue, pack, unpack
from jobs.sync import SLICE_SECONDS, SyncRunner

log = structlog.get_logger(__name__)

JOB_SECONDS: Final = int(SLICE_SECONDS) + 180
"""A slice ends after its page; a page that takes longer than this is given up and repeated."""


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What the worker works with."""

    database: Database
    queue: Queue
    runner: SyncRunner
    checks: Checks
    redis: RedisSettings
    max_jobs: int = 4


async def sync_run(ctx: dict[str, Any], *, organization_id: str, connection_id: str, run_id: str) -> None:
    """Work on a run (the job that `Queue.wake_sync` sends)."""
    runner: SyncRunner = ctx["runner"]
    await runner.run(Scope(UUID(organization_id), UUID(connection_id)), UUID(run_id))


def make_worker(parts: WorkerParts, *, burst: bool = False) -> Worker:
    """Build the arq worker; it never retries by itself, since due runs are found in Postgres."""
    return Worker(
        functions=[func(sync_run, name="sync_run", timeout=JOB_SECONDS, max_tries=1, keep_result=0)],
        queue_name=SYNC_QUEUE,
        redis_settings=parts.redis,
        burst=burst,
        handle_signals=False,
        max_jobs=parts.max_jobs,
        keep_result=0,
        job_timeout=JOB_SECONDS,
        health_check_interval=30,
        job_serializer=pack,
        job_deserializer=unpack,
        ctx={"runner": parts.runner},
    )


async def _listen(parts: WorkerParts) -> None:
    """Run the arq worker again and again: it ends when Redis goes away."""
    while True:
        worker = make_worker(parts)
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
        group.create_task(_listen(parts))
        group.create_task(schedule.run(parts.database, parts.queue))
        group.create_task(parts.checks.watch())
