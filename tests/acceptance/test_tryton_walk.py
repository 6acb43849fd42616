"""The main job end to end on a real ERP: connect, sync, read, write, and see it there."""

import pytest

from sandbox.tryton.client import TrytonClient
from sandbox.tryton.server import TrytonServer
from tests.fixtures.product import Product

pytestmark = pytest.mark.timeout(900)

ORDERS = """
query ($id: ID!, $after: String) {
  purchaseOrders(connectionId: $id, first: 250, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      id sourceId orderNumber status currency orderDate totalNet totalGross version
      vendor { id name number }
      connection { id system { slug } }
      lines { lineNumber kind itemCode quantity unit unitPrice netAmount }
    }
  }
}
"""
RUNS = """
query ($id: ID!) { syncRuns(connectionId: $id) { nodes {
  id entity mode trigger status fetched created updated unchanged quarantined pages error { message } } } }
"""


def credentials(server: TrytonServer) -> dict[str, str]:
    return {
        "base_url": server.url,
        "database": server.database,
        "username": server.username,
        "password": server.password,
    }


async def test_a_first_sync_brings_all_orders_with_lines_and_vendors(
    product: Product, tryton_server: TrytonServer, tryton_client: TrytonClient
) -> None:
    connection, token = await product.connect("tryton", credentials(tryton_server))
    await product.work()

    runs = (await product.gql(RUNS, id=connection))["syncRuns"]["nodes"]
    listed = (await product.gql(ORDERS, key=token, id=connection))["purchaseOrders"]
    inside = tryton_client.call("purchase.purchase", "search_count", [])

    assert {run["entity"]: run["status"] for run in runs} == {"PURCHASE_ORDER": "SUCCEEDED", "VENDOR": "SUCCEEDED"}
    assert listed["totalCount"] == inside == len(listed["nodes"])
    assert all(order["vendor"]["name"] for order in listed["nodes"])
    assert sum(bool(order["lines"]) for order in listed["nodes"]) == inside
