"""Items in quarantine, as callers read them."""

from typing import Any

from db.types import Entity, encode_id
from tests.factories.sync import make_quarantined_item, make_sync_run
from tests.fixtures.reading import Shelf

ITEMS = """
query ($connection: ID!, $first: Int, $after: String) {
  quarantine(connectionId: $connection, first: $first, after: $after) {
  totalCount pageInfo { hasNextPage endCursor }
  nodes { entity sourceId reason body syncRun { id } connection { id } } } }
"""


async def test_items_in_quarantine_are_told_with_reason_and_run_page_by_page(shelf: Shelf) -> None:
    other, _ = await shelf.connect()
    async with shelf.database.write(shelf.own) as session:
        run = await make_sync_run(session, scope=shelf.own)
        for key in ("b", "a"):
            await make_quarantined_item(session, scope=shelf.own, source_id=key, body={"n": key}, run_id=run.id)
        await make_quarantined_item(session, scope=shelf.own, source_id="a", entity=Entity.ITEM, reason="no code")
    async with shelf.database.write(other) as session:
        await make_quarantined_item(session, scope=other, source_id="z")
    asked: dict[str, Any] = {"connection": shelf.connection_id, "first": 2}
    pages: list[Any] = []

    while not pages or pages[-1]["pageInfo"]["hasNextPage"]:
        pages.append((await shelf.gql(ITEMS, key=shelf.product.key, **asked))["quarantine"])
        asked["after"] = pages[-1]["pageInfo"]["endCursor"]

    told = [node for page in pages for node in page["nodes"]]
    assert [page["totalCount"] for page in pages] == [3, 3]
    assert [(node["entity"], node["sourceId"]) for node in told] == [
        ("ITEM", "a"),
        ("PURCHASE_ORDER", "a"),
        ("PURCHASE_ORDER", "b"),
    ]
    assert told[0] | {"body": None} == {
        "entity": "ITEM",
        "sourceId": "a",
        "reason": "no code",
        "body": None,
        "syncRun": None,
        "connection": {"id": shelf.connection_id},
    }
    assert (told[1]["body"], told[1]["syncRun"]) == ({"n": "a"}, {"id": encode_id("SyncRun", run.id)})


async def test_a_token_sees_nothing_of_another_connections_quarantine(shelf: Shelf) -> None:
    other, _ = await shelf.connect()
    assert other.connection_id is not None

    refused = await shelf.refusal(ITEMS, connection=encode_id("ConnectedSystem", other.connection_id))

    assert refused[0] == "NOT_FOUND"
