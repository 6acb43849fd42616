"""Runs as they are asked for: by hand and by schedule, one after the other; and stopped by hand."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from db.models.sync import SyncMode
from db.types import new_id
from jobs import schedule
from tests.fixtures.engine import Engine, counters

OPEN = "SELECT id FROM sync_run WHERE entity = 'PURCHASE_ORDER' AND status IN ('QUEUED', 'RUNNING', 'WAITING')"


async def test_asking_again_while_a_run_is_open_gives_the_same_run(engine: Engine) -> None:
    """Off: the unique index sync_run_one_open."""
    own = await engine.connect()
    await engine.sync(own)

    asked = await asyncio.gather(*(engine.trigger(own, SyncMode.FULL) for _ in range(8)))

    assert len(set(asked)) == 1
    assert [row["id"] for row in await engine.rows(OPEN)] == [asked[0]]
    ended = await engine.sync(own, SyncMode.FULL)
    assert ended["id"] == asked[0]
    assert await engine.trigger(own, SyncMode.FULL) != ended["id"]


async def test_a_connections_initial_run_is_full_enough(engine: Engine) -> None:
    own = await engine.connect()
    initial = (await engine.rows(OPEN))[0]["id"]

    asked = [await engine.trigger(own, mode) for mode in SyncMode]

    assert asked == [initial, initial]


async def test_a_full_run_asked_for_while_an_incremental_one_is_open_waits_behind_it(engine: Engine) -> None:
    """Off: `:mode` in `_REQUEST` and `_OPEN_RUN` of db/sync.py: the full run is lost in the incremental one.

    Off: `NOT EXISTS` in `_TAKE` of db/leases.py, and in `_PICK` of db/due.py: the full run begins first.
    """
    for _ in range(3):
        engine.ledger.add()
    own = await engine.connect()
    await engine.sync(own)
    await engine.superuser.execute("UPDATE sync_run SET status = 'SUCCEEDED' WHERE entity = 'VENDOR'")
    incremental = await engine.trigger(own)
    full = await engine.trigger(own, SyncMode.FULL)
    engine.ledger.calls.clear()

    assert full != incremental
    assert await engine.trigger(own, SyncMode.FULL) == full
    assert await engine.trigger(own, SyncMode.INCREMENTAL) == incremental
    await engine.runner().run(own, full)
    assert engine.ledger.calls == []
    assert await schedule.tick(engine.database, engine.queue) == 1
    assert await engine.one("SELECT id FROM sync_run WHERE woken_at IS NOT NULL AND status = 'QUEUED'") == incremental
    await engine.runner().run(own, incremental)
    assert await schedule.tick(engine.database, engine.queue) == 1
    await engine.runner().run(own, full)

    runs = [await engine.run_row(each) for each in (incremental, full)]
    assert [(run["mode"], run["status"]) for run in runs] == [("INCREMENTAL", "SUCCEEDED"), ("FULL", "SUCCEEDED")]
    assert [counters(run)["fetched"] for run in runs] == [6, 3]  # changes by two feeds; then all, by one


async def test_an_incremental_run_asked_for_while_a_full_one_is_open_is_that_one(engine: Engine) -> None:
    own = await engine.connect()
    await engine.sync(own)

    full = await engine.trigger(own, SyncMode.FULL)

    assert await engine.trigger(own) == full


async def test_a_full_run_is_due_by_itself_after_the_last_whole_pass(engine: Engine) -> None:
    """The ledger's policy is daily.

    Off: `next_full_run_at` in `succeed` of db/sync.py: never. `whole` there: each incremental run puts it off.
    """
    own = await engine.connect()
    due = "SELECT next_full_run_at FROM connected_entity WHERE entity = 'PURCHASE_ORDER'"
    assert await engine.one(due) is None
    initial = await engine.sync(own)
    following: datetime = await engine.one(due)
    assert timedelta(hours=22.7) < following - initial["finished_at"] < timedelta(hours=25.3)  # 5 percent either way
    await engine.sync(own)
    assert await engine.one(due) == following
    await engine.superuser.execute("UPDATE sync_run SET status = 'SUCCEEDED' WHERE entity = 'VENDOR'")
    await engine.superuser.execute("UPDATE connected_entity SET next_full_run_at = now(), next_run_at = now()")

    assert await schedule.tick(engine.database, engine.queue) == 2

    runs = await engine.rows("SELECT entity, mode, trigger FROM sync_run WHERE status = 'QUEUED' ORDER BY 1")
    assert [tuple(run.values()) for run in runs] == [
        ("PURCHASE_ORDER", "FULL", "SCHEDULED"),  # it does for both
        ("VENDOR", "INCREMENTAL", "SCHEDULED"),  # which never had a whole pass: its first one is due
    ]
    assert await engine.one("SELECT count(*) FROM connected_entity WHERE next_run_at <= now()") == 0


async def test_no_full_run_is_due_where_the_setting_says_so(engine: Engine) -> None:
    own = await engine.connect(full_every_hours=0)

    await engine.sync(own)

    assert await engine.one("SELECT count(*) FROM connected_entity WHERE next_full_run_at IS NOT NULL") == 0


async def test_a_cancelled_run_stops_at_its_next_page_and_keeps_the_checkpoint(engine: Engine) -> None:
    """Off: `Cancelled` in jobs/pages.py `store`."""
    for _ in range(5):
        engine.ledger.add()
    own = await engine.connect()
    held = engine.ledger.fault("/orders", hold=True)
    run_id = await engine.trigger(own)
    task = asyncio.create_task(engine.runner().run(own, run_id))
    await held.reached.wait()

    assert await engine.run_door().cancel(engine.scope, run_id) == []
    assert (await engine.run_row(run_id))["status"] == "RUNNING"
    held.go.set()
    await task

    run = await engine.run_row(run_id)
    assert (run["status"], counters(run)) == ("CANCELLED", {"fetched": 2, "created": 2, "pages": 1})
    assert run["finished_at"] is not None
    assert await engine.checkpoints(own) == {}
    assert len(engine.ledger.asked("/orders")) == 1
    # The next one reads all, and finds the first page known.
    assert counters(await engine.sync(own)) == {"fetched": 5, "created": 3, "unchanged": 2, "pages": 3}


async def test_a_cancelled_run_that_nobody_works_on_ends_at_once(engine: Engine) -> None:
    """Queued, between two slices, or waiting for its next attempt.

    Off: `at_work` in `runs.cancel`: it waits for a worker that never comes.
    """
    for _ in range(3):
        engine.ledger.add()
    own = await engine.connect()
    door, ended = engine.run_door(), []
    for prepared in (None, 0, 503):
        run_id = await engine.trigger(own)
        if prepared == 503:
            engine.ledger.fault("/orders", status=503)
        if prepared is not None:
            await engine.runner(slice_seconds=0).run(own, run_id)
        before = (await engine.run_row(run_id))["status"]
        assert await door.cancel(own, run_id) == []
        after = await engine.run_row(run_id)
        ended.append((before, after["status"], after["finished_at"] is not None))
        engine.ledger.calls.clear()
        await engine.runner().run(own, run_id)
        assert engine.ledger.calls == []

    assert ended == [
        ("QUEUED", "CANCELLED", True),
        ("RUNNING", "CANCELLED", True),
        ("WAITING", "CANCELLED", True),
    ]
    assert await engine.checkpoints(own) == {}


async def test_a_run_cancelled_while_a_worker_comes_to_it_is_not_begun(engine: Engine) -> None:
    """The worker has the lease and asks the source for the time; the run is QUEUED until then, and ends at once.

    Off: the status in `begin` of db/sync.py: the run rises again.
    """
    engine.ledger.add()
    own = await engine.connect()
    held = engine.ledger.fault("/time", hold=True)
    run_id = await engine.trigger(own)
    task = asyncio.create_task(engine.runner().run(own, run_id))
    await held.reached.wait()

    assert await engine.run_door().cancel(own, run_id) == []
    held.go.set()
    await task

    assert (await engine.run_row(run_id))["status"] == "CANCELLED"
    assert engine.ledger.asked("/orders") == []
    assert await engine.events(own) == []


async def test_a_worker_that_stopped_past_its_lease_cannot_go_on_with_a_cancelled_run(engine: Engine) -> None:
    """Nobody took the lease after it: only the cancelling itself can shut it out. Off: `fence + 1` in `runs.cancel`."""
    for _ in range(3):
        engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    held = engine.ledger.fault("/orders", hold=True)
    stopped = asyncio.create_task(engine.runner(lease_seconds=600).run(own, run_id))
    await held.reached.wait()
    await engine.superuser.execute("UPDATE connected_entity SET lease_expires_at = now() - interval '1 second'")

    assert await engine.run_door().cancel(own, run_id) == []
    ended = await engine.run_row(run_id)
    held.go.set()
    await stopped

    assert ended["status"] == "CANCELLED"
    assert await engine.run_row(run_id) == ended
    assert await engine.orders(own) == {}


async def test_what_cannot_be_cancelled_is_said(engine: Engine) -> None:
    own = await engine.connect()
    ended = await engine.sync(own)
    foreign = await engine.connect()
    door = engine.run_door()

    async def refused(run_id: UUID) -> list[tuple[str, tuple[str, ...] | None]]:
        return [(problem.code.value, problem.path) for problem in await door.cancel(own, run_id)]

    assert await refused(ended["id"]) == [("CONFLICT", ("syncRunId",))]
    assert await refused(new_id()) == [("NOT_FOUND", ("syncRunId",))]
    assert await refused(await engine.trigger(foreign)) == [("NOT_FOUND", ("syncRunId",))]
    assert await engine.one("SELECT count(*) FROM sync_run WHERE cancel_requested OR status = 'CANCELLED'") == 0
