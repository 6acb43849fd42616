"""What captured Tryton documents become."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Item
from connectors.errors import MappingError
from connectors.mapping import project
from connectors.tryton import converters, read, wire
from connectors.tryton.mapping import PURCHASE_ORDER, VENDOR
from connectors.tryton.units import native, unit_map
from db.models.parties.vendor import VendorFields
from db.models.purchasing.purchase_order import (
    ApprovalState,
    LineKind,
    LineStatus,
    Progress,
    PurchaseOrderRecord,
    PurchaseOrderStatus,
)
from sandbox.tryton.recorded import Recorded

_METHODS: Final = {"orders": "model.purchase.purchase.search_read", "parties": "model.party.party.search_read"}


def items(name: str) -> dict[str, Item]:
    """Captured answers of Tryton 7.4.25, as items by key."""
    rows = wire.plain(orjson.loads(Recorded("demo").body(_METHODS[name]))["result"])
    return {item.source_id: item for item in map(read.item, rows)}


def order(source_id: str, **changes: Any) -> PurchaseOrderRecord:
    body = items("orders")[source_id].body | changes
    record = project(PURCHASE_ORDER, body, units=unit_map({}))
    assert isinstance(record, PurchaseOrderRecord)
    return record


def vendor(source_id: str, **changes: Any) -> VendorFields:
    record = project(VENDOR, items("parties")[source_id].body | changes, units={})
    assert isinstance(record, VendorFields)
    return record


def test_a_partly_received_order() -> None:
    """Order 1 of the demo company: three lines, half of the first one came."""
    record = order("2")

    assert record.order_number == "1"
    assert record.status is PurchaseOrderStatus.PARTIALLY_RECEIVED
    assert record.native_status == "processing/partially shipped/none"
    assert record.approval is ApprovalState.APPROVED
    assert (record.receipt, record.billing) == (Progress.PARTIAL, Progress.NONE)
    assert (record.vendor_source_id, record.vendor_reference) == ("8", "REF-0002")
    assert (record.company, record.currency) == ("Demo Works", "EUR")
    assert (record.order_date, record.required_date, record.delivery_date) == (
        date(2026, 10, 3),
        date(2026, 10, 24),
        None,
    )
    assert record.payment_terms is not None
    assert (record.payment_terms.code, record.payment_terms.text) == ("Net 30", "Net 30")
    assert record.ship_to is not None
    assert (record.ship_to.site_code, record.ship_to.name) == ("WH", "Warehouse")
    assert record.bill_to is None
    assert [str(total) for total in (record.total_net, record.total_tax, record.total_gross)] == [
        "914.06",
        "0",
        "914.06",
    ]


def test_the_lines_of_a_partly_received_order() -> None:
    first, second, third = order("2").lines

    assert (first.source_line_id, first.line_number, first.kind) == ("3", "1", LineKind.ITEM)
    assert (first.item_source_id, first.item_code, first.description) == ("7", "ITEM-007", "Steel rod 07")
    assert (str(first.quantity), first.unit, first.native_unit) == ("36", "MTR", "m")
    assert (str(first.unit_price), first.price_unit, str(first.price_base)) == ("5.6470", "MTR", "1")
    assert str(first.net_amount) == "203.29"
    assert (first.status, str(first.received_quantity)) == (LineStatus.PARTIALLY_RECEIVED, "18")
    assert (first.required_date, first.delivery_date, first.location) == (date(2026, 10, 24), None, "WH")
    assert (second.description, str(second.quantity), second.unit) == ("Bearing grease 14, as quoted", "65.25", "KGM")
    assert (third.unit, third.required_date, third.status) == ("EA", None, LineStatus.OPEN)


def test_a_comment_line_keeps_its_place_and_text() -> None:
    record = order("7")

    assert record.status is PurchaseOrderStatus.CANCELLED
    assert record.order_number is None
    assert [line.kind for line in record.lines] == [LineKind.ITEM] * 3 + [LineKind.COMMENT]
    comment = record.lines[3]
    assert (comment.line_number, comment.description) == ("4", "Deliver to dock 4, ring twice.")
    assert (comment.quantity, comment.unit, comment.net_amount, comment.received_quantity) == (None, None, None, None)


def test_an_item_knows_its_newest_stamp() -> None:
    """The move's stamp counts for `updated_at`, and not for the version that guards writes."""
    item = items("orders")["2"]

    assert item.updated_at == datetime(2026, 11, 21, 6, 49, 9, 429539, tzinfo=UTC)
    assert read.version(item.body) == "1795243749.429539"


def test_versions_compare_as_numbers() -> None:
    body = {"_timestamp": "9.5", "lines.": [{"_timestamp": "10.25", "moves.": [{"_timestamp": "11"}]}]}

    assert read.version(body) == "10.25"


def test_an_item_is_plain_json() -> None:
    body = items("orders")["2"].body

    assert orjson.loads(orjson.dumps(body)) == body
    assert body["purchase_date"] == "2026-10-03"
    assert body["lines."][0]["unit_price"] == "5.6470"


@pytest.mark.parametrize(
    ("state", "shipment", "status", "approval"),
    [
        ("draft", "none", PurchaseOrderStatus.DRAFT, ApprovalState.UNKNOWN),
        ("quotation", "none", PurchaseOrderStatus.PENDING_APPROVAL, ApprovalState.PENDING),
        ("confirmed", "none", PurchaseOrderStatus.APPROVED, ApprovalState.APPROVED),
        ("processing", "waiting", PurchaseOrderStatus.APPROVED, ApprovalState.APPROVED),
        ("processing", "partially shipped", PurchaseOrderStatus.PARTIALLY_RECEIVED, ApprovalState.APPROVED),
        ("processing", "received", PurchaseOrderStatus.RECEIVED, ApprovalState.APPROVED),
        ("processing", "exception", PurchaseOrderStatus.APPROVED, ApprovalState.APPROVED),
        ("done", "received", PurchaseOrderStatus.CLOSED, ApprovalState.APPROVED),
        ("cancelled", "none", PurchaseOrderStatus.CANCELLED, ApprovalState.UNKNOWN),
        ("on the moon", "none", PurchaseOrderStatus.UNKNOWN, ApprovalState.UNKNOWN),
    ],
)
def test_states(state: str, shipment: str, status: PurchaseOrderStatus, approval: ApprovalState) -> None:
    record = order("2", state=state, shipment_state=shipment)

    assert (record.status, record.approval) == (status, approval)
    assert record.native_status == f"{state}/{shipment}/none"


@pytest.mark.parametrize(
    ("shipment", "receipt"),
    [
        ("none", Progress.NONE),
        ("waiting", Progress.NONE),
        ("partially shipped", Progress.PARTIAL),
        ("received", Progress.FULL),
        ("exception", Progress.UNKNOWN),
        ("lost at sea", Progress.UNKNOWN),
    ],
)
def test_receipts(shipment: str, receipt: Progress) -> None:
    assert order("2", shipment_state=shipment).receipt is receipt


def invoiced(*quantities: float, state: str = "posted") -> dict[str, Any]:
    rows = [{"unit": 1, "quantity": quantity, "invoice.": {"state": state}} for quantity in quantities]
    return {"type": "line", "unit": 1, "quantity": 10.0, "invoice_lines.": rows}


@pytest.mark.parametrize(
    ("invoice_state", "lines", "billing"),
    [
        ("none", [invoiced()], Progress.NONE),
        ("pending", [invoiced(10.0, state="draft")], Progress.NONE),
        ("awaiting payment", [invoiced(10.0)], Progress.FULL),
        ("awaiting payment", [invoiced(4.0), invoiced(10.0)], Progress.PARTIAL),
        ("paid", [invoiced(12.0, -2.0, state="paid"), {"type": "comment"}], Progress.FULL),
        ("paid", [invoiced(12.0, -3.0, state="paid")], Progress.PARTIAL),
        ("exception", [invoiced(10.0)], Progress.UNKNOWN),
    ],
)
def test_billing(invoice_state: str, lines: list[dict[str, Any]], billing: Progress) -> None:
    assert converters.billing(invoice_state, lines) is billing


def test_billed_quantities_count_booked_invoices() -> None:
    line = invoiced(4.0, 3.5)
    line["invoice_lines."].append({"unit": 1, "quantity": 2.0, "invoice.": {"state": "draft"}})

    assert str(converters.billed("line", 1, line["invoice_lines."])) == "7.5"


def test_received_quantities_in_another_unit_are_not_guessed() -> None:
    moves = [{"state": "done", "quantity": 5.0, "unit": 11}, {"state": "done", "quantity": 300.0, "unit": 13}]

    assert converters.received("line", "goods", 11, moves) is None
    assert str(converters.received("line", "goods", 11, moves[:1])) == "5"
    assert converters.received("line", "service", 11, []) is None


@pytest.mark.parametrize(
    ("line_type", "product", "product_type", "kind"),
    [
        ("line", 3, "goods", LineKind.ITEM),
        ("line", 3, "service", LineKind.SERVICE),
        ("line", 3, "assets", LineKind.ASSET),
        ("line", None, None, LineKind.ACCOUNT),
        ("title", None, None, LineKind.COMMENT),
        ("subtotal", None, None, LineKind.COMMENT),
    ],
)
def test_kinds(line_type: str, product: int | None, product_type: str | None, kind: LineKind) -> None:
    assert converters.kind(line_type, product, product_type) is kind


@given(st.decimals(min_value=-10_000_000, max_value=10_000_000, places=4))
def test_floats_come_back_as_the_decimals_they_were_entered_as(entered: Decimal) -> None:
    assert converters.exact(float(entered)) == entered


@pytest.mark.parametrize(("number", "text"), [(0.1, "0.1"), (500.0, "500"), (136.25, "136.25"), (0.0, "0")])
def test_floats_read_without_noise(number: float, text: str) -> None:
    assert str(converters.exact(number)) == text


def test_a_value_that_does_not_fit_names_its_field() -> None:
    with pytest.raises(MappingError, match="total_net from untaxed_amount"):
        order("2", untaxed_amount="a lot")


def test_a_vendor() -> None:
    record = vendor("4")

    assert (record.number, record.name) == ("V-003", "デモ商事 03")
    assert (record.email, record.phone, record.active) == ("orders-003@vendor.example", None, True)
    assert len(record.addresses) == 1
    place = record.addresses[0]
    assert (place.lines, place.postal_code, place.city, place.country) == (["例町 3"], "100-0001", "東京", "JP")


def test_a_vendor_without_a_name_is_called_as_tryton_calls_it() -> None:
    record = vendor("4", name=None, rec_name="V-003", active=False)

    assert (record.name, record.active) == ("V-003", False)


@pytest.mark.parametrize(
    ("unit", "symbols"),
    [
        ("C62", ("u",)),
        ("EA", ("u",)),
        ("H87", ("u",)),
        ("u", ("u",)),
        ("KGM", ("kg",)),
        ("kg", ("kg",)),
        ("XBX", ("Karton",)),
        ("Palette", ("Palette",)),
    ],
)
def test_units_of_callers(unit: str, symbols: tuple[str, ...]) -> None:
    assert native(unit, unit_map({"Karton": "XBX"})) == symbols
