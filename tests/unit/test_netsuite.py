"""NetSuite's rows as records, its local time, its errors, and the words of the connect form."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.compiled import record
from connectors.egress import Response
from connectors.errors import (
    AuthError,
    BadResponse,
    ConfigError,
    ConnectorError,
    MappingError,
    PermissionRefused,
    RateLimited,
    SourceFault,
    SourceUnavailable,
    VersionConflict,
    WriteRejected,
)
from connectors.mapping import project
from connectors.netsuite.connector import NETSUITE
from connectors.netsuite.faults import BadQuery, error_of
from connectors.netsuite.forms import Credentials, WriteDefaults
from connectors.netsuite.zone import Zone
from db.models.rows import record_of
from db.types import Entity

UNITS = NETSUITE.units(WriteDefaults())
TOKEN = {
    "auth_method": "TOKEN",
    "consumer_key": "ck",
    "consumer_secret": "cs",
    "token_id": "tk",
    "token_secret": "ts",
}


def a_line(**more: Any) -> dict[str, Any]:
    told = {
        "transaction": "17", "id": "1", "linesequencenumber": "1", "item": "4", "item_name": "ITM-4",
        "itemtype": "InvtPart", "quantity": "-12.5", "rate": "0.195", "foreignamount": "-2.44", "units": "3",
        "units_name": "Kilogram", "isclosed": "F", "quantityshiprecv": "0", "quantitybilled": "0",
        "expectedreceiptdate": "2026-12-05",
    }  # fmt: skip
    return told | more


def an_order(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = {
        "id": "17", "tranid": "PO17", "status": "B", "entity": "5", "trandate": "2026-11-20", "currency": "1",
        "currency_symbol": "USD", "foreigntotal": "-2.44", "otherrefnum": "Q-77", "memo": "Süd",
        "lastmodifieddate": "2026-11-20T10:00:00", "lines": list(lines or (a_line(),)),
    }  # fmt: skip
    return told | more


def mapped(body: dict[str, Any], entity: Entity = Entity.PURCHASE_ORDER) -> Any:
    found = project(NETSUITE.mappings[entity], body, units=UNITS)
    assert record(NETSUITE.mappings[entity], body, units=UNITS) == record_of(found)
    return found


def test_an_order_is_told_without_netsuites_signs() -> None:
    order = mapped(an_order(custom={"custbody_project": "P-1", "custbody_empty": ""}))

    assert (order.order_number, order.vendor_source_id, order.vendor_reference) == ("PO17", "5", "Q-77")
    assert (order.order_date, order.required_date) == (date(2026, 11, 20), date(2026, 12, 5))
    assert (order.total_gross, order.currency) == (Decimal("2.44"), "USD")
    assert order.custom_fields == {"custbody_project": "P-1"}
    [line] = order.lines
    assert (line.source_line_id, line.item_source_id, line.item_code) == ("1", "4", "ITM-4")
    assert (line.quantity, line.unit, line.native_unit) == (Decimal("12.5"), "KGM", "Kilogram")
    assert (line.unit_price, line.price_base, line.price_unit) == (Decimal("0.195"), 1, "KGM")


@pytest.mark.parametrize(
    ("letter", "received", "billed", "told"),
    [
        ("A", 0, 0, ("PENDING_APPROVAL", "PENDING", "NONE", "NONE")),
        ("B", 0, 0, ("APPROVED", "APPROVED", "NONE", "NONE")),
        ("PurchOrd:B", 0, 0, ("APPROVED", "APPROVED", "NONE", "NONE")),
        ("C", 0, 0, ("REJECTED", "REJECTED", "NONE", "NONE")),
        ("D", 5, 0, ("PARTIALLY_RECEIVED", "APPROVED", "PARTIAL", "NONE")),
        ("E", 5, 5, ("PARTIALLY_RECEIVED", "APPROVED", "PARTIAL", "PARTIAL")),
        ("F", 12.5, 0, ("RECEIVED", "APPROVED", "FULL", "NONE")),
        ("G", 12.5, 12.5, ("CLOSED", "APPROVED", "FULL", "FULL")),
        ("H", 0, 0, ("CANCELLED", "UNKNOWN", "NONE", "NONE")),
        ("H", 5, 0, ("CLOSED", "UNKNOWN", "PARTIAL", "NONE")),
        ("Y", 0, 0, ("UNKNOWN", "UNKNOWN", "NONE", "NONE")),
    ],
)
def test_a_letter_tells_the_status_and_the_lines_the_rest(
    letter: str, received: float, billed: float, told: tuple[str, ...]
) -> None:
    order = mapped(an_order(a_line(quantityshiprecv=str(received), quantitybilled=str(billed)), status=letter))
    assert (order.status, order.approval, order.receipt, order.billing) == told
    assert order.native_status == letter


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "OPEN"),
        ({"quantityshiprecv": "3"}, "PARTIALLY_RECEIVED"),
        ({"quantityshiprecv": "-12.5"}, "RECEIVED"),
        ({"isclosed": "T"}, "CANCELLED"),
        ({"isclosed": "T", "quantityshiprecv": "3"}, "CLOSED"),
    ],
)
def test_a_line_has_a_status_of_its_own(more: dict[str, str], told: str) -> None:
    assert mapped(an_order(a_line(**more))).lines[0].status == told


def test_an_order_is_mapped_with_nothing_but_what_must_be() -> None:
    order = mapped({"id": "1", "lines": [{"transaction": "1", "id": "7", "quantity": None}]})
    assert (order.status, order.order_number, order.lines[0].line_number) == ("UNKNOWN", None, "7")


def test_addresses_and_accounts_are_told_where_there_are_any() -> None:
    place = {"nkey": "1", "addressee": "Main Warehouse", "addr1": "Dock Road 1", "zip": "94001", "country": "US"}
    order = mapped(
        an_order(a_line(department="4", vendorname="X-1"), shippingaddress_=place, billingaddress_={"nkey": "2"})
    )
    second = {**place, "addr1": "Gate 2", "defaultbilling": "T"}
    vendor = mapped({"id": "3", "entityid": "V3", "addresses": [place, second], "taxidnum": "DE1"}, Entity.VENDOR)

    assert order.ship_to.model_dump(exclude_none=True) == {
        "name": "Main Warehouse",
        "lines": ["Dock Road 1"],
        "postal_code": "94001",
        "country": "US",
    }
    assert order.bill_to is None
    assert (order.lines[0].account_assignment, order.lines[0].vendor_item_code) == ({"department": "4"}, "X-1")
    assert [one.lines for one in vendor.addresses] == [["Gate 2"], ["Dock Road 1"]]
    assert vendor.tax_id == "DE1"


def test_a_currency_that_is_none_fails_the_record() -> None:
    with pytest.raises(MappingError, match="currency"):
        mapped(an_order(currency_symbol="?????"))


def test_vendors_and_items_are_named_by_what_there_is() -> None:
    person = mapped(
        {"id": "3", "entityid": "V3", "firstname": "Zoë", "lastname": "Łoś", "isinactive": "T"}, Entity.VENDOR
    )
    bare = mapped({"id": "3", "entityid": "V3"}, Entity.VENDOR)
    item = mapped({"id": "1", "itemid": "A", "itemtype": "Kit", "stockunit_name": "Each", "cost": "12.4"}, Entity.ITEM)

    assert (person.name, person.active, bare.name, bare.active) == ("Zoë Łoś", False, "V3", True)
    assert (item.type, item.base_unit, item.standard_cost) == ("KIT", "EA", Decimal("12.4"))


def test_stamps_are_read_in_the_accounts_zone() -> None:
    zone = Zone("America/Los_Angeles")
    assert zone.instant("2026-11-20T02:00:00") == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert zone.bound(datetime(2026, 7, 1, 12, tzinfo=UTC)) == "2026-07-01T05:00:00"
    assert Zone(None).instant("2026-11-20T02:00:00") is None
    assert Zone(None).bound(datetime(2026, 7, 2, 12, tzinfo=UTC)) == "2026-07-01T12:00:00"


@given(
    st.datetimes(datetime(2026, 11, 1, 7), datetime(2026, 11, 1, 11), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(0, 3 * 3600),
)
@example(datetime(2026, 11, 1, 8, 50, tzinfo=UTC), 20 * 60)
def test_no_change_hides_behind_clocks_that_go_back(since: datetime, later_s: int) -> None:
    """With the bound at `since` alone, a change at 01:10 of the second time hides behind 01:50 of the first."""
    changed = datetime.fromtimestamp(since.timestamp() + later_s, ZoneInfo("America/Los_Angeles"))
    assert f"{changed:%Y-%m-%dT%H:%M:%S}" >= Zone("America/Los_Angeles").bound(since)


def an_error(
    status: int, code: str | None, *, path: str = "", kind: str = "application/json", **headers: str
) -> Response:
    detail = {"detail": "Words.", "o:errorCode": code} | ({"o:errorPath": path} if path else {})
    body = {"title": "Bad", "status": status, "o:errorDetails": [detail]} if code else None
    content = orjson.dumps(body) if body else b"<html><body>Some page</body></html>"
    return Response(status, {"content-type": kind, **headers}, content)


@pytest.mark.parametrize(
    ("status", "code", "reading", "writing"),
    [
        (401, "INVALID_LOGIN", AuthError, AuthError),
        (403, "INSUFFICIENT_PERMISSION", PermissionRefused, PermissionRefused),
        (400, "INSUFFICIENT_PERMISSION", PermissionRefused, PermissionRefused),
        (429, "CONCURRENCY_LIMIT_EXCEEDED", RateLimited, RateLimited),
        (400, "CONCURRENCY_LIMIT_EXCEEDED", RateLimited, RateLimited),
        (401, "CONCURRENCY_LIMIT_EXCEEDED", RateLimited, RateLimited),
        (400, "SSS_REQUEST_LIMIT_EXCEEDED", RateLimited, RateLimited),
        (409, "RCRD_HAS_BEEN_CHANGED", VersionConflict, VersionConflict),
        (400, "RCRD_HAS_BEEN_CHANGED", VersionConflict, VersionConflict),
        (400, "INVALID_PARAMETER", BadQuery, WriteRejected),
        (404, "NONEXISTENT_ID", BadResponse, WriteRejected),
        (404, None, ConfigError, ConfigError),
        (302, None, ConfigError, ConfigError),
        (500, "UNEXPECTED_ERROR", SourceFault, SourceUnavailable),
        (502, None, SourceFault, SourceUnavailable),
    ],
)
def test_an_error_is_judged_by_its_code_first(
    status: int, code: str | None, reading: type[ConnectorError], writing: type[ConnectorError]
) -> None:
    response = an_error(status, code)
    assert type(error_of(response, writing=False, querying=True)) is reading
    assert type(error_of(response, writing=True)) is writing


def test_a_refusal_names_the_callers_field() -> None:
    error = error_of(an_error(400, "INVALID_CONTENT", path="item.items[2].rate"), writing=True)
    assert error.problems[0].path == ("lines", "2", "unitPrice")
    assert error.problems[0].source_message == "INVALID_CONTENT Words."


def test_waiting_is_told_in_seconds_or_by_a_date() -> None:
    dated = {"retry-after": "Sat, 21 Nov 2026 10:00:07 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}
    waits = [error_of(an_error(429, "X", **told), writing=False) for told in ({"retry-after": "9"}, dated, {})]
    assert [wait.retry_after_s for wait in waits if isinstance(wait, RateLimited)] == [9.0, 7.0, 5.0]


def test_an_account_is_written_as_host_and_as_realm() -> None:
    told = Credentials(**{**TOKEN, "account": "1234567-sb1"})
    assert (told.root, told.realm) == ("https://1234567-sb1.suitetalk.api.netsuite.com", "1234567_SB1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"token_secret": None},
        {"auth_method": "OAUTH2"},
        {"auth_method": "OAUTH2", "client_id": "c", "certificate_id": "k", "private_key": "none"},
        {"time_zone": "Mars/Olympus"},
        {"base_url": "https://user:pw@host"},
        {"account": "12 34"},
    ],
)
def test_a_form_that_cannot_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Credentials(**{"account": "1234567", **TOKEN, **wrong})
