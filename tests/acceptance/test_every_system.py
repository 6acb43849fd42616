"""One document, every system: the same order made, the same work order closed, only the ids changed.

A real Tryton, and simulated SAP S/4HANA, Oracle NetSuite and Odoo systems.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sandbox.kit.server import serve
from sandbox.netsuite.app import RunningNetSuite
from sandbox.netsuite.app import create_app as create_netsuite
from sandbox.netsuite.seed.plan import Plan as NetSuitePlan
from sandbox.odoo.app import RunningOdoo
from sandbox.odoo.app import create_app as create_odoo
from sandbox.odoo.config import DEMO_USERS
from sandbox.odoo.seed.masters import FIRST_VENDOR
from sandbox.odoo.seed.plan import Plan as OdooPlan
from sandbox.sap_s4hana.app import RunningSap
from sandbox.sap_s4hana.app import create_app as create_sap
from sandbox.sap_s4hana.seed.plan import Plan as SapPlan
from sandbox.tryton.client import TrytonClient
from sandbox.tryton.server import TrytonServer
from tests.acceptance.test_tryton_walk import credentials as tryton_credentials
from tests.fixtures.product import Product

pytestmark = pytest.mark.timeout(900)

# Vendor and materials as SAP numbers them; the customer's other systems use the same codes.
VENDOR, ITEMS = "17300001", ("TG00001", "TG00006")
LINES = ((Decimal(12), Decimal("12.40")), (Decimal(3), Decimal("23.10")))
CREATE = """
mutation ($connection: ID!, $vendor: String!, $first: String!, $second: String!) {
  createPurchaseOrder(input: {
    connectionId: $connection
    purchaseOrder: {
      vendor: {code: $vendor}, currency: "EUR", requiredDate: "2027-01-15", notes: "Made through one API"
      lines: [
        {item: {code: $first}, quantity: "12", unit: "EA", unitPrice: "12.40"}
        {item: {code: $second}, quantity: "3", unit: "EA", unitPrice: "23.10"}
      ]
    }
  }) {
    userErrors { code path message sourceMessage }
    operation { state }
    purchaseOrder {
      id sourceId currency requiredDate
      vendor { number }
      lines { itemCode quantity unit unitPrice netAmount requiredDate }
    }
  }
}
"""
CLOSE = """
mutation ($order: ID!) {
  updateWorkOrder(input: {id: $order, changes: {status: CLOSE}}) {
    userErrors { code path message sourceMessage }
    operation { state }
    workOrder { status nativeStatus }
  }
}
"""
ORDERS = """
{ purchaseOrders(first: 250) { totalCount nodes { sourceId connection { id system { slug } } lines { itemCode } } } }
"""
WORK = """
query ($connection: ID!) { workOrders(connectionId: $connection, first: 100) { nodes { id sourceId status } } }
"""
SAP_DEFAULTS = {
    "company_code": "1010",
    "purchasing_organization": "1010",
    "purchasing_group": "001",
    "plant": "1010",
    "storage_location": "101A",
}
OPEN = {"tryton": "DRAFT", "sap_s4hana": "SCHEDULED", "odoo": "APPROVED"}
"""System → a status from which its work orders can be closed."""


@pytest.fixture
def sap() -> Iterator[RunningSap]:
    with serve(create_sap(plan=SapPlan(orders=30, suppliers=8, materials=9))) as running:
        yield running


@pytest.fixture
def odoo() -> Iterator[RunningOdoo]:
    """An Odoo whose first vendor and two of whose products have the codes that SAP uses."""
    with serve(create_odoo(plan=OdooPlan(orders=20, suppliers=8, materials=9))) as running:
        system = running.app.system
        system.change("res.partner", FIRST_VENDOR, {"ref": VENDOR}, stamp=system.clock.stamp())
        table = system.tables["product.product"]
        for code, twin in zip(ITEMS, ("DP-0001", "DP-0008"), strict=True):
            [product] = [number for number in table.ids() if table[number]["default_code"] == twin]
            system.change("product.product", product, {"default_code": code}, stamp=system.clock.stamp())
        yield running


@pytest.fixture
def netsuite() -> Iterator[RunningNetSuite]:
    """A NetSuite whose first vendor and two of whose items, counted one by one, have the codes that SAP uses."""
    with serve(create_netsuite(plan=NetSuitePlan(orders=20, vendors=8, items=9))) as running:
        store = running.app.system.store
        store.change("vendor", {"id": 1}, {"entityid": VENDOR})
        for code, item in zip(ITEMS, (1, 8), strict=True):
            store.change("item", {"id": item}, {"itemid": code})
        yield running


@pytest.fixture
def same_codes(tryton_client: TrytonClient) -> None:
    """Give Tryton a vendor and two products with the codes that SAP uses."""
    if not tryton_client.call("party.party", "search", [["code", "=", VENDOR]]):
        party = tryton_client.call("party.party", "search_read", [["code", "=", "V-001"]], 0, 1, None, ["id"])[0]["id"]
        tryton_client.call("party.party", "copy", [party], {"code": VENDOR, "name": "Demo vendor of all systems"})
    for code, twin in zip(ITEMS, ("ITEM-003", "ITEM-009"), strict=True):
        if not tryton_client.call("product.product", "search", [["code", "=", code]]):
            found = tryton_client.call(
                "product.product", "search_read", [["code", "=", twin]], 0, 1, None, ["template"]
            )[0]
            made = tryton_client.call("product.template", "copy", [found["template"]], {"code": code})
            read = tryton_client.call("product.template", "read", made, ["products"])[0]
            assert tryton_client.call("product.product", "read", read["products"], ["code"])[0]["code"] == code


@pytest.fixture
async def every(
    product: Product,
    sap: RunningSap,
    odoo: RunningOdoo,
    netsuite: RunningNetSuite,
    tryton_server: TrytonServer,
    same_codes: None,  # noqa: ARG001
) -> dict[str, str]:
    """Connect all systems and sync them; gives system → connection id."""
    user, token = DEMO_USERS[0], netsuite.app.system.config.tokens["tk-integration"]
    forms: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "tryton": (dict(tryton_credentials(tryton_server)), {}),
        "sap_s4hana": (
            {"base_url": sap.url, "username": "COMM_USER", "password": "Sandbox-Full-1", "client": "100"},
            SAP_DEFAULTS,
        ),
        "odoo": ({"base_url": odoo.url, "database": "odoo", "username": user.login, "api_key": user.key}, {}),
        "netsuite": (
            {
                "base_url": netsuite.url,
                "account": netsuite.app.system.config.account,
                "time_zone": netsuite.app.system.config.zone,
                "auth_method": "TOKEN",
                "consumer_key": token.consumer_key,
                "consumer_secret": token.consumer_secret,
                "token_id": token.token_id,
                "token_secret": token.token_secret,
            },
            {"subsidiary": "2"},
        ),
    }
    connected = {}
    for system, (credentials, defaults) in forms.items():
        connected[system], _ = await product.connect(system, credentials, writeDefaults=defaults)
    await product.work()
    return connected


async def test_the_same_document_makes_an_order_and_closes_work_in_every_system(
    product: Product, every: dict[str, str], sap: RunningSap, odoo: RunningOdoo, tryton_client: TrytonClient
) -> None:
    listed = (await product.gql(ORDERS))["purchaseOrders"]
    assert {node["connection"]["id"]: node["connection"]["system"]["slug"] for node in listed["nodes"]} == {
        connection: system for system, connection in every.items()
    }

    made: dict[str, Any] = {}
    for system, connection in every.items():
        payload = (await product.gql(CREATE, connection=connection, vendor=VENDOR, first=ITEMS[0], second=ITEMS[1]))[
            "createPurchaseOrder"
        ]
        assert (system, payload["userErrors"]) == (system, [])
        assert (system, payload["operation"]["state"]) == (system, "SUCCEEDED")
        made[system] = payload["purchaseOrder"]

    for system, order in made.items():
        told = [(line["itemCode"], Decimal(line["quantity"]), Decimal(line["unitPrice"])) for line in order["lines"]]
        assert (system, told) == (system, [(code, *line) for code, line in zip(ITEMS, LINES, strict=True)])
        assert (system, order["vendor"]["number"], order["currency"]) == (system, VENDOR, "EUR")
        asked_for = {order["requiredDate"], *(line["requiredDate"] for line in order["lines"])}
        assert (system, asked_for & {"2027-01-15"}) == (system, {"2027-01-15"})
    # Looked at behind the connectors: the systems themselves hold the orders.
    assert [line["OrderQuantity"] for line in _sap_lines(sap, made["sap_s4hana"]["sourceId"])] == [12, 3]
    assert [line["product_qty"] for line in odoo.app.system.lines(int(made["odoo"]["sourceId"]))] == [12.0, 3.0]
    lines = [["purchase", "=", int(made["tryton"]["sourceId"])]]
    assert [
        (line["product."]["code"], line["quantity"])
        for line in tryton_client.call(
            "purchase.line", "search_read", lines, 0, 10, [["id", "ASC"]], ["product.code", "quantity"]
        )
    ] == [(ITEMS[0], 12.0), (ITEMS[1], 3.0)]

    for system, status in OPEN.items():
        work = (await product.gql(WORK, connection=every[system]))["workOrders"]["nodes"]
        order = next(each for each in work if each["status"] == status)
        payload = (await product.gql(CLOSE, order=order["id"]))["updateWorkOrder"]
        assert (system, payload["userErrors"]) == (system, [])
        assert payload["workOrder"]["status"] in {"CLOSED", "COMPLETED"}, (system, payload)


def _sap_lines(sap: RunningSap, number: str) -> list[Any]:
    return sap.app.system.tables["A_PurchaseOrderItem"].children(number)
