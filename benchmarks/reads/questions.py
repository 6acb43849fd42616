"""The same two questions in each server's words: a page of 50 orders, and one order by its id."""

import json
from dataclasses import dataclass
from typing import Final
from uuid import UUID

PAGE_SIZE: Final = 50
_OWN: Final = (
    "sourceId orderNumber status currency orderDate requiredDate totalNet totalTax totalGross notes customFields"
)
_LINE: Final = "lineNumber kind itemCode description quantity unit unitPrice netAmount status requiredDate"
_ADDRESS: Final = "{ name lines city country }"
ORDER: Final = f"id {_OWN} shipTo {_ADDRESS} billTo {_ADDRESS} vendor {{ id number name }} lines {{ {_LINE} }}"
"""What is asked of an order. PostGraphile gives the addresses whole, as they are stored."""
_PEER_ORDER: Final = (
    f"id {_OWN} shipTo billTo vendorByConnectionIdAndVendorSourceId {{ id number name }}"
    f" purchaseOrderLinesByConnectionIdAndPurchaseOrderId {{ nodes {{ {_LINE} }} }}"
)


@dataclass(frozen=True, slots=True)
class Question:
    """What to send: paths and bodies are walked in turn; a body of None asks by GET."""

    paths: list[str]
    bodies: list[str | None]


def _gql(query: str, values: list[dict[str, object]]) -> Question:
    return Question(["/graphql"] * len(values), [json.dumps({"query": query, "variables": each}) for each in values])


def crosshead(ids: list[UUID]) -> dict[str, Question]:
    """Ask the product."""
    page = f"query ($first: Int!) {{ purchaseOrders(first: $first) {{ nodes {{ {ORDER} }} }} }}"
    one = f"query ($id: ID!) {{ purchaseOrder(id: $id) {{ {ORDER} }} }}"
    return {
        "page": _gql(page, [{"first": PAGE_SIZE}]),
        "one": _gql(one, [{"id": f"po_{each.hex}"} for each in ids]),
    }


def plain(ids: list[UUID]) -> dict[str, Question]:
    """Ask plain Strawberry: the product's own words, at a mounted path."""
    asked = crosshead(ids)
    return {name: Question(["/graphql/"] * len(each.paths), each.bodies) for name, each in asked.items()}


def postgraphile(connection: UUID, ids: list[UUID]) -> dict[str, Question]:
    """Ask PostGraphile, which is told the connection, for it knows no tokens."""
    page = (
        "query ($first: Int!, $connection: UUID!) { allPurchaseOrders(first: $first, orderBy: PRIMARY_KEY_ASC,"
        f" condition: {{ connectionId: $connection }}) {{ nodes {{ {_PEER_ORDER} }} }} }}"
    )
    one = (
        "query ($connection: UUID!, $id: UUID!) { purchaseOrderByConnectionIdAndRowId(connectionId: $connection,"
        f" rowId: $id) {{ {_PEER_ORDER} }} }}"
    )
    return {
        "page": _gql(page, [{"first": PAGE_SIZE, "connection": str(connection)}]),
        "one": _gql(one, [{"connection": str(connection), "id": str(each)} for each in ids]),
    }


def ceiling(ids: list[UUID]) -> dict[str, Question]:
    """Ask the hand-written routes."""
    return {
        "page": Question(["/page"], [None]),
        "one": Question([f"/order/po_{each.hex}" for each in ids], [None] * len(ids)),
    }
