"""One pass after another over a quiet source: what is read, stored, counted and told."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy

from crosshead import compose
from db.fetch import Fetch
from db.models.sync import SyncMode
from tests.fixtures.engine import Engine, counters
from tests.fixtures.ledger import EPOCH
from tests.fixtures.ledger_connector import LINES, ORDERS, OVERLAP, LedgerConnector


async def test_a_first_run_reads_the_historical_period_page_by_page(engine: Engine) -> None:
    for _ in range(5):
        engine.ledger.add()
    engine.ledger.add(date="2026-03-02")  # 91 days before the ledger's clock
    engine.ledger.add(date="2026-03-03")
    own = await engine.connect()

    run = await engine.sync(own)

    assert (run["status"], run["trigger"], run["mode"], run["since"]) == ("SUCCEEDED", "INITIAL", "INCREMENTAL", None)
    assert counters(run) == {"fetched": 6, "created": 6, "pages": 3}
    assert sorted(await engine.orders(own)) == ["0001", "0002", "0003", "0004", "0005", "0007"]
    asked = [dict(call.query) for call in engine.ledger.asked("/orders")]
    assert asked == [
        {"from": "2026-03-03"},
        {"from": "2026-03-03", "after": "0002"},
        {"from": "2026-03-03", "after": "0004"},
    ]
    assert engine.ledger.asked("/lines") == []  # changed lines add nothing to a whole pass


async def test_a_historical_period_of_the_connection_is_kept(engine: Engine) -> None:
    engine.ledger.add(date="2026-05-31")
    engine.ledger.add(date="2026-05-30")
    own = await engine.connect(historical_period_days=1)

    run = await engine.sync(own)

    assert counters(run) == {"fetched": 1, "created": 1, "pages": 1}


async def test_a_record_is_stored_as_mapped_with_its_lines_in_order(engine: Engine) -> None:
    key = engine.ledger.add()
    own = await engine.connect()

    await engine.sync(own)

    order = (await engine.orders(own))[key]
    stored = [order[name] for name in ("order_number", "status", "vendor_source_id", "currency", "version", "notes")]
    assert stored == ["L1", "APPROVED", "v1", "EUR", 1, None]
    assert order["source_updated_at"] == EPOCH
    lines = [(line["position"], line["item_code"], line["quantity"], line["unit"]) for line in order["lines"]]
    assert lines == [(0, "BOLT-8", 10, "C62"), (1, "NUT-8", 4, "C62")]


async def test_an_incremental_run_asks_for_changes_since_the_checkpoint_only(engine: Engine) -> None:
    keys = [engine.ledger.add() for _ in range(5)]
    own = await engine.connect()
    await engine.sync(own)
    engine.ledger.pass_time(hours=1)
    engine.ledger.change(keys[1], status="CLOSED")
    engine.ledger.add()
    engine.ledger.calls.clear()

    run = await engine.sync(own)

    assert run["status"] == "SUCCEEDED"
    assert run["since"] == EPOCH - OVERLAP
    # All six lie within the overlap, and both feeds bring them: the second time their hash is known.
    assert counters(run) == {"fetched": 12, "created": 1, "updated": 1, "unchanged": 10, "pages": 6}
    assert {call.query["since"] for call in engine.ledger.asked("/orders")} == {(EPOCH - OVERLAP).isoformat()}
    assert {call.query["since"] for call in engine.ledger.asked("/lines")} == {(EPOCH - OVERLAP / 2).isoformat()}


async def test_each_feed_keeps_its_own_checkpoint_behind_the_window_start(engine: Engine) -> None:
    """The source's clock counts; its newest stamp does not.

    Off: `moved` in jobs/passes.py with `start` in place of `start - feed.overlap`, or from the items' own stamps.
    """
    engine.ledger.add()
    engine.ledger.pass_time(hours=3)
    own = await engine.connect()

    await engine.sync(own)

    start = EPOCH + timedelta(hours=3)
    assert await engine.checkpoints(own) == {"orders": start - OVERLAP, "lines": start - OVERLAP / 2}


async def test_a_full_run_ignores_the_checkpoint(engine: Engine) -> None:
    for _ in range(3):
        engine.ledger.add()
    own = await engine.connect()
    await engine.sync(own)
    engine.ledger.pass_time(days=1)
    engine.ledger.calls.clear()

    run = await engine.sync(own, SyncMode.FULL)

    assert (run["mode"], run["trigger"], run["since"]) == ("FULL", "MANUAL", None)
    assert counters(run) == {"fetched": 3, "unchanged": 3, "pages": 2}
    assert {tuple(call.query) for call in engine.ledger.asked("/orders")} == {("from",), ("from", "after")}


async def test_a_full_run_over_a_period_leaves_changes_outside_it_to_the_next_run(engine: Engine) -> None:
    """An order that is older than the period changes; a full run, which does not see it, comes first.

    Off: `leaves_changes` in jobs/passes.py: the full run moves the checkpoint past the change.
    """
    old, new = engine.ledger.add(date="2026-03-10"), engine.ledger.add()
    own = await engine.connect()
    await engine.sync(own)
    before = await engine.checkpoints(own)
    engine.ledger.pass_time(days=30)
    engine.ledger.change(old, status="CLOSED")
    engine.ledger.pass_time(hours=1)

    full = await engine.sync(own, SyncMode.FULL)

    assert (counters(full)["fetched"], str(full["period_start"])) == (1, "2026-04-02")
    assert await engine.checkpoints(own) == before
    run = await engine.sync(own)
    assert run["updated"] == 1
    assert (await engine.orders(own))[old]["status"] == "CLOSED"
    assert (await engine.orders(own))[new]["version"] == 1
    assert (await engine.checkpoints(own))["orders"] == EPOCH + timedelta(days=30, hours=1) - OVERLAP


async def test_a_full_run_over_all_there_is_moves_the_checkpoint(engine: Engine) -> None:
    """Without a period nothing is outside: what it read need not be read again."""
    engine.with_connector(LedgerConnector(feeds=(replace(ORDERS, period_field=None),)))
    engine.ledger.add(date="2020-01-01")
    own = await engine.connect()
    await engine.sync(own)
    engine.ledger.pass_time(days=1)

    run = await engine.sync(own, SyncMode.FULL)

    assert (run["period_start"], run["fetched"]) == (None, 1)
    assert await engine.checkpoints(own) == {"orders": EPOCH + timedelta(days=1) - OVERLAP}


async def test_what_was_read_later_counts_though_our_clock_was_set_back(engine: Engine) -> None:
    """The first run's worker had a clock that was a day fast.

    Off: `Work.clock` with the worker's own time: the change was read "before" what is stored, and is not stored.
    """
    key = engine.ledger.add()
    own = await engine.connect()
    engine.sources.budget = replace(engine.sources.budget, now=compose.now)  # it would hold calls back for the day
    engine.ahead = lambda: compose.now() + timedelta(days=1)
    await engine.sync(own)
    engine.ahead = compose.now
    engine.ledger.change(key, status="CLOSED")

    run = await engine.sync(own)

    assert run["updated"] == 1
    assert (await engine.orders(own))[key]["status"] == "CLOSED"


async def test_unchanged_items_are_not_mapped_not_written_and_not_told(engine: Engine) -> None:
    """The raw hash decides first.

    Off: `new = told` in jobs/bringing.py `_differing`: items are mapped again, and raw_item is written again.
    """
    for _ in range(4):
        engine.ledger.add()
    own = await engine.connect()
    await engine.sync(own)
    tables = ("purchase_order", "purchase_order_line", "raw_item")
    before = [await engine.rows(f"SELECT ctid, xmin, * FROM {table} ORDER BY 1") for table in tables]
    told = len(await engine.events(own, "purchase_order."))
    engine.connector.mapped.clear()
    statements: list[str] = []
    sync_engine = engine.database.app.sync_engine

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    def saw(statement: str, _: object) -> None:
        if "call_budget" not in statement:  # of the system's, in between
            statements.append(statement)

    sqlalchemy.event.listen(sync_engine, "before_cursor_execute", note)
    Fetch.watchers.add(saw)
    run = await engine.sync(own, SyncMode.FULL)
    Fetch.watchers.discard(saw)
    sqlalchemy.event.remove(sync_engine, "before_cursor_execute", note)

    assert counters(run) == {"fetched": 4, "unchanged": 4, "pages": 2}
    assert engine.connector.mapped == []
    assert [await engine.rows(f"SELECT ctid, xmin, * FROM {table} ORDER BY 1") for table in tables] == before
    assert len(await engine.events(own, "purchase_order.")) == told == 4
    # A page of nothing new: scope, fence, the keys that were met, hashes, progress.
    pages = "\n".join(statements).split("set_config")
    page = next(part for part in pages if "raw_item" in part)
    assert page.count("DELETE") + page.count("COPY") + page.count("CREATE") == 0
    assert page.count("INSERT") == page.count("INSERT INTO sync_seen") == 1
    assert page.count("UPDATE") == 1  # the run's own counters


async def test_a_touched_item_that_says_the_same_keeps_its_version(engine: Engine) -> None:
    key = engine.ledger.add()
    own = await engine.connect()
    await engine.sync(own)
    engine.ledger.pass_time(minutes=1)
    engine.ledger.change(key, internal_remark="not in the model")

    run = await engine.sync(own)

    assert counters(run)["unchanged"] == counters(run)["fetched"]
    assert (await engine.orders(own))[key]["version"] == 1
    assert len(await engine.events(own, "purchase_order.")) == 1
    body = await engine.one("SELECT body ->> 'internal_remark' FROM raw_item WHERE source_id = $1", key)
    assert body == "not in the model"


async def test_a_changed_order_takes_over_its_lines_and_leaves_others_alone(engine: Engine) -> None:
    changed, other = engine.ledger.add(), engine.ledger.add()
    own = await engine.connect()
    await engine.sync(own)
    before = await engine.orders(own)
    engine.ledger.pass_time(hours=1)
    lines = [engine.ledger.line("x", "TWIN", "7.125", "2"), engine.ledger.orders[changed]["lines"][0]]
    engine.ledger.change(changed, lines=[*lines, engine.ledger.line("y", "NUT-8", "1", "1")])

    run = await engine.sync(own)

    after = await engine.orders(own)
    assert (run["updated"], run["created"]) == (1, 0)
    assert [line["source_line_id"] for line in after[changed]["lines"]] == ["x", f"{changed}-1", "y"]
    assert after[changed]["lines"][0]["quantity"] == 7.125
    assert (after[changed]["id"], after[changed]["version"]) == (before[changed]["id"], 2)
    assert after[other] == before[other]
    told = (await engine.events(own, "purchase_order.updated"))[0]
    assert (told["record_id"], told["data"]["sourceId"], told["data"]["version"]) == (before[changed]["id"], changed, 2)


async def test_a_changed_line_alone_changes_its_order(engine: Engine) -> None:
    """Lines have a feed of their own. Off: leave LINES out of the connector's feeds."""
    key = engine.ledger.add()
    engine.ledger.add()
    own = await engine.connect()
    await engine.sync(own)
    engine.ledger.pass_time(hours=1)
    await engine.sync(own)
    engine.ledger.pass_time(hours=1)
    engine.ledger.change_line(key, 1, quantity="99")

    run = await engine.sync(own)

    assert counters(run) == {"fetched": 1, "updated": 1, "pages": 2}
    assert (await engine.orders(own))[key]["lines"][1]["quantity"] == 99


async def test_a_new_revision_of_the_mapping_maps_stored_items_anew(engine: Engine) -> None:
    """The mapping's version is part of the hash. Off: `mapping_version=b""` in jobs/items.py `hashed`."""
    keys = [engine.ledger.add() for _ in range(3)]
    own = await engine.connect()
    await engine.sync(own)
    upgraded = LedgerConnector(revision=2)
    engine.with_connector(upgraded)

    run = await engine.sync(own, SyncMode.FULL)

    assert counters(run) == {"fetched": 3, "updated": 3, "pages": 2}
    assert upgraded.mapped == ["L1", "L2", "L3"]
    assert [order["order_number"] for _, order in sorted((await engine.orders(own)).items())] == [
        "PO-L1",
        "PO-L2",
        "PO-L3",
    ]
    again = await engine.sync(own, SyncMode.FULL)
    assert counters(again) == {"fetched": 3, "unchanged": 3, "pages": 2}
    assert sorted(await engine.orders(own)) == keys


@pytest.mark.parametrize("behind", [timedelta(0), OVERLAP, OVERLAP - timedelta(seconds=1)])
async def test_a_change_that_comes_to_light_late_is_found_within_the_overlap(engine: Engine, behind: timedelta) -> None:
    """It was stamped before the first pass began, and committed after it ended; the very edge counts as within.

    Off: `overlap` zero in jobs/passes.py `_complete`; `>` for `>=` in the ledger's `since`.
    """
    engine.ledger.add()
    own = await engine.connect()
    await engine.sync(own)
    late = engine.ledger.add(stamp=EPOCH - behind)
    engine.ledger.pass_time(hours=1)

    run = await engine.sync(own)

    assert run["created"] == 1
    assert late in await engine.orders(own)


async def test_changes_are_found_after_the_sources_clock_was_set_back(engine: Engine) -> None:
    """While the clock was a day fast, the checkpoint was set into the future.

    Off: `back` in `set_back` of jobs/work.py as zero: what is stamped by the right clock lies before the checkpoint.
    """
    key, other = engine.ledger.add(), engine.ledger.add()
    own = await engine.connect()
    engine.ledger.pass_time(days=1)
    await engine.sync(own)
    engine.ledger.pass_time(days=-1, minutes=30)
    engine.ledger.change(key, status="CLOSED")

    run = await engine.sync(own)

    assert EPOCH - OVERLAP - timedelta(minutes=1) < run["since"] <= EPOCH + timedelta(minutes=30) - OVERLAP
    assert run["updated"] == 1
    assert (await engine.orders(own))[key]["status"] == "CLOSED"
    assert (await engine.orders(own))[other]["version"] == 1


async def test_a_source_without_change_stamps_is_read_whole_each_time(engine: Engine) -> None:
    """Off: `read_whole` in `Work.whole` and `feed.cursor` in `Work.since` of jobs/work.py, both of them."""
    for _ in range(3):
        engine.ledger.add()
    engine.with_connector(LedgerConnector(feeds=(replace(ORDERS, cursor=None),)))
    own = await engine.connect()
    await engine.sync(own)
    engine.ledger.pass_time(days=1)
    engine.ledger.calls.clear()

    run = await engine.sync(own)

    assert (run["mode"], run["since"], str(run["period_start"])) == ("INCREMENTAL", None, "2026-03-04")
    assert counters(run) == {"fetched": 3, "unchanged": 3, "pages": 2}
    assert {tuple(call.query) for call in engine.ledger.asked("/orders")} == {("from",), ("from", "after")}


async def test_a_feed_of_parts_that_comes_with_an_upgrade_begins_where_the_others_do(engine: Engine) -> None:
    """Off: `min(known.values())` in `Work.since` of jobs/work.py: it is asked for all, which a feed of parts is not."""
    engine.ledger.add()
    engine.with_connector(LedgerConnector(feeds=(ORDERS,)))
    own = await engine.connect()
    await engine.sync(own)
    engine.with_connector(LedgerConnector(feeds=(ORDERS, LINES)))

    await engine.sync(own)

    assert [call.query["since"] for call in engine.ledger.asked("/lines")] == [(EPOCH - OVERLAP).isoformat()]


async def test_a_row_stamped_while_the_pass_reads_is_read_again_by_the_next(engine: Engine) -> None:
    """The clock ticks on during a pass; the checkpoint stays at its start.

    Off: the checkpoint from the clock at the end of the pass, in `_succeed`.
    """
    first, *_ = [engine.ledger.add() for _ in range(4)]
    own = await engine.connect()
    held = engine.ledger.fault("/orders", hold=True, skip=1)
    run_id = await engine.trigger(own)
    task = asyncio.create_task(engine.runner().run(own, run_id))
    await held.reached.wait()
    engine.ledger.pass_time(minutes=30)
    engine.ledger.change(first, status="CLOSED")  # its page was read already
    engine.ledger.pass_time(minutes=30)
    held.go.set()
    await task

    run = await engine.sync(own)

    assert run["updated"] == 1
    assert (await engine.orders(own))[first]["status"] == "CLOSED"
