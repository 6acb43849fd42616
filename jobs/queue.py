"""Wake-ups over Redis: they may be lost at any time, since due work is found in Postgres anyway."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
import structlog
from arq.connections import ArqRedis, RedisSettings
from redis.exceptions import RedisError

from db.scope import Scope

log = structlog.get_logger(__name__)

AGAIN_SECONDS: Final = 10.0
"""How long a cancelled task has to close what it holds, before it is taken for one that lost its cancellation."""

SYNC_QUEUE: Final = "crosshead:sync"
LONG_QUEUE: Final = "crosshead:sync:long"
"""First and full runs, and whatever went on for more than a short slice: they hold up no incremental run."""
WRITE_QUEUE: Final = "crosshead:write"
WAKE_CHANNEL: Final = "crosshead:wake"
REVOKED_CHANNEL: Final = "crosshead:revoked"


def pack(value: dict[str, Any]) -> bytes:
    """Serialize a job as JSON: with pickle, whoever can write to Redis runs code in the worker."""
    return orjson.dumps(value, default=str)


def unpack(data: bytes) -> dict[str, Any]:
    """Read a job."""
    loaded: dict[str, Any] = orjson.loads(data)
    return loaded


def mind_cancelling() -> None:
    """End the task that runs where it was cancelled, and what it awaited lost that (CPython 86296).

    Raises:
        asyncio.CancelledError: It was.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def stop(*tasks: asyncio.Task[Any], again_seconds: float = AGAIN_SECONDS) -> None:
    """Cancel tasks until they end, however often that takes.

    Where an answer comes just then, redis-py loses a cancellation (CPython 86296), and its task would go on for ever.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=again_seconds)


@dataclass(frozen=True, slots=True)
class Queue:
    """Tells workers that something is due, and followers that something changed."""

    redis: ArqRedis

    @classmethod
    def open(cls, settings: RedisSettings) -> "Queue":
        """Make a client; it connects on first use, and again after Redis was away."""
        return cls(
            ArqRedis(
                host=str(settings.host),
                port=settings.port,
                username=settings.username,
                password=settings.password,
                db=settings.database,
                ssl=settings.ssl,
                ssl_check_hostname=settings.ssl,
                socket_connect_timeout=2,
                socket_timeout=5,
                job_serializer=pack,
                job_deserializer=unpack,
                default_queue_name=SYNC_QUEUE,
            )
        )

    async def close(self) -> None:
        """Close the client."""
        await self.redis.aclose(close_connection_pool=True)

    async def wake_sync(self, scope: Scope, run_id: UUID, *, long: bool = False) -> bool:
        """Tell a worker that a run is due, one that will take long by a queue of its own; False where that was lost."""
        return await self._quietly(
            self.redis.enqueue_job(
                "sync_run",
                organization_id=str(scope.organization_id),
                connection_id=str(scope.connection_id),
                run_id=str(run_id),
                _job_id=f"sync:{run_id}:{uuid4().hex[:8]}",
                _queue_name=LONG_QUEUE if long else SYNC_QUEUE,
            )
        )

    async def wake_write(self, scope: Scope, operation_id: UUID) -> bool:
        """Tell a worker that a write is due; False where that was lost."""
        return await self._quietly(
            self.redis.enqueue_job(
                "write_operation",
                organization_id=str(scope.organization_id),
                connection_id=str(scope.connection_id),
                operation_id=str(operation_id),
                _job_id=f"write:{operation_id}:{uuid4().hex[:8]}",
                _queue_name=WRITE_QUEUE,
            )
        )

    async def wake_followers(self, scope: Scope) -> None:
        """Tell followers of an organization that something was committed."""
        await self._quietly(self.redis.publish(f"{WAKE_CHANNEL}:{scope.organization_id}", b""))

    async def wake_revoked(self, scope: Scope) -> None:
        """Tell every process that a token or a connection of an organization ended."""
        of_one = str(scope.connection_id or "").encode()
        await self._quietly(self.redis.publish(f"{REVOKED_CHANNEL}:{scope.organization_id}", of_one))

    async def listen(self, channel: str, heard: Callable[[UUID, bytes], None]) -> None:
        """Hear what is told on a channel, until cancelled; what is told while Redis is away is never heard.

        Args:
            heard: Called with the organization and what was told.
        """
        while True:
            try:
                async with self.redis.pubsub() as pubsub:
                    await pubsub.psubscribe(f"{channel}:*")
                    while True:
                        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0)
                        mind_cancelling()
                        if message is not None:
                            heard(UUID(message["channel"].decode().rsplit(":", 1)[1]), message["data"])
            except (RedisError, OSError, ValueError) as error:
                log.warning("listener_lost", channel=channel, error=type(error).__name__)
                await asyncio.sleep(1.0)

    async def _quietly(self, pending: Any) -> bool:
        try:
            await pending
        except (RedisError, OSError) as error:
            log.warning("wake_lost", error=type(error).__name__)
            return False
        return True
