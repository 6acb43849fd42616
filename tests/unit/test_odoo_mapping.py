"""What Odoo's values become, and what becomes of ours."""

from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.compiled import record
from connectors.errors import WriteRejected
from connectors.mapping import project
from connectors.odoo import convert, wire
from connectors.odoo.connector import ODOO
from connectors.odoo.mapping.orders import PURCHASE_ORDER
from connectors.odoo.rows import plain, wanted
from connectors.odoo.units import native, unit_map
from connectors.odoo.write import values as make
from db.models.maintenance.work_order import WorkOrderStatus
from db.models.purchasing.purchase_order import LineStatus, Progress, PurchaseOrderStatus

CALL = wire.Call("purchase.order", "write", (7,), {"vals": {"name": "x"}}, {"lang": "en_US"}, safe=False)


def test_a_call_has_its_arguments_by_position_up_to_18_and_by_name_from_19() -> None:
    rpc = wire.JsonRpc("https://odoo.example/", "db").request(CALL)
    json2 = wire.Json2("https://odoo.example/", "db").request(CALL)

    assert rpc.url == "https://odoo.example/jsonrpc"
    assert orjson.loads(rpc.body or b"")["params"]["args"] == [
        "db", None, None, "purchase.order", "write", [[7], {"name": "x"}], {"context": {"lang": "en_US"}},
    ]  # fmt: skip
    assert json2.url == "https://odoo.example/json/2/purchase.order/write"
    assert orjson.loads(json2.body or b"") == {"ids": [7], "vals": {"name": "x"}, "context": {"lang": "en_US"}}
    assert json2.headers["X-Odoo-Database"] == "db"
    assert (rpc.safe, json2.safe) == (False, False)


@pytest.mark.parametrize(
    ("state", "receipt", "invoice", "status"),
    [
        ("draft", None, "no", PurchaseOrderStatus.DRAFT),
        ("sent", None, "no", PurchaseOrderStatus.DRAFT),
        ("to approve", None, "no", PurchaseOrderStatus.PENDING_APPROVAL),
        ("purchase", "pending", "no", PurchaseOrderStatus.APPROVED),
        ("purchase", None, "no", PurchaseOrderStatus.APPROVED),
        ("purchase", "partial", "to invoice", PurchaseOrderStatus.PARTIALLY_RECEIVED),
        ("purchase", "full", "to invoice", PurchaseOrderStatus.RECEIVED),
        ("purchase", "full", "invoiced", PurchaseOrderStatus.CLOSED),
        ("done", "full", "invoiced", PurchaseOrderStatus.CLOSED),
        ("done", "pending", "no", PurchaseOrderStatus.APPROVED),
        ("cancel", None, "no", PurchaseOrderStatus.CANCELLED),
        ("brand new", None, "no", PurchaseOrderStatus.UNKNOWN),
    ],
)
def test_a_status_is_told_by_three_fields(
    state: str, receipt: str | None, invoice: str, status: PurchaseOrderStatus
) -> None:
    assert convert.status(state, receipt, invoice) is status


def test_receipt_and_billing_are_told_apart() -> None:
    lines = [{"qty_invoiced": 0.0}, {"qty_invoiced": 2.0}]

    assert convert.receipt("draft", None) is Progress.NONE
    assert convert.receipt("purchase", None) is Progress.UNKNOWN
    assert convert.billing("to invoice", lines) is Progress.PARTIAL
    assert convert.billing("to invoice", lines[:1]) is Progress.NONE
    assert convert.billing("invoiced", lines) is Progress.FULL


@pytest.mark.parametrize(
    ("value", "exact"),
    [(5.0, "5"), (0.195, "0.195"), (0.1 + 0.2, "0.3"), (1234567.891234, "1234567.891234"), (0.000001, "0.000001")],
)
def test_floats_are_read_by_their_shortest_text(value: float, exact: str) -> None:
    assert convert.exact(value) == Decimal(exact)


@given(st.decimals(min_value=Decimal(-99999999), max_value=Decimal(99999999), places=6))
def test_six_places_survive_a_float(number: Decimal) -> None:
    assert convert.exact(float(number)) == number


def test_false_is_nothing_unless_it_is_a_truth_value_and_custom_fields_lie_apart() -> None:
    kinds: dict[str, Any] = {
        "name": {"type": "char"},
        "active": {"type": "boolean"},
        "x_grade": {"type": "char"},
        "x_ok": {"type": "boolean"},
        "x_lines": {"type": "one2many"},
    }
    row = plain({"id": 1, "name": False, "active": False, "x_grade": False, "x_ok": False}, kinds)

    assert row == {"id": 1, "name": None, "active": False, "x_": {"x_grade": None, "x_ok": False}}
    assert convert.custom(row["x_"]) == {"x_ok": False}
    assert wanted(("name", "gone_in_19", "active"), kinds) == ["name", "active", "x_grade", "x_ok"]


@pytest.mark.parametrize(
    ("words", "reference"), [("Tor 3 <x> & mehr", "CHD000000001"), (None, "R1"), ("a\nb", "Z9"), ("", "Q")]
)
def test_our_reference_stands_at_the_end_of_a_text_and_is_not_read_as_part_of_it(
    words: str | None, reference: str
) -> None:
    html = convert.marked(words, reference)

    assert convert.mark_of(html) == reference
    assert convert.text(html) == (words or None)
    assert make.carries(html, reference)
    assert not make.carries(html, reference[:-1])


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).map(str.strip))
def test_a_text_survives_being_rich(words: str) -> None:
    assert convert.text(str(convert.rich(words) or "") or None) == (words or None)


@pytest.mark.parametrize(
    ("archived", "stage", "kanban", "scheduled", "status"),
    [
        (False, {"first": True, "done": False}, "normal", None, WorkOrderStatus.APPROVED),
        (False, {"first": True, "done": False}, "normal", "2026-11-25 08:00:00", WorkOrderStatus.SCHEDULED),
        (False, {"first": False, "done": False}, "normal", None, WorkOrderStatus.IN_PROGRESS),
        (False, {"first": False, "done": False}, "blocked", None, WorkOrderStatus.WAITING),
        (False, {"first": False, "done": True}, "normal", None, WorkOrderStatus.COMPLETED),
        (True, {"first": False, "done": True}, "normal", None, WorkOrderStatus.CANCELLED),
        (False, None, None, None, WorkOrderStatus.UNKNOWN),
    ],
)
def test_a_request_is_as_far_as_its_stage_says(
    archived: bool, stage: Any, kanban: str | None, scheduled: str | None, status: WorkOrderStatus
) -> None:
    assert convert.work_status(archived, stage, None, kanban, scheduled) is status


def test_a_line_is_as_far_as_what_came() -> None:
    assert convert.line_status(None, "purchase", 5.0, 0.0) is LineStatus.OPEN
    assert convert.line_status(None, "purchase", 5.0, 2.0) is LineStatus.PARTIALLY_RECEIVED
    assert convert.line_status(None, "purchase", 5.0, 6.0) is LineStatus.RECEIVED
    assert convert.line_status(None, "cancel", 5.0, 0.0) is LineStatus.CANCELLED


@pytest.mark.parametrize("unit", ["product_uom", "product_uom_id"])
def test_a_line_reads_its_unit_under_either_name_and_takes_its_discount_off(unit: str) -> None:
    line = {
        "id": 4, "_position": 1, "_unit": "Dozens", unit: [3, "Dozens"], "product_id": [1, "Bolt"], "product_qty": 2.0,
        "price_unit": 12.5, "discount": 10.0, "state": "purchase", "qty_received": 0.0,
    }  # fmt: skip
    body = {"id": 1, "name": "P1", "state": "purchase", "lines.": [line]}
    order: Any = project(PURCHASE_ORDER, body, units=unit_map({}))
    [read] = order.lines

    assert (read.unit, read.native_unit, read.price_unit) == ("DZN", "Dozens", "DZN")
    assert (read.unit_price, read.source_price, read.discount_percent) == (Decimal("11.25"), Decimal("12.5"), 10)
    assert record(PURCHASE_ORDER, body, units=unit_map({})).children[0] != ()


def test_a_unit_is_found_by_its_code_its_name_or_a_synonym() -> None:
    units = unit_map({"Boxes": "BX"})

    assert native("BX", units) == ("Boxes",)
    assert native("H87", units) == ("Units",)
    assert native("Units", units) == ("Units",)
    assert "kg" in native("KGM", units)


@pytest.mark.parametrize(("value", "places", "fits"), [("0.20", 2, True), ("0.195", 2, False), ("0.195", None, True)])
def test_a_number_that_odoo_would_round_is_refused(value: str, places: int | None, fits: bool) -> None:
    if fits:
        assert make.number(Decimal(value), places=places, what="price", path=("p",)) == float(value)
        return
    with pytest.raises(WriteRejected, match="would round"):
        make.number(Decimal(value), places=places, what="price", path=("p",))


def test_every_feed_of_parts_has_a_whole_feed_beside_it() -> None:
    whole = {feed.entity for feed in ODOO.feeds if feed.full}

    assert {feed.entity for feed in ODOO.feeds} == whole == set(ODOO.mappings)
