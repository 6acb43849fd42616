"""The main job end to end on a real ERP: connect, sync, read, write, and see it there."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from sandbox.tryton.client import TrytonClient
from sandbox.tryton.server import TrytonServer
from tests.fixtures.engine import until
from tests.fixtures.product import Product, environment
from tests.real.tryton_parts import draft

pytestmark = pytest.mark.timeout(900)

ENTITIES = ("PURCHASE_ORDER", "VENDOR", "WORK_ORDER", "INVENTORY_LEVEL", "ITEM", "LOCATION")
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

    assert {run["entity"]: run["status"] for run in runs} == dict.fromkeys(ENTITIES, "SUCCEEDED")
    assert listed["totalCount"] == inside == len(listed["nodes"])
    assert all(order["vendor"]["name"] for order in listed["nodes"])
    assert sum(bool(order["lines"]) for order in listed["nodes"]) == inside


async def _synced(product: Product, server: TrytonServer) -> str:
    """Connect and bring everything in; gives the connection's id."""
    connection, _ = await product.connect("tryton", credentials(server))
    await product.work()
    return connection


async def _trigger(product: Product, connection: str) -> str:
    """Ask for an incremental run of orders; gives its id."""
    payload = (await product.gql(TRIGGER, id=connection, mode="INCREMENTAL"))["triggerSync"]
    assert payload["userErrors"] == []
    run: str = payload["syncRuns"][0]["id"]
    return run


async def _run(product: Product, connection: str, run_id: str) -> dict[str, Any]:
    """Give a run."""
    runs: list[dict[str, Any]] = (await product.gql(RUNS, id=connection))["syncRuns"]["nodes"]
    return next(run for run in runs if run["id"] == run_id)


TRIGGER = """
mutation ($id: ID!, $mode: SyncMode!) {
  triggerSync(input: { connectionId: $id, entities: [PURCHASE_ORDER], mode: $mode }) {
    syncRuns { id status } userErrors { code message } } }
"""
CREATE = """
mutation ($id: ID!, $order: PurchaseOrderCreate!) {
  createPurchaseOrder(input: { connectionId: $id, purchaseOrder: $order }) {
    operation { id state }
    purchaseOrder { id sourceId status currency totalNet vendor { number } lines { itemCode quantity unitPrice } }
    userErrors { code path message sourceMessage } } }
"""


async def test_a_created_order_is_in_tryton_and_in_the_next_query_without_a_sync(
    product: Product, tryton_server: TrytonServer, tryton_client: TrytonClient
) -> None:
    connection = await _synced(product, tryton_server)
    before = (await product.gql(RUNS, id=connection))["syncRuns"]["nodes"]
    line = {"item": {"code": "ITEM-003"}, "quantity": "7", "unitPrice": "2.50"}
    order = {"vendor": {"code": "V-002"}, "currency": "EUR", "notes": "Made in a test", "lines": [line]}

    payload = (await product.gql(CREATE, id=connection, order=order))["createPurchaseOrder"]

    assert payload["userErrors"] == []
    made = payload["purchaseOrder"]
    inside = tryton_client.call(
        "purchase.purchase", "read", [int(made["sourceId"])], ["party.code", "comment", "state", "lines.quantity"]
    )[0]
    assert (inside["party."]["code"], inside["comment"], inside["state"]) == ("V-002", "Made in a test", "draft")
    assert [each["quantity"] for each in inside["lines."]] == [7.0]
    assert (made["status"], made["currency"], made["vendor"], payload["operation"]["state"]) == (
        "DRAFT",
        "EUR",
        {"number": "V-002"},
        "SUCCEEDED",
    )
    [stored] = made["lines"]
    assert (stored["itemCode"], Decimal(stored["quantity"]), Decimal(stored["unitPrice"])) == (
        "ITEM-003",
        Decimal(7),
        Decimal("2.5"),
    )
    listed = (await product.gql(ORDERS, id=connection))["purchaseOrders"]
    assert made["sourceId"] in {each["sourceId"] for each in listed["nodes"]}
    assert (await product.gql(RUNS, id=connection))["syncRuns"]["nodes"] == before


async def test_exactly_what_changed_inside_tryton_changes_here(
    product: Product, tryton_server: TrytonServer, tryton_client: TrytonClient, superuser: str
) -> None:
    """An order, and apart a line of another one, whose order's own stamp does not move."""
    by_order, by_line, untouched = (draft(tryton_client, lines=2) for _ in range(3))
    connection = await _synced(product, tryton_server)
    listed = (await product.gql(ORDERS, id=connection))["purchaseOrders"]["nodes"]
    before = {order["sourceId"]: order for order in listed}
    behind = await asyncpg.connect(superuser)
    told = await behind.fetchval("SELECT max(sequence) FROM event")
    tryton_client.call("purchase.purchase", "write", [int(by_order)], {"reference": "CHANGED-1"})
    [ids] = tryton_client.call("purchase.purchase", "read", [int(by_line)], ["lines"])
    tryton_client.call("purchase.line", "write", [ids["lines"][1]], {"quantity": 9.0})

    run_id = await _trigger(product, connection)
    await product.work()

    run = await _run(product, connection, run_id)
    assert (run["status"], run["created"], run["updated"], run["quarantined"]) == ("SUCCEEDED", 0, 2, 0)
    assert run["unchanged"] == run["fetched"] - 2
    listed = (await product.gql(ORDERS, id=connection))["purchaseOrders"]["nodes"]
    after = {order["sourceId"]: order for order in listed}
    assert {key for key in after if after[key] != before.get(key)} == {by_order, by_line}
    assert after.keys() == before.keys()
    assert untouched in after
    assert Decimal(after[by_line]["lines"][1]["quantity"]) == 9
    events = await behind.fetch(
        "SELECT type, data ->> 'sourceId' AS key FROM event WHERE sequence > $1 AND record_id IS NOT NULL", told
    )
    assert sorted((event["type"], event["key"]) for event in events) == sorted(
        ("purchase_order.updated", key) for key in (by_order, by_line)
    )
    await behind.close()


@asynccontextmanager
async def _worker(product: Product) -> AsyncIterator[None]:
    """Run a worker process, and kill it at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "crosshead", "worker"),
        env=environment(product.settings, lease_seconds=3),
        cwd=Path(__file__).parents[2],
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL


async def test_workers_killed_in_mid_sync_lose_and_double_nothing(
    product: Product, tryton_server: TrytonServer, tryton_client: TrytonClient, superuser: str
) -> None:
    """SIGKILL to the worker process, twice, while it reads the orders."""
    connection, _ = await product.connect("tryton", credentials(tryton_server))
    behind = await asyncpg.connect(superuser)
    for _ in range(2):
        async with _worker(product):
            running = (
                "SELECT count(*) FROM sync_run JOIN connected_entity USING (connection_id, entity)"
                " WHERE entity = 'PURCHASE_ORDER' AND status = 'RUNNING' AND lease_expires_at > now()"
            )
            await until(lambda running=running: behind.fetchval(running), timeout_s=40)
        assert await behind.fetchval("SELECT status FROM sync_run WHERE entity = 'PURCHASE_ORDER'") == "RUNNING"
        free = "SELECT count(*) = 0 FROM connected_entity WHERE lease_expires_at > now()"
        await until(lambda free=free: behind.fetchval(free))
        await behind.execute("UPDATE sync_run SET woken_at = NULL")

    async with _worker(product):
        ended = f"SELECT count(*) = {len(ENTITIES)} FROM sync_run WHERE status = 'SUCCEEDED'"
        await until(lambda: behind.fetchval(ended), timeout_s=60)

    runs = (await product.gql(RUNS, id=connection))["syncRuns"]["nodes"]
    assert {run["entity"]: run["status"] for run in runs} == dict.fromkeys(ENTITIES, "SUCCEEDED")
    counted = next(run for run in runs if run["entity"] == "PURCHASE_ORDER")
    inside = tryton_client.call("purchase.purchase", "search_count", [])
    assert (counted["fetched"], counted["created"], counted["updated"]) == (inside, inside, 0)
    listed = (await product.gql(ORDERS, id=connection))["purchaseOrders"]
    assert listed["totalCount"] == inside
    assert len({order["sourceId"] for order in listed["nodes"]}) == len(listed["nodes"])
    events = await behind.fetch("SELECT sequence, type FROM event ORDER BY sequence")
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert sum(event["type"] == "purchase_order.created" for event in events) == inside
    await behind.close()


async def test_subscribers_see_a_run_and_the_order_that_it_changed(
    product: Product, tryton_server: TrytonServer, tryton_client: TrytonClient
) -> None:
    key = draft(tryton_client)
    connection = await _synced(product, tryton_server)
    tryton_client.call("purchase.purchase", "write", [int(key)], {"reference": "SEEN-1"})
    run_id = await _trigger(product, connection)
    statuses: list[str] = []

    def socket() -> Client:
        transport = WebsocketsTransport(
            url=product.url.replace("http", "ws", 1) + "/graphql",
            init_payload={"authorization": f"Bearer {product.key}"},
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        )
        return Client(transport=transport)

    async def follow_run() -> None:
        followed = gql("subscription ($run: ID!) { syncRunUpdated(syncRunId: $run) { id status pages updated } }")
        followed.variable_values = {"run": run_id}
        async with socket() as session:
            async for told in session.subscribe(followed):
                statuses.append(told["syncRunUpdated"]["status"])
                if statuses[-1] == "SUCCEEDED":
                    return

    async def first_change() -> dict[str, Any]:
        changed = gql(
            "subscription ($id: ID!) { recordChanged(connectionId: $id, entity: PURCHASE_ORDER) {"
            " type entity record { id ... on PurchaseOrder { sourceId vendorReference lines { itemCode } } } } }"
        )
        changed.variable_values = {"id": connection}
        async with socket() as session:
            async for told in session.subscribe(changed):
                change: dict[str, Any] = told["recordChanged"]
                return change
        raise AssertionError("the subscription ended")

    following, changing = asyncio.create_task(follow_run()), asyncio.create_task(first_change())
    await until(lambda: _holds(statuses))
    await asyncio.sleep(1)  # nothing tells a client that it follows
    await product.work()
    async with asyncio.timeout(30):
        await following
        change = await changing

    assert statuses[0] == "QUEUED"
    assert "RUNNING" in statuses
    assert statuses[-1] == "SUCCEEDED"
    assert (change["type"], change["entity"]) == ("purchase_order.updated", "PURCHASE_ORDER")
    assert (change["record"]["sourceId"], change["record"]["vendorReference"]) == (key, "SEEN-1")
    assert change["record"]["lines"] == [{"itemCode": "ITEM-003"}]


async def _holds(found: list[str]) -> bool:
    return bool(found)
