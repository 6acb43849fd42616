"""Every version of a record is kept: what it was, what changed, when and why."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from db.models.purchasing.purchase_order import PurchaseOrder, PurchaseOrderLine
from db.types import Cause, new_id, tell_instant
from tests.fixtures.engine import Engine, counters
from tests.fixtures.ledger_connector import LedgerConnector
from tests.fixtures.storing import NOON, Store, incoming, line, order


async def test_a_first_version_says_in_the_record_when_and_by_which_run_it_came(stored: Store) -> None:
    row = await stored.put_order("1")

    assert {name: value for name, value in row.items() if name.startswith("first_")} == {
        "first_seen_at": NOON + timedelta(minutes=1),
        "first_cause": "SYNC",
        "first_run_id": stored.runs[0],
        "first_operation_id": None,
    }
    assert (row["version"], row["synced_at"]) == (1, row["first_seen_at"])
    assert await stored.versions(row["id"]) == []


async def test_a_record_that_a_write_made_says_which(stored: Store) -> None:
    operation = new_id()

    await stored.put(incoming("1", order(), at=stored.now), cause=Cause.WRITE, operation_id=operation)

    row = await stored.row("1")
    assert (row["first_cause"], row["first_run_id"], row["first_operation_id"]) == ("WRITE", None, operation)


async def test_a_change_is_a_version_with_what_changed_and_what_was(stored: Store) -> None:
    address = {"name": "Plant 1", "lines": ["Street 1", "Gate 2"], "country": "DE"}
    lines = [line("1", quantity="2.50", custom_fields={"z": 1, "a": "ü"}), line("2", unit_price="1E+2")]
    first = await stored.put_order("1", total_net="10.10", ship_to=address, order_date="2026-05-01", lines=lines)
    lines = [line("1", quantity="3", custom_fields={"z": 1, "a": "ü"}), line("3")]
    second = await stored.put_order("1", total_net="10.1", ship_to=address, order_date="2026-05-01", lines=lines)

    (version,) = await stored.versions(first["id"])
    before = version.pop("before")
    diff = version.pop("diff")
    assert version == {
        "organization_id": stored.scope.organization_id,
        "connection_id": stored.scope.connection_id,
        "entity": "PURCHASE_ORDER",
        "record_id": first["id"],
        "version": 2,
        "valid_from": second["synced_at"],
        "cause": "SYNC",
        "run_id": stored.runs[1],
        "operation_id": None,
    }
    assert [change["path"] for change in diff] == [
        ["totalNet"],
        ["lines", "1", "quantity"],
        ["lines", "2"],
        ["lines", "3"],
    ]
    assert diff[:2] == [
        {"path": ["totalNet"], "before": "10.10", "after": "10.1"},
        {"path": ["lines", "1", "quantity"], "before": "2.50", "after": "3"},
    ]
    assert (diff[2]["before"]["unitPrice"], diff[2]["after"], diff[3]["before"]) == ("100", None, None)
    assert diff[3]["after"]["sourceLineId"] == "3"
    assert (before["id"], before["source_id"], before["version"]) == (str(first["id"]), "1", 1)
    assert (before["total_net"], before["order_date"], before["ship_to"]) == ("10.10", "2026-05-01", address)
    assert (before["synced_at"], before["deleted_at"]) == ("2026-06-01T12:01:00+00:00", None)
    assert [(each["position"], each["quantity"], each["custom_fields"]) for each in before["lines"]] == [
        (0, "2.50", {"z": 1, "a": "ü"}),
        (1, None, {}),
    ]


async def test_a_version_can_be_read_back_into_the_columns_it_had(stored: Store) -> None:
    """What `before` holds makes the same row again, digit for digit."""
    first = await stored.put_order("1", total_net="10.10", ship_to={"name": "x"}, lines=[line("1", quantity="2.50")])
    sql = "SELECT * FROM purchase_order_line WHERE purchase_order_id = $1"
    first_lines = await stored.rows(sql, first["id"])
    await stored.put_order("1", total_net="9", lines=[])

    made = "SELECT r.* FROM record_version v, json_populate_record(NULL::purchase_order, v.before) r"
    (row,) = await stored.rows(made)
    of_lines = "json_populate_recordset(NULL::purchase_order_line, v.before -> 'lines')"
    lines = await stored.rows(f"SELECT r.* FROM record_version v, {of_lines} r")

    kept = {*PurchaseOrder.model_fields} - {"organization_id", "connection_id", "content_hash"}
    kept -= {name for name in kept if name.startswith("first_") or name.endswith("_ordinal")}
    assert {name: row[name] for name in kept} == {name: first[name] for name in kept}
    assert str(row["total_net"]) == "10.10"
    own = {*PurchaseOrderLine.model_fields} - {"organization_id", "connection_id", "purchase_order_id"}
    assert [{n: each[n] for n in own} for each in lines] == [{n: each[n] for n in own} for each in first_lines]


async def test_the_state_at_any_time_is_found_by_the_rule(stored: Store) -> None:
    """Seen at, deleted and come back again: the version that was valid is the one that the rule finds."""
    steps: list[dict[str, Any] | None] = [
        {"notes": "one"},
        {"notes": "two", "lines": [line("1"), line("2")]},
        None,
        {"notes": "two", "lines": [line("2"), line("1")]},
        {"notes": "five", "lines": []},
    ]
    seen = []
    for step in steps:
        if step is None:
            await stored.delete("1")
        else:
            await stored.put_order("1", **step)
        seen.append((stored.now, await _present(stored)))

    row = await stored.row("1")
    for at, state in seen:
        for moment in (at, at + timedelta(seconds=59)):
            assert await _state_at(stored, row, moment) == state
    assert await _state_at(stored, row, NOON) is None
    assert [version["version"] for version in await stored.versions(row["id"])] == [2, 3, 4, 5]


async def _present(stored: Store) -> Any:
    row = await stored.row("1")
    sql = "SELECT source_line_id FROM purchase_order_line WHERE purchase_order_id = $1 ORDER BY position"
    lines = [each["source_line_id"] for each in await stored.rows(sql, row["id"])]
    return row["notes"], row["deleted_at"] is not None, lines


async def _state_at(stored: Store, row: dict[str, Any], at: Any) -> Any:
    if row["first_seen_at"] > at:
        return None
    sql = "SELECT before FROM record_version WHERE record_id = $1 AND valid_from > $2 ORDER BY version LIMIT 1"
    found = await stored.rows(sql, row["id"], at)
    if not found:
        return await _present(stored)
    before = orjson.loads(found[0]["before"])
    return before["notes"], before["deleted_at"] is not None, [each["source_line_id"] for each in before["lines"]]


async def test_a_touched_item_is_no_version(stored: Store) -> None:
    await stored.put_order("1")
    row = await stored.put_order("1", remark="not in the model")

    assert row["version"] == 1
    assert await stored.versions(row["id"]) == []
    assert await stored.told() == [("purchase_order.created", 1)]


async def test_a_record_whose_hash_alone_is_new_is_no_version(stored: Store) -> None:
    """A release may hash records in another way, or add a field that is empty everywhere."""
    await stored.put_order("1")
    await stored.behind.execute("UPDATE purchase_order SET content_hash = 'of another release'")

    row = await stored.put_order("1", remark="read anew")

    assert (row["version"], row["content_hash"] == b"of another release") == (1, False)
    assert await stored.versions(row["id"]) == []
    assert await stored.told() == [("purchase_order.created", 1)]


async def test_versions_never_go_back_in_time(stored: Store) -> None:
    """The clock of the worker that stores the second version is an hour behind."""
    first = await stored.put_order("1")
    stored.now -= timedelta(hours=1)

    second = await stored.put_order("1", at=NOON + timedelta(minutes=5), notes="later")

    (version,) = await stored.versions(first["id"])
    assert version["valid_from"] == second["synced_at"] == first["synced_at"]


async def test_a_record_that_is_gone_is_a_version_and_keeps_its_lines_and_its_item(stored: Store) -> None:
    first = await stored.put_order("1")
    await stored.put_order("2")

    (gone,) = await stored.delete("1", "never seen")

    row = await stored.row("1")
    assert (gone.id, gone.source_id, gone.version) == (first["id"], "1", 2)
    assert (row["deleted_at"], row["synced_at"], row["version"]) == (stored.now, stored.now, 2)
    (version,) = await stored.versions(first["id"])
    assert version["diff"] == [{"path": ["deletedAt"], "before": None, "after": tell_instant(stored.now)}]
    assert version["before"]["lines"][0]["quantity"] == "2.50"
    assert await stored.rows("SELECT 1 FROM purchase_order_line WHERE purchase_order_id = $1", first["id"]) != []
    assert await stored.rows("SELECT 1 FROM raw_item WHERE source_id = '1'") != []
    assert await stored.told() == [
        ("purchase_order.created", 1),
        ("purchase_order.created", 1),
        ("purchase_order.deleted", 2),
    ]
    assert await stored.delete("1") == []


async def test_a_record_that_comes_back_as_it_was_is_a_version_again(stored: Store) -> None:
    """Off: `_FORGET` in db/raw.py: its item is known, and the record stays deleted."""
    await stored.put_order("1")
    same = {"1": incoming("1", order(), at=stored.now).item_hash}
    assert await stored.unknown(same) == set()
    await stored.delete("1")
    assert await stored.unknown(same) == {"1"}

    row = await stored.put_order("1")

    assert (row["deleted_at"], row["version"]) == (None, 3)
    diffs = [version["diff"] for version in await stored.versions(row["id"])]
    assert [[change["path"] for change in diff] for diff in diffs] == [[["deletedAt"]], [["deletedAt"]]]
    assert diffs[1][0]["after"] is None
    assert (await stored.told())[1:] == [("purchase_order.deleted", 2), ("purchase_order.updated", 3)]


async def test_what_was_read_before_the_last_read_changes_nothing(stored: Store) -> None:
    """A page whose read began before a write's read-back comes late.

    Off: the WHERE of the upsert in db/storing.py `_keep`.
    """
    await stored.put_order("1", at=NOON, notes="old")
    row = await stored.put_order("1", at=NOON + timedelta(minutes=9), notes="written")
    item = await stored.rows("SELECT * FROM raw_item")

    assert await stored.put(incoming("1", order(notes="old"), at=NOON + timedelta(minutes=8))) == []

    assert await stored.row("1") == row
    assert await stored.rows("SELECT * FROM raw_item") == item


async def test_a_record_read_after_it_was_missed_is_not_gone(stored: Store) -> None:
    """Off: `newer` of `bury` in db/raw.py."""
    row = await stored.put_order("1", at=NOON + timedelta(minutes=9))

    assert await stored.delete("1", read_at=NOON + timedelta(minutes=8)) == []

    assert await stored.row("1") == row
    assert await stored.put(incoming("1", order(), at=NOON + timedelta(minutes=9))) == []


async def test_what_was_read_before_it_was_found_gone_does_not_bring_it_back(stored: Store) -> None:
    """Off: `read_at` of `_FORGET` in db/raw.py."""
    await stored.put_order("1", at=NOON)
    await stored.delete("1", read_at=NOON + timedelta(minutes=5))

    row = await stored.put_order("1", at=NOON + timedelta(minutes=4), notes="late")

    assert (row["version"], row["deleted_at"] is not None) == (2, True)


async def test_new_changed_and_equal_records_of_one_page_are_told_apart(stored: Store) -> None:
    await stored.put_order("b")
    await stored.put_order("c")

    items = [incoming(key, order(notes=note), at=stored.now) for key, note in (("c", None), ("a", "n"), ("b", "n"))]
    changed = await stored.put(*items, run_id=(run := new_id()))

    assert [(each.source_id, each.version, each.kind.value) for each in changed] == [
        ("a", 1, "created"),
        ("b", 2, "updated"),
    ]
    lines = await stored.rows("SELECT quantity FROM purchase_order_line")
    assert [each["quantity"] for each in lines] == [Decimal("2.50")] * 3
    assert [v["run_id"] for v in await stored.versions((await stored.row("b"))["id"])] == [run]
    assert (await stored.row("a"))["first_run_id"] == run


async def test_history_is_of_one_piece_with_its_page(engine: Engine) -> None:
    """Off: a COMMIT before `history.append` in db/upsert.py `_update`."""
    key = engine.ledger.add()
    own = await engine.connect()
    await engine.sync(own)
    before = await engine.orders(own)
    engine.ledger.pass_time(hours=1)
    engine.ledger.change(key, notes="changed")
    await engine.superuser.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$;"
        "CREATE TRIGGER refuse AFTER INSERT ON record_version FOR EACH ROW EXECUTE FUNCTION refuse()"
    )

    assert (await engine.sync(own))["status"] == "FAILED"

    assert await engine.orders(own) == before
    await engine.superuser.execute("DROP TRIGGER refuse ON record_version")
    assert counters(await engine.sync(own))["updated"] == 1


async def test_a_run_knows_the_records_it_changed_and_made(engine: Engine) -> None:
    changed, made = engine.ledger.add(), "0002"
    own = await engine.connect()
    await engine.sync(own)
    engine.ledger.pass_time(hours=1)
    engine.ledger.change(changed, notes="changed")
    engine.ledger.add()
    engine.with_connector(LedgerConnector(revision=2))

    run = await engine.sync(own)

    of_run = await engine.rows("SELECT record_id, diff FROM record_version WHERE run_id = $1", run["id"])
    orders = await engine.orders(own)
    assert [row["record_id"] for row in of_run] == [orders[changed]["id"]]
    paths = [change["path"] for change in orjson.loads(of_run[0]["diff"])]
    assert paths == [["orderNumber"], ["notes"]]
    new = await engine.rows("SELECT source_id FROM purchase_order WHERE first_run_id = $1", run["id"])
    assert [row["source_id"] for row in new] == [made]


async def test_an_item_says_where_it_came_from(engine: Engine) -> None:
    key = engine.ledger.add()
    own = await engine.connect()

    run = await engine.sync(own)

    (item,) = await engine.rows("SELECT * FROM raw_item WHERE source_id = $1", key)
    assert (item["run_id"], item["feed"], item["read_at"]) == (run["id"], "orders", item["fetched_at"])
    assert run["started_at"] <= item["fetched_at"] <= (await engine.orders(own))[key]["synced_at"]
    assert orjson.loads(item["body"]) == engine.ledger.orders[key]


@pytest.mark.parametrize("count", [1, 40])
async def test_a_page_of_items_that_cannot_be_mapped_is_kept_in_one_statement(stored: Store, count: int) -> None:
    items = [incoming(f"{n:02}", order(), at=stored.now) for n in range(count)]
    failed = [type(item)(item.source_id, item.body, b"h", item.fetched, None, None, "no status") for item in items]

    assert await stored.put(*failed) == []
    assert await stored.put(*failed) == []

    rows = await stored.rows("SELECT source_id, reason, quarantined_at FROM quarantined_item ORDER BY source_id")
    assert [row["source_id"] for row in rows] == [item.source_id for item in items]
    assert {(row["reason"], row["quarantined_at"]) for row in rows} == {("no status", stored.now)}
    assert await stored.rows("SELECT 1 FROM raw_item") == []
