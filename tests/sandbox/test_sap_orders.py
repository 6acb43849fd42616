"""Writing purchase orders into the simulated S/4HANA."""

from copy import deepcopy
from typing import Any

import pytest

from tests.fixtures.sap_caller import PO, SapCaller, item_of, order_body

pytest_plugins = ["tests.fixtures.sap_s4hana"]
ORDER = f"{PO}/A_PurchaseOrder"
NOW_TICKS = "/Date(1795170615123+0000)/"
DEEP = "$expand=to_PurchaseOrderItem/to_ScheduleLine,to_PurchaseOrderItem/to_AccountAssignment"


def item_path(order: str, item: str = "10") -> str:
    return f"{PO}/A_PurchaseOrderItem(PurchaseOrder='{order}',PurchaseOrderItem='{item}')"


def line_path(order: str, line: str = "1") -> str:
    keys = f"PurchasingDocument='{order}',PurchasingDocumentItem='10',ScheduleLine='{line}'"
    return f"{PO}/A_PurchaseOrderScheduleLine({keys})"


async def test_a_deep_insert_answers_with_what_was_stored(sap: SapCaller) -> None:
    answer = await sap.write("POST", ORDER, order_body(CorrespncExternalReference="REF-1"))

    order = answer.data
    item = order["to_PurchaseOrderItem"]["results"][0]
    line = item["to_ScheduleLine"]["results"][0]
    assert answer.status == 201
    assert answer.headers["location"] == f"{sap.running.url}/sap/opu/odata/sap/{ORDER}('4500000040')"
    assert order["PurchaseOrder"] == "4500000040"
    assert (order["DocumentCurrency"], order["PaymentTerms"], order["CreatedByUser"]) == ("EUR", "0001", "COMM_USER")
    assert order["LastChangeDateTime"] == NOW_TICKS
    assert order["CorrespncExternalReference"] == "REF-1"
    assert (item["PurchaseOrderItem"], item["PurchaseOrderItemText"]) == ("10", "Ball bearing 6204 1")
    assert (item["OrderQuantity"], item["PurchaseOrderQuantityUnit"], item["NetPriceAmount"]) == (
        "5.000",
        "PC",
        "12.400",
    )
    assert (line["ScheduleLine"], line["ScheduleLineOrderQuantity"]) == ("1", "5.000")
    assert line["ScheduleLineDeliveryDate"] == "/Date(1797552000000)/"


async def test_what_was_created_can_be_read(sap: SapCaller) -> None:
    created = (await sap.write("POST", ORDER, order_body())).data

    read = (await sap.get(f"{ORDER}('{created['PurchaseOrder']}')?$expand=to_PurchaseOrderItem/to_ScheduleLine")).data

    assert read == created


async def test_children_may_be_an_array_or_results_and_items_are_numbered_in_tens(sap: SapCaller) -> None:
    body = order_body()
    items = [deepcopy(item_of(body)) for _ in range(3)]
    items[1]["PurchaseOrderItem"] = "00055"
    items[2]["to_ScheduleLine"] = items[2]["to_ScheduleLine"]["results"]
    body["to_PurchaseOrderItem"] = {"results": items}

    order = (await sap.write("POST", ORDER, body)).data

    assert [item["PurchaseOrderItem"] for item in order["to_PurchaseOrderItem"]["results"]] == ["10", "55", "60"]


async def test_the_quantity_of_an_item_is_the_sum_of_its_schedule_lines(sap: SapCaller) -> None:
    body = order_body()
    day = "/Date(1797552000000)/"
    item_of(body).pop("OrderQuantity")
    item_of(body)["to_ScheduleLine"] = [
        {"ScheduleLineDeliveryDate": day, "ScheduleLineOrderQuantity": "2"},
        {"ScheduleLineDeliveryDate": day, "ScheduleLineOrderQuantity": "0.5"},
    ]

    order = (await sap.write("POST", ORDER, body)).data["PurchaseOrder"]

    assert (await sap.get(item_path(order))).data["OrderQuantity"] == "2.500"


async def test_a_price_is_rounded_to_its_currency_without_a_word(sap: SapCaller) -> None:
    body = order_body()
    item_of(body).update(NetPriceAmount="0.195", NetPriceQuantity="100")

    order = (await sap.write("POST", ORDER, body)).data["PurchaseOrder"]

    item = (await sap.get(item_path(order))).data
    assert (item["NetPriceAmount"], item["NetPriceQuantity"]) == ("0.200", "100")


async def test_a_dear_order_waits_for_its_release(sap: SapCaller) -> None:
    body = order_body()
    item_of(body)["NetPriceAmount"] = "20000"

    order = (await sap.write("POST", ORDER, body)).data

    assert (order["PurchasingProcessingStatus"], order["ReleaseIsNotCompleted"]) == ("03", True)


async def test_a_text_item_needs_an_account_assignment(sap: SapCaller) -> None:
    body = order_body()
    item = item_of(body)
    del item["Material"]
    item.update(PurchaseOrderItemText="Service", MaterialGroup="P001", PurchaseOrderQuantityUnit="AU")
    refused = await sap.write("POST", ORDER, body)
    item.update(AccountAssignmentCategory="K", to_AccountAssignment=[{"GLAccount": "65100000", "CostCenter": "C1"}])

    order = (await sap.write("POST", ORDER, body)).data["PurchaseOrder"]

    assert refused.codes == ["ME/083"]
    assignment = (await sap.get(f"{item_path(order)}/to_AccountAssignment")).rows[0]
    assert (assignment["AccountAssignmentNumber"], assignment["Quantity"]) == ("1", "5.000")


async def test_a_held_order_may_be_incomplete_until_it_is_completed(sap: SapCaller) -> None:
    body = order_body(PurchasingCompletenessStatus=True)
    item_of(body).update(NetPriceAmount="0", to_ScheduleLine=[])
    order = (await sap.write("POST", ORDER, body)).data
    early = await sap.write("PATCH", f"{ORDER}('{order['PurchaseOrder']}')", {"PurchasingCompletenessStatus": False})

    assert order["PurchasingCompletenessStatus"] is True
    assert sorted(early.codes) == ["06/215", "ME/040"]


HEADER_REFUSALS: list[tuple[dict[str, Any], str, str]] = [
    ({"CompanyCode": ""}, "ME/083", "CompanyCode"),
    ({"CompanyCode": "9999"}, "F5/165", "CompanyCode"),
    ({"PurchasingOrganization": ""}, "ME/083", "PurchasingOrganization"),
    ({"PurchasingOrganization": "9999"}, "ME/028", "PurchasingOrganization"),
    ({"PurchasingGroup": ""}, "ME/083", "PurchasingGroup"),
    ({"PurchasingGroup": "999"}, "ME/034", "PurchasingGroup"),
    ({"PurchaseOrderType": "ZP06"}, "ME/013", "PurchaseOrderType"),
    ({"DocumentCurrency": "XXX"}, "SV/012", "DocumentCurrency"),
    ({"PaymentTerms": "ZZZZ"}, "ME/190", "PaymentTerms"),
    ({"IncotermsClassification": "XXX"}, "ME/191", "IncotermsClassification"),
    ({"Supplier": ""}, "ME/083", "Supplier"),
    ({"Supplier": "99999999"}, "06/025", "Supplier"),
    ({"Supplier": "17300003"}, "06/023", "Supplier"),
    ({"Supplier": "17300004"}, "06/024", "Supplier"),
    ({"to_PurchaseOrderItem": []}, "W5/005", "to_PurchaseOrderItem"),
]


@pytest.mark.parametrize(("changes", "code", "target"), HEADER_REFUSALS)
async def test_a_faulty_header_is_refused(sap: SapCaller, changes: dict[str, Any], code: str, target: str) -> None:
    answer = await sap.write("POST", ORDER, order_body(**changes))

    details = answer.error["innererror"]["errordetails"]
    assert answer.status == 400
    assert answer.error["code"] in {code, answer.codes[0]}
    assert (code, target) in {(one["code"], one["target"]) for one in details}
    assert [one["code"] for one in details][-2:] == ["BAPI/001", "/IWBEP/CX_MGW_BUSI_EXCEPTION"]
    assert (await sap.get(f"{ORDER}/$count")).text == "40"


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"Plant": ""}, ["ME/083"]),
        ({"Plant": "9999"}, ["ME/029"]),
        ({"Plant": "1710"}, ["ME/161"]),
        ({"StorageLocation": "9999"}, ["M7/002"]),
        ({"Material": "NOTHING"}, ["M3/305", "ME/083"]),
        ({"Material": "TG00002", "Plant": "1020"}, ["M3/351"]),
        ({"OrderQuantity": "0"}, ["ME/083", "ME/083"]),
        ({"OrderQuantity": "-1"}, ["ME/083", "ME/083"]),
        ({"PurchaseOrderQuantityUnit": "XYZ"}, ["BM/302", "BM/302"]),
        ({"OrderPriceUnit": "XYZ"}, ["BM/302"]),
        ({"NetPriceAmount": "0"}, ["06/215"]),
        ({"TaxCode": "ZZ"}, ["FS/213"]),
        ({"AccountAssignmentCategory": "9"}, ["ME/061", "ME/083"]),
        ({"to_ScheduleLine": []}, ["ME/040"]),
        ({"to_ScheduleLine": [{"ScheduleLineOrderQuantity": "5"}]}, ["ME/040"]),
        ({"Plant": "", "NetPriceAmount": "0", "to_ScheduleLine": []}, ["ME/083", "06/215", "ME/040"]),
    ],
)
async def test_a_faulty_item_is_refused_with_every_reason(
    sap: SapCaller, changes: dict[str, Any], codes: list[str]
) -> None:
    body = order_body()
    item_of(body).update(changes)

    answer = await sap.write("POST", ORDER, body)

    assert (answer.status, answer.codes, answer.error["code"]) == (400, codes, codes[0])
    assert (await sap.get(f"{PO}/A_PurchaseOrder/$count")).text == "40"


@pytest.mark.parametrize(
    ("values", "code", "text"),
    [
        ({"Nothing": "1"}, "CX_DS_EP_PROPERTY_ERROR", "Property 'Nothing' is invalid"),
        ({"CompanyCode": "10100"}, "CX_DS_EDM_FACET_ERROR", "has invalid value '10100'"),
        ({"CompanyCode": 1010}, "CX_DS_EP_PROPERTY_ERROR", "Failed to read property 'CompanyCode'"),
        ({"PurchaseOrderDate": "yesterday"}, "CX_DS_EDM_FACET_ERROR", "has invalid value 'yesterday'"),
        ({"ReleaseIsNotCompleted": "X"}, "CX_DS_EP_PROPERTY_ERROR", "Failed to read property"),
        ({"CashDiscount1Percent": "1.2345"}, "CX_DS_EDM_FACET_ERROR", "has invalid value '1.2345'"),
        ({"CashDiscount1Percent": "100.000"}, "CX_DS_EDM_FACET_ERROR", "has invalid value '100.000'"),
        ({"CashDiscount1Percent": 1.5}, "CX_DS_EP_PROPERTY_ERROR", "Failed to read property"),
        ({"to_PurchaseOrderItem": {"rows": []}}, "CX_DS_EP_PROPERTY_ERROR", "Failed to read property"),
    ],
)
async def test_a_body_that_breaks_the_metadata_is_refused(
    sap: SapCaller, values: dict[str, Any], code: str, text: str
) -> None:
    answer = await sap.write("POST", ORDER, order_body(**values))

    assert answer.status == 400
    assert code in answer.error["code"]
    assert text in answer.error["message"]["value"]


async def test_broken_json_and_other_media_are_refused(sap: SapCaller) -> None:
    broken = await sap.write("POST", ORDER, b"{")
    listed = await sap.write("POST", ORDER, b"[]")
    atom = await sap.write("POST", ORDER, b"<entry/>", **{"Content-Type": "application/atom+xml"})
    batch = await sap.write("POST", f"{PO}/$batch", b"")

    assert (broken.status, listed.status, atom.status, batch.status) == (400, 400, 415, 501)


@pytest.mark.parametrize("method", ["PATCH", "MERGE"])
async def test_a_header_change_is_stamped_by_the_server(sap: SapCaller, method: str) -> None:
    before = (await sap.get(f"{ORDER}('4500000000')")).data

    answer = await sap.write(method, f"{ORDER}('4500000000')", {"CorrespncInternalReference": "OURS"})

    after = (await sap.get(f"{ORDER}('4500000000')")).data
    assert (answer.status, answer.text) == (204, "")
    assert after == {**before, "CorrespncInternalReference": "OURS", "LastChangeDateTime": NOW_TICKS}


async def test_a_method_may_travel_in_a_header(sap: SapCaller) -> None:
    answer = await sap.write("POST", f"{ORDER}('4500000000')", {"PaymentTerms": "NT60"}, **{"X-HTTP-Method": "MERGE"})

    row = (await sap.get(f"{ORDER}('4500000000')")).data
    assert answer.status == 204
    assert (row["PaymentTerms"], row["NetPaymentDays"]) == ("NT60", "60")


async def test_read_only_fields_and_keys_are_ignored_without_a_word(sap: SapCaller) -> None:
    before = (await sap.get(f"{ORDER}('4500000000')")).data
    body = {"PurchasingProcessingStatus": "08", "CreatedByUser": "ME", "PurchaseOrder": "1", "Language": "DE"}

    answer = await sap.write("PATCH", f"{ORDER}('4500000000')", body)

    after = (await sap.get(f"{ORDER}('4500000000')")).data
    assert answer.status == 204
    assert after["Language"] == "DE"
    assert (after["PurchasingProcessingStatus"], after["CreatedByUser"]) == ("02", before["CreatedByUser"])


async def test_put_clears_what_it_does_not_name(sap: SapCaller) -> None:
    order = (await sap.write("POST", ORDER, order_body(CorrespncInternalReference="OURS"))).data["PurchaseOrder"]
    names = ("CompanyCode", "PurchasingOrganization", "PurchasingGroup", "PurchaseOrderType", "Supplier")
    body = {name: order_body()[name] for name in names} | {"DocumentCurrency": "EUR"}

    answer = await sap.write("PUT", f"{ORDER}('{order}')", body)

    assert answer.status == 204
    assert (await sap.get(f"{ORDER}('{order}')")).data["CorrespncInternalReference"] == ""


async def test_a_header_change_is_checked_and_some_fields_are_fixed(sap: SapCaller) -> None:
    before = (await sap.get(f"{ORDER}('4500000000')")).data
    unknown = await sap.write("PATCH", f"{ORDER}('4500000000')", {"Supplier": "99999999"})
    fixed = await sap.write("PATCH", f"{ORDER}('4500000000')", {"PurchaseOrderType": "FO"})
    nested = await sap.write("PATCH", f"{ORDER}('4500000000')", {"to_PurchaseOrderItem": [{"Plant": "1010"}]})

    assert unknown.codes == ["06/025"]
    assert fixed.codes == ["MEPO/053"]
    assert nested.status == 400
    assert (await sap.get(f"{ORDER}('4500000000')")).data == before


@pytest.mark.parametrize("bump", [False, True])
async def test_item_and_line_changes_move_the_header_only_by_option(sap: SapCaller, bump: bool) -> None:
    await sap.admin("POST", "/options", {"bump_on_item_change": bump})
    order = (await sap.write("POST", ORDER, order_body())).data["PurchaseOrder"]
    stamp = (await sap.get(f"{ORDER}('{order}')")).data["LastChangeDateTime"]
    await sap.admin("POST", "/clock", {"offset_seconds": 60})

    item = await sap.write("PATCH", item_path(order, "00010"), {"OrderQuantity": "7"})
    line = await sap.write("PATCH", line_path(order), {"ScheduleLineDeliveryDate": "2027-01-31T00:00:00"})

    after = (await sap.get(f"{ORDER}('{order}')?{DEEP}")).data
    stored = after["to_PurchaseOrderItem"]["results"][0]
    assert (item.status, line.status) == (204, 204)
    assert (after["LastChangeDateTime"] != stamp) is bump
    assert stored["OrderQuantity"] == "7.000"
    assert stored["to_ScheduleLine"]["results"][0]["ScheduleLineOrderQuantity"] == "7.000"
    assert stored["to_ScheduleLine"]["results"][0]["ScheduleLineDeliveryDate"] == "/Date(1801353600000)/"


async def test_items_lines_and_notes_can_be_added_through_the_navigation(sap: SapCaller) -> None:
    order = (await sap.write("POST", ORDER, order_body())).data["PurchaseOrder"]
    item = await sap.write("POST", f"{ORDER}('{order}')/to_PurchaseOrderItem", item_of(order_body()))
    line = await sap.write(
        "POST",
        f"{item_path(order, '20')}/to_ScheduleLine",
        {"ScheduleLineDeliveryDate": "/Date(1797552000000)/", "ScheduleLineOrderQuantity": "1"},
    )
    note = await sap.write(
        "POST",
        f"{ORDER}('{order}')/to_PurchaseOrderNote",
        {"TextObjectType": "F01", "Language": "EN", "PlainLongText": "Grüße\nzweite Zeile"},
    )

    assert [one.status for one in (item, line, note)] == [201, 201, 201]
    assert line.data["ScheduleLine"] == "2"
    assert (await sap.get(item_path(order, "20"))).data["OrderQuantity"] == "6.000"
    assert (await sap.get(f"{ORDER}('{order}')/to_PurchaseOrderNote")).rows[0]["PlainLongText"] == "Grüße\nzweite Zeile"


async def test_deleting_all_items_marks_them_and_not_the_header(sap: SapCaller) -> None:
    order = (await sap.write("POST", ORDER, order_body())).data["PurchaseOrder"]

    deleted = await sap.write("DELETE", item_path(order))
    changed = await sap.write("PATCH", item_path(order), {"OrderQuantity": "9"})

    row = (await sap.get(f"{ORDER}('{order}')?$expand=to_PurchaseOrderItem")).data
    assert (deleted.status, deleted.text) == (204, "")
    assert changed.codes == ["06/115"]
    assert row["PurchasingDocumentDeletionCode"] == ""
    assert [one["PurchasingDocumentDeletionCode"] for one in row["to_PurchaseOrderItem"]["results"]] == ["L"]


async def test_deleting_an_order_marks_it_and_its_items(sap: SapCaller) -> None:
    order = (await sap.write("POST", ORDER, order_body())).data["PurchaseOrder"]

    await sap.write("DELETE", f"{ORDER}('{order}')")
    late = await sap.write("PATCH", f"{ORDER}('{order}')", {"Language": "DE"})

    row = (await sap.get(f"{ORDER}('{order}')?$expand=to_PurchaseOrderItem")).data
    assert late.codes == ["06/044"]
    assert row["PurchasingDocumentDeletionCode"] == "L"
    assert row["to_PurchaseOrderItem"]["results"][0]["PurchasingDocumentDeletionCode"] == "L"


async def test_a_schedule_line_can_go_but_not_the_last(sap: SapCaller) -> None:
    order = (await sap.write("POST", ORDER, order_body())).data["PurchaseOrder"]
    body = {"ScheduleLineDeliveryDate": "/Date(1797552000000)/", "ScheduleLineOrderQuantity": "3"}
    await sap.write("POST", f"{item_path(order)}/to_ScheduleLine", body)

    first = await sap.write("DELETE", line_path(order, line="1"))
    last = await sap.write("DELETE", line_path(order, line="2"))

    assert (first.status, last.status, last.codes) == (204, 400, ["ME/080"])
    assert (await sap.get(item_path(order))).data["OrderQuantity"] == "3.000"


async def test_methods_that_a_resource_lacks_are_refused(sap: SapCaller) -> None:
    on_set = await sap.write("PATCH", ORDER, {"Language": "DE"})
    on_entity = await sap.write("POST", f"{ORDER}('4500000000')", {})
    product = await sap.write("POST", "API_PRODUCT_SRV/A_Product", {"Product": "X"})
    stock = await sap.write("POST", "API_MATERIAL_STOCK_SRV/A_MatlStkInAcctMod", {})

    assert [one.status for one in (on_set, on_entity, product, stock)] == [405, 405, 501, 501]
    assert product.error["code"] == "/IWBEP/CM_MGW_RT/021"


async def test_the_seeded_status_bits_agree(sap: SapCaller) -> None:
    orders = (await sap.get(f"{ORDER}?$expand=to_PurchaseOrderItem")).rows

    kinds = {row["PurchasingProcessingStatus"] for row in orders}
    waiting = {row["PurchasingProcessingStatus"] for row in orders if row["ReleaseIsNotCompleted"]}
    codes = [
        [item["PurchasingDocumentDeletionCode"] for item in row["to_PurchaseOrderItem"]["results"]] for row in orders
    ]
    assert kinds == {"02", "03", "05", "08"}
    assert waiting == {"03", "08"}
    assert {row["PurchasingDocumentDeletionCode"] for row in orders} == {""}
    assert any(set(one) == {"L"} for one in codes)
    assert {code for one in codes for code in one} == {"", "L", "S"}
    assert {row["DocumentCurrency"] for row in orders} == {"EUR", "USD", "JPY"}
