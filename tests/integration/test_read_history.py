"""A record's versions as callers read them, and what a run changed."""

from datetime import timedelta
from typing import Any

from db.types import Cause, encode_id
from tests.factories.sync import make_event_counter, make_sync_run
from tests.factories.writing import make_write_operation
from tests.fixtures.reading import Shelf, watched
from tests.fixtures.storing import NOON, Store, incoming, line, order

HISTORY = """
query ($first: Int, $after: String, $last: Int, $before: String) { purchaseOrders(first: 1) { nodes {
  id history(first: $first, after: $after, last: $last, before: $before) { totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes { version validFrom validTo cause entity recordId syncRun { id } writeOperation { id } connection { id }
            changes { path before after } record { id ... on PurchaseOrder { status } } } } } } }
"""
CHANGES = """
query ($id: ID!, $first: Int, $after: String) { syncRun(id: $id) { changes(first: $first, after: $after) {
  totalCount pageInfo { hasNextPage endCursor }
  nodes { recordId version changes { path before after } record { __typename ... on PurchaseOrder { sourceId } } } } } }
"""


async def a_store(shelf: Shelf) -> Store:
    async with shelf.database.write(shelf.own) as session:
        await make_event_counter(session, scope=shelf.own, last_sequence=0)
    return Store(shelf.database, shelf.own, None)  # nothing is looked at behind


async def history(shelf: Shelf, **asked: Any) -> Any:
    (node,) = (await shelf.gql(HISTORY, **asked))["purchaseOrders"]["nodes"]
    return node


def at(minutes: int) -> str:
    return (NOON + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def test_versions_are_told_newest_first_with_what_brought_them_and_what_changed(shelf: Shelf) -> None:
    """As one statement with the record itself."""
    store = await a_store(shelf)
    async with shelf.database.write(shelf.own) as session:
        run = await make_sync_run(session, scope=shelf.own)
        write = await make_write_operation(session, scope=shelf.own)
    before = order(vendor_source_id="v1", lines=[line("1", unit_price="2.50")])
    await store.put(incoming("1", before, at=store.now), run_id=run.id)
    after = order(vendor_source_id="v2", lines=[line("1", unit_price="2.5")])
    await store.put(incoming("1", after, at=store.now), cause=Cause.WRITE, operation_id=write.id)
    await store.delete("1")
    await store.put(incoming("1", order(status="SENT", lines=[]), at=store.now), cause=Cause.MAPPING)

    with watched() as seen:
        node = await history(shelf)

    assert len(seen.data) == 1
    own = {"entity": "PURCHASE_ORDER", "recordId": node["id"], "connection": {"id": shelf.connection_id}}
    own["record"] = {"id": node["id"], "status": "SENT"}
    bare = {"syncRun": None, "writeOperation": None, **own}
    told = [{**bare, **version} for version in node["history"]["nodes"]]
    assert node["history"]["totalCount"] == 4
    assert [(v["version"], v["cause"], v["validFrom"], v["validTo"]) for v in told] == [
        (4, "MAPPING", at(4), None),
        (3, "SYNC", at(3), at(4)),
        (2, "WRITE", at(2), at(3)),
        (1, "SYNC", at(1), at(2)),
    ]
    assert [v["syncRun"] for v in told] == [None, None, None, {"id": encode_id("SyncRun", run.id)}]
    assert told[2]["writeOperation"] == {"id": encode_id("WriteOperation", write.id)}
    assert [{name: v[name] for name in own} for v in told] == [own] * 4
    assert [[change["path"] for change in v["changes"]] for v in told] == [
        [["deletedAt"], ["status"], ["vendor"], ["lines", "1"]],
        [["deletedAt"]],
        [["vendor"], ["lines", "1", "unitPrice"]],
        [],
    ]
    assert told[2]["changes"] == [
        {"path": ["vendor"], "before": "v1", "after": "v2"},
        {"path": ["lines", "1", "unitPrice"], "before": "2.50", "after": "2.5"},
    ]


async def test_versions_come_in_pages_both_ways(shelf: Shelf) -> None:
    store = await a_store(shelf)
    for number in range(5):
        await store.put(incoming("1", order(notes=str(number)), at=store.now))

    first = (await history(shelf, first=2))["history"]
    second = (await history(shelf, first=2, after=first["pageInfo"]["endCursor"]))["history"]
    back = (await history(shelf, last=2, before=second["pageInfo"]["startCursor"]))["history"]

    assert [v["version"] for page in (first, second, back) for v in page["nodes"]] == [5, 4, 3, 2, 5, 4]
    assert first["pageInfo"]["hasNextPage"] is second["pageInfo"]["hasNextPage"] is True
    assert back["pageInfo"]["hasPreviousPage"] is False


async def test_a_run_tells_the_records_that_it_made_changed_and_found_gone(shelf: Shelf) -> None:
    store = await a_store(shelf)
    async with shelf.database.write(shelf.own) as session:
        run = await make_sync_run(session, scope=shelf.own)
    for key in "abc":
        await store.put(incoming(key, order(), at=store.now))
    await store.put(incoming("a", order(notes="n"), at=store.now), run_id=run.id)
    await store.put(incoming("d", order(), at=store.now), run_id=run.id)
    await store.put(incoming("a", order(notes="m"), at=store.now), run_id=run.id)
    asked: dict[str, Any] = {"id": encode_id("SyncRun", run.id), "first": 2}
    pages: list[Any] = []

    while not pages or pages[-1]["pageInfo"]["hasNextPage"]:
        pages.append((await shelf.gql(CHANGES, **asked))["syncRun"]["changes"])
        asked["after"] = pages[-1]["pageInfo"]["endCursor"]

    told = [
        (v["record"]["sourceId"], v["version"], [(c["path"], c["before"], c["after"]) for c in v["changes"]])
        for page in pages
        for v in page["nodes"]
    ]
    assert told == [
        ("a", 2, [(["notes"], None, "n")]),
        ("a", 3, [(["notes"], "n", "m")]),
        ("d", 1, []),
    ]
    assert [page["totalCount"] for page in pages] == [3, 3]
