"""What people see of a run while it works, and after."""

import asyncio
from datetime import timedelta
from decimal import Decimal

from crosshead import compose
from jobs.events import Events
from tests.fixtures.engine import Engine, counters
from tests.fixtures.ledger import Fault


def _held(engine: Engine, pages: int) -> list[Fault]:
    """Hold each page, one after the other; those behind one that is held are not asked for yet."""
    return [engine.ledger.fault("/orders", hold=True, skip=n) for n in range(pages)]


async def test_a_run_tells_its_counters_total_rate_and_end_at_each_page(engine: Engine) -> None:
    """Off: `pace` in jobs/pages.py `store`."""
    for _ in range(5):
        engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    held = _held(engine, 3)
    task = asyncio.create_task(engine.runner().run(own, run_id))
    seen = []
    for n, fault in enumerate(held):
        await fault.reached.wait()
        run = await engine.run_row(run_id)
        seen.append((run["status"], run["pages"], run["fetched"], run["created"], run["total"]))
        if n:
            rate, end = run["items_per_second"], run["estimated_end_at"]
            assert rate == round(Decimal(run["fetched"] * 1000) / run["worked_ms"], 1)
            left = (end - compose.now()) / timedelta(milliseconds=1)
            assert left <= (5 - run["fetched"]) * run["worked_ms"] / run["fetched"]
        fault.go.set()
    await task
    ended = await engine.run_row(run_id)

    assert seen == [("RUNNING", 0, 0, 0, None), ("RUNNING", 1, 2, 2, 5), ("RUNNING", 2, 4, 4, 5)]
    assert (ended["status"], ended["total"], ended["estimated_end_at"]) == ("SUCCEEDED", 5, None)
    assert ended["items_per_second"] == round(Decimal(5000) / ended["worked_ms"], 1)


async def test_a_run_that_waits_tells_no_end_and_counts_only_the_time_worked(engine: Engine) -> None:
    """Off: `estimated_end_at` in `change` of db/sync.py; `mark` in `Work.pace` of jobs/work.py."""
    for _ in range(5):
        engine.ledger.add()
    own = await engine.connect()
    engine.ledger.fault("/orders", status=503, skip=2)
    run = await engine.sync(own)
    assert (run["status"], run["pages"], run["total"], run["estimated_end_at"]) == ("WAITING", 2, 5, None)
    await asyncio.sleep(0.5)
    await engine.superuser.execute("UPDATE sync_run SET next_attempt_at = now()")

    await engine.runner().run(own, run["id"])

    ended = await engine.run_row(run["id"])
    assert counters(ended) == {"fetched": 5, "created": 5, "pages": 3}
    assert run["worked_ms"] < ended["worked_ms"] < run["worked_ms"] + 500


async def test_a_follower_of_a_run_sees_each_page(engine: Engine) -> None:
    """Off: `revision` in `progress` of db/sync.py."""
    for _ in range(5):
        engine.ledger.add()
    own = await engine.connect()
    run_id = await engine.trigger(own)
    held = _held(engine, 3)
    seen: list[int] = []
    async with Events(engine.database, engine.queue, poll_seconds=60).listening() as events:
        follower = events.follow_runs(own, run_id=run_id)
        assert await anext(follower) == run_id
        task = asyncio.create_task(engine.runner().run(own, run_id))
        for fault in held:
            await fault.reached.wait()
            async with asyncio.timeout(5):
                assert await anext(follower) == run_id
            seen.append((await engine.run_row(run_id))["pages"])
            fault.go.set()
        await task

    assert seen == [0, 1, 2]
