"""One list or object is one statement, whatever its page size and selection."""

import pytest

from db.types import decode_id
from tests.factories.items import make_item
from tests.factories.parties import make_vendor
from tests.factories.purchasing import make_purchase_order, make_purchase_order_line
from tests.fixtures.reading import Shelf, watched

WIDE = """
query ($first: Int) {
  purchaseOrders(first: $first, orderBy: [{field: ORDER_NUMBER}]) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { cursor node {
      id orderNumber
      connection { id status system { slug name } entities { entity } }
      vendor { name purchaseOrders(first: 2, orderBy: [{field: ORDER_NUMBER}]) { totalCount nodes {
        orderNumber lines { itemCode }
      } } }
      lines { lineNumber item { code connection { system { slug } } } }
    } }
  }
}
"""
NARROW = "{ purchaseOrders { nodes { id } } }"
TWO = "{ a: purchaseOrders { nodes { id } } b: vendors { nodes { id } } }"


@pytest.fixture
async def filled(shelf: Shelf) -> Shelf:
    """Twelve orders of two vendors, each with two lines of one item."""
    async with shelf.database.write(shelf.own) as session:
        for n in range(2):
            await make_vendor(session, scope=shelf.own, source_id=f"v-{n}")
            await make_item(session, scope=shelf.own, source_id=f"i-{n}")
        for n in range(12):
            order = await make_purchase_order(
                session, scope=shelf.own, source_id=f"o-{n}", order_number=f"PO{n:02}", vendor_source_id=f"v-{n % 2}"
            )
            for position in range(2):
                await make_purchase_order_line(
                    session,
                    scope=shelf.own,
                    order=order,
                    position=position,
                    item_source_id=f"i-{position}",
                    item_code=f"I-{position}",
                )
    return shelf


@pytest.mark.parametrize("first", [0, 1, 5, 150])
async def test_a_page_with_all_its_relations_is_one_statement(filled: Shelf, first: int) -> None:
    with watched() as seen:
        told = (await filled.gql(WIDE, first=first))["purchaseOrders"]

    assert len(seen.data) == 1
    assert told["totalCount"] == 12
    assert [edge["node"]["orderNumber"] for edge in told["edges"]] == [f"PO{n:02}" for n in range(min(first, 12))]


async def test_relations_tell_the_rows_they_join(filled: Shelf) -> None:
    told = (await filled.gql(WIDE, first=2))["purchaseOrders"]

    second = told["edges"][1]["node"]
    assert second["connection"] == {
        "id": filled.connection_id,
        "status": "ACTIVE",
        "system": {"slug": "tryton", "name": "Tryton"},
        "entities": [],
    }
    assert second["vendor"] == {
        "name": "Vendor v-1",
        "purchaseOrders": {
            "totalCount": 6,
            "nodes": [
                {"orderNumber": "PO01", "lines": [{"itemCode": "I-0"}, {"itemCode": "I-1"}]},
                {"orderNumber": "PO03", "lines": [{"itemCode": "I-0"}, {"itemCode": "I-1"}]},
            ],
        },
    }
    system = {"system": {"slug": "tryton"}}
    assert second["lines"] == [
        {"lineNumber": "1", "item": {"code": "I-0", "connection": system}},
        {"lineNumber": "2", "item": {"code": "I-1", "connection": system}},
    ]


async def test_what_surrounds_the_data_statement_is_constant(filled: Shelf) -> None:
    await filled.gql(NARROW)  # the token's use is noted once a minute
    with watched() as narrow:
        await filled.gql(NARROW)
    with watched() as wide:
        await filled.gql(WIDE, first=150)

    assert narrow.around == wide.around == (1, 1, []), "a single read sets its scope itself and is its own transaction"


async def test_two_lists_side_by_side_are_two_statements_in_one_transaction(filled: Shelf) -> None:
    with watched() as seen:
        await filled.gql(TWO)

    assert len(seen.data) == 2
    assert len(seen.scopes) == 1
    assert seen.transactions == ["BEGIN", "COMMIT"]


NODES = """query ($ids: [ID!]!) {
  nodes(ids: $ids) { id ... on PurchaseOrder { orderNumber lines { itemCode } } ... on Vendor { name } } }"""


async def test_nodes_are_one_statement_a_type(filled: Shelf) -> None:
    """A hundred ids of two types, of which one is unknown; each is read once, however often it is asked for.

    Off: `dict.fromkeys` in graph/context.py `each`.
    """
    both = "{ purchaseOrders { nodes { id } } vendors { nodes { id } } }"
    found = await filled.gql(both)
    ids = [node["id"] for name in ("purchaseOrders", "vendors") for node in found[name]["nodes"]]
    asked = [*(ids * 8)[:99], "po_" + "0" * 32]

    for key in (filled.token, filled.product.key):
        with watched() as seen:
            told = (await filled.gql(NODES, key=key, ids=asked))["nodes"]

        assert len(seen.data) == 2
        read = [each for values in seen.values for each in values[2]]
        assert sorted(read) == sorted({decode_id(each)[1] for each in asked})
        assert [node and node["id"] for node in told] == [*asked[:-1], None]
        assert told[0] == {"id": ids[0], "orderNumber": "PO00", "lines": [{"itemCode": "I-0"}, {"itemCode": "I-1"}]}


async def test_nodes_side_by_side_are_read_apart(filled: Shelf) -> None:
    query = "query ($id: ID!) { a: nodes(ids: [$id]) { id } b: nodes(ids: [$id, $id]) { __typename } }"
    [vendor] = (await filled.gql("{ vendors(first: 1) { nodes { id } } }"))["vendors"]["nodes"]

    with watched() as seen:
        told = await filled.gql(query, id=vendor["id"])

    assert len(seen.data) == 2
    assert told == {"a": [vendor], "b": [{"__typename": "Vendor"}] * 2}


async def test_what_is_refused_reaches_no_table_of_records(filled: Shelf) -> None:
    with watched() as seen:
        code, _ = await filled.refusal("{ purchaseOrders(first: 251) { nodes { id } } }")

    assert code == "BAD_USER_INPUT"
    assert seen.data == []
