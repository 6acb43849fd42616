"""OData 4.0: what is written and read."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from connectors.errors import BadResponse
from connectors.kit import odata4
from connectors.kit.odata2 import Detail


def test_literals_are_bare_but_for_texts() -> None:
    at = datetime(2026, 1, 31, 12, 30, tzinfo=timezone(timedelta(hours=2)))

    assert odata4.text_literal("O'Neil") == "'O''Neil'"
    assert odata4.day_literal(date(2026, 1, 31)) == "2026-01-31"
    assert odata4.instant_literal(at) == "2026-01-31T10:30:00Z"
    assert odata4.instant_literal(at.replace(microsecond=120)) == "2026-01-31T10:30:00.000120Z"
    assert odata4.decimal_literal(Decimal("1E+3")) == "1000"
    assert odata4.key_path("PurchaseOrder", {"A": "1", "B": "x/y"}) == "PurchaseOrder(A='1',B='x%2Fy')"


def test_instants_are_read_with_seven_digits_and_only_with_a_zone() -> None:
    assert odata4.read_instant("2026-01-31T10:30:00.1234567Z") == datetime(2026, 1, 31, 10, 30, 0, 123456, UTC)
    assert odata4.read_instant("2026-01-31T12:30:00+02:00") == datetime(2026, 1, 31, 10, 30, tzinfo=UTC)
    assert odata4.read_instant(None) is None
    with pytest.raises(ValueError, match="zone"):
        odata4.read_instant("2026-01-31T10:30:00")


def test_a_list_is_read_without_control_information() -> None:
    body = {
        "@odata.context": "$metadata#Orders",
        "@odata.count": 3,
        "@odata.nextLink": "Orders?$skiptoken=2",
        "value": [{"@odata.etag": 'W/"1"', "Order": "1", "_Items": [{"@odata.etag": "x", "Item": "10"}]}],
    }

    found = odata4.listed(body)

    assert (found.rows, found.next_link, found.count) == (
        [{"Order": "1", "_Items": [{"Item": "10"}]}],
        "Orders?$skiptoken=2",
        3,
    )


def test_an_expanded_list_that_was_cut_is_not_taken_for_whole() -> None:
    with pytest.raises(BadResponse, match="_Items"):
        odata4.single({"Order": "1", "_Items": [], "_Items@odata.nextLink": "Orders('1')/_Items?$skiptoken=5"})


def test_an_error_body_is_no_entity_and_tells_its_reasons() -> None:
    body = {"error": {"code": "A/1", "message": "No.", "details": [{"code": "B/2", "message": "x", "target": "Plant"}]}}
    fault = odata4.read_fault(body)

    assert fault is not None
    assert (fault.code, fault.message, fault.details) == ("A/1", "No.", (Detail("B/2", "x", "error", "Plant"),))
    assert odata4.read_fault({"value": []}) is None
    with pytest.raises(BadResponse):
        odata4.single(body)
