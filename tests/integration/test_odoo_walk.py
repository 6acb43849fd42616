"""The main job end to end on a simulated Odoo of each version: connect, sync, change there, sync, write from here."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sandbox.kit.server import serve
from sandbox.odoo.app import RunningOdoo, create_app
from sandbox.odoo.config import DEMO_USERS, Config
from sandbox.odoo.schema.model import VERSIONS
from sandbox.odoo.seed.plan import Plan
from tests.fixtures.product import Product

ENTITIES = ("PURCHASE_ORDER", "VENDOR", "ITEM", "INVENTORY_LEVEL", "WORK_ORDER", "ASSET", "LOCATION")
RUNS = """
query ($id: ID!) { syncRuns(connectionId: $id, first: 50) {
  nodes { id entity status fetched created updated unchanged quarantined error { message } } } }
"""
ORDERS = """
query ($id: ID!) { purchaseOrders(connectionId: $id, first: 250) { totalCount nodes {
  sourceId orderNumber currency vendor { name } customFields lines { description item { code } } } } }
"""
TRIGGER = """
mutation ($id: ID!, $entities: [Entity!]) { triggerSync(input: {connectionId: $id, entities: $entities}) {
  syncRuns { id } userErrors { message } } }
"""
WRITES = """
mutation ($id: ID!, $order: PurchaseOrderCreate!, $vendor: VendorCreate!, $work: WorkOrderCreate!) {
  createPurchaseOrder(input: {connectionId: $id, purchaseOrder: $order}) {
    operation { state } userErrors { code path message sourceMessage }
    purchaseOrder { id sourceId status requiredDate notes lines { itemCode quantity unit unitPrice } } }
  createVendor(input: {connectionId: $id, vendor: $vendor}) {
    operation { state } userErrors { code path message sourceMessage } vendor { id number addresses { country } } }
  createWorkOrder(input: {connectionId: $id, workOrder: $work}) {
    operation { state } userErrors { code path message sourceMessage }
    workOrder { id sourceId status description asset { number } } }
}
"""
STEPS = """
mutation ($order: ID!, $work: ID!, $id: ID!, $item: String!) {
  cancelPurchaseOrder(input: {id: $order}) { userErrors { code message } purchaseOrder { status } }
  updateWorkOrder(input: {id: $work, changes: {status: CLOSE}}) {
    userErrors { code message sourceMessage } workOrder { status } }
  adjustInventory(input: {connectionId: $id, item: {code: $item}, location: {code: "WH"}, quantity: "41"}) {
    userErrors { code path message sourceMessage } inventoryLevel { onHand location } }
}
"""


@pytest.fixture(params=VERSIONS)
def odoo(request: pytest.FixtureRequest) -> Iterator[RunningOdoo]:
    plan = Plan(orders=24, suppliers=6, materials=9, requests=8)
    with serve(create_app(plan=plan, config=Config(version=request.param))) as running:
        yield running


def credentials(running: RunningOdoo) -> dict[str, str]:
    user = DEMO_USERS[0]
    return {"base_url": running.url, "database": "odoo", "username": user.login, "api_key": user.key}


async def runs_of(product: Product, connection: str) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = (await product.gql(RUNS, id=connection))["syncRuns"]["nodes"]
    return runs


async def test_what_is_in_odoo_is_here_and_what_changes_there_changes_here(product: Product, odoo: RunningOdoo) -> None:
    connection, _ = await product.connect("odoo", credentials(odoo), historicalPeriodDays=365)
    await product.work()
    first = await runs_of(product, connection)
    listed = (await product.gql(ORDERS, id=connection))["purchaseOrders"]
    system = odoo.app.system
    line = next(line for line in system.lines(3) if not line["display_type"])
    system.change("purchase.order.line", line["id"], {"name": "changed there"}, stamp=system.clock.stamp())
    payload = (await product.gql(TRIGGER, id=connection, entities=["PURCHASE_ORDER"]))["triggerSync"]
    await product.work()
    [second] = [run for run in await runs_of(product, connection) if run["id"] == payload["syncRuns"][0]["id"]]
    after = {
        order["sourceId"]: order for order in (await product.gql(ORDERS, id=connection))["purchaseOrders"]["nodes"]
    }

    assert {run["entity"]: (run["status"], run["quarantined"]) for run in first} == dict.fromkeys(
        ENTITIES, ("SUCCEEDED", 0)
    )
    assert listed["totalCount"] == len(system.tables["purchase.order"]) == 24
    assert all(order["vendor"]["name"] for order in listed["nodes"])
    assert any(line["item"] for order in listed["nodes"] for line in order["lines"])
    assert {name for order in listed["nodes"] for name in order["customFields"]} >= {"x_studio_project_code"}
    assert (second["status"], second["updated"], second["created"]) == ("SUCCEEDED", 1, 0)
    assert "changed there" in {line["description"] for line in after["3"]["lines"]}
    spoken = {call.path.split("/")[1] for call in odoo.app.calls if call.method == "POST"}
    assert ("json" in spoken) is (system.version >= 19)


async def test_one_document_writes_what_each_version_calls_differently(product: Product, odoo: RunningOdoo) -> None:
    connection, _ = await product.connect("odoo", credentials(odoo))
    await product.work()
    system = odoo.app.system
    machines = system.tables["maintenance.equipment"]
    asset = next(row for row in map(machines.__getitem__, machines.ids()) if row["serial_no"] and row["active"])
    item = {"code": "DP-0001"}
    order = {
        "vendor": {"code": "V-1001"},
        "requiredDate": "2027-01-15",
        "notes": "Tor 3 <b>",
        "lines": [{"item": item, "quantity": "12", "unit": "EA", "unitPrice": "12.40"}],
    }
    vendor = {"name": "Müller GmbH", "number": "V-77", "addresses": [{"lines": ["Weg 1"], "country": "DE"}]}
    work = {"title": "Pumpe undicht", "description": "Am Flansch", "asset": {"code": asset["serial_no"]}}
    made = await product.gql(WRITES, id=connection, order=order, vendor=vendor, work=work)
    told, request = made["createPurchaseOrder"]["purchaseOrder"], made["createWorkOrder"]["workOrder"]
    steps = await product.gql(STEPS, id=connection, order=told["id"], work=request["id"], item="DP-0001")

    assert [payload["userErrors"] for payload in (*made.values(), *steps.values())] == [[]] * 6
    assert (told["status"], told["requiredDate"], told["notes"]) == ("DRAFT", "2027-01-15", "Tor 3 <b>")
    assert [
        (one["itemCode"], Decimal(one["quantity"]), one["unit"], Decimal(one["unitPrice"])) for one in told["lines"]
    ] == [("DP-0001", Decimal(12), "EA", Decimal("12.4"))]
    assert made["createVendor"]["vendor"]["addresses"] == [{"country": "DE"}]
    assert (request["status"], request["description"], request["asset"]) == (
        "APPROVED", "Am Flansch", {"number": asset["serial_no"]},
    )  # fmt: skip
    assert steps["cancelPurchaseOrder"]["purchaseOrder"]["status"] == "CANCELLED"
    assert steps["updateWorkOrder"]["workOrder"]["status"] == "COMPLETED"
    level = steps["adjustInventory"]["inventoryLevel"]
    assert (Decimal(level["onHand"]), level["location"]) == (Decimal(41), "WH/Stock")
    inside = system.tables["purchase.order"][int(told["sourceId"])]
    assert (inside["state"], len(inside["origin"])) == ("cancel", 12)  # "Source Document" holds our reference
    assert system.tables["maintenance.request"][int(request["sourceId"])]["close_date"]
