"""NetSuite from the front door: connected, synced first and since, orders written and found again."""

import random
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from sandbox.kit.server import serving
from sandbox.netsuite.app import RunningNetSuite, create_app
from sandbox.netsuite.seed.plan import Plan
from tests.fixtures.netsuite_source import DEFAULTS
from tests.fixtures.product import Product

ORDERS = """query ($id: ID!) { purchaseOrders(connectionId: $id, first: 100) { nodes {
  id sourceId orderNumber status notes currency deletedAt vendor { name }
  lines { sourceLineId quantity unit unitPrice item { code } }
} } }"""
COUNTS = """query ($id: ID!) {
  vendors(connectionId: $id) { totalCount } items(connectionId: $id) { totalCount }
  inventoryLevels(connectionId: $id) { totalCount } locations(connectionId: $id) { totalCount }
  syncRuns { nodes { entity status } }
}"""
SYNC = "mutation ($id: ID!) { triggerSync(input: {connectionId: $id}) { userErrors { code } } }"
ERRORS = "operation { state sourceId } userErrors { code path message sourceMessage }"
LINE = {"item": {"code": "ITM-00001"}, "quantity": "12", "unit": "EA", "unitPrice": "12.40"}
ORDER = {"vendor": {"code": "V00005"}, "currency": "EUR", "requiredDate": "2027-01-15", "lines": [LINE]}


@pytest.fixture
async def account() -> AsyncIterator[RunningNetSuite]:
    """An account of its own, on our clock: it takes signatures of its own time only."""
    async with serving(create_app(plan=Plan(orders=40, vendors=12, items=9))) as running:
        yield running


@pytest.fixture
async def connection(product: Product, account: RunningNetSuite) -> str:
    """NetSuite, connected by a token; gives the connection's id."""
    credentials = {
        "base_url": account.url,
        "account": "1234567_SB1",
        "auth_method": "TOKEN",
        "consumer_key": "ck-demo",
        "consumer_secret": "cs-demo-7f3a",
        "token_id": "tk-integration",
        "token_secret": "ts-integration-51c0",
        "time_zone": "America/Los_Angeles",
    }
    defaults = DEFAULTS.model_dump(mode="json")
    told, _ = await product.connect("netsuite", credentials, writeDefaults=defaults)
    return told


async def orders(product: Product, connection: str) -> dict[str, dict[str, Any]]:
    found = (await product.gql(ORDERS, id=connection))["purchaseOrders"]["nodes"]
    return {each["sourceId"]: each for each in found}


async def test_a_first_sync_reads_all_and_later_ones_what_changed(
    product: Product, connection: str, account: RunningNetSuite
) -> None:
    await product.work()
    first = await orders(product, connection)
    counts = await product.gql(COUNTS, id=connection)
    editor, rng = account.app.driver.editor, random.Random(3)
    changed, gone, *_ = sorted(first)
    editor.change(changed, rng, account.app.simulated.clock.stamp())
    [made] = account.app.driver.make(1, rng=rng, mix={"create": 1})
    editor.vanish(gone)
    account.app.calls.clear()

    await product.gql(SYNC, id=connection)
    await product.work()
    second = await orders(product, connection)

    assert {run["status"] for run in counts["syncRuns"]["nodes"]} == {"SUCCEEDED"}
    assert counts["vendors"]["totalCount"] == 12
    assert counts["items"]["totalCount"] == 9
    assert counts["locations"]["totalCount"] == 3
    assert counts["inventoryLevels"]["totalCount"] == account.app.system.store.count("inventoryitemlocations")
    assert len(first) == 35  # every eighth of forty is older than the ninety days that are read
    assert all(order["vendor"]["name"] and order["lines"][0]["item"]["code"] for order in first.values())
    assert second.keys() == first.keys() - {gone} | {made}
    assert second[changed]["notes"] != first[changed]["notes"]
    untouched = first.keys() - {changed, gone}
    assert {key: second[key] for key in untouched} == {key: first[key] for key in untouched}


async def test_an_order_is_made_changed_cancelled_and_deleted(product: Product, connection: str) -> None:
    async def send(mutation: str, record: str, **given: Any) -> dict[str, Any]:
        kind = mutation[0].upper() + mutation[1:]
        document = f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ {record} {ERRORS} }} }}"
        payload: dict[str, Any] = (await product.gql(document, input=given))[mutation]
        assert payload["userErrors"] == []
        assert payload["operation"]["state"] == "SUCCEEDED"
        return payload

    await product.work()
    shown = "purchaseOrder { id status notes lines { sourceLineId quantity unit unitPrice } }"
    made = (await send("createPurchaseOrder", shown, connectionId=connection, purchaseOrder=ORDER))["purchaseOrder"]
    line = {"sourceLineId": made["lines"][0]["sourceLineId"], "quantity": "15"}
    changes = {"notes": "Gate 4, Süd", "changeLines": [line], "addLines": [{**LINE, "quantity": "2"}]}
    changed = (await send("updatePurchaseOrder", shown, id=made["id"], changes=changes))["purchaseOrder"]
    cancelled = (await send("cancelPurchaseOrder", shown, id=made["id"]))["purchaseOrder"]
    await send("deletePurchaseOrder", "purchaseOrder { id }", id=made["id"])
    vendor = await send("createVendor", "vendor { name }", connectionId=connection, vendor={"name": "Süd & Söhne"})
    place = {"connectionId": connection, "item": {"code": "ITM-00001"}, "location": {"code": "Main Warehouse"}}
    level = (await send("adjustInventory", "inventoryLevel { onHand }", **place, quantity="40.5"))["inventoryLevel"]

    assert (made["status"], Decimal(made["lines"][0]["unitPrice"]), made["lines"][0]["unit"]) == (
        "APPROVED",
        Decimal("12.4"),
        "EA",
    )
    assert (changed["notes"], [Decimal(one["quantity"]) for one in changed["lines"]]) == (
        "Gate 4, Süd",
        [Decimal(15), Decimal(2)],
    )
    assert cancelled["status"] == "CANCELLED"
    assert vendor["vendor"]["name"] == "Süd & Söhne"
    assert Decimal(level["onHand"]) == Decimal("40.5")
