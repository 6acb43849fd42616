"""One document, two systems: the same order made in a real Tryton and in the simulated SAP S/4HANA."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sandbox.kit.server import serve
from sandbox.sap_s4hana.app import RunningSap, create_app
from sandbox.sap_s4hana.seed.plan import Plan
from sandbox.tryton.client import TrytonClient
from sandbox.tryton.server import TrytonServer
from tests.acceptance.test_tryton_walk import credentials as tryton_credentials
from tests.fixtures.product import Product

pytestmark = pytest.mark.timeout(900)

# Supplier and material as SAP numbers them; the customer's Tryton uses the same codes.
VENDOR, ITEMS = "17300001", ("TG00001", "TG00006")
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
BOTH = """
{ purchaseOrders(first: 250) { totalCount nodes { sourceId connection { id system { slug } } lines { itemCode } } } }
"""
SAP_DEFAULTS = {
    "company_code": "1010",
    "purchasing_organization": "1010",
    "purchasing_group": "001",
    "plant": "1010",
    "storage_location": "101A",
}


@pytest.fixture
def sap() -> Iterator[RunningSap]:
    with serve(create_app(plan=Plan(orders=30, suppliers=8, materials=9))) as running:
        yield running


def sap_credentials(running: RunningSap) -> dict[str, str]:
    return {"base_url": running.url, "username": "COMM_USER", "password": "Sandbox-Full-1", "client": "100"}


@pytest.fixture
def same_codes(tryton_client: TrytonClient) -> None:
    """Give Tryton a vendor and two products with the codes that SAP uses."""
    if not tryton_client.call("party.party", "search", [["code", "=", VENDOR]]):
        party = tryton_client.call("party.party", "search_read", [["code", "=", "V-001"]], 0, 1, None, ["id"])[0]["id"]
        tryton_client.call("party.party", "copy", [party], {"code": VENDOR, "name": "Demo vendor of both systems"})
    for code, twin in zip(ITEMS, ("ITEM-003", "ITEM-009"), strict=True):
        if not tryton_client.call("product.product", "search", [["code", "=", code]]):
            found = tryton_client.call(
                "product.product", "search_read", [["code", "=", twin]], 0, 1, None, ["template"]
            )[0]
            made = tryton_client.call("product.template", "copy", [found["template"]], {"code": code})
            read = tryton_client.call("product.template", "read", made, ["products"])[0]
            assert tryton_client.call("product.product", "read", read["products"], ["code"])[0]["code"] == code


@pytest.fixture
async def both(product: Product, sap: RunningSap, tryton_server: TrytonServer, same_codes: None) -> dict[str, str]:  # noqa: ARG001
    """Connect both systems and sync them; gives system → connection id."""
    tryton, _ = await product.connect("tryton", tryton_credentials(tryton_server))
    s4, _ = await product.connect("sap_s4hana", sap_credentials(sap), writeDefaults=SAP_DEFAULTS)
    await product.work()
    return {"tryton": tryton, "sap_s4hana": s4}


async def test_orders_of_both_systems_stand_in_one_list(product: Product, both: dict[str, str]) -> None:
    listed = (await product.gql(BOTH))["purchaseOrders"]

    systems = {node["connection"]["id"]: node["connection"]["system"]["slug"] for node in listed["nodes"]}
    assert systems == {both["tryton"]: "tryton", both["sap_s4hana"]: "sap_s4hana"}


async def test_the_same_document_makes_an_order_in_each_system(
    product: Product, both: dict[str, str], sap: RunningSap, tryton_client: TrytonClient
) -> None:
    made: dict[str, Any] = {}
    for system, connection in both.items():
        payload = (await product.gql(CREATE, connection=connection, vendor=VENDOR, first=ITEMS[0], second=ITEMS[1]))[
            "createPurchaseOrder"
        ]
        assert payload["userErrors"] == []
        assert payload["operation"]["state"] == "SUCCEEDED"
        made[system] = payload["purchaseOrder"]

    told = [
        (line["itemCode"], Decimal(line["quantity"]), Decimal(line["unitPrice"]))
        for order in made.values()
        for line in order["lines"]
    ]
    assert told == [(ITEMS[0], Decimal(12), Decimal("12.40")), (ITEMS[1], Decimal(3), Decimal("23.10"))] * 2
    assert [order["requiredDate"] for order in made.values()] == ["2027-01-15"] * 2
    assert {order["vendor"]["number"] for order in made.values()} == {VENDOR}

    in_tryton = tryton_client.call(
        "purchase.line",
        "search_read",
        [["purchase", "=", int(made["tryton"]["sourceId"])]],
        0,
        10,
        [["id", "ASC"]],
        ["product.code", "quantity"],
    )
    assert [(line["product."]["code"], line["quantity"]) for line in in_tryton] == [(ITEMS[0], 12.0), (ITEMS[1], 3.0)]

    url = (
        f"{sap.url}/sap/opu/odata/sap/API_PURCHASEORDER_PROCESS_SRV/A_PurchaseOrder('{made['sap_s4hana']['sourceId']}')"
    )
    async with product.http.get(
        url,
        params={"$expand": "to_PurchaseOrderItem", "$format": "json"},
        headers={"Authorization": "Basic Q09NTV9VU0VSOlNhbmRib3gtRnVsbC0x"},
    ) as answer:
        in_sap = (await answer.json(content_type=None))["d"]
    assert in_sap["Supplier"] == VENDOR
    assert [(i["Material"], i["OrderQuantity"]) for i in in_sap["to_PurchaseOrderItem"]["results"]] == [
        (ITEMS[0], "12.000"),
        (ITEMS[1], "3.000"),
    ]
