"""Objects by id: in the order asked, null where the token sees none, deleted ones too."""

from datetime import UTC, datetime

import pytest

from db.types import encode_id, new_id
from tests.factories.items import make_item
from tests.factories.parties import make_vendor
from tests.factories.purchasing import make_purchase_order, make_purchase_order_line
from tests.fixtures.reading import Shelf

NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Vendor { name } } }"
ORDER = "query ($id: ID!) { purchaseOrder(id: $id) { id deletedAt } }"
GONE = datetime(2026, 5, 1, 12, tzinfo=UTC)


async def test_nodes_come_in_the_order_asked_with_nulls_between(shelf: Shelf) -> None:
    async with shelf.database.write(shelf.own) as session:
        order = await make_purchase_order(session, scope=shelf.own)
        vendor = await make_vendor(session, scope=shelf.own, name="V")
        item = await make_item(session, scope=shelf.own)
    po, vend = encode_id("PurchaseOrder", order.id), encode_id("Vendor", vendor.id)
    it, unknown = encode_id("Item", item.id), encode_id("Vendor", new_id())

    told = (await shelf.gql(NODES, ids=[it, unknown, vend, po, shelf.connection_id, it]))["nodes"]

    assert told == [
        {"__typename": "Item", "id": it},
        None,
        {"__typename": "Vendor", "id": vend, "name": "V"},
        {"__typename": "PurchaseOrder", "id": po},
        {"__typename": "ConnectedSystem", "id": shelf.connection_id},
        {"__typename": "Item", "id": it},
    ]


async def test_what_the_token_does_not_open_is_null(shelf: Shelf) -> None:
    sister, _ = await shelf.connect()
    stranger = await shelf.stranger()
    found = {}
    for name, own in {"sister": sister, "stranger": stranger}.items():
        async with shelf.database.write(own) as session:
            order = await make_purchase_order(session, scope=own)
            assert own.connection_id is not None
            found[name] = [encode_id("PurchaseOrder", order.id), encode_id("ConnectedSystem", own.connection_id)]

    for each in (*found["sister"], *found["stranger"]):
        assert (await shelf.gql(NODE, id=each))["node"] is None
    assert (await shelf.gql(ORDER, id=found["sister"][0]))["purchaseOrder"] is None
    by_key = [
        (await shelf.gql(NODE, key=shelf.product.key, id=each))["node"]
        for each in (*found["sister"], *found["stranger"])
    ]
    assert [node and node["id"] for node in by_key] == [*found["sister"], None, None]


@pytest.mark.parametrize(
    "text",
    ["", "x", "po_", "po_1", "po_" + "g" * 32, "po_" + "A" * 32, "zz_" + "0" * 32, "ses_" + "0" * 32, "po_\0", "😀"],
)
async def test_text_that_is_no_id_is_refused(shelf: Shelf, text: str) -> None:
    for query in (NODE, ORDER, "query ($id: ID!) { nodes(ids: [$id]) { id } }"):
        assert (await shelf.refusal(query, id=text))[0] == "BAD_USER_INPUT"


async def test_an_id_of_another_type_is_refused_by_name(shelf: Shelf) -> None:
    code, message = await shelf.refusal(ORDER, id="vend_" + "0" * 32)

    assert (code, "is the id of a Vendor" in message) == ("BAD_USER_INPUT", True)


async def test_nodes_takes_a_hundred_ids(shelf: Shelf) -> None:
    assert (await shelf.gql(NODES, ids=[shelf.connection_id] * 100))["nodes"] == [
        {"__typename": "ConnectedSystem", "id": shelf.connection_id}
    ] * 100
    assert (await shelf.refusal(NODES, ids=[shelf.connection_id] * 101))[0] == "BAD_USER_INPUT"


async def test_deleted_records_leave_lists_and_still_answer_by_id(shelf: Shelf) -> None:
    async with shelf.database.write(shelf.own) as session:
        vendor = await make_vendor(session, scope=shelf.own, source_id="v", name="V", deleted_at=GONE)
        kept = await make_purchase_order(session, scope=shelf.own, source_id="a", vendor_source_id="v")
        gone = await make_purchase_order(session, scope=shelf.own, source_id="b", vendor_source_id="v", deleted_at=GONE)
        await make_purchase_order_line(session, scope=shelf.own, order=gone, item_code="BOLT")
    kept_id, gone_id = encode_id("PurchaseOrder", kept.id), encode_id("PurchaseOrder", gone.id)

    lists = await shelf.gql("""{ vendors { totalCount nodes { id } }
        purchaseOrders { totalCount nodes { id vendor { name deletedAt purchaseOrders { totalCount nodes { id } } } } }
        of: purchaseOrders(filter: {lines: {itemCode: {eq: "BOLT"}}}) { totalCount edges { cursor } } }""")
    by_id = await shelf.gql(ORDER, id=gone_id)
    node = await shelf.gql(
        "query ($id: ID!) { node(id: $id) { ... on Vendor { name deletedAt } } }", id=encode_id("Vendor", vendor.id)
    )

    at = "2026-05-01T12:00:00.000000Z"
    orders = {"totalCount": 1, "nodes": [{"id": kept_id}]}
    assert lists["vendors"] == {"totalCount": 0, "nodes": []}
    assert lists["purchaseOrders"] == {
        "totalCount": 1,
        "nodes": [{"id": kept_id, "vendor": {"name": "V", "deletedAt": at, "purchaseOrders": orders}}],
    }
    assert lists["of"] == {"totalCount": 0, "edges": []}
    assert by_id["purchaseOrder"] == {"id": gone_id, "deletedAt": at}
    assert node["node"] == {"name": "V", "deletedAt": at}


async def test_a_list_is_held_to_the_connection_asked_for(shelf: Shelf) -> None:
    sister, _ = await shelf.connect()
    stranger = await shelf.stranger()
    assert sister.connection_id is not None
    assert stranger.connection_id is not None
    for own in (shelf.own, sister, stranger):
        async with shelf.database.write(own) as session:
            await make_vendor(session, scope=own, name=str(own.connection_id))
    query = "query ($id: ID) { vendors(connectionId: $id, orderBy: [{field: ID}]) { totalCount nodes { name } } }"
    key = shelf.product.key

    async def names(asking: str, connection_id: str | None) -> list[str]:
        told = (await shelf.gql(query, key=asking, id=connection_id))["vendors"]
        assert told["totalCount"] == len(told["nodes"])
        return [node["name"] for node in told["nodes"]]

    mine, other = str(shelf.own.connection_id), str(sister.connection_id)
    assert await names(key, None) == [mine, other]
    assert await names(key, encode_id("ConnectedSystem", sister.connection_id)) == [other]
    assert await names(shelf.token, None) == await names(shelf.token, shelf.connection_id) == [mine]
    refused = await shelf.refusal(query, id=encode_id("ConnectedSystem", sister.connection_id))
    assert refused == ("NOT_FOUND", "There is no such connection.")
