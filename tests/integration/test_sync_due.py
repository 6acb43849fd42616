"""When a run works at all: its lease, its time, its connection's status, its slice."""

import asyncio
import contextlib
from datetime import datetime, timedelta

import asyncpg
import orjson

from db.models.sync import SyncMode
from jobs import schedule, worker
from jobs.queue import LONG_QUEUE, SYNC_QUEUE
from tests.fixtures.engine import Engine, counters, until


async def test_of_two_workers_at_once_one_works(engine: Engine) -> None:
    """Off: a lease that is always given: `_TAKE` in db/leases.py without its last AND."""
    for _ in range(5):
        engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)

    await asyncio.gather(*(engine.runner(owner=f"w{n}").run(own, run_id) for n in range(4)))

    run = await engine.run_row(run_id)
    assert (run["status"], counters(run)) == ("SUCCEEDED", {"fetched": 5, "created": 5, "pages": 3})
    assert len(engine.ledger.asked("/orders")) == 3
    assert len(engine.ledger.asked("/time")) == 1


async def test_a_worker_that_comes_late_to_the_lease_looks_at_the_run_again(engine: Engine, superuser: str) -> None:
    """It loaded the run before another worker ended it, and gets the lease after.

    Off: `_slice` in jobs/sync.py with the run that `run` has loaded: the ended run begins anew.
    """
    engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    other = await asyncpg.connect(superuser)
    blocker = other.transaction()
    await blocker.start()
    await other.execute("SELECT 1 FROM connected_entity FOR UPDATE")
    late = asyncio.create_task(engine.runner().run(own, run_id))
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE connected%'"
    await until(lambda: engine.one(waiting))
    await engine.superuser.execute("UPDATE sync_run SET status = 'SUCCEEDED' WHERE id = $1", run_id)
    await blocker.commit()
    await other.close()
    await late

    assert (await engine.run_row(run_id))["status"] == "SUCCEEDED"
    assert engine.ledger.asked("/orders") == []


async def test_a_waiting_run_is_left_alone_until_its_time(engine: Engine) -> None:
    """Wake-ups come twice: the second must not reach a source that asked for rest.

    Off: `next_attempt_at` in `_TAKE` of db/leases.py together with `early` in jobs/sync.py `_due`.
    """
    engine.ledger.add()
    engine.ledger.fault("/orders", status=429, headers={"Retry-After": "600"})
    own = await engine.connect()
    run = await engine.sync(own)
    engine.ledger.calls.clear()

    await engine.runner().run(own, run["id"])
    again = await engine.sync(own)

    assert (run["status"], again["status"], again["id"]) == ("WAITING", "WAITING", run["id"])
    assert engine.ledger.calls == []


async def test_a_connection_that_rests_is_not_read(engine: Engine) -> None:
    """Off: `connections.SYNCED` in jobs/sync.py `_due`."""
    engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    assert own.connection_id is not None
    await engine.connect_door().update(own, own.connection_id, {"paused": True}, ())
    engine.ledger.calls.clear()

    await engine.runner().run(own, run_id)

    assert engine.ledger.calls == []
    await engine.connect_door().update(own, own.connection_id, {"paused": False}, ())
    await engine.runner().run(own, run_id)
    assert (await engine.run_row(run_id))["status"] == "SUCCEEDED"


async def test_pausing_stops_a_run_at_its_next_page_and_resuming_goes_on_there(engine: Engine) -> None:
    """Off: the connection's status in db/sync.py `progress`: the run goes on, and ends with the connection ACTIVE."""
    for _ in range(5):
        engine.ledger.add()
    own = await engine.connect()
    assert own.connection_id is not None
    held = engine.ledger.fault("/orders", hold=True, skip=1)
    run_id = await engine.trigger(own)
    task = asyncio.create_task(engine.runner().run(own, run_id))
    await held.reached.wait()
    await engine.connect_door().update(own, own.connection_id, {"paused": True}, ())
    held.go.set()
    await task

    paused = await engine.run_row(run_id)
    assert (paused["status"], paused["next_attempt_at"], paused["pages"]) == ("WAITING", None, 2)
    assert await engine.one("SELECT status FROM connection") == "PAUSED"
    assert await schedule.tick(engine.database, engine.queue) == 0
    await engine.connect_door().update(own, own.connection_id, {"paused": False}, ())
    await engine.runner().run(own, run_id)
    run = await engine.run_row(run_id)
    assert (run["status"], counters(run)) == ("SUCCEEDED", {"fetched": 5, "created": 5, "pages": 3})
    assert len(engine.ledger.asked("/orders")) == 3


async def test_a_pause_during_the_last_page_outlives_the_run(engine: Engine) -> None:
    """Off: PAUSED among the statuses that `Change.ANSWERED` of db/statuses.py moves."""
    engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    assert own.connection_id is not None
    held = engine.ledger.fault("/orders", hold=True)
    task = asyncio.create_task(engine.runner().run(own, run_id))
    await held.reached.wait()
    await engine.connect_door().update(own, own.connection_id, {"paused": True}, ())
    held.go.set()
    await task

    assert await engine.one("SELECT status FROM connection") == "PAUSED"


async def test_a_run_works_in_slices_and_none_repeats_a_page(engine: Engine) -> None:
    """Off: the positions in `feeds` of jobs/pages.py `store`: each slice begins at the first page."""
    for _ in range(5):
        engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    after = []

    for _ in range(4):
        await engine.runner(slice_seconds=0).run(own, run_id)
        after.append((await engine.run_row(run_id))["status"])

    run = await engine.run_row(run_id)
    assert after == ["RUNNING", "RUNNING", "RUNNING", "SUCCEEDED"]
    assert counters(run) == {"fetched": 5, "created": 5, "pages": 3}
    assert [call.query.get("after") for call in engine.ledger.asked("/orders")] == [None, "0002", "0004"]
    assert len(engine.ledger.asked("/time")) == 1  # the window is cut once a run
    assert [event["type"] for event in await engine.events(own, "sync.")] == ["sync.started", "sync.succeeded"]


async def test_a_slice_that_ended_is_woken_once_its_lease_is_free(engine: Engine) -> None:
    """Off: the wake-up in `_slice` of jobs/sync.py, under the lease: whoever is quick finds it taken."""
    for _ in range(3):
        engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    await engine.queue.redis.flushdb()

    await engine.runner(slice_seconds=0).run(own, run_id)

    assert await queued(engine) == {LONG_QUEUE: 1}
    assert await engine.one("SELECT count(*) FROM connected_entity WHERE lease_owner IS NOT NULL") == 0


async def test_a_scheduled_run_appears_when_its_time_has_come(engine: Engine) -> None:
    own = await engine.connect()
    for entity in ("PURCHASE_ORDER", "VENDOR"):
        await engine.superuser.execute("UPDATE sync_run SET status = 'SUCCEEDED' WHERE entity = $1", entity)
    assert await schedule.tick(engine.database, engine.queue) == 0
    await engine.superuser.execute("UPDATE connected_entity SET next_run_at = now() WHERE entity = 'PURCHASE_ORDER'")

    assert await schedule.tick(engine.database, engine.queue) == 1
    assert await schedule.tick(engine.database, engine.queue) == 0

    runs = await engine.rows("SELECT * FROM sync_run WHERE status = 'QUEUED'")
    assert [(run["entity"], run["trigger"], run["mode"]) for run in runs] == [
        ("PURCHASE_ORDER", "SCHEDULED", "INCREMENTAL")
    ]
    following: datetime = await engine.one("SELECT min(next_run_at) FROM connected_entity")
    wait = following - runs[0]["created_at"]
    assert timedelta(minutes=56) < wait < timedelta(minutes=64)  # an hour, give or take 5 percent
    assert own.connection_id == runs[0]["connection_id"]


async def test_a_paused_entity_and_a_paused_connection_have_no_schedule(engine: Engine) -> None:
    own = await engine.connect()
    assert own.connection_id is not None
    await engine.superuser.execute("UPDATE sync_run SET status = 'SUCCEEDED'")
    schedules = ({"entity": "PURCHASE_ORDER", "paused": True},)
    assert await engine.connect_door().update(own, own.connection_id, {}, schedules) == []
    await engine.superuser.execute("UPDATE connected_entity SET next_run_at = now()")

    assert await schedule.tick(engine.database, engine.queue) == 1
    assert await engine.one("SELECT entity FROM sync_run WHERE status = 'QUEUED'") == "VENDOR"
    await engine.connect_door().update(own, own.connection_id, {"paused": True}, ())
    await engine.superuser.execute("UPDATE sync_run SET status = 'SUCCEEDED'")
    await engine.superuser.execute("UPDATE connected_entity SET next_run_at = now()")
    assert await schedule.tick(engine.database, engine.queue) == 0


async def test_a_run_asked_for_by_hand_leaves_a_paused_schedule_paused(engine: Engine) -> None:
    """Off: `state = 'ACTIVE'` without a condition in db/sync.py `succeed`."""
    own = await engine.connect()
    assert own.connection_id is not None
    await engine.connect_door().update(own, own.connection_id, {}, ({"entity": "PURCHASE_ORDER", "paused": True},))

    run = await engine.sync(own)

    assert run["status"] == "SUCCEEDED"
    assert await engine.one("SELECT state FROM connected_entity WHERE entity = 'PURCHASE_ORDER'") == "PAUSED"


async def queued(engine: Engine) -> dict[str, int]:
    """Count the wake-ups in each queue."""
    jobs = {name: await engine.queue.redis.queued_jobs(queue_name=name) for name in (SYNC_QUEUE, LONG_QUEUE)}
    return {name: len(each) for name, each in jobs.items() if each}


async def test_first_and_full_runs_have_a_queue_of_their_own(engine: Engine) -> None:
    """They take long, and would hold up the incremental ones. Off: `long` in jobs/queue.py `wake_sync`."""
    own = await engine.connect()
    assert await queued(engine) == {LONG_QUEUE: 2}
    assert await schedule.tick(engine.database, engine.queue) == 2
    assert await queued(engine) == {LONG_QUEUE: 4}
    await engine.sync(own)
    await engine.queue.redis.flushdb()

    await engine.trigger(own, SyncMode.INCREMENTAL)
    await engine.trigger(own, SyncMode.FULL)

    assert await queued(engine) == {SYNC_QUEUE: 1, LONG_QUEUE: 1}


async def test_a_worker_that_is_told_to_stop_gives_its_leases_back_at_once(engine: Engine) -> None:
    """The run goes on elsewhere where it was; nobody waits for a lease to lapse.

    Off: `finally` in jobs/lease.py `leased`.
    """
    for _ in range(5):
        engine.ledger.add()
    own = await engine.connect()
    held = engine.ledger.fault("/orders", hold=True, skip=1)
    run_id = await engine.trigger(own)
    working = asyncio.create_task(worker.run(engine.worker_parts(lease_seconds=600)))
    await held.reached.wait()
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        async with asyncio.timeout(10):
            await working

    assert await engine.one("SELECT count(*) FROM connected_entity WHERE lease_owner IS NOT NULL") == 0
    assert orjson.loads(await engine.one("SELECT calls FROM call_budget")) == {}
    held.go.set()
    await engine.runner().run(own, run_id)
    run = await engine.run_row(run_id)
    assert (run["status"], counters(run)["fetched"], run["pages"]) == ("SUCCEEDED", 5, 3)
