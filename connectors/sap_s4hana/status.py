"""SAP's states told as ours, in the order in which SAP's own application judges them.

Order of a purchase order's states: SAP knowledge base articles 3070935 and 3416344. Deleting every item does
not set the header's deletion code, so that "cancelled" is also judged by the items.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from db.models.inventory.inventory_level import StockClass
from db.models.maintenance.work_order import WorkOrderStatus
from db.models.purchasing.purchase_order import ApprovalState, LineStatus, Progress, PurchaseOrderStatus

Rows = Sequence[Mapping[str, Any]] | None
DELETED: Final = "L"
BLOCKED: Final = "S"
_ACTIVE: Final = frozenset({"02", "05"})
_IN_RELEASE: Final = "03"
_RELEASED: Final = "05"
_REJECTED: Final = "08"


def live(items: Rows) -> list[Mapping[str, Any]]:
    """Leave out deleted items."""
    return [item for item in items or () if item.get("PurchasingDocumentDeletionCode") != DELETED]


def order_status(
    deletion_code: str | None, incomplete: bool | None, processing: str | None, unreleased: bool | None, items: Rows
) -> PurchaseOrderStatus:
    """Judge a purchase order; the first that fits wins. What SAP adds later is UNKNOWN."""
    remaining = live(items)
    if deletion_code or (items and not remaining):
        return PurchaseOrderStatus.CANCELLED
    if incomplete:
        return PurchaseOrderStatus.DRAFT
    if processing == _REJECTED:
        return PurchaseOrderStatus.REJECTED
    if unreleased or processing == _IN_RELEASE:
        return PurchaseOrderStatus.PENDING_APPROVAL
    if remaining and all(item.get("IsCompletelyDelivered") for item in remaining):
        billed = all(item.get("IsFinallyInvoiced") for item in remaining)
        return PurchaseOrderStatus.CLOSED if billed else PurchaseOrderStatus.RECEIVED
    return PurchaseOrderStatus.APPROVED if processing in _ACTIVE else PurchaseOrderStatus.UNKNOWN


def approval(processing: str | None, unreleased: bool | None) -> ApprovalState:
    """Tell whether somebody had to approve; SAP shows an order without a release strategy as plain active."""
    if processing == _REJECTED:
        return ApprovalState.REJECTED
    if unreleased or processing == _IN_RELEASE:
        return ApprovalState.PENDING
    if processing == _RELEASED:
        return ApprovalState.APPROVED
    return ApprovalState.NOT_REQUIRED if processing == "02" else ApprovalState.UNKNOWN


def receipt(items: Rows) -> Progress:
    """Tell what came, by the items' delivery-completed flags; without any, part of an item may still have come."""
    return _progress([bool(item.get("IsCompletelyDelivered")) for item in live(items)])


def billing(items: Rows) -> Progress:
    """Tell what was billed, by the items' final-invoice flags."""
    return _progress([bool(item.get("IsFinallyInvoiced")) for item in live(items)])


def _progress(done: Sequence[bool]) -> Progress:
    if done and all(done):
        return Progress.FULL
    return Progress.PARTIAL if any(done) else Progress.UNKNOWN


def line_status(deletion_code: str | None, delivered: bool | None, invoiced: bool | None) -> LineStatus:
    """Judge one item."""
    if deletion_code == DELETED:
        return LineStatus.CANCELLED
    if deletion_code == BLOCKED:
        return LineStatus.BLOCKED
    if deletion_code:
        return LineStatus.UNKNOWN
    if delivered:
        return LineStatus.CLOSED if invoiced else LineStatus.RECEIVED
    return LineStatus.OPEN


STOCK_CLASSES: Final[Mapping[str, StockClass]] = {
    "01": StockClass.UNRESTRICTED,
    "02": StockClass.QUALITY,
    "04": StockClass.TRANSIT,
    "05": StockClass.TRANSIT,
    "06": StockClass.TRANSIT,
    "07": StockClass.BLOCKED,
}
"""InventoryStockType. Returns, restricted-use stock and tied empties have no class of ours and stay UNKNOWN."""


def stock_class(stock_type: str | None) -> StockClass:
    """Judge a stock type."""
    return STOCK_CLASSES.get(stock_type or "", StockClass.UNKNOWN)


_BY_SYSTEM_STATUS: Final[tuple[tuple[str, WorkOrderStatus], ...]] = (
    ("DLFL", WorkOrderStatus.CANCELLED),
    ("DLT", WorkOrderStatus.CANCELLED),
    ("NCMP", WorkOrderStatus.CANCELLED),
    ("CLSD", WorkOrderStatus.CLOSED),
    ("TECO", WorkOrderStatus.COMPLETED),
)
"""Ends of an order's life, strongest first, in English, which every request asks for; NCMP is "do not execute"."""

PHASES: Final[Mapping[str, WorkOrderStatus]] = {
    "00": WorkOrderStatus.DRAFT,
    "01": WorkOrderStatus.DRAFT,
    "02": WorkOrderStatus.DRAFT,
    "03": WorkOrderStatus.WAITING_APPROVAL,
    "04": WorkOrderStatus.APPROVED,
    "05": WorkOrderStatus.SCHEDULED,
    "06": WorkOrderStatus.IN_PROGRESS,
    "07": WorkOrderStatus.COMPLETED,
    "08": WorkOrderStatus.COMPLETED,
}
"""Process phases, in the order SAP names them: initiation, screening, planning, approval, preparation, scheduling,
execution, post execution, completion. Their numbers are not published: compare with the tenant's code list."""

_WITHOUT_PHASE: Final[tuple[tuple[str, WorkOrderStatus], ...]] = (
    ("CNF", WorkOrderStatus.COMPLETED),
    ("PCNF", WorkOrderStatus.IN_PROGRESS),
    ("REL", WorkOrderStatus.APPROVED),
    ("CRTD", WorkOrderStatus.DRAFT),
)
"""For order types outside the phase model."""


def work_order_status(system_status: str | None, phase: str | None) -> WorkOrderStatus:
    """Judge a maintenance order: how it ended, else its phase, else its classical status."""
    told = set((system_status or "").split())
    for code, status in _BY_SYSTEM_STATUS:
        if code in told:
            return status
    if phase and phase in PHASES:
        return PHASES[phase]
    return next((status for code, status in _WITHOUT_PHASE if code in told), WorkOrderStatus.UNKNOWN)
