"""Goods movements and stock of the simulated S/4HANA."""

from decimal import Decimal
from typing import Any

import pytest

from tests.fixtures.sap_caller import DOCUMENT, PO, STOCK, SapCaller, order_body

pytest_plugins = ["tests.fixtures.sap_s4hana"]
HEADER = f"{DOCUMENT}/A_MaterialDocumentHeader"


async def on_hand(sap: SapCaller, location: str = "101A", stock_type: str = "01") -> Decimal:
    query = f"Material eq 'TG00001' and Plant eq '1010' and StorageLocation eq '{location}'"
    rows = (await sap.get(f"{STOCK}/A_MatlStkInAcctMod?$filter={query} and InventoryStockType eq '{stock_type}'")).rows
    return sum((Decimal(row["MatlWrhsStkQtyInMatlBaseUnit"]) for row in rows), Decimal(0))


def document(code: str, movement: str, quantity: str = "2", **changes: Any) -> dict[str, Any]:
    item = {
        "Material": "TG00001",
        "Plant": "1010",
        "StorageLocation": "101A",
        "GoodsMovementType": movement,
        "QuantityInEntryUnit": quantity,
        "EntryUnit": "PC",
        **changes,
    }
    return {"GoodsMovementCode": code, "PostingDate": "/Date(1795132800000)/", "to_MaterialDocumentItem": [item]}


@pytest.mark.parametrize(
    ("code", "movement", "change", "more"),
    [
        ("05", "501", 2, {}),
        ("05", "561", 2, {}),
        ("05", "701", 2, {}),
        ("03", "702", -2, {}),
        ("03", "201", -2, {"CostCenter": "10101301"}),
        ("03", "202", 2, {"CostCenter": "10101301"}),
        ("03", "551", -2, {}),
    ],
)
async def test_a_movement_changes_the_stock(
    sap: SapCaller, code: str, movement: str, change: int, more: dict[str, Any]
) -> None:
    before = await on_hand(sap)

    answer = await sap.write("POST", HEADER, document(code, movement, **more))

    assert answer.status == 201
    assert (answer.data["MaterialDocument"], answer.data["MaterialDocumentYear"]) == ("4900000000", "2026")
    assert answer.data["to_MaterialDocumentItem"]["results"][0]["QuantityInBaseUnit"] == "2.000"
    assert await on_hand(sap) == before + change


async def test_a_posted_document_can_be_read_with_its_items(sap: SapCaller) -> None:
    created = (await sap.write("POST", HEADER, document("05", "501"))).data

    path = f"{HEADER}(MaterialDocumentYear='2026',MaterialDocument='4900000000')"
    assert (await sap.get(f"{path}?$expand=to_MaterialDocumentItem")).data == created


async def test_a_transfer_moves_between_places_and_types(sap: SapCaller) -> None:
    before = await on_hand(sap), await on_hand(sap, "101B"), await on_hand(sap, stock_type="07")

    place = await sap.write("POST", HEADER, document("04", "311", IssuingOrReceivingStorageLoc="101B"))
    block = await sap.write("POST", HEADER, document("04", "344"))

    assert (place.status, block.status) == (201, 201)
    after = await on_hand(sap), await on_hand(sap, "101B"), await on_hand(sap, stock_type="07")
    assert after == (before[0] - 4, before[1] + 2, before[2] + 2)


async def test_more_than_there_is_cannot_be_taken(sap: SapCaller) -> None:
    before = await on_hand(sap)
    body = document("03", "551", str(before))
    body["to_MaterialDocumentItem"].append(document("03", "551", "3")["to_MaterialDocumentItem"][0])

    answer = await sap.write("POST", HEADER, body)

    detail = answer.error["innererror"]["errordetails"][0]
    assert (answer.status, answer.error["code"]) == (400, "MM_IM_ODATA_API_MDOC/014")
    assert detail["code"] == "M7/021"
    assert detail["message"] == "Deficit of SL Unrestricted-use 3.000 PC : TG00001 1010 101A"
    assert await on_hand(sap) == before


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (document("", "501"), ["M7/018"]),
        (document("99", "501"), ["M7/140", "M7/156"]),
        (document("03", "501"), ["M7/156"]),
        (document("05", "999"), ["M7/142"]),
        (document("05", "501", "0"), ["M7/018"]),
        (document("03", "201"), ["M7/018"]),
        (document("05", "501", Material="NOTHING"), ["M3/305"]),
        (document("05", "501", Plant="9999"), ["M7/001", "M3/351"]),
        (document("05", "501", StorageLocation="9999"), ["M7/001"]),
        (document("05", "501", StorageLocation=""), ["M7/018"]),
        (document("05", "501", EntryUnit="XYZ"), ["BM/302"]),
        (document("01", "101", PurchaseOrder="4599999999", PurchaseOrderItem="10"), ["M7/036"]),
        ({**document("05", "501"), "PostingDate": "/Date(1609459200000)/"}, ["M7/053"]),
        ({"GoodsMovementCode": "05"}, ["M7/064"]),
    ],
)
async def test_a_faulty_document_is_refused(sap: SapCaller, body: dict[str, Any], codes: list[str]) -> None:
    answer = await sap.write("POST", HEADER, body)

    assert (answer.status, answer.codes) == (400, codes)
    assert (await sap.get(f"{HEADER}/$count")).text == "0"


async def test_a_receipt_completes_an_item_and_leaves_the_header_stamp(sap: SapCaller) -> None:
    order = (await sap.write("POST", f"{PO}/A_PurchaseOrder", order_body())).data
    number = order["PurchaseOrder"]
    path = f"{PO}/A_PurchaseOrderItem(PurchaseOrder='{number}',PurchaseOrderItem='10')"
    await sap.admin("POST", "/clock", {"offset_seconds": 60})
    keys = {"PurchaseOrder": number, "PurchaseOrderItem": "00010"}

    delivered = []
    for quantity in ("3", "2"):
        await sap.write("POST", HEADER, document("01", "101", quantity, **keys))
        delivered.append((await sap.get(path)).data["IsCompletelyDelivered"])

    assert delivered == [False, True]
    after = (await sap.get(f"{PO}/A_PurchaseOrder('{number}')")).data
    assert after["LastChangeDateTime"] == order["LastChangeDateTime"]
