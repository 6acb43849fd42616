"""Bodies of SAP's requests, what is refused before a call, and what answers mean."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from connectors.base import Change
from connectors.egress import Response
from connectors.errors import (
    AuthError,
    BadResponse,
    ConfigError,
    ConnectorError,
    PermissionRefused,
    RateLimited,
    SourceFault,
    SourceUnavailable,
    VersionConflict,
    WriteRejected,
)
from connectors.sap_s4hana.faults import BadRequest, error_of
from connectors.sap_s4hana.forms import Credentials, WriteDefaults
from connectors.sap_s4hana.write import orders, stock, vendors, work
from connectors.sap_s4hana.write.steps import expect, ignored
from db.types import Entity, ErrorCode, Operation

DEFAULTS = WriteDefaults(company_code="1010", purchasing_organization="1010", purchasing_group="001", plant="1010")
LINE = {"item_source_id": "TG10", "quantity": Decimal(5), "unit": "EA", "unit_price": Decimal("0.195")}


def _create(entity: Entity = Entity.PURCHASE_ORDER, source_fields: Any = None, **values: Any) -> Change:
    return Change(entity, Operation.CREATE, "CHD000000001", values=values, source_fields=source_fields or {})


def test_a_new_order_is_one_deep_insert() -> None:
    change = _create(
        vendor_source_id="10300001",
        currency="EUR",
        order_date=date(2024, 1, 31),
        required_date=date(2024, 2, 15),
        payment_terms_source_id="0004",
        notes="Gate 4",
        lines=[LINE],
    )

    assert orders.create_body(change, DEFAULTS) == {
        "PurchaseOrderType": "NB",
        "CompanyCode": "1010",
        "PurchasingOrganization": "1010",
        "PurchasingGroup": "001",
        "Supplier": "10300001",
        "DocumentCurrency": "EUR",
        "PurchaseOrderDate": "/Date(1706659200000)/",
        "PaymentTerms": "0004",
        "CorrespncExternalReference": "CHD000000001",
        "to_PurchaseOrderNote": [{"TextObjectType": "F01", "Language": "EN", "PlainLongText": "Gate 4"}],
        "to_PurchaseOrderItem": [
            {
                "PurchaseOrderItem": "10",
                "Plant": "1010",
                "Material": "TG10",
                "OrderQuantity": "5",
                "PurchaseOrderQuantityUnit": "PC",
                "NetPriceAmount": "1.95",
                "NetPriceQuantity": "10",
                "to_ScheduleLine": [
                    {
                        "ScheduleLine": "1",
                        "ScheduleLineDeliveryDate": "/Date(1707955200000)/",
                        "ScheduleLineOrderQuantity": "5",
                    }
                ],
            }
        ],
    }


def test_what_is_missing_is_named_before_anything_is_sent() -> None:
    change = _create(vendor_source_id="1", lines=[{"quantity": Decimal(1), "description": "Paint"}])

    with pytest.raises(WriteRejected) as caught:
        orders.create_body(change, WriteDefaults())

    assert [(problem.code, problem.path) for problem in caught.value.problems] == [
        (ErrorCode.BAD_USER_INPUT, ("sourceFields", "CompanyCode")),
        (ErrorCode.BAD_USER_INPUT, ("sourceFields", "PurchasingOrganization")),
        (ErrorCode.BAD_USER_INPUT, ("sourceFields", "PurchasingGroup")),
        (ErrorCode.BAD_USER_INPUT, ("lines", "0", "sourceFields", "Plant")),
        (ErrorCode.BAD_USER_INPUT, ("lines", "0", "sourceFields", "MaterialGroup")),
        (ErrorCode.BAD_USER_INPUT, ("lines", "0", "sourceFields", "AccountAssignmentCategory")),
    ]
    assert "companyCode in the connection's write defaults" in caught.value.problems[0].message


def test_source_fields_of_a_call_beat_the_connections_defaults() -> None:
    extra = {"CompanyCode": "2000", "to_PurchaseOrderItem": {"TaxCode": "V0"}}
    body = orders.create_body(_create(source_fields=extra, vendor_source_id="1", lines=[LINE]), DEFAULTS)

    assert (body["CompanyCode"], body["to_PurchaseOrderItem"][0]["TaxCode"]) == ("2000", "V0")


def test_a_line_goes_to_its_own_place() -> None:
    line = {**LINE, "location_source_id": "1020/102A"}
    body = orders.create_body(_create(vendor_source_id="1", lines=[line]), DEFAULTS)["to_PurchaseOrderItem"][0]

    assert (body["Plant"], body["StorageLocation"]) == ("1020", "102A")


@pytest.mark.parametrize(
    ("price", "currency", "amount", "base"),
    [
        ("100", "EUR", "100.00", "1"),
        ("0.195", "EUR", "1.95", "10"),
        ("0.0001", "EUR", "0.01", "100"),
        ("0.5", "JPY", "5", "10"),
        ("0.195", "KWD", "0.195", "1"),
        ("1.50", None, "1.50", "1"),
    ],
)
def test_prices_are_split_so_that_sap_rounds_nothing(price: str, currency: str | None, amount: str, base: str) -> None:
    assert tuple(map(str, orders.price(Decimal(price), currency))) == (amount, base)


def test_a_price_that_sap_cannot_hold_is_refused() -> None:
    with pytest.raises(WriteRejected) as caught:
        orders.price(Decimal("0.0000001"), "EUR")

    assert caught.value.problems[0].path == ("lines", "unitPrice")


def test_a_new_work_order_needs_type_plant_and_work_center() -> None:
    with pytest.raises(WriteRejected) as caught:
        work.create_body(_create(Entity.WORK_ORDER, title="Leak"), WriteDefaults())
    defaults = WriteDefaults(maintenance_order_type="YA01", plant="1010", work_center="RES-0100")
    body = work.create_body(
        _create(
            Entity.WORK_ORDER,
            title="Leak",
            priority=2,
            due_at=datetime(2024, 1, 31, 15, tzinfo=UTC),
            tasks=[{"description": "Look"}],
        ),
        defaults,
    )

    assert [problem.path for problem in caught.value.problems] == [
        ("sourceFields", "MaintenanceOrderType"),
        ("sourceFields", "MaintenancePlanningPlant"),
        ("sourceFields", "MainWorkCenter"),
    ]
    assert body == {
        "MaintenanceOrderType": "YA01",
        "MaintenancePlanningPlant": "1010",
        "MainWorkCenter": "RES-0100",
        "MainWorkCenterPlant": "1010",
        "MaintenanceOrderDesc": "Leak",
        "MaintPriority": "2",
        "LatestAcceptableCompletionDate": "/Date(1706659200000)/",
        "to_MaintenanceOrderOperation": [
            {"MaintenanceOrderOperation": "0010", "OperationDescription": "Look"},
        ],
    }


def test_a_new_supplier_is_a_partner_with_roles() -> None:
    defaults = DEFAULTS.model_copy(update={"supplier_grouping": "BP02", "tax_number_category": "DE0"})
    change = _create(
        Entity.VENDOR,
        name="A" * 45,
        email="a@demo.example",
        tax_id="DE111111125",
        currency="EUR",
        addresses=[{"country": "DE", "city": "Berlin", "lines": ["Allee 1"]}],
    )

    body = vendors.create_body(change, defaults)

    assert (body["OrganizationBPName1"], body["OrganizationBPName2"]) == ("A" * 40, "A" * 5)
    assert body["BusinessPartnerIDByExtSystem"] == "CHD000000001"
    assert [row["BusinessPartnerRole"] for row in body["to_BusinessPartnerRole"]] == ["FLVN00", "FLVN01"]
    assert body["to_BusinessPartnerAddress"][0]["to_EmailAddress"][0]["EmailAddress"] == "a@demo.example"
    assert body["to_Supplier"]["to_SupplierPurchasingOrg"] == [
        {"PurchasingOrganization": "1010", "PurchaseOrderCurrency": "EUR"}
    ]
    with pytest.raises(WriteRejected, match="country"):
        vendors.create_body(_create(Entity.VENDOR, name="A"), defaults)


def test_a_stock_difference_is_posted_only_where_the_tenants_movement_types_are_known() -> None:
    change = Change(
        Entity.INVENTORY_LEVEL,
        Operation.ADJUST,
        "CHD000000001",
        values={"item_source_id": "TG10", "location_source_id": "1010/101A", "quantity": Decimal(7), "reason": "count"},
    )
    key = stock.level_key(change, WriteDefaults())
    today = datetime(2024, 1, 31, 10, tzinfo=UTC)
    with pytest.raises(WriteRejected, match="GoodsMovementCode"):
        stock.movement_body(change, WriteDefaults(), key=key, delta=Decimal(-3), unit="PC", today=today)

    defaults = WriteDefaults(goods_movement_code="04", increase_movement_type="701", decrease_movement_type="702")
    body = stock.movement_body(change, defaults, key=key, delta=Decimal(-3), unit="PC", today=today)

    assert body == {
        "DocumentDate": "/Date(1706659200000)/",
        "PostingDate": "/Date(1706659200000)/",
        "GoodsMovementCode": "04",
        "ReferenceDocument": "CHD000000001",
        "to_MaterialDocumentItem": [
            {
                "Material": "TG10",
                "Plant": "1010",
                "StorageLocation": "101A",
                "GoodsMovementType": "702",
                "QuantityInEntryUnit": "3",
                "EntryUnit": "PC",
                "MaterialDocumentItemText": "count",
            }
        ],
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [({"quantity": Decimal(7)}, "-3"), ({"delta": Decimal("2.5")}, "2.5"), ({"quantity": Decimal(10)}, "0")],
)
def test_a_difference_is_to_what_is_there(values: dict[str, Decimal], expected: str) -> None:
    assert str(stock.difference(values, Decimal(10))) == expected


@pytest.mark.parametrize("values", [{}, {"quantity": Decimal(1), "delta": Decimal(1)}])
def test_a_difference_needs_one_of_the_two(values: dict[str, Decimal]) -> None:
    with pytest.raises(WriteRejected, match="either quantity or delta"):
        stock.difference(values, Decimal(10))


def test_what_sap_did_not_store_is_found() -> None:
    sent = {"Q": "5", "N": "10", "T": "abc", "D": "/Date(0)/", "B": True, "E": "", "X": "1", "list": [1]}
    stored = {"Q": "5.000", "N": "00010", "T": "ABC", "D": "/Date(0+0000)/", "B": True, "E": None, "X": "2"}

    assert ignored(sent, stored) == ["X"]


def test_the_version_that_the_caller_saw_is_one_of_saps_stamps() -> None:
    for expected, stamps in ((None, (STAMP,)), (STAMP, (STAMP,)), (STAMP, ("W/1", STAMP)), (STAMP, (None,))):
        expect(expected, *stamps)


def test_another_version_is_a_conflict() -> None:
    with pytest.raises(VersionConflict, match="changed in SAP"):
        expect("/Date(1706695201000+0000)/", STAMP, None)


STAMP = "/Date(1706695200000+0000)/"
HTML = b"<html><head><style>x{}</style><title>Logon Error</title></head><body>Client 999 is not available</body></html>"
NO_RIGHT = b'{"error":{"code":"/IWFND/CM_CONSUMER/101","message":{"lang":"en","value":"No authorization"}}}'
NO_SERVICE = b'{"error":{"code":"/IWFND/MED/170","message":{"lang":"en","value":"No service found"}}}'
REFUSED = (
    b'{"error":{"code":"ME/083","message":{"lang":"en","value":"Enter Plant"},"innererror":{"errordetails":['
    b'{"code":"ME/083","message":"Enter Plant","severity":"error","target":"to_PurchaseOrderItem(1)/Plant"}]}}}'
)


@pytest.mark.parametrize(
    ("status", "headers", "body", "writing", "error"),
    [
        (401, {}, b"<html>Logon failed</html>", False, AuthError),
        (401, {}, b'{"error":{"code":"X","message":"never parsed"}}', False, AuthError),
        (401, {}, HTML, False, ConfigError),
        (500, {}, HTML, True, ConfigError),
        (403, {}, NO_RIGHT, False, PermissionRefused),
        (403, {}, NO_SERVICE, False, PermissionRefused),
        (404, {}, NO_SERVICE, False, PermissionRefused),
        (404, {}, b"<html>no such place</html>", False, ConfigError),
        (302, {}, b"", False, ConfigError),
        (400, {}, NO_RIGHT, False, BadRequest),
        (405, {}, NO_RIGHT, False, BadResponse),
        (400, {}, REFUSED, True, WriteRejected),
        (404, {}, NO_RIGHT, True, WriteRejected),
        (428, {}, NO_RIGHT, True, WriteRejected),
        (412, {}, NO_RIGHT, True, VersionConflict),
        (409, {}, b"", True, VersionConflict),
        (429, {"retry-after": "7"}, b"", True, RateLimited),
        (503, {"retry-after": "7"}, b"", True, RateLimited),
        (503, {}, b"", False, SourceFault),
        (500, {}, NO_RIGHT, False, SourceFault),
        (500, {}, NO_RIGHT, True, SourceUnavailable),
        (502, {}, b"<html>", True, SourceUnavailable),
    ],
)
def test_answers_are_judged(
    status: int, headers: dict[str, str], body: bytes, writing: bool, error: type[ConnectorError]
) -> None:
    found = error_of(Response(status, headers, body), writing=writing)

    assert type(found) is error


def test_a_refusal_names_the_callers_field_and_saps_words() -> None:
    found = error_of(Response(400, {}, REFUSED), writing=True)

    assert found.message == "SAP refused the change (ME/083)."
    assert found.source_message == "Enter Plant"
    problem = found.problems[0]
    assert (problem.code, problem.path, problem.source_message) == (
        ErrorCode.SOURCE_REJECTED,
        ("lines", "location"),
        "ME/083 Enter Plant",
    )


def test_an_open_outcome_is_told_after_a_failed_write() -> None:
    found = error_of(Response(504, {}, b""), writing=True)

    assert isinstance(found, SourceUnavailable)
    assert found.sent


def test_waiting_is_told_in_seconds_or_as_a_date() -> None:
    now = datetime(2024, 1, 31, 10, 0, tzinfo=UTC)
    seconds = error_of(Response(429, {"retry-after": "7"}, b""), writing=False)
    date_ = error_of(Response(429, {"retry-after": "Wed, 31 Jan 2024 10:01:00 GMT"}, b""), writing=False, now=now)
    strange = error_of(Response(429, {"retry-after": "soon"}, b""), writing=False)

    waits = [error.retry_after_s for error in (seconds, date_, strange) if isinstance(error, RateLimited)]
    assert waits == [7.0, 60.0, None]


def test_markup_and_styles_are_left_out_of_saps_words() -> None:
    found = error_of(Response(401, {}, HTML), writing=False)

    assert found.source_message == "Logon Error Client 999 is not available"


@pytest.mark.parametrize(
    "told",
    [
        {"username": "u"},
        {"auth_method": "OAUTH2", "username": "u", "password": "p"},
        {"username": "u", "password": "p", "client": "1"},
        {"username": "u", "password": "p", "base_url": "https://u:p@s4.example"},
        {"username": "u", "password": "p", "base_url": "https://s4.example/path"},
        {"username": "u", "password": "p", "extra": "x"},
    ],
)
def test_incomplete_credentials_are_refused(told: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Credentials.model_validate({"base_url": "https://s4.example", **told})


def test_credentials_hide_their_secrets() -> None:
    told = Credentials(base_url="https://s4.example/", username="u", password=SecretStr("hush"))

    assert told.root == "https://s4.example"
    assert "hush" not in repr(told)
