"""What a failing source does to runs, entities and the connection; what one bad item does to its page."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from crosshead import compose
from db.models.sync import SyncMode
from db.types import Entity
from jobs import schedule
from tests.fixtures.engine import Engine, Row, counters
from tests.fixtures.ledger_connector import LedgerConnector


def error(run: Row) -> dict[str, Any]:
    """Give a run's stored error."""
    told: dict[str, Any] = orjson.loads(run["error"])
    return told


async def test_a_failing_source_makes_the_run_wait_and_it_goes_on_where_it_was(engine: Engine) -> None:
    for _ in range(5):
        engine.ledger.add()
    engine.ledger.fault("/orders", status=503, skip=1)
    own = await engine.connect()

    failed = await engine.sync(own)
    assert (failed["status"], failed["attempts"], error(failed)["code"]) == ("WAITING", 1, "SOURCE_ERROR")
    wait = failed["next_attempt_at"] - compose.now()
    assert timedelta(0) < wait <= timedelta(seconds=30)
    assert await schedule.tick(engine.database, engine.queue) == 1  # the other entity's
    await engine.superuser.execute("UPDATE sync_run SET next_attempt_at = now() WHERE id = $1", failed["id"])
    assert await schedule.tick(engine.database, engine.queue) == 1
    await engine.runner().run(own, failed["id"])

    run = await engine.run_row(failed["id"])
    assert (run["status"], run["attempts"], run["error"], run["next_attempt_at"]) == ("SUCCEEDED", 0, None, None)
    assert counters(run) == {"fetched": 5, "created": 5, "pages": 3}
    assert [call.query.get("after") for call in engine.ledger.asked("/orders")] == [None, "0002", "0002", "0004"]
    assert [event["type"] for event in await engine.events(own, "sync.")] == ["sync.started", "sync.succeeded"]


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [({"status": 503}, "SOURCE_ERROR", None), ({"cut": True}, "SOURCE_UNREACHABLE", "RESET")],
)
async def test_repeated_failures_are_counted_and_told(
    engine: Engine, fault: dict[str, Any], code: str, reason: str | None
) -> None:
    broken = engine.ledger.fault("/orders", times=99, **fault)
    own = await engine.connect()
    attempts = []

    for _ in range(2):
        run = await engine.sync(own)
        attempts.append((run["status"], run["attempts"], error(run)["code"], error(run).get("reason")))
        await engine.superuser.execute("UPDATE sync_run SET next_attempt_at = now() - interval '1 second'")

    assert attempts == [("WAITING", n, code, reason) for n in (1, 2)]
    broken.stop()
    assert (await engine.sync(own))["status"] == "SUCCEEDED"


async def test_a_failure_before_the_first_page_does_not_lose_the_start_event(engine: Engine) -> None:
    """Off: `started` in jobs/passes.py `_begin` from the status QUEUED, which such a run has left."""
    engine.ledger.fault("/time", status=503)
    own = await engine.connect()
    run = await engine.sync(own)
    assert run["status"] == "WAITING"
    await engine.superuser.execute("UPDATE sync_run SET next_attempt_at = now() - interval '1 second'")

    await engine.sync(own)

    assert [event["type"] for event in await engine.events(own, "sync.")] == ["sync.started", "sync.succeeded"]


async def test_a_source_that_asks_for_rest_gets_it(engine: Engine) -> None:
    """Off: `retry_after_s` in jobs/retry.py `delay`."""
    engine.ledger.fault("/orders", status=429, headers={"Retry-After": "900"})
    own = await engine.connect()

    run = await engine.sync(own)

    assert (run["status"], error(run)["code"]) == ("WAITING", "SOURCE_RATE_LIMITED")
    wait: timedelta = run["next_attempt_at"] - compose.now()
    assert timedelta(seconds=890) < wait <= timedelta(seconds=900)
    engine.ahead = lambda: compose.now() + timedelta(seconds=901)
    assert (await engine.sync(own))["status"] == "SUCCEEDED"


async def test_refused_credentials_fail_the_run_and_stop_the_connection(engine: Engine) -> None:
    engine.ledger.add()
    own = await engine.connect()
    engine.ledger.fault("/orders", status=401)
    vendors = await engine.trigger(own, entities=(Entity.VENDOR,))

    run = await engine.sync(own)

    assert (run["status"], error(run)["code"]) == ("FAILED", "REAUTHORIZATION_REQUIRED")
    assert error(run)["remedy"] == "Enter working credentials with reauthorizeConnection."
    status = (await engine.rows("SELECT status, status_reason FROM connection"))[0]
    assert status == {"status": "REAUTHORIZATION_REQUIRED", "status_reason": "The ledger does not know this key."}
    told = await engine.events(own)
    names = ["sync.started", "sync.failed", "issue.opened", "connection.status_changed"]
    assert [event["type"] for event in told] == names
    assert (told[3]["data"]["status"], told[3]["data"]["previousStatus"]) == ("REAUTHORIZATION_REQUIRED", "ACTIVE")
    # Nothing knocks again with the wrong key.
    engine.ledger.calls.clear()
    await engine.runner().run(own, vendors)
    assert engine.ledger.calls == []
    assert await schedule.tick(engine.database, engine.queue) == 0


async def test_one_entity_without_permission_does_not_stop_the_others(engine: Engine) -> None:
    """Off: `sync.degrade` in jobs/failures.py `end`."""
    engine.ledger.add()
    own = await engine.connect()
    engine.ledger.closed.add("/orders")
    vendors = await engine.trigger(own, entities=(Entity.VENDOR,))

    orders = await engine.sync(own)
    await engine.runner().run(own, vendors)

    assert (orders["status"], error(orders)["code"]) == ("FAILED", "SOURCE_PERMISSION")
    assert error(orders)["source_message"] == "no right to /orders"
    assert counters(await engine.run_row(vendors)) == {"fetched": 2, "created": 2, "pages": 1}
    assert await engine.one("SELECT status FROM connection") == "ACTIVE"
    states = "SELECT entity, state FROM connected_entity ORDER BY entity"
    assert [tuple(row.values()) for row in await engine.rows(states)] == [
        ("PURCHASE_ORDER", "DEGRADED"),
        ("VENDOR", "ACTIVE"),
    ]
    # Its schedule goes on, and success lifts the mark.
    engine.ledger.closed.clear()
    assert (await engine.sync(own))["status"] == "SUCCEEDED"
    assert (await engine.rows(states))[0]["state"] == "ACTIVE"


async def test_an_item_that_cannot_be_mapped_is_quarantined_and_the_page_goes_on(engine: Engine) -> None:
    """Off: `except MappingError` in jobs/items.py `map`."""
    good, bad, last = (engine.ledger.add() for _ in range(3))
    engine.ledger.amend(bad, currency="EURO")
    own = await engine.connect()

    run = await engine.sync(own)

    assert (run["status"], counters(run)) == ("PARTIAL", {"fetched": 3, "created": 2, "quarantined": 1, "pages": 2})
    assert sorted(await engine.orders(own)) == [good, last]
    kept = (await engine.rows("SELECT * FROM quarantined_item"))[0]
    assert kept["reason"] == "currency: String should have at most 3 characters (got 'EURO')"
    assert (kept["source_id"], kept["run_id"], orjson.loads(kept["body"])["currency"]) == (bad, run["id"], "EURO")
    assert (await engine.checkpoints(own)) != {}


async def test_a_quarantined_item_is_released_once_it_can_be_mapped(engine: Engine) -> None:
    bad = engine.ledger.add(currency="EURO")
    own = await engine.connect()
    await engine.sync(own)
    engine.ledger.pass_time(minutes=1)
    engine.ledger.change(bad, currency="EUR")

    run = await engine.sync(own)

    assert (run["status"], run["created"], run["quarantined"]) == ("SUCCEEDED", 1, 0)
    assert await engine.rows("SELECT * FROM quarantined_item") == []
    assert (await engine.orders(own))[bad]["currency"] == "EUR"


async def test_an_item_that_is_again_as_it_was_leaves_quarantine(engine: Engine) -> None:
    """Its hash is that of the stored item, which must not make it pass as known.

    Off: the NOT EXISTS in db/raw.py `_STORED`.
    """
    key = engine.ledger.add()
    own = await engine.connect()
    await engine.sync(own)
    good = dict(engine.ledger.orders[key])
    engine.ledger.change(key, currency="EURO")
    assert (await engine.sync(own))["quarantined"] > 0
    engine.ledger.amend(key, **good)

    run = await engine.sync(own)

    assert (run["status"], run["updated"], run["quarantined"]) == ("SUCCEEDED", 0, 0)
    assert await engine.rows("SELECT * FROM quarantined_item") == []


async def test_a_repaired_mapping_releases_what_it_can_read_now(engine: Engine) -> None:
    engine.ledger.add(number=None, status="?")
    own = await engine.connect()
    first = await engine.sync(own)
    assert first["status"] == "PARTIAL"
    repaired = LedgerConnector(revision=2)
    engine.ledger.amend("0001", status="APPROVED")
    engine.with_connector(repaired)

    run = await engine.sync(own, SyncMode.FULL)

    assert (run["status"], run["created"]) == ("SUCCEEDED", 1)
    assert await engine.rows("SELECT * FROM quarantined_item") == []


async def test_text_that_postgres_cannot_hold_is_quarantined(engine: Engine) -> None:
    """A NUL character is valid JSON and no valid text. Off: `plain=plain` in jobs/items.py `map`."""
    good, bad = engine.ledger.add(), engine.ledger.add(notes="a\x00b")
    own = await engine.connect()

    run = await engine.sync(own)

    assert (run["status"], counters(run)) == ("PARTIAL", {"fetched": 2, "created": 1, "quarantined": 1, "pages": 1})
    assert sorted(await engine.orders(own)) == [good]
    assert await engine.one("SELECT reason FROM quarantined_item WHERE source_id = $1", bad) == (
        "The item holds a NUL character, which text in Postgres cannot."
    )


async def test_a_failure_of_our_own_fails_the_run_visibly(engine: Engine) -> None:
    """Off: `except Exception` in jobs/sync.py `_pass`: the run stays RUNNING and is begun again every ten seconds."""
    engine.ledger.fault("/orders", status=200)  # an answer without rows: the test connector trips over it
    own = await engine.connect()

    run = await engine.sync(own)

    assert (run["status"], error(run)["code"]) == ("FAILED", "INTERNAL")
    assert "rows" not in error(run)["message"]
    assert run["finished_at"] is not None
    assert (await engine.sync(own))["status"] == "SUCCEEDED"


async def test_runs_of_different_connections_do_not_wait_for_each_other(engine: Engine) -> None:
    engine.ledger.add()
    one, two = await engine.connect(), await engine.connect()
    held = engine.ledger.fault("/orders", hold=True)
    slow, quick = await engine.trigger(one), await engine.trigger(two)
    task = asyncio.create_task(engine.runner().run(one, slow))
    await held.reached.wait()

    await engine.runner().run(two, quick)

    assert [(await engine.run_row(run))["status"] for run in (slow, quick)] == ["RUNNING", "SUCCEEDED"]
    held.go.set()
    await task
    assert (await engine.run_row(slow))["status"] == "SUCCEEDED"
    ended: list[datetime] = [(await engine.run_row(run))["finished_at"] for run in (quick, slow)]
    assert ended == sorted(ended)
