"""What is gone from the source: found by a whole pass or told by the source, looked up, and only then deleted."""

import asyncio
from datetime import timedelta

import pytest

from db.models.sync import SyncMode
from db.scope import Scope
from tests.fixtures.engine import Engine, Row, counters
from tests.fixtures.ledger_connector import LINES, ORDERS, TOMBSTONES, LedgerConnector
from tests.fixtures.writing import write


async def _full(engine: Engine, own: Scope) -> Row:
    return await engine.sync(own, SyncMode.FULL)


def _looked_up(engine: Engine) -> list[str]:
    """Give the keys that were looked up since the calls were cleared."""
    asked = [call.query["ids"].split(",") for call in engine.ledger.asked("/orders") if "ids" in call.query]
    return [key for keys in asked for key in keys]


async def _synced(engine: Engine, orders: int) -> tuple[Scope, list[str]]:
    keys = [engine.ledger.add() for _ in range(orders)]
    own = await engine.connect()
    assert (await engine.sync(own))["status"] == "SUCCEEDED"
    engine.ledger.pass_time(hours=1)
    engine.ledger.calls.clear()
    return own, keys


async def test_what_vanished_is_deleted_by_the_next_full_run(engine: Engine) -> None:
    """It keeps its lines, its raw item and its history; an incremental run cannot see it."""
    own, keys = await _synced(engine, 5)
    engine.ledger.vanish(keys[1])

    assert counters(await engine.sync(own))["fetched"] == 8  # the four that are left, by two feeds
    assert (await engine.orders(own))[keys[1]]["deleted_at"] is None
    run = await _full(engine, own)

    assert run["status"] == "SUCCEEDED"
    assert counters(run) == {"fetched": 4, "unchanged": 4, "deleted": 1, "pages": 2}
    assert (run["judged"], run["vanished"], run["awaits_confirmation"]) == (5, 1, False)
    assert _looked_up(engine) == [keys[1]]
    gone = (await engine.orders(own))[keys[1]]
    assert gone["deleted_at"] is not None
    assert (gone["version"], len(gone["lines"])) == (2, 2)
    told = [(event["type"], event["data"]["version"]) for event in await engine.events(own, "purchase_order.")]
    assert told[5:] == [("purchase_order.deleted", 2)]
    version = (await engine.rows("SELECT version, cause, run_id FROM record_version"))[0]
    assert tuple(version.values()) == (2, "SYNC", run["id"])
    for left in ("sync_seen", "vanished_item"):
        assert await engine.one(f"SELECT count(*) FROM {left}") == 0
    assert counters(await _full(engine, own)) == {"fetched": 4, "unchanged": 4, "pages": 2}


async def test_what_comes_back_is_a_version_too(engine: Engine) -> None:
    """Just as it was: its raw item must not count as known. Off: `_FORGET` in db/raw.py."""
    own, keys = await _synced(engine, 5)
    kept = engine.ledger.orders[keys[1]]
    engine.ledger.vanish(keys[1])
    await _full(engine, own)
    engine.ledger.add(at=keys[1], **kept)

    run = await _full(engine, own)

    assert counters(run) == {"fetched": 5, "unchanged": 4, "updated": 1, "pages": 3}
    back = (await engine.orders(own))[keys[1]]
    assert (back["deleted_at"], back["version"]) == (None, 3)
    told = [event["type"] for event in await engine.events(own, "purchase_order.") if event["data"]["version"] > 1]
    assert told == ["purchase_order.deleted", "purchase_order.updated"]


async def test_documents_outside_the_window_that_was_read_are_not_judged(engine: Engine) -> None:
    """The ledger's clock is at 1 June; 90 days before is 3 March. Both orders at the edge vanish.

    Off: the period in `_judge` of db/sweep.py.
    """
    outside, edge = engine.ledger.add(date="2026-03-03"), engine.ledger.add(date="2026-03-04")
    own, _ = await _synced(engine, 8)
    engine.ledger.pass_time(days=1)
    engine.ledger.vanish(outside)
    engine.ledger.vanish(edge)

    run = await _full(engine, own)

    assert (str(run["period_start"]), run["judged"], run["vanished"], run["deleted"]) == ("2026-03-04", 9, 1, 1)
    assert _looked_up(engine) == [edge]
    assert (await engine.orders(own))[outside]["deleted_at"] is None


async def test_what_was_not_met_and_is_there_after_all_is_kept_as_it_is_now(engine: Engine) -> None:
    """An order's date moves out of the window: it is not listed any more, though it is there.

    Off: `fetch` in `_ask` of jobs/sweeps.py (Protections.confirm).
    """
    own, keys = await _synced(engine, 5)
    engine.ledger.amend(keys[0], date="2025-01-01")

    run = await _full(engine, own)

    assert (run["status"], run["vanished"]) == ("SUCCEEDED", 1)
    assert counters(run) == {"fetched": 5, "unchanged": 4, "updated": 1, "pages": 2}
    order = (await engine.orders(own))[keys[0]]
    assert (order["deleted_at"], str(order["order_date"])) == (None, "2025-01-01")
    again = await _full(engine, own)
    assert (again["judged"], again["vanished"]) == (4, 0)  # by its date it is outside now


async def test_only_a_complete_pass_judges(engine: Engine) -> None:
    """Neither changes alone, nor a pass that was stopped, judge what they did not meet.

    Off: `work.whole` in `judge` of jobs/sweeps.py (Protections.complete_pass): the incremental run asks.
    """
    own, keys = await _synced(engine, 6)
    engine.ledger.pass_time(days=1)
    engine.ledger.change(keys[0], status="CLOSED")

    changes = await engine.sync(own)
    run_id = await engine.trigger(own, SyncMode.FULL)
    await engine.runner(slice_seconds=0).run(own, run_id)
    await engine.run_door().cancel(own, run_id)
    stopped = await engine.run_row(run_id)

    assert [(run["status"], run["judged"], run["vanished"]) for run in (changes, stopped)] == [
        ("SUCCEEDED", None, None),
        ("CANCELLED", None, None),
    ]
    assert _looked_up(engine) == []


async def test_what_a_pass_met_is_kept_over_slices_and_failures(engine: Engine) -> None:
    """Each page in a slice of its own, the source away in between. Off: `sweep.met` in jobs/pages.py `store`."""
    own, keys = await _synced(engine, 6)
    engine.ledger.vanish(keys[2])
    run_id = await engine.trigger(own, SyncMode.FULL)
    engine.ledger.fault("/orders", status=503, skip=2)
    for _ in range(8):
        await engine.runner(slice_seconds=0).run(own, run_id)
        await engine.superuser.execute("UPDATE sync_run SET next_attempt_at = NULL WHERE id = $1", run_id)

    run = await engine.run_row(run_id)
    assert (run["status"], run["judged"], run["vanished"], run["deleted"]) == ("SUCCEEDED", 6, 1, 1)
    assert _looked_up(engine) == [keys[2]]
    assert len(engine.ledger.asked("/orders")) == 3 + 1 + 1  # pages, the one refused, the one look-up


async def test_a_look_up_that_fails_is_repeated_and_no_page_is(engine: Engine) -> None:
    own, keys = await _synced(engine, 5)
    engine.ledger.vanish(keys[0])
    engine.ledger.fault("/orders", status=503, skip=2)

    run = await _full(engine, own)

    assert (run["status"], run["pages"], run["deleted"]) == ("WAITING", 2, 0)
    engine.ledger.calls.clear()
    await engine.superuser.execute("UPDATE sync_run SET next_attempt_at = now()")
    await engine.runner().run(own, run["id"])
    ended = await engine.run_row(run["id"])
    assert (ended["status"], ended["deleted"]) == ("SUCCEEDED", 1)
    assert [dict(call.query) for call in engine.ledger.asked("/orders")] == [{"ids": keys[0]}]


async def test_an_order_made_here_while_a_full_run_reads_is_kept(engine: Engine) -> None:
    """Its page was answered before it was made, and it is stored before the pass is complete.

    Off: `fetch` in `_ask` of jobs/sweeps.py (Protections.confirm).
    """
    own, keys = await _synced(engine, 6)
    held = engine.ledger.fault("/orders", hold=True, skip=2)
    run_id = await engine.trigger(own, SyncMode.FULL)
    task = asyncio.create_task(engine.runner().run(own, run_id))
    await held.reached.wait()
    assert (await write(engine, own)).problems == ()
    held.go.set()
    await task

    run = await engine.run_row(run_id)
    made = next(key for key in engine.ledger.orders if key not in keys)
    assert (run["status"], run["judged"], run["vanished"], run["deleted"]) == ("SUCCEEDED", 7, 1, 0)
    assert _looked_up(engine)[-1] == made
    assert (await engine.orders(own))[made]["deleted_at"] is None


@pytest.mark.parametrize(("vanished", "asks"), [(2, False), (3, True)])
async def test_where_more_than_a_fifth_vanished_people_are_asked(engine: Engine, vanished: int, asks: bool) -> None:
    """Off: `too_many` in `judge` of jobs/sweeps.py (Protections.guard): three of ten are deleted."""
    own, keys = await _synced(engine, 10)
    for key in keys[:vanished]:
        engine.ledger.vanish(key)

    run = await _full(engine, own)

    assert (run["judged"], run["vanished"], run["awaits_confirmation"]) == (10, vanished, asks)
    assert (run["status"], run["deleted"]) == (("WAITING", 0) if asks else ("SUCCEEDED", vanished))
    assert _looked_up(engine) == ([] if asks else keys[:vanished])


async def test_a_run_that_asks_says_so_and_holds_up_no_other(engine: Engine) -> None:
    """Off: `awaits_confirmation` in `ACTIVE` of db/models/sync.py: no other run begins before the answer."""
    own, keys = await _synced(engine, 10)
    for key in keys[:3]:
        engine.ledger.vanish(key)

    run = await _full(engine, own)

    event = (await engine.events(own, "sync.confirmation_required"))[0]["data"]
    assert {name: event[name] for name in ("mode", "judged", "vanished")} == {
        "mode": "FULL",
        "judged": 10,
        "vanished": 3,
    }
    issue = (await engine.rows("SELECT * FROM issue"))[0]
    assert (issue["entity"], issue["operation"], issue["code"]) == ("PURCHASE_ORDER", "SWEEP", "CONFLICT")
    assert issue["message"] == "The source no longer lists 3 of 10 records; none was deleted yet."
    assert await engine.one("SELECT count(*) FROM connection_error WHERE run_id = $1", run["id"]) == 1
    engine.ledger.change(keys[5], status="CLOSED")
    changes = await engine.sync(own)
    assert (changes["id"] != run["id"], changes["status"], changes["updated"]) == (True, "SUCCEEDED", 1)
    await engine.runner().run(own, run["id"])  # a wake-up that comes late
    assert (await engine.run_row(run["id"]))["status"] == "WAITING"
    assert await engine.one("SELECT resolved_at FROM issue") is None


async def test_an_answer_of_yes_looks_each_up_and_deletes_what_is_gone(engine: Engine) -> None:
    """One of them has come back meanwhile."""
    own, keys = await _synced(engine, 10)
    kept = engine.ledger.orders[keys[0]]
    for key in keys[:4]:
        engine.ledger.vanish(key)
    run = await _full(engine, own)
    engine.ledger.add(at=keys[0], **kept)
    engine.ledger.calls.clear()

    assert await engine.run_door().answer(engine.scope, run["id"], delete=True) == []
    assert (await engine.run_row(run["id"]))["status"] == "QUEUED"
    await engine.runner().run(own, run["id"])

    ended = await engine.run_row(run["id"])
    assert (ended["status"], ended["deleted"], ended["error"]) == ("SUCCEEDED", 3, None)
    assert _looked_up(engine) == keys[:4]
    assert len(engine.ledger.asked("/orders")) == 1  # no page is read again
    orders = await engine.orders(own)
    assert [key for key in keys if orders[key]["deleted_at"]] == keys[1:4]
    assert await engine.one("SELECT resolved_at IS NOT NULL FROM issue")


async def test_an_answer_of_no_leaves_all_until_it_is_asked_again(engine: Engine) -> None:
    own, keys = await _synced(engine, 5)
    for key in keys[:2]:
        engine.ledger.vanish(key)
    run = await _full(engine, own)

    assert await engine.run_door().answer(own, run["id"], delete=False) == []

    denied = await engine.run_row(run["id"])
    assert (denied["status"], denied["deleted"], denied["awaits_confirmation"]) == ("PARTIAL", 0, False)
    assert await engine.one("SELECT count(*) FROM vanished_item") == 0
    assert _looked_up(engine) == []
    again = await _full(engine, own)
    assert (again["awaits_confirmation"], again["vanished"]) == (True, 2)
    assert (await engine.orders(own))[keys[0]]["deleted_at"] is None


async def test_a_newer_pass_judges_anew_and_ends_the_question(engine: Engine) -> None:
    """Off: `runs.supersede` in jobs/passes.py: two runs ask about the same records."""
    own, keys = await _synced(engine, 5)
    kept = {key: engine.ledger.orders[key] for key in keys[:2]}
    for key in kept:
        engine.ledger.vanish(key)
    asking = await _full(engine, own)
    again = await _full(engine, own)
    assert [run["awaits_confirmation"] for run in (again, await engine.run_row(asking["id"]))] == [True, False]
    for key, values in kept.items():
        engine.ledger.add(at=key, **values)

    run = await _full(engine, own)

    assert (run["status"], run["vanished"]) == ("SUCCEEDED", 0)
    ends = [(await engine.run_row(each["id"]))["status"] for each in (asking, again)]
    assert ends == ["PARTIAL", "PARTIAL"]
    assert await engine.one("SELECT count(*) FROM issue WHERE resolved_at IS NULL") == 0


async def test_what_cannot_be_answered_is_said(engine: Engine) -> None:
    own, keys = await _synced(engine, 5)
    for key in keys[:2]:
        engine.ledger.vanish(key)
    asking = await _full(engine, own)
    foreign = await engine.connect()
    other = await engine.trigger(foreign)
    door = engine.run_door()
    newer = await engine.trigger(own, SyncMode.FULL)

    refused = [
        [problem.code.value for problem in await door.answer(scope, run_id, delete=True)]
        for scope, run_id in ((own, asking["id"]), (own, newer), (own, other), (foreign, asking["id"]))
    ]

    assert refused == [["CONFLICT"], ["CONFLICT"], ["NOT_FOUND"], ["NOT_FOUND"]]
    assert (await engine.run_row(asking["id"]))["awaits_confirmation"]
    assert await door.cancel(own, asking["id"]) == []
    assert (await engine.run_row(asking["id"]))["status"] == "CANCELLED"
    assert await engine.one("SELECT resolved_at IS NOT NULL FROM issue")


async def test_tombstones_are_looked_up_and_need_no_full_run(engine: Engine) -> None:
    """Told again within the overlap, one of a key that is used anew deletes nothing.

    Off: `fetch` in `_ask` of jobs/sweeps.py (Protections.confirm): the new one is deleted.
    """
    engine.ledger.tombstones = True
    engine.with_connector(LedgerConnector(feeds=(ORDERS, LINES, TOMBSTONES)))
    own, keys = await _synced(engine, 3)
    kept = engine.ledger.orders[keys[0]]
    for key in keys[:2]:
        engine.ledger.vanish(key)

    run = await engine.sync(own)

    assert (run["mode"], run["status"], run["deleted"]) == ("INCREMENTAL", "SUCCEEDED", 2)  # told: nobody is asked
    assert (run["judged"], run["vanished"]) == (None, None)
    assert _looked_up(engine) == keys[:2]
    engine.ledger.add(at=keys[0], **kept)
    engine.ledger.change(keys[0], notes="anew")
    again = await engine.sync(own)
    assert (again["updated"], again["deleted"]) == (1, 0)
    orders = await engine.orders(own)
    assert [key for key in keys if orders[key]["deleted_at"]] == [keys[1]]


async def test_what_the_source_flags_as_deleted_is_deleted_at_once(engine: Engine) -> None:
    """Off: `gone` in `bring` of jobs/pages.py."""
    own, keys = await _synced(engine, 3)
    engine.ledger.change(keys[0], deleted=True)

    run = await engine.sync(own)

    assert (run["status"], run["deleted"], run["updated"]) == ("SUCCEEDED", 1, 0)
    assert (await engine.orders(own))[keys[0]]["deleted_at"] is not None
    assert (await engine.sync(own))["deleted"] == 0
    engine.ledger.change(keys[0], deleted=False)
    assert (await engine.sync(own))["updated"] == 1
    assert (await engine.orders(own))[keys[0]]["deleted_at"] is None
    assert _looked_up(engine) == []


async def test_an_item_in_quarantine_that_vanished_is_let_go(engine: Engine) -> None:
    """Off: `quarantined_item` in `_present` of db/sweep.py."""
    keys = [engine.ledger.add(currency="EURO" if n == 0 else "EUR") for n in range(6)]
    own = await engine.connect()
    assert (await engine.sync(own))["status"] == "PARTIAL"
    engine.ledger.vanish(keys[0])

    run = await _full(engine, own)

    assert (run["status"], run["judged"], run["vanished"], run["deleted"]) == ("SUCCEEDED", 6, 1, 0)
    assert await engine.one("SELECT count(*) FROM quarantined_item") == 0


async def test_many_look_ups_are_done_slice_by_slice(engine: Engine) -> None:
    """Off: `sweep.settle` in jobs/sweeps.py: the first hundred are looked up for ever."""
    engine.ledger.page_size = 200
    own, keys = await _synced(engine, 110)
    for key in keys[:105]:
        engine.ledger.vanish(key)
    run = await _full(engine, own)
    await engine.run_door().answer(own, run["id"], delete=True)

    deleted = []
    for _ in range(3):
        await engine.runner(slice_seconds=0).run(own, run["id"])
        deleted.append((await engine.run_row(run["id"]))["deleted"])

    ended = await engine.run_row(run["id"])
    assert (deleted, ended["status"]) == ([100, 105, 105], "SUCCEEDED")
    assert ended["finished_at"] - ended["created_at"] < timedelta(minutes=5)
