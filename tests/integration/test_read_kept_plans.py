"""A document asked again reads by the plan that is kept beside it, and tells what it would tell when asked first."""

from itertools import count
from typing import Any

import pytest

from tests.factories.parties import make_vendor
from tests.factories.purchasing import make_purchase_order
from tests.fixtures.reading import Shelf

DOCUMENT = """
query One($id: ID!, $wide: Boolean = false, $n: Int = 1, $more: Boolean = false) {
  ...More @include(if: $more)
  ...Narrow
  ...Wide @include(if: $wide)
}
query Other($id: ID!, $wide: Boolean = true, $n: Int = 2) {
  ...Narrow
  ...Wide @include(if: $wide)
}
query Listed($first: Int, $field: PurchaseOrderOrderField = ORDER_NUMBER, $is: String) {
  purchaseOrders(first: $first, orderBy: [{field: $field, direction: DESC}], filter: {orderNumber: {eq: $is}}) {
    nodes { orderNumber } }
}
fragment More on Query { purchaseOrder(id: $id) { sourceId } }
fragment Narrow on Query { purchaseOrder(id: $id) { orderNumber } }
fragment Wide on Query { purchaseOrder(id: $id) { status vendor {
  name purchaseOrders(first: $n, orderBy: [{field: ORDER_NUMBER}]) { nodes { orderNumber } } } } }
"""
_FRESH = count()


@pytest.fixture
async def orders(shelf: Shelf) -> list[str]:
    """Ids of three orders of one vendor."""
    async with shelf.database.write(shelf.own) as session:
        await make_vendor(session, scope=shelf.own, source_id="v-1")
        made = [
            await make_purchase_order(
                session, scope=shelf.own, source_id=f"o-{n}", order_number=f"PO{n}", vendor_source_id="v-1"
            )
            for n in range(3)
        ]
    return [f"po_{each.id.hex}" for each in made]


def asked(orders: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Give operations with variables, all that differ in one thing only beside each other."""
    by_id: list[tuple[str, dict[str, Any]]] = [
        (name, {"id": order, **more})
        for name in ("One", "Other")
        for order in orders
        for more in ({}, {"wide": True}, {"wide": False}, {"wide": True, "n": 3}, {"wide": True, "n": 2})
    ]
    by_id += [("One", {"id": orders[0], "more": more}) for more in (True, False)]
    lists: list[tuple[str, dict[str, Any]]] = [
        ("Listed", {"is": "PO1", **more})
        for more in ({}, {"first": 1}, {"first": 2}, {"field": "SOURCE_ID", "first": 2}, {"is": "PO2"}, {"is": "none"})
    ]
    return [*by_id, *lists]


async def test_a_kept_plan_tells_what_a_new_one_tells(shelf: Shelf, orders: list[str]) -> None:
    """Off: any part of the key in graph/plans.py `key`, e.g. `nodes` or `told` as a constant."""
    kept: dict[str, list[Any]] = {}
    for _ in range(2):
        for name, variables in asked(orders):
            answer = await told(shelf, DOCUMENT, name, variables)
            kept.setdefault(f"{name} {variables}", []).append(answer)

    for name, variables in asked(orders):
        fresh = await told(shelf, f"# {next(_FRESH)}\n{DOCUMENT}", name, variables)
        assert kept[f"{name} {variables}"] == [fresh, fresh], (name, variables)


async def told(shelf: Shelf, document: str, name: str, variables: dict[str, Any]) -> Any:
    """Ask, and give the data."""
    body = {"query": document, "operationName": name, "variables": variables}
    headers = {"Authorization": f"Bearer {shelf.token}"}
    async with shelf.product.http.post(f"{shelf.product.url}/graphql", json=body, headers=headers) as answer:
        made = await answer.json(content_type=None)
    assert "errors" not in made, made
    return made["data"]
