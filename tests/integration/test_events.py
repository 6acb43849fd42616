"""The event sequence: numbers without gaps in commit order, and followers that miss and repeat nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from arq.connections import RedisSettings

from db import events
from db.events import NewEvent, StoredEvent
from db.scope import Scope
from jobs.events import Events
from jobs.queue import WAKE_CHANNEL, Queue
from tests.fixtures.engine import Engine, until

LONG = 60.0


async def _append(engine: Engine, own: Scope, *names: str) -> None:
    async with engine.database.write(own) as session:
        await events.append(session, own, [NewEvent(name, {"name": name}) for name in names])


@asynccontextmanager
async def _following(
    follower: Events, scope: Scope, known: dict[Any, int] | None
) -> AsyncIterator[asyncio.Queue[StoredEvent]]:
    """Follow in the background; gives what comes."""
    seen: asyncio.Queue[StoredEvent] = asyncio.Queue()

    async def follow() -> None:
        async for live in follower.channels.follow_all(scope, known=known):
            seen.put_nowait(live.event)

    task = asyncio.create_task(follow())
    try:
        yield seen
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _take(seen: asyncio.Queue[StoredEvent], n: int) -> list[StoredEvent]:
    async with asyncio.timeout(10):
        return [await seen.get() for _ in range(n)]


async def test_eight_writers_at_once_leave_no_gap_and_no_double(engine: Engine) -> None:
    """Off: `counted` in db/events.py as a SELECT without a lock, beside the UPDATE: numbers collide.

    Off: a Postgres SEQUENCE for the counter: the writers that roll back leave gaps.
    """
    own = await engine.connect()

    async def writer(n: int) -> None:
        for turn in range(10):
            with contextlib.suppress(ZeroDivisionError):
                async with engine.database.write(own) as session:
                    await events.append(session, own, [NewEvent(f"w{n}", {"turn": turn, "of": k}) for k in range(3)])
                    if turn % 5 == 4:
                        1 / 0  # noqa: B018  (this transaction rolls back)

    await asyncio.gather(*(writer(n) for n in range(8)))

    rows = await engine.events(own)  # which checks the numbers
    assert len(rows) == 8 * 8 * 3
    for n in range(8):
        told = [(row["data"]["turn"], row["data"]["of"]) for row in rows if row["type"] == f"w{n}"]
        assert told == [(turn, of) for turn in (0, 1, 2, 3, 5, 6, 7, 8) for of in range(3)]


async def test_events_of_one_transaction_keep_their_order_and_their_ids_are_their_own(engine: Engine) -> None:
    own = await engine.connect()

    await _append(engine, own, "a", "b", "c")
    await _append(engine, own, "d")

    rows = await engine.events(own)
    assert [(row["sequence"], row["type"]) for row in rows] == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    assert len({row["id"] for row in rows}) == 4


async def test_a_follower_gets_everything_behind_what_it_knows_once_and_in_order(engine: Engine) -> None:
    """While eight writers commit. Off: the counter taken without a lock until commit: late commits are skipped."""
    own = await engine.connect()
    await _append(engine, own, *"abcde")
    follower = Events(engine.database, engine.queue, poll_seconds=0.05)
    assert own.connection_id is not None

    async with _following(follower, own, {own.connection_id: 2}) as seen:
        writers = [_append(engine, own, f"{n}-1", f"{n}-2") for n in range(40)]
        await asyncio.gather(*writers)
        got = await _take(seen, 83)

    assert [event.sequence for event in got] == list(range(3, 86))
    assert [event.type for event in got[:3]] == ["c", "d", "e"]
    assert seen.empty()


async def test_a_follower_without_a_position_begins_after_what_is_there(engine: Engine) -> None:
    own = await engine.connect()
    await _append(engine, own, "old")
    follower = Events(engine.database, engine.queue, poll_seconds=0.05)

    async with _following(follower, own, None) as seen:
        await asyncio.sleep(0.3)
        await _append(engine, own, "new")
        got = await _take(seen, 1)

    assert [(event.sequence, event.type) for event in got] == [(2, "new")]


async def test_a_follower_of_an_organization_gets_each_stream_even_one_made_later(engine: Engine) -> None:
    one = await engine.connect()
    follower = Events(engine.database, engine.queue, poll_seconds=0.05)

    async with _following(follower, engine.scope, {}) as seen:
        await _append(engine, one, "a", "b")
        two = await engine.connect()
        await _append(engine, two, "c")
        got = await _take(seen, 3)

    assert [(event.connection_id, event.sequence, event.type) for event in got] == [
        (one.connection_id, 1, "a"),
        (one.connection_id, 2, "b"),
        (two.connection_id, 1, "c"),
    ]


async def test_a_follower_held_to_a_connection_hears_nothing_of_others(engine: Engine) -> None:
    own, other = await engine.connect(), await engine.connect()
    follower = Events(engine.database, engine.queue, poll_seconds=0.05)

    async with _following(follower, own, {}) as seen:
        await _append(engine, other, "not for you")
        await _append(engine, own, "for you")
        got = await _take(seen, 1)
        await asyncio.sleep(0.2)

    assert [event.type for event in got] == ["for you"]
    assert seen.empty()


async def _subscribed(engine: Engine) -> bool:
    return bool(await engine.queue.redis.pubsub_numpat() > 1)  # beside the one that hears of revocations


async def test_redis_wakes_a_follower_that_would_look_in_a_minute(engine: Engine) -> None:
    """Off: `wake_followers`, or `_wake` in jobs/events.py."""
    own = await engine.connect()
    await _append(engine, own, "old")

    async with (
        Events(engine.database, engine.queue, poll_seconds=LONG).listening() as follower,
        _following(follower, own, {}) as seen,
    ):
        await until(lambda: _subscribed(engine))
        await _take(seen, 1)
        await asyncio.sleep(0.3)  # it has looked once more, and waits
        await _append(engine, own, "new")
        await engine.queue.wake_followers(own)
        got = await _take(seen, 1)

    assert [event.type for event in got] == ["new"]


async def test_a_wake_up_that_is_no_id_does_not_end_the_listener(engine: Engine) -> None:
    own = await engine.connect()

    async with (
        Events(engine.database, engine.queue, poll_seconds=LONG).listening() as follower,
        _following(follower, own, {}) as seen,
    ):
        await until(lambda: _subscribed(engine))
        await engine.queue.redis.publish(f"{WAKE_CHANNEL}:nonsense", b"")
        await asyncio.sleep(1.5)
        await until(lambda: _subscribed(engine))
        await _append(engine, own, "new")
        await engine.queue.wake_followers(own)
        got = await _take(seen, 1)

    assert [event.type for event in got] == ["new"]


async def test_without_redis_a_follower_finds_events_by_itself(engine: Engine) -> None:
    """Off: the timeout in jobs/channels.py `_read`."""
    own = await engine.connect()
    dead = Queue.open(RedisSettings(host="127.0.0.1", port=1, conn_retries=0))

    async with (
        Events(engine.database, dead, poll_seconds=0.1).listening() as follower,
        _following(follower, own, {}) as seen,
    ):
        await _append(engine, own, "a")
        await dead.wake_followers(own)
        got = await _take(seen, 1)
        await _append(engine, own, "b")
        got += await _take(seen, 1)

    await dead.close()
    assert [event.type for event in got] == ["a", "b"]


async def test_a_run_is_followed_from_start_to_end(engine: Engine) -> None:
    for _ in range(3):
        engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    seen: list[tuple[str, int]] = []
    follower = Events(engine.database, engine.queue, poll_seconds=0.01)

    async def follow() -> None:
        async for changed in follower.follow_runs(own, run_id=run_id):
            row = await engine.run_row(changed)
            seen.append((row["status"], row["pages"]))
            if row["status"] == "SUCCEEDED":
                return

    task = asyncio.create_task(follow())
    await until(lambda: _any(seen))
    held = engine.ledger.fault("/orders", hold=True, skip=1)
    work = asyncio.create_task(engine.runner().run(own, run_id))
    await held.reached.wait()
    await until(lambda: _any(entry for entry in seen if entry[1] == 1))
    held.go.set()
    await work
    async with asyncio.timeout(10):
        await task

    assert seen[0] == ("QUEUED", 0)
    assert ("RUNNING", 1) in seen
    assert seen[-1] == ("SUCCEEDED", 2)
    assert seen == sorted(seen, key=lambda entry: entry[1])


async def _any(found: Any) -> bool:
    return any(True for _ in found)


async def test_events_carry_what_was_appended_as_it_was(engine: Engine) -> None:
    own = await engine.connect()
    data = {"text": "Grüße ✓", "number": "1.10", "nested": {"list": [1, None, True]}}
    async with engine.database.write(own) as session:
        last = await events.append(session, own, [NewEvent("x", data, entity="VENDOR")])
    async with engine.database.read(own) as reading:
        stored = await events.after(reading, own, {})

    assert last == 1
    assert [(event.type, event.entity, event.data) for event in stored] == [("x", "VENDOR", data)]
    assert orjson.loads(orjson.dumps(stored[0].data)) == data
