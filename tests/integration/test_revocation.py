"""What hangs on a dead token or an ended connection ends in every process, with Redis or without."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from arq.connections import RedisSettings

from crosshead import compose
from db import tokens
from db.models.organization import TokenEnd, TokenKind, TokenScope
from db.scope import Scope
from db.tokens import Dead
from db.types import new_id
from jobs.disconnect import DisconnectDoor
from jobs.queue import REVOKED_CHANNEL, Queue
from jobs.revocation import Ended, Revocations
from tests.fixtures.engine import Engine, until

LONG = 60.0


@asynccontextmanager
async def watching(engine: Engine, *, redis: bool) -> AsyncIterator[tuple[Revocations, Queue]]:
    """Watch as another process would: it hears by Redis and looks once a minute, or has no Redis and looks often."""
    if redis:
        async with Revocations(engine.database, engine.queue, poll_seconds=LONG).listening() as found:
            await until(lambda: _both_hear(engine))
            yield found, engine.queue
        return
    dead = Queue.open(RedisSettings(host="127.0.0.1", port=1, conn_retries=0))
    async with Revocations(engine.database, dead, poll_seconds=0.1).listening() as found:
        yield found, dead
    await dead.close()


async def _both_hear(engine: Engine) -> bool:
    heard: int = await engine.queue.redis.publish(f"{REVOKED_CHANNEL}:{new_id()}", b"")
    return heard > 1  # beside the fixture's own


def door(engine: Engine, queue: Queue) -> DisconnectDoor:
    return DisconnectDoor(database=engine.database, queue=queue, now=compose.now)


async def disconnect(engine: Engine, own: Scope, queue: Queue) -> None:
    assert own.connection_id is not None
    assert await door(engine, queue).disconnect(own, own.connection_id) == []


async def issued(engine: Engine, own: Scope) -> tokens.Holder:
    text, row = tokens.issue(TokenKind.CONNECTION, scope=own, may=TokenScope.READ, name="Test", now=compose.now())
    async with engine.database.write(own) as session:
        session.add(row)
    async with engine.database.lookups.fetch() as fetch:
        holder = (await tokens.find(fetch, [text])).get(text)
    assert holder is not None
    return holder


@pytest.mark.parametrize("redis", [True, False], ids=["redis", "no redis"])
async def test_a_running_sync_ends_with_its_connection_and_its_call_is_cancelled(
    engine: Engine, *, redis: bool
) -> None:
    """Off: `unless_ended` in jobs/sync.py `_slice`."""
    for _ in range(6):
        engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    held = engine.ledger.fault("/orders", hold=True, skip=1)

    async with watching(engine, redis=redis) as (revocations, queue):
        running = asyncio.create_task(engine.runner(revocations=revocations).run(own, run_id))
        await held.reached.wait()
        await disconnect(engine, own, queue)
        async with asyncio.timeout(10):
            await running

    assert not held.go.is_set()
    assert (await engine.run_row(run_id))["status"] == "CANCELLED"
    assert await engine.one("SELECT count(*) FROM purchase_order") == 2  # its first page
    assert await engine.one("SELECT lease_owner FROM connected_entity WHERE entity = 'PURCHASE_ORDER'") is None


async def test_other_connections_syncs_go_on(engine: Engine) -> None:
    """Off: the comparison of the connection in jobs/revocation.py `_end_among`."""
    engine.ledger.add()
    own, other = await engine.connect(), await engine.connect()
    run_id = await engine.trigger(other)
    held = engine.ledger.fault("/orders", hold=True)

    async with watching(engine, redis=True) as (revocations, queue):
        running = asyncio.create_task(engine.runner(revocations=revocations).run(other, run_id))
        await held.reached.wait()
        await disconnect(engine, own, queue)
        held.go.set()
        await running

    assert (await engine.run_row(run_id))["status"] == "SUCCEEDED"


async def test_a_sync_that_begins_after_the_end_does_nothing(engine: Engine) -> None:
    own = await engine.connect()
    run_id = await engine.trigger(own)
    await disconnect(engine, own, engine.queue)
    engine.ledger.calls.clear()

    await engine.runner().run(own, run_id)

    assert engine.ledger.calls == []


async def test_a_reauthorization_fences_off_a_run_with_the_old_credentials(engine: Engine) -> None:
    """Its late refusal must not close the connection again. Off: `fence_off` in jobs/connect.py `replace`."""
    engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    assert own.connection_id is not None
    held = engine.ledger.fault("/orders", hold=True, status=401)
    running = asyncio.create_task(engine.runner().run(own, run_id))
    await held.reached.wait()

    given = {"base_url": engine.ledger.url, "key": engine.ledger.key}
    made, problems = await engine.connect_door().reauthorize(own, own.connection_id, given)
    held.go.set()
    await running

    assert (made is not None, problems) == (True, [])
    assert await engine.one("SELECT status FROM connection") == "ACTIVE"
    assert (await engine.run_row(run_id))["status"] == "RUNNING"


@pytest.mark.parametrize("redis", [True, False], ids=["redis", "no redis"])
async def test_a_watched_token_is_told_its_end(engine: Engine, *, redis: bool) -> None:
    """Off: `_heard` in jobs/revocation.py, or the timeout of its `_check`."""
    own = await engine.connect()
    dying, living = await issued(engine, own), await issued(engine, own)

    async with (
        watching(engine, redis=redis) as (revocations, queue),
        revocations.token(dying.token_id, own) as one,
        revocations.token(living.token_id, own) as two,
    ):
        async with engine.database.write(own) as session:
            await tokens.end(session, own, TokenEnd.REVOKED, now=compose.now(), token_id=dying.token_id)
        await queue.wake_revoked(own)
        async with asyncio.timeout(10):
            why = await one.ended()

    assert (why, two.why) == (Dead.REVOKED, None)


async def test_a_token_that_died_before_it_was_watched_is_told_at_once(engine: Engine) -> None:
    """Between the look-up and the watch nobody tells. Off: `_suspect` in jobs/revocation.py `_watching`."""
    own = await engine.connect()
    holder = await issued(engine, own)
    await disconnect(engine, own, engine.queue)

    async with watching(engine, redis=True) as (revocations, _), revocations.token(holder.token_id, own) as watch:
        async with asyncio.timeout(10):
            why = await watch.ended()

    assert why is Dead.DISCONNECTED


async def test_work_for_a_connection_gives_its_result_and_its_failure(engine: Engine) -> None:
    own = await engine.connect()

    async def work(result: int) -> int:
        return 1 // result

    async with watching(engine, redis=True) as (revocations, queue):
        assert await revocations.unless_ended(own, work(1)) == 1
        with pytest.raises(ZeroDivisionError):
            await revocations.unless_ended(own, work(0))
        forever = asyncio.create_task(revocations.unless_ended(own, asyncio.sleep(LONG)))
        await asyncio.sleep(0)
        await disconnect(engine, own, queue)
        with pytest.raises(Ended):
            await asyncio.wait_for(forever, 10)
