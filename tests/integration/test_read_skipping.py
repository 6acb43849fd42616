"""`@skip` and `@include`: what is left out is left out of the statement, and everything may be."""

from typing import Any, Final

import pytest

from tests.factories.purchasing import make_purchase_order, make_purchase_order_line
from tests.fixtures.reading import Shelf

SKIPPED: Final[dict[str, dict[str, Any]]] = {
    "{ purchaseOrders @skip(if: $s) { nodes { id } } }": {},
    "{ purchaseOrders { totalCount @skip(if: $s) } }": {"purchaseOrders": {}},
    "{ purchaseOrders { nodes { id @skip(if: $s) } } }": {"purchaseOrders": {"nodes": [{}]}},
    "{ purchaseOrders { edges { cursor @skip(if: $s) } } }": {"purchaseOrders": {"edges": [{}]}},
    "{ purchaseOrders { edges { node { id @skip(if: $s) } } } }": {"purchaseOrders": {"edges": [{"node": {}}]}},
    "{ purchaseOrders { pageInfo { endCursor @skip(if: $s) } } }": {"purchaseOrders": {"pageInfo": {}}},
    "{ purchaseOrders { nodes { lines { kind @skip(if: $s) } connection { id @skip(if: $s) } } } }": {
        "purchaseOrders": {"nodes": [{"lines": [{}], "connection": {}}]}
    },
    "{ purchaseOrders { nodes { shipTo { city @skip(if: $s) } billTo { city @skip(if: $s) } } } }": {
        "purchaseOrders": {"nodes": [{"shipTo": {}, "billTo": None}]}
    },
}
BY_VARIABLES: Final[dict[tuple[bool, bool], dict[str, str]]] = {
    (False, True): {"orderNumber": "PO1", "notes": "Ring twice", "status": "APPROVED"},
    (True, True): {"notes": "Ring twice", "status": "APPROVED"},
    (False, False): {"orderNumber": "PO1", "status": "APPROVED"},
    (True, False): {"status": "APPROVED"},
}


@pytest.fixture
async def filled(shelf: Shelf) -> Shelf:
    """One order with one line, shipped to an address."""
    async with shelf.database.write(shelf.own) as session:
        order = await make_purchase_order(
            session, scope=shelf.own, order_number="PO1", ship_to={"city": "Bremen"}, notes="Ring twice"
        )
        await make_purchase_order_line(session, scope=shelf.own, order=order)
    return shelf


async def test_an_object_whose_fields_are_all_skipped_is_told_empty(filled: Shelf) -> None:
    told = {document: await filled.gql(f"query ($s: Boolean!) {document}", s=True) for document in SKIPPED}

    assert told == SKIPPED


async def test_one_document_answers_each_request_by_its_own_variables(filled: Shelf) -> None:
    """Asked twice, in turns: a plan kept from another request would tell its fields."""
    document = """
    query ($skip: Boolean!, $include: Boolean!) { purchaseOrders { nodes {
      orderNumber @skip(if: $skip) ... @include(if: $include) { notes } status } } }
    """

    told = [
        (asked, (await filled.gql(document, skip=asked[0], include=asked[1]))["purchaseOrders"]["nodes"])
        for asked in [*BY_VARIABLES, *BY_VARIABLES]
    ]

    assert told == [(asked, [BY_VARIABLES[asked]]) for asked in [*BY_VARIABLES, *BY_VARIABLES]]
