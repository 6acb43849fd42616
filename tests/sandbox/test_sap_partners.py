"""Business partners and suppliers of the simulated S/4HANA."""

from typing import Any

import pytest

from tests.fixtures.sap_caller import BP, PO, SapCaller, order_body

pytest_plugins = ["tests.fixtures.sap_s4hana"]
PARTNER = f"{BP}/A_BusinessPartner"


def partner_body(**changes: Any) -> dict[str, Any]:
    body = {
        "BusinessPartnerCategory": "2",
        "OrganizationBPName1": "Demo Neu GmbH & Co. KG",
        "to_BusinessPartnerRole": [{"BusinessPartnerRole": "FLVN00"}, {"BusinessPartnerRole": "FLVN01"}],
        "to_BusinessPartnerAddress": [
            {
                "Country": "DE",
                "CityName": "Köln",
                "to_EmailAddress": [{"EmailAddress": "orders@new.example"}],
                "to_PhoneNumber": {"results": [{"PhoneNumber": "555-0100"}]},
            }
        ],
        "to_BusinessPartnerTax": [{"BPTaxType": "DE0", "BPTaxNumber": "DE123456789"}],
        "to_Supplier": {
            "to_SupplierCompany": [{"CompanyCode": "1010", "ReconciliationAccount": "21100000"}],
            "to_SupplierPurchasingOrg": [{"PurchasingOrganization": "1010", "PurchaseOrderCurrency": "EUR"}],
        },
    }
    return {**body, **changes}


async def test_a_partner_with_supplier_roles_becomes_a_supplier_that_can_be_ordered_from(sap: SapCaller) -> None:
    answer = await sap.write("POST", PARTNER, partner_body())

    number = answer.data["BusinessPartner"]
    supplier = (await sap.get(f"{BP}/A_Supplier('{number}')?$expand=to_SupplierPurchasingOrg")).data
    order = await sap.write("POST", f"{PO}/A_PurchaseOrder", order_body(Supplier=number))
    assert (answer.status, answer.data["Supplier"]) == (201, number)
    assert supplier["SupplierName"] == "Demo Neu GmbH & Co. KG"
    assert supplier["to_SupplierPurchasingOrg"]["results"][0]["PurchaseOrderCurrency"] == "EUR"
    assert order.status == 201


async def test_contact_data_hangs_on_the_address(sap: SapCaller) -> None:
    number = (await sap.write("POST", PARTNER, partner_body())).data["BusinessPartner"]

    expand = "to_BusinessPartnerAddress/to_EmailAddress,to_BusinessPartnerAddress/to_PhoneNumber,to_BusinessPartnerTax"
    row = (await sap.get(f"{PARTNER}('{number}')?$expand={expand}")).data

    [address] = row["to_BusinessPartnerAddress"]["results"]
    assert address["CityName"] == "Köln"
    assert address["to_EmailAddress"]["results"][0]["EmailAddress"] == "orders@new.example"
    assert address["to_PhoneNumber"]["results"][0]["PhoneNumber"] == "555-0100"
    assert row["to_BusinessPartnerTax"]["results"][0]["BPTaxNumber"] == "DE123456789"


async def test_a_role_added_later_makes_a_supplier_without_purchasing_data(sap: SapCaller) -> None:
    body = partner_body(to_BusinessPartnerRole=[], to_Supplier=None)
    number = (await sap.write("POST", PARTNER, body)).data["BusinessPartner"]
    before = await sap.get(f"{BP}/A_Supplier('{number}')")

    role = await sap.write("POST", f"{PARTNER}('{number}')/to_BusinessPartnerRole", {"BusinessPartnerRole": "FLVN01"})
    early = await sap.write("POST", f"{PO}/A_PurchaseOrder", order_body(Supplier=number))
    segment = {"PurchasingOrganization": "1010", "PurchaseOrderCurrency": "EUR"}
    added = await sap.write("POST", f"{BP}/A_Supplier('{number}')/to_SupplierPurchasingOrg", segment)
    order = await sap.write("POST", f"{PO}/A_PurchaseOrder", order_body(Supplier=number))

    assert (before.status, role.status, added.status, order.status) == (404, 201, 201, 201)
    assert early.codes == ["06/321"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"BusinessPartnerCategory": ""}, "R11/401"),
        ({"OrganizationBPName1": ""}, "ME/083"),
        ({"BusinessPartner": "4711"}, "R11/134"),
        ({"to_BusinessPartnerRole": [{"BusinessPartnerRole": "XXXX00"}], "to_Supplier": None}, "R11/103"),
        ({"to_BusinessPartnerRole": []}, "CVI_API/034"),
        ({"to_BusinessPartnerAddress": [{"CityName": "Köln"}]}, "ME/083"),
        ({"to_BusinessPartnerAddress": [{"Country": "XX"}]}, "AM/108"),
        ({"to_Supplier": {"to_SupplierCompany": [{"CompanyCode": "1010"}]}}, "ME/083"),
        ({"to_Supplier": {"to_SupplierPurchasingOrg": [{"PurchasingOrganization": "1010"}]}}, "ME/083"),
    ],
)
async def test_a_faulty_partner_is_refused(sap: SapCaller, changes: dict[str, Any], code: str) -> None:
    answer = await sap.write("POST", PARTNER, partner_body(**changes))

    assert (answer.status, answer.codes) == (400, [code])
    assert (await sap.get(f"{PARTNER}/$count")).text == "8"


async def test_a_change_needs_the_entity_tag_of_the_present_state(sap: SapCaller) -> None:
    read = await sap.get(f"{PARTNER}('17300001')")
    tag = read.headers["etag"]
    change = {"SearchTerm1": "NEW"}

    missing = await sap.write("PATCH", f"{PARTNER}('17300001')", change)
    stale = await sap.write("PATCH", f"{PARTNER}('17300001')", change, **{"If-Match": "W/\"'1'\""})
    good = await sap.write("PATCH", f"{PARTNER}('17300001')", change, **{"If-Match": tag})
    used = await sap.write("PATCH", f"{PARTNER}('17300001')", change, **{"If-Match": tag})
    any_state = await sap.write("PATCH", f"{PARTNER}('17300001')", change, **{"If-Match": "*"})

    assert read.data["__metadata"]["etag"] == tag
    assert [one.status for one in (missing, stale, good, used, any_state)] == [428, 412, 204, 412, 204]
    assert missing.error["code"] == "SADL_ENTITY_RUNTIME/006"
    # Twice within one second, on a clock that stands still, the tag still moves.
    assert len({tag, good.headers["etag"], any_state.headers["etag"]}) == 3


async def test_a_renamed_partner_renames_its_supplier_and_moves_its_date_and_time(sap: SapCaller) -> None:
    change = {"OrganizationBPName1": "Demo Umbenannt AG"}
    await sap.write("PATCH", f"{PARTNER}('17300001')", change, **{"If-Match": "*"})

    partner = (await sap.get(f"{PARTNER}('17300001')?$expand=to_Supplier")).data
    assert partner["to_Supplier"]["SupplierName"] == "Demo Umbenannt AG"
    assert (partner["LastChangeDate"], partner["LastChangeTime"]) == ("/Date(1795132800000)/", "PT10H30M15S")
    assert partner["LastChangedByUser"] == "COMM_USER"


async def test_supplier_data_changes_without_a_tag_and_without_moving_the_partner(sap: SapCaller) -> None:
    before = (await sap.get(f"{PARTNER}('17300001')")).data
    path = f"{BP}/A_SupplierPurchasingOrg(Supplier='17300001',PurchasingOrganization='1010')"

    blocked = await sap.write("PATCH", f"{BP}/A_Supplier('17300001')", {"PurchasingIsBlocked": True})
    terms = await sap.write("PATCH", path, {"PaymentTerms": "NT60"})
    bad_terms = await sap.write("PATCH", path, {"PaymentTerms": "ZZZZ"})
    order = await sap.write("POST", f"{PO}/A_PurchaseOrder", order_body())

    assert (blocked.status, terms.status, bad_terms.status) == (204, 204, 400)
    assert order.codes == ["06/023"]
    assert (await sap.get(f"{PARTNER}('17300001')")).data == before


async def test_partners_and_suppliers_cannot_be_deleted_nor_suppliers_created(sap: SapCaller) -> None:
    deleted = await sap.write("DELETE", f"{PARTNER}('17300001')")
    created = await sap.write("POST", f"{BP}/A_Supplier", {"Supplier": "1"})

    assert (deleted.status, created.status) == (501, 501)


async def test_an_address_change_moves_the_partner(sap: SapCaller) -> None:
    address = (await sap.get(f"{PARTNER}('17300001')/to_BusinessPartnerAddress")).rows[0]

    answer = await sap.write("PATCH", address["__metadata"]["uri"], {"CityName": "Bonn"})

    assert answer.status == 204
    assert (await sap.get(address["__metadata"]["uri"])).data["CityName"] == "Bonn"
    assert (await sap.get(f"{PARTNER}('17300001')")).data["LastChangeTime"] == "PT10H30M15S"


async def test_the_same_key_twice_is_refused_and_leaves_nothing(sap: SapCaller) -> None:
    twice = [{"BusinessPartnerRole": "FLVN01"}, {"BusinessPartnerRole": "FLVN01"}]
    inline = await sap.write("POST", PARTNER, partner_body(to_BusinessPartnerRole=twice))
    segment = {"PurchasingOrganization": "1010", "PurchaseOrderCurrency": "EUR"}
    added = await sap.write("POST", f"{BP}/A_Supplier('17300001')/to_SupplierPurchasingOrg", segment)

    assert (inline.status, added.status) == (400, 400)
    assert (await sap.get(f"{PARTNER}/$count")).text == "8"
