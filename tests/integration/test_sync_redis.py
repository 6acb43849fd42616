"""Redis only wakes: lost wake-ups and outages delay runs, and lose none."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

import pytest
from arq.connections import RedisSettings

from crosshead import compose
from db.scope import Scope
from jobs import schedule, worker
from jobs.queue import LONG_QUEUE, Queue
from tests.fixtures.engine import Engine, counters, until
from tests.fixtures.product import work_off


class Door:
    """A port that leads to Redis while it is open, and refuses while it is closed."""

    def __init__(self, host: str, port: int) -> None:
        self._to = host, port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def open(self) -> None:
        """Listen, on the same port each time."""
        self._server = await asyncio.start_server(self._lead, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and cut what is open."""
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()
        await asyncio.sleep(0.05)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._to)
        both = {writer, far_writer}
        self._open |= both
        await asyncio.gather(_pour(reader, far_writer), _pour(far_reader, writer))
        self._open -= both


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture
async def door(engine: Engine) -> AsyncIterator[Door]:
    """A closed door to the test's Redis."""
    real = compose.redis_settings(engine.settings)
    made = Door(str(real.host), real.port)
    await made.open()
    await made.close()
    yield made
    await made.close()


async def _connected(engine: Engine) -> Scope:
    """Connect, with no run of vendors in the way."""
    engine.ledger.add()
    own = await engine.connect()
    await engine.superuser.execute("UPDATE sync_run SET status = 'SUCCEEDED' WHERE entity = 'VENDOR'")
    await engine.queue.redis.flushdb()
    return own


async def test_a_run_asked_for_without_redis_is_found_by_the_tick(engine: Engine) -> None:
    """Off: `pick_due` in jobs/schedule.py `tick`."""
    own = await _connected(engine)
    dead = Queue.open(RedisSettings(host="127.0.0.1", port=1))
    run_id = await dataclasses.replace(engine, queue=dead).trigger(own)
    await dead.close()
    assert await engine.queue.redis.queued_jobs() == []

    await work_off(engine.worker_parts())

    assert (await engine.run_row(run_id))["status"] == "SUCCEEDED"


async def test_a_queue_that_lost_everything_is_filled_again(engine: Engine) -> None:
    """FLUSHALL between the wake-up and the worker."""
    own = await _connected(engine)
    run_id = await engine.trigger(own)
    assert len(await engine.queue.redis.queued_jobs()) == 1
    await engine.queue.redis.flushdb()

    await work_off(engine.worker_parts())

    run = await engine.run_row(run_id)
    assert (run["status"], counters(run)) == ("SUCCEEDED", {"fetched": 1, "created": 1, "pages": 1})


@pytest.mark.timeout(90)
async def test_a_worker_outlives_redis_and_works_on_once_it_is_back(engine: Engine, door: Door) -> None:
    """Down at the start, then up, then down again in between.

    Off: the loop in jobs/worker.py `_listen`; `_quietly` in jobs/queue.py.
    """
    own = await _connected(engine)
    real = compose.redis_settings(engine.settings)
    settings = dataclasses.replace(real, host="127.0.0.1", port=door.port, conn_retries=0)
    queue = Queue.open(settings)
    working = asyncio.create_task(worker.run(dataclasses.replace(engine.worker_parts(), queue=queue, redis=settings)))
    states = []
    for _ in range(2):
        run_id = await engine.trigger(own)
        await engine.queue.redis.flushdb()  # the wake-up is lost
        await asyncio.sleep(1.5)
        states.append(((await engine.run_row(run_id))["status"], working.done()))
        await door.open()
        await engine.superuser.execute("UPDATE sync_run SET woken_at = NULL")  # ten seconds are over
        await until(lambda run_id=run_id: _succeeded(engine, run_id), timeout_s=30)
        await door.close()

    assert states == [("QUEUED", False), ("QUEUED", False)]
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
    await queue.close()


async def _succeeded(engine: Engine, run_id: object) -> bool:
    return bool(await engine.one("SELECT status = 'SUCCEEDED' FROM sync_run WHERE id = $1", run_id))


async def test_a_failing_tick_does_not_end_the_ticker(engine: Engine) -> None:
    """Off: `except database.failures` in jobs/schedule.py `run`."""
    own = await _connected(engine)
    run_id = await engine.trigger(own)
    await engine.queue.redis.flushdb()
    await engine.superuser.execute("ALTER TABLE connected_entity RENAME TO hidden")
    ticking = asyncio.create_task(schedule.run(engine.database, engine.queue, tick_seconds=0.05))
    await asyncio.sleep(0.3)
    assert not ticking.done()

    await engine.superuser.execute("ALTER TABLE hidden RENAME TO connected_entity")

    async def woken() -> bool:
        return bool(await engine.one("SELECT woken_at IS NOT NULL FROM sync_run WHERE id = $1", run_id))

    await until(woken)
    await until(lambda: engine.queue.redis.queued_jobs(queue_name=LONG_QUEUE))
    ticking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await ticking
    assert len(await engine.queue.redis.queued_jobs(queue_name=LONG_QUEUE)) == 1
