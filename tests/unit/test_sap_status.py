"""SAP's states as ours, in the order of SAP's own application."""

from typing import Any

import pytest

from connectors.sap_s4hana import status
from db.models.inventory.inventory_level import StockClass
from db.models.maintenance.work_order import WorkOrderStatus
from db.models.purchasing.purchase_order import ApprovalState, LineStatus, Progress, PurchaseOrderStatus

OPEN = {"PurchasingDocumentDeletionCode": ""}
GONE = {"PurchasingDocumentDeletionCode": "L"}
BLOCKED = {"PurchasingDocumentDeletionCode": "S"}
CAME = {**OPEN, "IsCompletelyDelivered": True}
DONE = {**CAME, "IsFinallyInvoiced": True}


@pytest.mark.parametrize(
    ("deletion", "incomplete", "processing", "unreleased", "items", "expected"),
    [
        ("L", True, "08", True, [OPEN], "CANCELLED"),
        ("", False, "02", False, [GONE, GONE], "CANCELLED"),
        ("", False, "02", False, [], "APPROVED"),
        ("", True, "08", True, [OPEN], "DRAFT"),
        ("", False, "08", True, [OPEN], "REJECTED"),
        ("", False, "03", False, [CAME], "PENDING_APPROVAL"),
        ("", False, "02", True, [OPEN], "PENDING_APPROVAL"),
        ("", False, "02", False, [CAME, GONE], "RECEIVED"),
        ("", False, "05", False, [DONE, DONE], "CLOSED"),
        ("", False, "05", False, [DONE, CAME], "RECEIVED"),
        ("", False, "05", False, [CAME, OPEN], "APPROVED"),
        ("", False, "02", False, [CAME, BLOCKED], "APPROVED"),
        (None, None, "02", None, None, "APPROVED"),
        ("", False, "", False, [OPEN], "UNKNOWN"),
        ("", False, "99", False, [OPEN], "UNKNOWN"),
    ],
)
def test_order_status(
    deletion: str, incomplete: bool, processing: str, unreleased: bool, items: Any, expected: str
) -> None:
    found = status.order_status(deletion, incomplete, processing, unreleased, items)

    assert found is PurchaseOrderStatus(expected)


@pytest.mark.parametrize(
    ("processing", "unreleased", "expected"),
    [
        ("02", False, "NOT_REQUIRED"),
        ("03", False, "PENDING"),
        ("02", True, "PENDING"),
        ("05", False, "APPROVED"),
        ("08", True, "REJECTED"),
        ("", None, "UNKNOWN"),
    ],
)
def test_approval(processing: str, unreleased: bool | None, expected: str) -> None:
    assert status.approval(processing, unreleased) is ApprovalState(expected)


def test_receipt_and_billing_are_judged_by_live_items_only() -> None:
    assert status.receipt([CAME, GONE]) is Progress.FULL
    assert status.receipt([CAME, OPEN]) is Progress.PARTIAL
    assert status.receipt([OPEN]) is Progress.UNKNOWN
    assert status.receipt([]) is Progress.UNKNOWN
    assert status.billing([DONE, CAME]) is Progress.PARTIAL
    assert status.billing([DONE]) is Progress.FULL


@pytest.mark.parametrize(
    ("deletion", "delivered", "invoiced", "expected"),
    [
        ("L", True, True, "CANCELLED"),
        ("S", True, False, "BLOCKED"),
        ("X", True, False, "UNKNOWN"),
        ("", True, False, "RECEIVED"),
        ("", True, True, "CLOSED"),
        (None, None, None, "OPEN"),
    ],
)
def test_line_status(deletion: str | None, delivered: bool | None, invoiced: bool | None, expected: str) -> None:
    assert status.line_status(deletion, delivered, invoiced) is LineStatus(expected)


@pytest.mark.parametrize(
    ("system", "phase", "expected"),
    [
        ("REL  DLFL PRC", "06", "CANCELLED"),
        ("CLSD TECO", "07", "CLOSED"),
        ("CRTD NCMP", "07", "CANCELLED"),
        ("TECO CNF", "06", "COMPLETED"),
        ("REL PRC", "06", "IN_PROGRESS"),
        ("CRTD", "02", "DRAFT"),
        ("CRTD", "03", "WAITING_APPROVAL"),
        ("REL", "04", "APPROVED"),
        ("REL", "05", "SCHEDULED"),
        ("REL", "", "APPROVED"),
        ("REL PCNF", None, "IN_PROGRESS"),
        ("CRTD", "", "DRAFT"),
        ("", "77", "UNKNOWN"),
        (None, None, "UNKNOWN"),
    ],
)
def test_work_order_status(system: str | None, phase: str | None, expected: str) -> None:
    assert status.work_order_status(system, phase) is WorkOrderStatus(expected)


def test_stock_classes() -> None:
    assert status.stock_class("01") is StockClass.UNRESTRICTED
    assert status.stock_class("02") is StockClass.QUALITY
    assert status.stock_class("07") is StockClass.BLOCKED
    assert status.stock_class("ZZ") is StockClass.UNKNOWN
    assert status.stock_class(None) is StockClass.UNKNOWN
