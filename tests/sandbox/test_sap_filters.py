"""$filter of the simulated S/4HANA."""

import pytest

from sandbox.sap_s4hana.edm import load_services
from sandbox.sap_s4hana.odata.errors import ODataError
from sandbox.sap_s4hana.odata.filters import parse_filter
from sandbox.sap_s4hana.odata.literals import parse_instant, parse_time
from sandbox.sap_s4hana.store import Row
from tests.fixtures.sap_caller import BP, MAINTENANCE, PO, SapCaller

pytest_plugins = ["tests.fixtures.sap_s4hana"]
SERVICES = load_services()
ITEM = SERVICES[PO].sets["A_PurchaseOrderItem"]
LINE = SERVICES[PO].sets["A_PurchaseOrderScheduleLine"]
ORDER = SERVICES[PO].sets["A_PurchaseOrder"]
PARTNER = SERVICES[BP].sets["A_BusinessPartner"]
WORK = SERVICES[MAINTENANCE].sets["MaintenanceOrder"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PurchaseOrder eq '4500000001'", True),
        ("PurchaseOrderItem eq '00010'", True),
        ("PurchaseOrderItem eq '10'", True),
        ("'10' eq PurchaseOrderItem", True),
        ("OrderQuantity gt 1.5M", True),
        ("OrderQuantity ge 2", True),
        ("2.0m ge OrderQuantity", True),
        ("3 gt OrderQuantity", True),
        ("OrderQuantity lt 2.000", False),
        ("PurchaseOrderItemText eq 'O''Neill''s part'", True),
        ("startswith(PurchaseOrderItemText,'O''')", True),
        ("startswith(PurchaseOrderItemText,'O''') eq true", True),
        ("endswith(PurchaseOrderItemText,'part') and not startswith(PurchaseOrderItemText,'x')", True),
        ("substringof('Neill',PurchaseOrderItemText)", True),
        ("substringof('neill',PurchaseOrderItemText)", False),
        ("IsCompletelyDelivered", True),
        ("IsCompletelyDelivered eq false or Plant eq '1010'", True),
        ("not (IsCompletelyDelivered and Plant ne '1010')", True),
        ("Plant eq '9' or Plant eq '1010' and OrderQuantity eq 5", False),
        ("(Plant eq '9' or Plant eq '1010') and OrderQuantity eq 2", True),
        ("PurchaseOrderItemText eq Plant", False),
        ("TaxDeterminationDate eq null", True),
        ("TaxDeterminationDate ne null", False),
        ("TaxDeterminationDate ge datetime'2020-01-01T00:00:00'", False),
        ("Material eq ''", True),
        ("Plant eq '(and) or eq'", False),
    ],
)
def test_an_expression_decides_on_an_item(text: str, expected: bool) -> None:
    item = Row(
        ITEM,
        {
            "PurchaseOrder": "4500000001",
            "PurchaseOrderItem": "10",
            "OrderQuantity": 2,
            "PurchaseOrderItemText": "O'Neill's part",
            "IsCompletelyDelivered": True,
            "Plant": "1010",
        },
    )

    assert parse_filter(text, ITEM).test(item) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LastChangeDateTime gt datetimeoffset'2026-11-20T10:00:00Z'", True),
        ("LastChangeDateTime gt datetimeoffset'2026-11-20T11:00:00+01:00'", True),
        ("LastChangeDateTime gt datetimeoffset'2026-11-20T10:00:00.1234560Z'", False),
        ("LastChangeDateTime ge datetimeoffset'2026-11-20T10:00:00.1234560Z'", True),
        # The wire shows milliseconds only: reading on from there meets the row again.
        ("LastChangeDateTime gt datetimeoffset'2026-11-20T10:00:00.123Z'", True),
        ("PurchaseOrderDate ge datetime'2026-11-19T00:00:00'", True),
        ("PurchaseOrderDate lt datetime'2026-11-19T00:00:00'", False),
        # The wrong literal on a date is let pass and misread.
        ("PurchaseOrderDate le datetimeoffset'2026-12-31T00:00:00Z'", False),
    ],
)
def test_dates_compare_with_their_literals(text: str, expected: bool) -> None:
    row = Row(
        ORDER,
        {
            "LastChangeDateTime": parse_instant("2026-11-20T10:00:00.1234560Z", utc=True),
            "PurchaseOrderDate": parse_instant("2026-11-19T00:00:00", utc=False),
        },
    )

    assert parse_filter(text, ORDER).test(row) is expected


def test_a_time_compares_with_a_time() -> None:
    row = Row(LINE, {"ScheduleLineDeliveryTime": parse_time("PT8H")})

    assert parse_filter("ScheduleLineDeliveryTime eq time'PT08H00M00S'", LINE).test(row)
    assert parse_filter("ScheduleLineDeliveryTime gt time'PT7H59M'", LINE).test(row)


def test_a_guid_compares_whatever_its_case() -> None:
    row = Row(PARTNER, {"BusinessPartnerUUID": "0f0e0d0c-0b0a-0908-0706-050403020100"})

    text = "BusinessPartnerUUID eq guid'0F0E0D0C-0B0A-0908-0706-050403020100'"
    assert parse_filter(text, PARTNER).test(row)


@pytest.mark.parametrize(
    "text",
    [
        "LastChangeDateTime gt datetime'2026-11-20T10:00:00'",
        "LastChangeDateTime gt '2026-11-20T10:00:00'",
        "PurchaseOrderDate eq '2026-11-19'",
        "PurchaseOrder eq 4500000000",
        "ReleaseIsNotCompleted eq 'true'",
        "CashDiscount1Days eq '5'",
        "startswith(CashDiscount1Days,'5')",
        "Supplier eq ReleaseIsNotCompleted",
        "PurchaseOrderDate gt null",
    ],
)
def test_a_literal_of_another_type_is_refused(text: str) -> None:
    with pytest.raises(ODataError) as caught:
        parse_filter(text, ORDER)

    assert (caught.value.status, caught.value.code) == (400, "005056A509B11EE1BB8AF4A65EC3CA20")
    assert "Invalid parametertype used at function" in caught.value.text


@pytest.mark.parametrize("literal", ["datetime'2026-11-20T10:00:00'", "'10:00:00'", "'PT10H'"])
def test_a_time_refuses_other_literals(literal: str) -> None:
    with pytest.raises(ODataError) as caught:
        parse_filter(f"LastChangeTime gt {literal}", PARTNER)

    assert caught.value.code == "005056A509B11EE1BB8AF4A65EC3CA20"


@pytest.mark.parametrize(
    "text",
    [
        "Nothing eq '1'",
        "Supplier",
        "Supplier eq",
        "eq '1'",
        "Supplier eq '1' and",
        "Supplier eq '1' Supplier",
        "(Supplier eq '1'",
        "Supplier eq '1')",
        "Supplier eq 'open",
        "Supplier is '1'",
        "year(PurchaseOrderDate) eq 2026",
        "Supplier eq guid'x'",
        "PurchaseOrderDate eq datetime'2026-13-01T00:00:00'",
        "PurchaseOrderDate eq datetime'2026-11-19'",
        "to_PurchaseOrderItem/Plant eq '1010'",
        "'1' eq '1'",
        "%",
    ],
)
def test_an_expression_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ODataError) as caught:
        parse_filter(text, ORDER)

    assert caught.value.status == 400


def test_status_texts_are_not_filterable() -> None:
    with pytest.raises(ODataError) as caught:
        parse_filter("SystemStatusText eq 'REL'", WORK)

    assert caught.value.text == "Property 'SystemStatusText' is not filterable"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("PurchaseOrder eq '1' or PurchaseOrder eq '2'", {"1", "2"}),
        ("PurchaseOrder eq '1' and Plant eq '1010'", {"1"}),
        ("PurchaseOrder eq '1' and PurchaseOrder eq '2'", set()),
        ("PurchaseOrder eq '1' or Plant eq '1010'", None),
        ("not (PurchaseOrder eq '1')", None),
        ("PurchaseOrder gt '1'", None),
    ],
)
def test_a_filter_knows_which_leading_keys_can_match(text: str, keys: set[str] | None) -> None:
    assert parse_filter(text, ITEM).keys == keys


async def test_an_index_answers_as_a_scan_would(sap: SapCaller) -> None:
    everything = (await sap.get(f"{PO}/A_PurchaseOrderItem")).rows
    by_key = await sap.get(
        f"{PO}/A_PurchaseOrderItem?$filter=PurchaseOrder eq '4500000003' or PurchaseOrder eq '4500000005'"
    )

    expected = [row["__metadata"]["id"] for row in everything if row["PurchaseOrder"] in {"4500000003", "4500000005"}]
    assert sorted(row["__metadata"]["id"] for row in by_key.rows) == sorted(expected)


async def test_incremental_reading_by_date_or_time_of_a_partner(sap: SapCaller) -> None:
    rows = (await sap.get(f"{BP}/A_BusinessPartner?$orderby=LastChangeDate,LastChangeTime")).rows
    ticks, time = int(rows[3]["LastChangeDate"][6:-2]), rows[3]["LastChangeTime"]
    day = parse_instant(f"/Date({ticks})/", utc=False).isoformat()
    query = (
        f"LastChangeDate gt datetime'{day}' or (LastChangeDate eq datetime'{day}' and LastChangeTime ge time'{time}')"
    )

    found = (await sap.get(f"{BP}/A_BusinessPartner?$filter={query}")).rows

    assert {row["BusinessPartner"] for row in found} == {row["BusinessPartner"] for row in rows[3:]}
