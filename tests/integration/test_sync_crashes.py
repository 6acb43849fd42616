"""Workers that die, stop or lose their lease: nothing is lost, doubled or overwritten, and one page at most repeats."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from db import leases, sync
from db.scope import Scope
from db.types import Entity
from jobs import schedule
from tests.fixtures.engine import Engine, counters, until
from tests.fixtures.ledger import Fault
from tests.fixtures.workers import Workers

LEASE_SECONDS = 3
PAGES = 3
POINTS = [
    f"{name}:{n}"
    for step, times in (("begin", 1), ("page", PAGES), ("success", 1))
    for n in range(1, times + 1)
    for name in (f"{step}_before_commit", f"{step}_committed")
]
"""Before and after each commit of a run: the one that begins it, those of its pages, and the one that ends it."""


@pytest.fixture
async def workers(engine: Engine) -> AsyncIterator[Workers]:
    """Worker processes with a short lease."""
    async with Workers.open(engine.settings, database_pool_size=2, lease_seconds=LEASE_SECONDS) as opened:
        yield opened


async def _lapsed(engine: Engine) -> None:
    held = "SELECT count(*) FROM connected_entity WHERE lease_expires_at > now()"
    await until(lambda: _is_zero(engine, held))


async def _is_zero(engine: Engine, sql: str) -> bool:
    return bool(await engine.one(sql) == 0)


@pytest.mark.timeout(120)
async def test_a_worker_killed_at_any_commit_costs_one_page_at_most(engine: Engine, workers: Workers) -> None:
    """SIGKILL before and after each commit of a run; after the lease another worker goes on.

    Off: jobs/pages.py `commit` in two transactions (`fill` in one of its own): created or events do not fit.
    Off: `feeds` left out of `sync.progress`: more than one page repeats.
    """
    for _ in range(2 * PAGES):
        engine.ledger.add()
    runs: dict[str, tuple[Scope, UUID]] = {}
    for point in POINTS:
        own = await engine.connect()
        runs[point] = own, await engine.trigger(own)
    pages: dict[str, list[str | None]] = {}
    for point, (own, run_id) in runs.items():
        engine.ledger.calls.clear()
        pid = await workers.run(own, run_id, failpoint=point)
        assert await workers.ended(pid) == -signal.SIGKILL, point
        pages[point] = [call.query.get("after") for call in engine.ledger.asked("/orders")]

    await _lapsed(engine)
    for point, (own, run_id) in runs.items():
        engine.ledger.calls.clear()
        await engine.runner().run(own, run_id)
        pages[point] += [call.query.get("after") for call in engine.ledger.asked("/orders")]

    for point, (own, run_id) in runs.items():
        run = await engine.run_row(run_id)
        assert (point, run["status"], counters(run)) == (
            point,
            "SUCCEEDED",
            {"fetched": 6, "created": 6, "pages": PAGES},
        )
        assert sorted(await engine.orders(own)) == sorted(engine.ledger.orders)
        assert set(pages[point]) == {None, "0002", "0004"}, point
        assert len(pages[point]) <= PAGES + 1, point
        told = [event["type"] for event in await engine.events(own)]  # which checks that there is no gap
        assert told == ["sync.started", *["purchase_order.created"] * 6, "sync.succeeded"], point
        assert (await engine.checkpoints(own))["orders"] < engine.ledger.now


@pytest.mark.timeout(60)
async def test_a_worker_stopped_past_its_lease_can_store_nothing_when_it_goes_on(
    engine: Engine, workers: Workers
) -> None:
    """SIGSTOP in the middle of a page; another worker ends the run; SIGCONT.

    Off: `sync.guard` in jobs/pages.py `commit` together with `lease.lost`: its page is counted once more.
    """
    for _ in range(2 * PAGES):
        engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    held = engine.ledger.fault("/orders", hold=True, skip=1)
    pid = await workers.run(own, run_id)
    await held.reached.wait()
    os.kill(pid, signal.SIGSTOP)
    await _lapsed(engine)
    await engine.runner().run(own, run_id)
    ended, told = await engine.run_row(run_id), await engine.events(own)
    held.go.set()
    os.kill(pid, signal.SIGCONT)
    assert await workers.ended(pid) == 0

    assert (ended["status"], counters(ended)) == ("SUCCEEDED", {"fetched": 6, "created": 6, "pages": PAGES})
    assert await engine.run_row(run_id) == ended
    assert await engine.events(own) == told


async def _taken_over(engine: Engine, held: Fault) -> None:
    """Let the lease lapse while a worker waits for the source, and give it to another."""
    await held.reached.wait()
    await engine.superuser.execute("UPDATE connected_entity SET lease_expires_at = now() - interval '1 second'")


async def test_the_fence_alone_refuses_a_page_of_a_stale_worker(engine: Engine) -> None:
    """No renewal tells this worker that its lease is lost: only the fence in the page's own transaction does.

    Off: `sync.guard` in jobs/pages.py `commit`.
    """
    for _ in range(2 * PAGES):
        engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    held = engine.ledger.fault("/orders", hold=True, skip=1)
    stale = asyncio.create_task(engine.runner(lease_seconds=600).run(own, run_id))
    await _taken_over(engine, held)
    await engine.runner().run(own, run_id)
    ended, told = await engine.run_row(run_id), await engine.events(own)
    held.go.set()
    await stale

    assert (ended["status"], counters(ended)) == ("SUCCEEDED", {"fetched": 6, "created": 6, "pages": PAGES})
    assert await engine.run_row(run_id) == ended
    assert await engine.events(own) == told


async def test_the_fence_refuses_the_failure_of_a_stale_worker_too(engine: Engine) -> None:
    """Off: `sync.guard` in jobs/failures.py `failed` and `end`: an ended run waits, or fails, again."""
    engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    held = engine.ledger.fault("/orders", hold=True, status=503)
    stale = asyncio.create_task(engine.runner(lease_seconds=600).run(own, run_id))
    await _taken_over(engine, held)
    await engine.runner().run(own, run_id)
    ended = await engine.run_row(run_id)
    held.go.set()
    await stale

    assert ended["status"] == "SUCCEEDED"
    assert await engine.run_row(run_id) == ended


async def test_each_lease_has_a_larger_fence_and_only_the_last_one_holds(engine: Engine) -> None:
    own = await engine.connect()
    run_id, entity = await engine.trigger(own), Entity.PURCHASE_ORDER
    taken = []
    for owner in ("a", "b"):
        now = engine.ahead()
        taken.append(await leases.take(engine.database, own, run_id, owner=owner, seconds=30, now=now))
        assert await leases.take(engine.database, own, run_id, owner="other", seconds=30, now=now) is None
        await engine.superuser.execute("UPDATE connected_entity SET lease_expires_at = now() - interval '1 second'")

    assert taken == [(entity, 1), (entity, 2)]
    assert not await leases.renew(engine.database, own, entity, fence=1, seconds=30)
    await leases.release(engine.database, own, entity, fence=1)
    assert await engine.one("SELECT lease_owner FROM connected_entity WHERE entity = $1", entity) == "b"
    async with engine.database.write(own) as writing:
        await sync.guard(writing, own, entity, fence=2)
        with pytest.raises(sync.LeaseLost):
            await sync.guard(writing, own, entity, fence=1)


async def test_a_lease_is_renewed_while_a_page_takes_long(engine: Engine) -> None:
    """Off: `renewing` in jobs/lease.py `leased`."""
    engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    held = engine.ledger.fault("/orders", hold=True)
    task = asyncio.create_task(engine.runner(lease_seconds=1).run(own, run_id))
    await held.reached.wait()
    await asyncio.sleep(1.5)

    await engine.runner().run(own, run_id)
    assert (await engine.run_row(run_id))["status"] == "RUNNING"
    assert len(engine.ledger.asked("/orders")) == 1
    held.go.set()
    await task
    assert (await engine.run_row(run_id))["status"] == "SUCCEEDED"


@pytest.mark.parametrize("table", ["purchase_order", "purchase_order_line", "raw_item", "event", "sync_run"])
async def test_a_page_is_stored_whole_or_not_at_all(engine: Engine, table: str) -> None:
    """A trigger refuses the statement on one table after the others have run.

    Off: `fill` in a transaction of its own in jobs/pages.py `commit`.
    """
    for _ in range(2):
        engine.ledger.add()
    own = await engine.connect()
    await engine.superuser.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$"
    )
    when = {"sync_run": "WHEN (NEW.pages > 0)", "event": "WHEN (NEW.entity IS NOT NULL)"}.get(table, "")
    await engine.superuser.execute(
        f"CREATE TRIGGER refuse AFTER INSERT OR UPDATE ON {table} FOR EACH ROW {when} EXECUTE FUNCTION refuse()"
    )

    run = await engine.sync(own)

    assert run["status"] == "FAILED"
    assert counters(run) == {}
    for stored in ("purchase_order", "purchase_order_line", "raw_item"):
        assert await engine.one(f"SELECT count(*) FROM {stored}") == 0
    assert [event["type"] for event in await engine.events(own)] == ["sync.started", "sync.failed"]
    assert await engine.checkpoints(own) == {}
    await engine.superuser.execute(f"DROP TRIGGER refuse ON {table}")
    assert counters(await engine.sync(own)) == {"fetched": 2, "created": 2, "pages": 1}


async def test_a_run_that_nobody_works_on_any_more_is_found_by_the_tick(engine: Engine) -> None:
    """Off: RUNNING in db/due.py `_PICK`, or its lease clause (then it is found too early)."""
    own = await engine.connect()
    run_id = await engine.trigger(own)
    await engine.superuser.execute("UPDATE sync_run SET status = 'SUCCEEDED' WHERE id <> $1", run_id)
    await engine.superuser.execute("UPDATE sync_run SET status = 'RUNNING' WHERE id = $1", run_id)
    lease = "UPDATE connected_entity SET lease_owner = 'gone', lease_expires_at = now() + $1::interval"
    await engine.superuser.execute(lease.replace("$1", "'30 s'"))
    assert await schedule.tick(engine.database, engine.queue) == 0

    await engine.superuser.execute(lease.replace("$1", "'-1 s'"))

    assert await schedule.tick(engine.database, engine.queue) == 1
    assert await schedule.tick(engine.database, engine.queue) == 0  # it was told; again after ten seconds
    await engine.superuser.execute("UPDATE sync_run SET woken_at = woken_at - interval '11 seconds'")
    assert await schedule.tick(engine.database, engine.queue) == 1
