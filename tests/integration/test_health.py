"""What a source's silences, refusals and answers do to its connection: breaker, checks, rests, recovery."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from connectors.errors import AuthError, SourceUnavailable
from crosshead import compose
from db.engine import Database
from db.scope import Scope
from db.types import Entity
from jobs import schedule
from jobs.budget import CutOff
from jobs.check import Checks
from tests.fixtures.engine import Engine, Row
from tests.fixtures.ledger import Fault
from tests.fixtures.writing import write

START = datetime.fromisoformat("2030-01-01T00:00:00Z")


def error(run: Row) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(run["error"])
    return told


async def health(engine: Engine) -> Row:
    row = (await engine.rows("SELECT * FROM connection_health"))[0]
    return row | {"last_error": orjson.loads(row["last_error"] or "null")}


async def status(engine: Engine) -> tuple[str, str | None]:
    row = (await engine.rows("SELECT status, status_reason FROM connection"))[0]
    return row["status"], row["status_reason"]


def silence(engine: Engine) -> Fault:
    """Break every connection to the source from now on."""
    return engine.ledger.wire.faults.add(Fault("drop_before", count=None))


async def fail(engine: Engine, own: Scope, *, times: int = 3) -> UUID:
    """Let a run of orders fail some times in a row, its waits cut short; gives its id."""
    run_id = await engine.trigger(own)
    for _ in range(times):
        await engine.superuser.execute("UPDATE sync_run SET next_attempt_at = NULL")
        await engine.runner().run(own, run_id)
    return run_id


async def changes(engine: Engine, own: Scope) -> list[tuple[str, str, str | None]]:
    """Give the connection's changes of status: before, after, reason."""
    told = await engine.events(own, "connection.")
    return [(e["data"]["previousStatus"], e["data"]["status"], e["data"]["reason"]) for e in told]


@pytest.fixture
async def other_process(engine: Engine) -> AsyncIterator[Checks]:
    """The checks of a second process: pools and budget of its own."""
    database = Database.open(str(engine.settings.database_url), pool_size=2, application="other")
    sources = type(engine.sources)(
        engine.sources.egress,
        engine.sources.vault,
        engine.sources.connectors,
        budget=replace(engine.sources.budget, database=database),
    )
    yield Checks(database, engine.queue, sources, lambda: engine.ahead())  # noqa: PLW0108  (tests replace it)
    await database.close()


async def test_the_third_call_in_a_row_without_an_answer_opens_the_breaker(engine: Engine) -> None:
    """Off: `UNANSWERED_TO_OPEN` in jobs/health.py at 1,000: nothing ever stops knocking."""
    own = await engine.connect()
    silence(engine)

    await fail(engine, own, times=2)
    assert ((await health(engine))["breaker"], await status(engine)) == ("CLOSED", ("ACTIVE", None))
    run_id = await fail(engine, own, times=1)

    now = await health(engine)
    assert (now["breaker"], now["consecutive_failures"], now["last_contact_at"]) == ("OPEN", 3, None)
    told = now["last_error"]
    assert (told["code"], told["reason"], told["source_message"]) == ("SOURCE_UNREACHABLE", "RESET", None)
    operations = sorted({"READ", *(operation for _, operation in engine.connector.writes)})
    assert (told["entities"], told["operations"]) == (["PURCHASE_ORDER", "VENDOR"], operations)
    assert await status(engine) == ("UNREACHABLE", "The source closed the connection.")
    assert await changes(engine, own) == [("ACTIVE", "UNREACHABLE", "The source closed the connection.")]
    assert (await engine.run_row(run_id))["status"] == "WAITING"


async def test_behind_an_open_breaker_syncs_wait_and_nothing_is_called(engine: Engine) -> None:
    """Off: `h.breaker` in `_TAKE` of db/leases.py and in `_PICK` of db/due.py: both runs knock."""
    own = await engine.connect()
    vendors = await engine.trigger(own, entities=(Entity.VENDOR,))
    silence(engine)
    await fail(engine, own)
    await engine.superuser.execute("UPDATE sync_run SET next_attempt_at = NULL, woken_at = NULL")
    engine.ledger.calls.clear()

    woken = await schedule.tick(engine.database, engine.queue)
    await engine.runner().run(own, vendors)

    assert (woken, list(engine.ledger.calls)) == (0, [])
    assert (await engine.run_row(vendors))["status"] == "QUEUED"


async def test_behind_an_open_breaker_writes_and_checks_are_refused_at_once(engine: Engine) -> None:
    """Off: 'CUT_OFF' in `_TAKE` of db/budget.py: the write, or the second check, goes out to a source that is down."""
    own = await engine.connect()
    await engine.sync(own)
    silence(engine)
    await fail(engine, own)
    with pytest.raises(SourceUnavailable):
        await engine.checks().check(own)  # the one check that may go
    engine.ledger.calls.clear()

    await engine.superuser.execute("UPDATE connection SET status = 'ACTIVE'")  # as the write door last saw it
    outcome = await write(engine, own)
    with pytest.raises(CutOff, match=r"it last worked at 20\d\d-"):
        await engine.checks().check(own)

    assert [each.code for each in outcome.problems] == ["SOURCE_UNREACHABLE"]
    assert list(engine.ledger.calls) == []
    assert (await health(engine))["consecutive_failures"] == 4  # the refusals count for nothing


async def test_a_success_in_between_keeps_the_breaker_closed(engine: Engine) -> None:
    """Off: `unanswered = 0` in `_SUCCEEDED` of db/health.py."""
    own = await engine.connect()
    engine.ledger.fault("/orders", status=503, times=None)
    for _ in range(2):
        await fail(engine, own, times=2)
        vendors = await engine.trigger(own, entities=(Entity.VENDOR,))
        await engine.runner().run(own, vendors)
        assert (await engine.run_row(vendors))["status"] == "SUCCEEDED"

    now = await health(engine)
    assert (now["breaker"], now["consecutive_failures"], await status(engine)) == ("CLOSED", 0, ("ACTIVE", None))
    assert (now["last_error"]["entities"], now["last_error"]["operations"]) == (["PURCHASE_ORDER"], ["READ"])


async def test_two_processes_check_a_silent_source_once_in_half_a_minute_at_most(
    engine: Engine, other_process: Checks
) -> None:
    """By themselves only every five minutes, and never within 30 s of a check that somebody asked for.

    Off: `h.probed_at` in `_PROBES` and `_CLAIM` of db/health.py, or `FOR UPDATE … SKIP LOCKED` there.
    """
    own = await engine.connect()
    silence(engine)
    engine.ahead = lambda: START
    await fail(engine, own)
    processes = (engine, other_process)

    async def checks_at(seconds: int, *, by_hand: bool = False) -> int:
        engine.ahead = lambda: START + timedelta(seconds=seconds)
        engine.ledger.calls.clear()
        mine = engine.checks()
        made = [each.check(own) if by_hand else each.probe_due() for each in (mine, other_process) for _ in range(4)]
        await asyncio.gather(*made, return_exceptions=True)
        return len(engine.ledger.asked("/rights"))

    assert len(processes) == 2
    assert [await checks_at(second) for second in (0, 29, 30, 31, 60)] == [0, 0, 1, 0, 0]
    assert [await checks_at(second, by_hand=True) for second in (45, 60, 75, 89, 90)] == [0, 1, 0, 0, 1]
    assert [await checks_at(second) for second in (119, 389, 390, 400)] == [0, 0, 1, 0]


async def test_a_check_that_succeeds_brings_everything_back(engine: Engine) -> None:
    """Off: `due` in `_SUCCEEDED` of db/health.py: the run waits for hours, though its source is back."""
    engine.ledger.add()
    own = await engine.connect()
    broken = silence(engine)
    run_id = await fail(engine, own)
    await engine.superuser.execute("UPDATE sync_run SET next_attempt_at = now() + interval '5 hours', woken_at = NULL")
    engine.ahead = lambda: compose.now() + timedelta(seconds=31)
    assert await engine.checks().probe_due() == 1
    assert await status(engine) == ("UNREACHABLE", "The source closed the connection.")

    broken.stop()
    engine.ahead = lambda: compose.now() + timedelta(seconds=400)
    assert await engine.checks().probe_due() == 1

    now = await health(engine)
    assert (now["breaker"], now["consecutive_failures"], now["reason"]) == ("CLOSED", 0, None)
    assert now["last_contact_at"] == now["last_success_at"] != None  # noqa: E711
    assert await status(engine) == ("ACTIVE", None)
    assert (await changes(engine, own))[-1] == ("UNREACHABLE", "ACTIVE", None)
    assert (await engine.run_row(run_id))["next_attempt_at"] <= engine.ahead()
    await engine.runner().run(own, run_id)
    assert (await engine.run_row(run_id))["status"] == "SUCCEEDED"


async def test_a_silent_source_that_comes_back_with_a_refusal_has_answered(engine: Engine) -> None:
    own = await engine.connect()
    broken = silence(engine)
    await fail(engine, own)
    broken.stop()
    engine.ledger.key = "another"
    engine.ahead = lambda: compose.now() + timedelta(seconds=31)

    with pytest.raises(AuthError):
        await engine.checks().check(own)

    now = await health(engine)
    assert (now["breaker"], now["last_error"]["code"]) == ("CLOSED", "REAUTHORIZATION_REQUIRED")
    assert (await status(engine))[0] == "REAUTHORIZATION_REQUIRED"


async def test_a_source_that_asks_for_rest_gets_it_from_all_entities_and_writes(engine: Engine) -> None:
    """Off: `paused_until` in `_TAKE` of db/budget.py and db/leases.py and in `_PICK` of db/due.py: others call on."""
    engine.ledger.add()
    own = await engine.connect()
    vendors = await engine.trigger(own, entities=(Entity.VENDOR,))
    engine.ledger.fault("/orders", status=429, headers={"Retry-After": "600"})
    orders = await engine.sync(own)
    assert (orders["status"], error(orders)["code"]) == ("WAITING", "SOURCE_RATE_LIMITED")
    engine.ledger.calls.clear()

    woken = await schedule.tick(engine.database, engine.queue)
    await engine.runner().run(own, vendors)
    outcome = await write(engine, own)

    assert (woken, list(engine.ledger.calls)) == (0, [])
    assert [each.code for each in outcome.problems] == ["SOURCE_RATE_LIMITED"]
    assert (await health(engine))["paused_until"] == orders["next_attempt_at"]
    engine.ahead = lambda: compose.now() + timedelta(seconds=601)
    await engine.runner().run(own, vendors)
    await engine.runner().run(own, orders["id"])
    assert [(await engine.run_row(run))["status"] for run in (vendors, orders["id"])] == ["SUCCEEDED", "SUCCEEDED"]
    assert (await write(engine, own)).problems == ()


async def test_a_run_under_way_rests_at_its_checkpoint_when_another_is_asked_to(engine: Engine) -> None:
    """That is no failure of its own: its attempts do not count up, and it goes on where it was.

    Off: `except Refused` in jobs/sync.py `_pass`: the run counts an attempt, and waits longer than it was asked to.
    """
    for _ in range(5):
        engine.ledger.add()
    own = await engine.connect()
    held = engine.ledger.fault("/orders", hold=True, skip=1)
    engine.ledger.fault("/vendors", status=429, headers={"Retry-After": "600"})
    orders = await engine.trigger(own)
    vendors = await engine.trigger(own, entities=(Entity.VENDOR,))
    task = asyncio.create_task(engine.runner().run(own, orders))
    await held.reached.wait()
    await engine.runner().run(own, vendors)
    held.go.set()
    await task

    run, other = await engine.run_row(orders), await engine.run_row(vendors)
    assert (run["status"], run["pages"], run["attempts"]) == ("WAITING", 2, 0)
    assert run["next_attempt_at"] == other["next_attempt_at"]
    assert len(engine.ledger.asked("/orders")) == 2
    engine.ahead = lambda: compose.now() + timedelta(seconds=601)
    await engine.runner().run(own, orders)
    assert (await engine.run_row(orders))["pages"] == 3
    assert len(engine.ledger.asked("/orders")) == 3


async def test_a_paused_connection_is_not_checked_by_itself(engine: Engine) -> None:
    """Off: `c.status` in `_PROBES` of db/health.py."""
    own = await engine.connect()
    assert own.connection_id is not None
    silence(engine)
    await fail(engine, own)
    await engine.connect_door().update(own, own.connection_id, {"paused": True}, ())
    engine.ahead = lambda: compose.now() + timedelta(seconds=31)

    assert await engine.checks().probe_due() == 0
