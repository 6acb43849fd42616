"""A document asked again goes straight to its plan, and is told what graphql-core's executor tells, errors included."""

from itertools import count
from typing import Any

import pytest

from db.types import new_id
from tests.factories.purchasing import make_purchase_order
from tests.fixtures.reading import Shelf

ONE = "query ($id: ID!, $at: DateTime) { told: purchaseOrder(id: $id, asOf: $at) { __typename orderNumber } }"
LIST = """query ($first: Int, $of: ID, $is: String) {
  purchaseOrders(first: $first, connectionId: $of, filter: {orderNumber: {eq: $is}}) {
    totalCount nodes { orderNumber } }
}"""
LOG = "query ($first: Int) { requestLog(first: $first) { nodes { id } } }"
SUMMARY = "query ($by: [PurchaseOrderGroup!]!) { purchaseOrderSummary(groupBy: $by) { count } }"
UNKNOWN = f"po_{new_id().hex}"
ELSEWHERE = f"conn_{new_id().hex}"
CASES: list[tuple[str, dict[str, Any]]] = [
    *((ONE, {"id": each}) for each in ("OWN", UNKNOWN, "po_1", "vend_" + "0" * 32, None, 7, ["a", "b"], {"a": 1})),
    (ONE, {}),
    *((ONE, {"id": "OWN", "at": at}) for at in ("2030-01-01T00:00:00Z", "2001-01-01T00:00:00Z", "never", None)),
    *((LIST, {"first": first}) for first in (0, 1, 250, 251, -1, "1", 2**40, None)),
    *((LIST, {"of": of}) for of in ("CONNECTION", ELSEWHERE, "conn_1", UNKNOWN)),
    *((LIST, {"is": each}) for each in ("PO1", "none", 1, None)),
    *((LOG, {"first": first}) for first in (1, 251)),
    *((SUMMARY, {"by": by}) for by in (["STATUS"], [], ["STATUS", "STATUS"], ["NONE"], "STATUS", None)),
]
_FRESH = count()


@pytest.fixture
async def order(shelf: Shelf) -> str:
    """Id of an order."""
    async with shelf.database.write(shelf.own) as session:
        made = await make_purchase_order(session, scope=shelf.own, order_number="PO1")
    return f"po_{made.id.hex}"


@pytest.mark.parametrize(("document", "variables"), CASES)
async def test_what_goes_straight_is_told_as_what_is_executed(
    shelf: Shelf, order: str, document: str, variables: dict[str, Any]
) -> None:
    """Off: in graph/straight.py `answer`, tell no error, or null whatever failed.

    A document that is not known yet has no plan, so graphql-core's executor answers. Known, it is asked for something
    else first, and twice for what is looked at: the first time keeps the plan even of what is refused later.
    """
    named = {"OWN": order, "CONNECTION": shelf.connection_id}
    given = {name: named.get(value, value) if isinstance(value, str) else value for name, value in variables.items()}
    fresh, known = (f"# {next(_FRESH)}\n{document}" for _ in range(2))
    executed = await asked(shelf, fresh, given)

    await asked(shelf, known, {"id": order})
    answers = [await asked(shelf, known, given) for _ in range(2)]

    assert answers == [executed, executed]


async def asked(shelf: Shelf, document: str, variables: dict[str, Any]) -> tuple[int, Any]:
    """Ask; gives the status and the answer without what differs from one request to the next."""
    status, body = await shelf.product.post(document, key=shelf.token, **variables)
    for error in body.get("errors", ()):
        error["extensions"].pop("requestId", None)
    cost = body.get("extensions", {}).get("cost", {})
    return status, {**body, "extensions": {name: value for name, value in cost.items() if name != "available"}}
