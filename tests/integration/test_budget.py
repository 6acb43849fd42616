"""The call budget of a connection: how many calls at once, how many over time, and who goes first."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import orjson
import pytest

from connectors.base import Limits
from connectors.egress import Egress, Request
from connectors.errors import SourceUnavailable
from db.engine import Database
from db.scope import Scope
from db.types import new_id
from jobs.budget import Budget, CutOff, HeldBack, Priority
from tests.fixtures.egress import LOOPBACK
from tests.fixtures.engine import Engine, until
from tests.integration.test_egress import OK, dropping_server

START = datetime.fromisoformat("2030-01-01T00:00:00Z")


class Calls:
    """Counts the calls under way, and notes in which order they were let out."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.order: list[str] = []
        self.go = asyncio.Event()

    async def make(self, budget: Budget, own: Scope, name: str, priority: Priority, limits: Limits) -> None:
        async with budget.call(own, priority=priority, limits=limits):
            self.now += 1
            self.most = max(self.most, self.now)
            self.order.append(name)
            await self.go.wait()
            self.now -= 1


@pytest.fixture
async def budgets(engine: Engine) -> AsyncIterator[list[Budget]]:
    """The budgets of two processes."""
    other = Database.open(str(engine.settings.database_url), pool_size=4, application="other")
    first = engine.sources.budget
    yield [first, replace(first, database=other)]
    await other.close()


async def test_no_more_calls_than_allowed_are_under_way_over_two_processes(
    engine: Engine, budgets: list[Budget]
) -> None:
    """Off: the count of `calls` in `_TAKE` of db/budget.py. Syncs leave one place to writes: off in `shares`."""
    own, calls, limits = await engine.connect(), Calls(), Limits(at_once=3)
    tasks = [asyncio.create_task(calls.make(budgets[n % 2], own, "sync", Priority.SYNC, limits)) for n in range(8)]
    await until(lambda: _is(lambda: calls.now == 2))
    await asyncio.sleep(0.5)  # the others have asked again by now
    assert calls.order == ["sync"] * 2
    tasks += [asyncio.create_task(calls.make(each, own, "write", Priority.WRITE, limits)) for each in budgets]
    await until(lambda: _is(lambda: calls.now == 3))

    assert calls.order == ["sync", "sync", "write"]
    calls.go.set()
    await asyncio.gather(*tasks)
    assert (calls.most, sorted(calls.order)) == (3, ["sync"] * 8 + ["write"] * 2)
    assert orjson.loads(await engine.one("SELECT calls FROM call_budget")) == {}


async def _is(condition: Callable[[], bool]) -> bool:
    return condition()


async def test_a_write_that_waits_passes_the_syncs_that_wait(engine: Engine, budgets: list[Budget]) -> None:
    """The place that comes free is the write's, whoever asks first.

    Off: `writes_wait_until` in `_TAKE` of db/budget.py.
    """
    own, limits = await engine.connect(), Limits(at_once=1)
    seconds = 0.0
    one, other = (replace(b, now=lambda: START + timedelta(seconds=seconds), patience_seconds=0) for b in budgets)
    sync, write = (partial(one.call, own, priority=each, limits=limits) for each in (Priority.SYNC, Priority.WRITE))
    other_sync = partial(other.call, own, priority=Priority.SYNC, limits=limits)

    async with other_sync():
        with pytest.raises(HeldBack):
            await enter(write)
    for waiting in (sync, other_sync):
        with pytest.raises(HeldBack):
            await enter(waiting)
    await enter(write)
    seconds = 1.0
    await enter(sync)


async def enter(call: Callable[[], AbstractAsyncContextManager[None]]) -> None:
    async with call():
        pass


async def test_calls_over_time_are_held_to_the_rate_and_syncs_leave_a_fifth_to_writes(
    engine: Engine, budgets: list[Budget]
) -> None:
    """Off: 'RATE' in `_TAKE` of db/budget.py."""
    own, limits = await engine.connect(), Limits(at_once=50, per_minute=60, burst=10)
    seconds = 0.0
    both = [replace(each, now=lambda: START + timedelta(seconds=seconds), patience_seconds=0) for each in budgets]

    async def let_out(priority: Priority, *, of: int) -> int:
        done = 0
        for n in range(of):
            try:
                async with both[n % 2].call(own, priority=priority, limits=limits):
                    done += 1
            except HeldBack:
                pass
        return done

    assert await let_out(Priority.SYNC, of=12) == 8
    assert await let_out(Priority.WRITE, of=12) == 2
    seconds = 3.0
    assert await let_out(Priority.SYNC, of=12) == 1  # the writes' two are made good first
    assert await let_out(Priority.WRITE, of=12) == 2
    seconds = 600.0
    assert await let_out(Priority.SYNC, of=12) == 8


async def test_the_call_of_a_process_that_died_lapses(engine: Engine, budgets: list[Budget]) -> None:
    """Off: the comparison with `now_s` in `_TAKE` of db/budget.py: its place is lost for ever."""
    own, limits = await engine.connect(), Limits(at_once=1)
    dead = {"dead": (START + timedelta(seconds=30)).timestamp()}
    await engine.superuser.execute("UPDATE call_budget SET calls = $1", orjson.dumps(dead).decode())
    for second, refused in ((29, pytest.raises(HeldBack, match="busy")), (31, nullcontext())):
        now = START + timedelta(seconds=second)
        budget = replace(budgets[0], now=partial(now.replace), patience_seconds=0)
        with refused:
            await enter(partial(budget.call, own, priority=Priority.WRITE, limits=limits))


async def test_a_call_that_takes_long_keeps_its_place(engine: Engine, budgets: list[Budget]) -> None:
    """Off: `renewing` in jobs/budget.py `call`."""
    own, limits = await engine.connect(), Limits(at_once=1)
    quick = replace(budgets[0], call_seconds=0.6)
    async with quick.call(own, priority=Priority.SYNC, limits=limits):
        first = await engine.one("SELECT calls FROM call_budget")
        await until(lambda: engine.one("SELECT calls <> $1 FROM call_budget", first))
        await asyncio.sleep(0.6)
        with pytest.raises(HeldBack, match="busy"):
            async with replace(budgets[1], patience_seconds=0).call(own, priority=Priority.WRITE, limits=limits):
                raise AssertionError


async def test_a_connection_that_is_gone_has_no_calls(engine: Engine) -> None:
    gone = Scope(engine.scope.organization_id, new_id())
    with pytest.raises(CutOff):
        async with engine.sources.budget.call(gone, priority=Priority.WRITE, limits=Limits()):
            raise AssertionError


async def test_a_call_under_way_is_given_back_however_it_ends(engine: Engine) -> None:
    own = await engine.connect()

    async def fail(error: BaseException) -> None:
        async with engine.sources.budget.call(own, priority=Priority.SYNC, limits=Limits()):
            raise error

    for error in (ValueError(), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            await fail(error)
    assert orjson.loads(await engine.one("SELECT calls FROM call_budget")) == {}


async def test_a_call_cut_off_at_any_moment_is_given_back(engine: Engine) -> None:
    """Off: the outer `try` in jobs/budget.py `call`, begun after `_enter`: some are counted and never given back."""
    own = await engine.connect()
    within = asyncio.Event()

    async def call() -> None:
        async with engine.sources.budget.call(own, priority=Priority.SYNC, limits=Limits()):
            within.set()
            await asyncio.sleep(60)

    step, turns = 0, 0
    for _ in range(150):  # stays near the moment at which it is let out
        calling = asyncio.create_task(call())
        await asyncio.sleep(step / 10_000)
        calling.cancel()
        await asyncio.wait({calling})
        assert orjson.loads(await engine.one("SELECT calls FROM call_budget")) == {}, step
        turns += within.is_set()
        step = max(0, step - 3) if within.is_set() else step + 1
        within.clear()
    assert turns > 0


async def test_a_call_whose_end_is_cut_off_is_given_back(engine: Engine) -> None:
    """Off: `finish` around `_leave` in jobs/budget.py `call`."""
    own = await engine.connect()
    ended = asyncio.Event()

    async def call() -> None:
        async with engine.sources.budget.call(own, priority=Priority.SYNC, limits=Limits()):
            await ended.wait()

    calling = asyncio.create_task(call())
    await until(lambda: engine.one("SELECT calls <> '{}' FROM call_budget"))
    async with engine.superuser.transaction():
        await engine.superuser.execute("SELECT 1 FROM call_budget FOR UPDATE")
        ended.set()
        waiting = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        await until(lambda: engine.one(waiting))
        calling.cancel()
        await asyncio.sleep(0.3)  # for the statement to be cut off, were it to be
    await asyncio.wait({calling})

    assert calling.cancelled()
    assert orjson.loads(await engine.one("SELECT calls FROM call_budget")) == {}


class Gate:
    """Counts what passes."""

    def __init__(self) -> None:
        self.passed = 0

    def __call__(self) -> Any:
        return self

    async def __aenter__(self) -> None:
        self.passed += 1

    async def __aexit__(self, *_: object) -> None:
        return


@pytest.mark.parametrize(("safe", "sent"), [(True, 3), (False, 2)])
async def test_a_read_that_met_a_closed_connection_is_counted_again_and_a_write_is_not_sent_again(
    safe: bool, sent: int
) -> None:
    """Off: the second `_gate` in connectors/egress.py `_send`: a call that nobody counted."""
    async with dropping_server([OK, None, OK]) as (url, seen), Egress.open(guard=LOOPBACK) as egress:
        gate = Gate()
        through = egress.through(gate)
        await through.send(Request("POST", url, safe=safe))
        with nullcontext() if safe else pytest.raises(SourceUnavailable):
            await through.send(Request("POST", url, safe=safe))

    assert (gate.passed, seen) == (sent, ["POST"] * sent)


async def test_a_read_on_a_new_connection_is_sent_once() -> None:
    """Off: `_retry_connection = False` in connectors/egress.py: aiohttp sends it twice."""
    async with dropping_server([None, OK]) as (url, seen), Egress.open(guard=LOOPBACK) as egress:
        with pytest.raises(SourceUnavailable):
            await egress.send(Request("GET", url))

    assert seen == ["GET"]
