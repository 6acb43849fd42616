"""NetSuite's states told as ours: one letter, and what the lines say of receipts and bills."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from connectors.netsuite.values import Rows, amount, flag
from db.models.purchasing.purchase_order import ApprovalState, LineStatus, Progress, PurchaseOrderStatus

_STATUSES: Final[Mapping[str, PurchaseOrderStatus]] = {
    "A": PurchaseOrderStatus.PENDING_APPROVAL,
    "B": PurchaseOrderStatus.APPROVED,
    "C": PurchaseOrderStatus.REJECTED,
    "D": PurchaseOrderStatus.PARTIALLY_RECEIVED,
    "E": PurchaseOrderStatus.PARTIALLY_RECEIVED,
    "F": PurchaseOrderStatus.RECEIVED,
    "G": PurchaseOrderStatus.CLOSED,
}
_APPROVALS: Final[Mapping[str, ApprovalState]] = {
    "A": ApprovalState.PENDING,
    "C": ApprovalState.REJECTED,
    **dict.fromkeys("BDEFG", ApprovalState.APPROVED),
}
_RECEIPTS: Final[Mapping[str, Progress]] = {
    **dict.fromkeys("ABC", Progress.NONE),
    **dict.fromkeys("DE", Progress.PARTIAL),
    **dict.fromkeys("FG", Progress.FULL),
}
_CLOSED: Final = "H"
_NOTHING: Final = Decimal(0)


def letter(native: Any) -> str:
    """Give the letter of a status, which some channels tell as `PurchOrd:B`."""
    return str(native or "").rpartition(":")[2].strip().upper()


def order_status(native: Any, lines: Rows) -> PurchaseOrderStatus:
    """Judge an order; a closed one of which nothing came was cancelled. What NetSuite adds later is UNKNOWN."""
    told = letter(native)
    if told == _CLOSED:
        came = any(amount(line.get("quantityshiprecv")) for line in lines or ())
        return PurchaseOrderStatus.CLOSED if came else PurchaseOrderStatus.CANCELLED
    return _STATUSES.get(told, PurchaseOrderStatus.UNKNOWN)


def approval(native: Any) -> ApprovalState:
    """Tell whether it was approved; NetSuite shows an order that nobody has to approve as approved."""
    return _APPROVALS.get(letter(native), ApprovalState.UNKNOWN)


def receipt(native: Any, lines: Rows) -> Progress:
    """Tell how much came: by the lines, else by the letter."""
    found = _progress(lines, "quantityshiprecv")
    return _RECEIPTS.get(letter(native), Progress.UNKNOWN) if found is None else found


def billing(native: Any, lines: Rows) -> Progress:
    """Tell how much was billed: all where the letter says so, else by the lines."""
    if letter(native) == "G":
        return Progress.FULL
    return _progress(lines, "quantitybilled") or Progress.UNKNOWN


def line_status(closed: Any, quantity: Any, received: Any) -> LineStatus:
    """Judge one line; a closed one of which nothing came was cancelled."""
    ordered, came = amount(quantity) or _NOTHING, amount(received) or _NOTHING
    if flag(closed):
        return LineStatus.CLOSED if came else LineStatus.CANCELLED
    if not came:
        return LineStatus.OPEN
    return LineStatus.RECEIVED if came >= ordered else LineStatus.PARTIALLY_RECEIVED


def _progress(lines: Rows, name: str) -> Progress | None:
    """Compare what came with what was ordered; None where no line tells."""
    told = [line for line in lines or () if line.get(name) is not None and line.get("item")]
    if not told:
        return None
    done = [(amount(line[name]) or _NOTHING, amount(line.get("quantity")) or _NOTHING) for line in told]
    if not any(part for part, _ in done):
        return Progress.NONE
    return Progress.FULL if all(part >= whole for part, whole in done) else Progress.PARTIAL
