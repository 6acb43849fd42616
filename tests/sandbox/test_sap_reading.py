"""Reading from the simulated S/4HANA: wire shapes, keys, options, paging."""

import re
import xml.etree.ElementTree as ET

import pytest

from tests.fixtures.sap_caller import BP, MAINTENANCE, PO, PRODUCT, STOCK, SapCaller

pytest_plugins = ["tests.fixtures.sap_s4hana"]
ATOM = "{http://www.w3.org/2005/Atom}"


async def test_a_list_wraps_its_rows_in_d_and_results(sap: SapCaller) -> None:
    answer = await sap.get(f"{PO}/A_PurchaseOrder?$top=1")

    [row] = answer.rows
    uri = f"{sap.running.url}/sap/opu/odata/sap/{PO}/A_PurchaseOrder('{row['PurchaseOrder']}')"
    assert answer.headers["dataserviceversion"] == "2.0"
    assert row["__metadata"] == {"id": uri, "uri": uri, "type": f"{PO}.A_PurchaseOrderType"}
    assert row["to_PurchaseOrderItem"] == {"__deferred": {"uri": f"{uri}/to_PurchaseOrderItem"}}


async def test_values_have_the_encodings_of_v2(sap: SapCaller) -> None:
    row = (await sap.get(f"{PO}/A_PurchaseOrderItem(PurchaseOrder='4500000000',PurchaseOrderItem='00010')")).data

    assert row["PurchaseOrderItem"] == "10"
    assert re.fullmatch(r"\d+\.\d{3}", row["OrderQuantity"])
    assert row["NetPriceQuantity"] in {"1", "100", "1000"}
    assert row["IsCompletelyDelivered"] is False
    assert row["TaxDeterminationDate"] is None
    assert row["PurchaseContractItem"] == "0"


async def test_dates_and_instants_are_ticks(sap: SapCaller) -> None:
    row = (await sap.get(f"{PO}/A_PurchaseOrder('4500000000')")).data

    order_date = re.fullmatch(r"/Date\((\d+)\)/", row["PurchaseOrderDate"])
    assert order_date is not None
    assert int(order_date[1]) % 86_400_000 == 0
    assert re.fullmatch(r"/Date\(\d+\+0000\)/", row["LastChangeDateTime"])


async def test_times_are_durations_and_the_date_of_a_partner_is_apart(sap: SapCaller) -> None:
    row = (await sap.get(f"{BP}/A_BusinessPartner('0017300001')")).data

    assert re.fullmatch(r"PT\d\dH\d\dM\d\dS", row["LastChangeTime"])
    assert re.fullmatch(r"/Date\(\d+\)/", row["LastChangeDate"])
    assert row["BusinessPartnerFullName"] == "Demo Zulieferer 001 Süd GmbH"


async def test_a_stock_has_eleven_key_parts_and_fourteen_digits(sap: SapCaller) -> None:
    row = (await sap.get(f"{STOCK}/A_MatlStkInAcctMod?$top=1")).rows[0]

    again = (await sap.get(row["__metadata"]["uri"])).data
    assert row["__metadata"]["uri"].count("=") == 11
    assert again["MatlWrhsStkQtyInMatlBaseUnit"] == row["MatlWrhsStkQtyInMatlBaseUnit"]
    assert len(row["MatlWrhsStkQtyInMatlBaseUnit"].partition(".")[2]) == 14
    assert (row["SDDocumentItem"], row["WBSElementInternalID"], row["Batch"]) == ("0", "0", "")


async def test_without_a_wish_for_json_the_answer_is_atom(sap: SapCaller) -> None:
    answer = await sap.get(f"{PO}/A_PurchaseOrder?$top=2", Accept="*/*")

    feed = ET.fromstring(answer.text)  # noqa: S314 - our own server
    assert answer.headers["content-type"] == "application/atom+xml;type=feed; charset=utf-8"
    assert len(feed.findall(f"{ATOM}entry")) == 2


async def test_format_json_wins_over_the_accept_header(sap: SapCaller) -> None:
    answer = await sap.get(f"{PO}/A_PurchaseOrder?$top=1&$format=json", Accept="application/xml")

    assert len(answer.rows) == 1


async def test_the_service_document_lists_the_sets(sap: SapCaller) -> None:
    answer = await sap.get(f"{MAINTENANCE};v=0002/")

    assert answer.data == {"EntitySets": ["MaintenanceOrder", "MaintenanceOrderOperation"]}


async def test_metadata_is_xml_and_refuses_json(sap: SapCaller) -> None:
    xml = await sap.get(f"{PO}/$metadata", Accept="application/xml")
    json = await sap.get(f"{PO}/$metadata")

    assert 'Name="LastChangeDateTime" Type="Edm.DateTimeOffset" Precision="7"' in xml.text
    assert json.status == 406
    assert json.error["code"] == "005056A509B11ED19BEB6513AA349DA5"


async def test_a_navigation_gives_the_children_and_a_child(sap: SapCaller) -> None:
    items = (await sap.get(f"{PO}/A_PurchaseOrder('4500000000')/to_PurchaseOrderItem")).rows
    header = await sap.get(
        f"{PO}/A_PurchaseOrderItem(PurchaseOrder='4500000000',PurchaseOrderItem='10')/to_PurchaseOrder"
    )
    line = await sap.get(
        f"{PO}/A_PurchaseOrder('4500000000')/to_PurchaseOrderItem(PurchaseOrder='4500000000',PurchaseOrderItem='10')"
        "/to_ScheduleLine"
    )

    assert [item["PurchaseOrderItem"] for item in items][:1] == ["10"]
    assert header.data["PurchaseOrder"] == "4500000000"
    assert line.rows[0]["PurchasingDocument"] == "4500000000"


async def test_nested_expansion_fills_the_children(sap: SapCaller) -> None:
    answer = await sap.get(
        f"{PO}/A_PurchaseOrder('4500000000')?$expand=to_PurchaseOrderItem/to_ScheduleLine,to_PurchaseOrderNote"
    )

    [item, *_] = answer.data["to_PurchaseOrderItem"]["results"]
    assert item["to_ScheduleLine"]["results"][0]["ScheduleLine"] == "1"
    assert "__deferred" in item["to_AccountAssignment"]
    assert isinstance(answer.data["to_PurchaseOrderNote"]["results"], list)


async def test_expanding_a_single_navigation_gives_an_object(sap: SapCaller) -> None:
    answer = await sap.get(f"{BP}/A_BusinessPartner('17300001')?$expand=to_Supplier/to_SupplierPurchasingOrg")

    supplier = answer.data["to_Supplier"]
    assert supplier["Supplier"] == "17300001"
    assert [one["PurchasingOrganization"] for one in supplier["to_SupplierPurchasingOrg"]["results"]] == [
        "1010",
        "1710",
        "3110",
    ]


async def test_select_keeps_what_it_names_also_inside_an_expansion(sap: SapCaller) -> None:
    answer = await sap.get(
        f"{PO}/A_PurchaseOrder('4500000000')?$select=Supplier,to_PurchaseOrderItem/Material&$expand=to_PurchaseOrderItem"
    )

    assert set(answer.data) == {"__metadata", "Supplier", "to_PurchaseOrderItem"}
    assert set(answer.data["to_PurchaseOrderItem"]["results"][0]) == {"__metadata", "Material"}


async def test_counts_come_as_text_and_as_inline_string(sap: SapCaller) -> None:
    count = await sap.get(f"{PO}/A_PurchaseOrder/$count")
    inline = await sap.get(f"{PO}/A_PurchaseOrder?$inlinecount=allpages&$top=1&$filter=CompanyCode ne ''")

    assert count.text == "40"
    assert inline.data["__count"] == "40"
    assert len(inline.rows) == 1


async def test_a_property_and_its_value_can_be_read_alone(sap: SapCaller) -> None:
    alone = await sap.get(f"{PO}/A_PurchaseOrder('4500000000')/PurchaseOrderType")
    value = await sap.get(f"{PO}/A_PurchaseOrder('4500000000')/PurchaseOrderType/$value")

    assert alone.data == {"PurchaseOrderType": "NB"}
    assert value.text == "NB"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("A_PurchaseOrder('4599999999')", 404),
        ("A_Nothing", 404),
        ("A_PurchaseOrder('4500000000')/to_Nothing", 404),
        ("A_PurchaseOrderItem(PurchaseOrder='4500000000')", 400),
        ("A_PurchaseOrder(4500000000)", 400),
        ("A_PurchaseOrder?$select=Nothing", 400),
        ("A_PurchaseOrder?$expand=Supplier", 400),
        ("A_PurchaseOrder?$orderby=Nothing", 400),
        ("A_PurchaseOrder?$top=-1", 400),
        ("A_PurchaseOrder?$skip=x", 400),
        ("A_PurchaseOrder?$inlinecount=some", 400),
        ("A_PurchaseOrder?$search=x", 400),
        ("A_PurchaseOrder?$format=csv", 400),
        ("A_PurchaseOrder?$skiptoken=abc", 400),
    ],
)
async def test_what_does_not_exist_is_refused_in_the_vendors_form(sap: SapCaller, path: str, status: int) -> None:
    answer = await sap.get(f"{PO}/{path}")

    assert answer.status == status
    assert set(answer.error) == {"code", "message", "innererror"}
    assert answer.error["message"]["lang"] == "en"
    assert {"transactionid", "timestamp", "errordetails"} <= set(answer.error["innererror"])


async def test_an_error_without_a_wish_for_json_is_xml(sap: SapCaller) -> None:
    answer = await sap.get(f"{PO}/A_Nothing", Accept="*/*")

    assert "<code>/IWBEP/CM_MGW_RT/020</code>" in answer.text


async def test_a_service_that_is_not_active_is_403(sap: SapCaller) -> None:
    answer = await sap.get("API_NOTHING_SRV/A_Nothing")

    assert (answer.status, answer.error["code"]) == (403, "/IWFND/MED/170")


async def test_pages_follow_next_until_the_last(sap: SapCaller) -> None:
    await sap.admin("POST", "/options", {"page_sizes": {"A_PurchaseOrder": 15}})
    answer = await sap.get(f"{PO}/A_PurchaseOrder?$select=PurchaseOrder&$orderby=PurchaseOrder desc")
    sizes, seen = [], []
    while True:
        sizes.append(len(answer.rows))
        seen += [row["PurchaseOrder"] for row in answer.rows]
        if "__next" not in answer.data:
            break
        assert answer.data["__next"].startswith(f"{sap.running.url}/sap/opu/odata/sap/{PO}/A_PurchaseOrder?")
        answer = await sap.get(answer.data["__next"])

    assert sizes == [15, 15, 10]
    assert seen == [str(4_500_000_039 - place) for place in range(40)]


@pytest.mark.parametrize(("size", "pages"), [(39, [39, 1]), (40, [40]), (41, [40]), (20, [20, 20])])
async def test_a_page_that_ends_with_the_set_has_no_next(sap: SapCaller, size: int, pages: list[int]) -> None:
    await sap.admin("POST", "/options", {"page_size": size})
    answer = await sap.get(f"{PO}/A_PurchaseOrder")
    sizes = [len(answer.rows)]
    while "__next" in answer.data:
        answer = await sap.get(answer.data["__next"])
        sizes.append(len(answer.rows))

    assert sizes == pages


async def test_top_counts_over_all_pages_and_skip_comes_before(sap: SapCaller) -> None:
    await sap.admin("POST", "/options", {"page_size": 4})
    answer = await sap.get(f"{PO}/A_PurchaseOrder?$orderby=PurchaseOrder&$skip=3&$top=6")
    second = await sap.get(answer.data["__next"])

    got = [row["PurchaseOrder"] for row in answer.rows + second.rows]
    assert got == [str(4_500_000_003 + place) for place in range(6)]
    assert "__next" not in second.data


async def test_next_may_be_relative(sap: SapCaller) -> None:
    await sap.admin("POST", "/options", {"page_size": 10, "absolute_next": False})
    link = (await sap.get(f"{PO}/A_PurchaseOrder?$filter=CompanyCode eq '1010'&$select=PurchaseOrder")).data["__next"]

    assert link.startswith(f"/sap/opu/odata/sap/{PO}/A_PurchaseOrder?")
    assert (await sap.get(link)).status == 200


async def test_without_orderby_the_order_is_stable_but_not_that_of_keys(sap: SapCaller) -> None:
    first = [row["PurchaseOrder"] for row in (await sap.get(f"{PO}/A_PurchaseOrder")).rows]
    second = [row["PurchaseOrder"] for row in (await sap.get(f"{PO}/A_PurchaseOrder")).rows]

    assert first == second
    assert first != sorted(first)
    assert len(set(first)) == 40


async def test_products_have_pages_of_a_hundred(sap: SapCaller) -> None:
    await sap.admin("POST", "/reset", {"materials": 101, "orders": 0})

    answer = await sap.get(f"{PRODUCT}/A_Product?$expand=to_Description,to_Plant")

    assert len(answer.rows) == 100
    assert "$skiptoken=100" in answer.data["__next"]
