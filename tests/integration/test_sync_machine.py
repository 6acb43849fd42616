"""Whatever happens to a source, a worker and the clocks, in whatever order: in the end the copy equals the source.

Hypothesis draws what happens. Each protection of the engine can be switched off (jobs/protections.py): then the machine
finds an order of things that ends badly, where it draws from the rules that have to do with it.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, ClassVar, Final

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as limits
from hypothesis import strategies as st
from hypothesis.stateful import (
    RULE_MARKER,
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from crosshead import compose
from crosshead.settings import Settings
from db.models.sync import SyncMode
from jobs.protections import ALL_ON, Protections
from tests.fixtures.engine import Engine, opened_engine
from tests.fixtures.ledger import Ledger
from tests.fixtures.ledger_connector import LedgerConnector
from tests.fixtures.world import LONG_AGO, World

MODES = st.sampled_from(list(SyncMode))
WHICH = st.integers(0, 99)
NOTES = st.sampled_from(["a", "b", "c"])
LATE = timedelta(minutes=6)
"""How long a change is to be seen late at most; with skewed stamps, less than the feeds' overlap."""


@dataclass
class Stage:
    """Where machines play: one database and one loop for all of them."""

    runner: asyncio.Runner
    engine: Engine
    settings: Settings

    def do(self, doing: Coroutine[Any, Any, Any]) -> Any:
        """Do something in the loop."""
        return self.runner.run(doing)


@pytest.fixture
def stage(settings: Settings, superuser: str) -> Iterator[Stage]:
    """An engine in a loop of its own: machines are played without one."""
    stack = AsyncExitStack()

    async def begin() -> Engine:
        ledger = await stack.enter_async_context(Ledger.serve())
        return await stack.enter_async_context(opened_engine(settings, superuser, ledger, credits_pool=1_000_000))

    with asyncio.Runner() as runner:
        yield Stage(runner, runner.run(begin()), settings)
        runner.run(stack.aclose())


class Machine(RuleBasedStateMachine):
    """The rules: what the source's users, its clock, the network, operators and the kernel may do."""

    stage: ClassVar[Stage]
    protections: ClassVar[Protections] = ALL_ON

    def __init__(self) -> None:
        super().__init__()
        self.stack = AsyncExitStack()
        self.world = self.stage.do(self._begin())

    async def _begin(self) -> World:
        ledger = await self.stack.enter_async_context(Ledger.serve(page_size=2))
        ledger.add_vendor("v1", "Vendor 1")
        engine = replace(self.stage.engine, ledger=ledger, connector=LedgerConnector(), ahead=compose.now)
        engine.with_connector(engine.connector)
        own = await engine.connect()
        return World(engine, own, self.protections)

    def _do(self, doing: Coroutine[Any, Any, Any]) -> None:
        async def done() -> None:
            await doing
            await self.world.check()

        self.stage.do(done())

    def _pick(self, n: int, *, keep: Callable[[str], bool] = lambda _: True) -> str | None:
        world = self.world
        free = sorted(key for key in world.truth if key not in world.late and keep(key))
        return free[n % len(free)] if free else None

    # The source's users

    @initialize(orders=st.integers(3, 6))
    def begin(self, orders: int) -> None:
        """Some orders, all of one stamp, so that equal stamps lie across the borders of pages."""
        for _ in range(orders):
            self.world.put()
        self._do(self.world.work(slices=10))

    def shown(self) -> bool:
        """Nothing is hidden: the ledger's users see what they edit."""
        return not self.world.hidden

    @precondition(shown)
    @rule(old=st.booleans())
    def add(self, old: bool) -> None:
        key = self.world.put(**({"date": LONG_AGO} if old else {}))
        if old:
            self.world.outside.add(key)

    @precondition(shown)
    @rule(n=WHICH, notes=NOTES, spoil=st.booleans())
    def change(self, n: int, notes: str, spoil: bool) -> None:
        """Change an order; a spoiled one cannot be mapped, the next change mends it."""
        key = self._pick(n)
        if key is not None:
            spoiled = spoil and key not in self.world.outside
            self.world.edit(key, notes=notes, currency="EURO" if spoiled else "EUR")

    @precondition(shown)
    @rule(n=WHICH, quantity=st.sampled_from(["1", "2"]))
    def change_line(self, n: int, quantity: str) -> None:
        key = self._pick(n)
        if key is not None:
            self.world.edit_line(key, quantity)

    @precondition(shown)
    @rule(n=WHICH, notes=NOTES)
    def change_late(self, n: int, notes: str) -> None:
        """Begin a change whose stamp is of now, and which is seen later."""
        key = self._pick(n, keep=lambda key: key not in self.world.silent)
        if key is not None:
            self.world.late[key] = {"stamp": self.world.engine.ledger.clock.stamp(), "notes": notes}

    @precondition(shown)
    @rule()
    def commit_late(self) -> None:
        self.world.commit_late()

    @precondition(shown)
    @rule(n=WHICH)
    def vanish(self, n: int) -> None:
        key = self._pick(n, keep=lambda key: key not in self.world.outside)
        if key is not None:
            self.world.vanish(key)

    @precondition(shown)
    @rule(n=WHICH)
    def restore(self, n: int) -> None:
        """Make an order anew under a key that was used before."""
        gone = sorted(self.world.vanished - self.world.truth.keys())
        if gone:
            self.world.put(gone[n % len(gone)])

    @precondition(shown)
    @rule(n=WHICH)
    def date_back(self, n: int) -> None:
        """Move an order out of the historical period, without a stamp: no list tells of it any more."""
        key = self._pick(n, keep=lambda key: self.world.truth[key]["currency"] == "EUR")
        if key is not None:
            self.world.edit(key, stamped=False, date=LONG_AGO)
            self.world.outside.add(key)

    # Clocks

    @precondition(shown)
    @rule(minutes=st.sampled_from([1, 5, 60]))
    def pass_time(self, minutes: int) -> None:
        """Let time pass; what is late is seen before it is too late."""
        now = self.world.engine.ledger.now + timedelta(minutes=minutes)
        if any(now - values["stamp"] > LATE for values in self.world.late.values()):
            self.world.commit_late()
        self.world.engine.ledger.pass_time(minutes=minutes)

    @precondition(lambda self: self.shown() and not self.world.clock_back)
    @rule(days=st.sampled_from([-1, 1]))
    def set_source_clock(self, days: int) -> None:
        """Set the source's clock; set back, it stays so until a run has seen it, for nobody could see it after."""
        self.world.set_clock(days=days)
        self.world.clock_back = days < 0

    @rule(days=st.sampled_from([-1, 0, 1]))
    def set_our_clock(self, days: int) -> None:
        self.world.engine.ahead = lambda: compose.now() + timedelta(days=days)

    # The way, the operators, the kernel

    @rule(kind=st.sampled_from(["503", "429", "cut", "drop"]), skip=st.integers(0, 2))
    def fail(self, kind: str, skip: int) -> None:
        ledger = self.world.engine.ledger
        match kind:
            case "cut" | "drop":
                ledger.fault("/orders", skip=skip, **{kind: True})
            case "429":
                ledger.fault("/orders", skip=skip, status=429, headers={"Retry-After": "1"})
            case _:
                ledger.fault("/orders", skip=skip, status=503)

    @precondition(shown)
    @rule()
    def hide(self) -> None:
        """Take the connection's user its rights: the source tells of nothing any more."""
        self._do(self._hide())

    async def _hide(self) -> None:
        if not await self.world.rows("SELECT 1 FROM vanished_item WHERE connection_id = $1"):
            self.world.commit_late()
            self.world.hide()

    @rule()
    def show(self) -> None:
        self.world.show()

    @rule(mode=MODES)
    def trigger(self, mode: SyncMode) -> None:
        self._do(self.world.trigger(mode))

    @rule(slices=st.sampled_from([1, 2, 12]))
    def work(self, slices: int) -> None:
        self._do(self._work(slices))

    async def _work(self, slices: int) -> None:
        await self.world.heal()
        await self.world.work(slices=slices)
        ended = await self.world.open_run() is None
        self.world.clock_back = self.world.clock_back and not (ended and slices > 2)

    @rule(mode=MODES)
    def sync(self, mode: SyncMode) -> None:
        """Ask for a run, and let a worker do what is open."""
        self._do(self._sync(mode))

    async def _sync(self, mode: SyncMode) -> None:
        await self.world.trigger(mode)
        await self._work(12)

    @rule(mode=MODES, commits=st.integers(0, 7))
    def kill(self, mode: SyncMode, commits: int) -> None:
        """Let a worker die."""
        self._do(self._kill(mode, commits))

    async def _kill(self, mode: SyncMode, commits: int) -> None:
        await self.world.trigger(mode)
        await self.world.killed_work(commits)

    @rule(mode=MODES)
    def stall(self, mode: SyncMode) -> None:
        """Let a worker stop for longer than its lease."""
        self._do(self._stall(mode))

    async def _stall(self, mode: SyncMode) -> None:
        await self.world.trigger(mode)
        await self.world.stall()

    @rule()
    def go_on(self) -> None:
        """Let it go on."""
        self._do(self.world.go_on())

    @rule()
    def cancel(self) -> None:
        """Stop a run."""
        self._do(self._cancel())

    async def _cancel(self) -> None:
        run = await self.world.open_run()
        if run is not None:
            await self.world.engine.run_door().cancel(self.world.own, run["id"])

    @rule(delete=st.booleans())
    def answer(self, delete: bool) -> None:
        """Answer a run that asks; nobody who knows his source says yes while it hides what it has."""
        self._do(self._answer(delete and not self.world.hidden))

    async def _answer(self, delete: bool) -> None:
        for run_id in await self.world.asking():
            await self.world.engine.run_door().answer(self.world.own, run_id, delete=delete)
            if delete:
                await self.world.heal()
                await self.world.work(slices=12)

    @rule()
    def flush_redis(self) -> None:
        """Lose all wake-ups."""
        self.stage.do(self.world.engine.queue.redis.flushdb())

    @rule(revision=st.sampled_from([1, 2, 3]))
    def upgrade(self, revision: int) -> None:
        """Change the mapping."""
        self.world.engine.connector = LedgerConnector(revision=revision)
        self.world.engine.with_connector(self.world.engine.connector)

    # In the end

    def teardown(self) -> None:
        """Let it be quiet, and compare."""
        try:
            self.stage.do(self._end())
        finally:
            self.stage.do(self.stack.aclose())

    async def _end(self) -> None:
        world = self.world
        world.engine.ahead = compose.now
        await world.quieten()
        await world.trigger(SyncMode.INCREMENTAL)
        await world.run_out()
        await world.check()
        await world.check_equal(full=False)
        await world.trigger(SyncMode.FULL)
        await world.run_out()
        await world.check()
        await world.check_equal(full=True)
        await world.check_steady(SyncMode.FULL)


RULES: Final = frozenset(name for name, value in vars(Machine).items() if hasattr(value, RULE_MARKER))
NEEDED: Final[dict[str, tuple[frozenset[str], str]]] = {
    "fence": (frozenset({"stall", "sync", "go_on"}), "a run that ended changed"),
    "overlap": (frozenset({"change_late", "pass_time", "sync"}), "is stale"),
    "compare": (frozenset({"change", "sync"}), "what is known was mapped"),
    "complete_pass": (frozenset({"change", "sync"}), "a pass over changes judged"),
    "outbox": (frozenset({"change", "kill"}), "events tell another state than is stored|told after"),
    "confirm": (frozenset({"date_back", "sync"}), "told as deleted, and never was"),
    "guard": (frozenset({"hide", "sync"}), "told as deleted, and never was"),
}
"""Protection → the rules that have to do with it, and what goes wrong without it."""


def _limits(examples: int, steps: int, *, shrink: bool = False) -> limits:
    phases = (Phase.explicit, Phase.generate, *((Phase.shrink,) if shrink else ()))
    return limits(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )


def _played(stage: Stage, protections: Protections, given: limits, *, rules: frozenset[str] | None = None) -> None:
    """Play the machine; with `rules`, only with these."""
    left_out = {} if rules is None else dict.fromkeys(RULES - rules)
    made = type("Played", (Machine,), {"stage": stage, "protections": protections, **left_out})
    run_state_machine_as_test(made, settings=given)


@pytest.mark.timeout(300)
def test_in_the_end_the_copy_equals_the_source(stage: Stage) -> None:
    """The last test shows what this one would miss without each protection."""
    _played(stage, ALL_ON, _limits(10, 20))


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_in_the_end_the_copy_equals_the_source_many_times(stage: Stage) -> None:
    """As many times as CROSSHEAD_TEST_EXAMPLES says, at random where CROSSHEAD_TEST_RANDOM is set."""
    examples = int(os.environ.get("CROSSHEAD_TEST_EXAMPLES", "300"))
    given = limits(_limits(examples, 40, shrink=True), derandomize="CROSSHEAD_TEST_RANDOM" not in os.environ)
    _played(stage, ALL_ON, given)


def test_each_protection_has_its_rules() -> None:
    assert NEEDED.keys() == {each.name for each in fields(Protections)}
    assert {name for names, _ in NEEDED.values() for name in names} <= RULES


@pytest.mark.parametrize("without", NEEDED)
@pytest.mark.timeout(300)
def test_without_one_protection_it_ends_badly(stage: Stage, without: str) -> None:
    """What is drawn is the same for both: with all of them on, the same rules end well."""
    rules, wrong = NEEDED[without]

    with pytest.raises(AssertionError, match=wrong):
        _played(stage, replace(ALL_ON, **{without: False}), _limits(80, 16), rules=rules)
    _played(stage, ALL_ON, _limits(2, 12), rules=rules)


@pytest.mark.slow
@pytest.mark.parametrize("with_rules_of", NEEDED)
@pytest.mark.timeout(600)
def test_with_all_protections_it_ends_well(stage: Stage, with_rules_of: str) -> None:
    """The control: as many orders of things as the test before may draw."""
    _played(stage, ALL_ON, _limits(12, 12), rules=NEEDED[with_rules_of][0])
