"""What Tryton's values mean in ours: the converters that the mappings name."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from connectors.tryton.units import REC20
from db.models.inventory.inventory_level import StockClass
from db.models.inventory.location import LocationType
from db.models.items.item import ItemType
from db.models.maintenance.work_order import WorkOrderStatus, WorkOrderType
from db.models.parties.vendor import Address, PaymentTerms
from db.models.purchasing.purchase_order import ApprovalState, LineKind, LineStatus, Progress, PurchaseOrderStatus

Row = Mapping[str, Any]
Rows = Sequence[Row]
STATUSES: Final = {
    "draft": PurchaseOrderStatus.DRAFT,
    "quotation": PurchaseOrderStatus.PENDING_APPROVAL,
    "confirmed": PurchaseOrderStatus.APPROVED,
    "processing": PurchaseOrderStatus.APPROVED,
    "done": PurchaseOrderStatus.CLOSED,
    "cancelled": PurchaseOrderStatus.CANCELLED,
}
_PROCESSING: Final = {
    "partially shipped": PurchaseOrderStatus.PARTIALLY_RECEIVED,
    "received": PurchaseOrderStatus.RECEIVED,
}
_APPROVALS: Final = {
    "quotation": ApprovalState.PENDING,
    "confirmed": ApprovalState.APPROVED,
    "processing": ApprovalState.APPROVED,
    "done": ApprovalState.APPROVED,
}
_RECEIPTS: Final = {
    "none": Progress.NONE,
    "waiting": Progress.NONE,
    "partially shipped": Progress.PARTIAL,
    "received": Progress.FULL,
}
_PRODUCTIONS: Final = {
    "request": WorkOrderStatus.WAITING_APPROVAL,
    "draft": WorkOrderStatus.DRAFT,
    "waiting": WorkOrderStatus.WAITING,
    "assigned": WorkOrderStatus.SCHEDULED,
    "running": WorkOrderStatus.IN_PROGRESS,
    "done": WorkOrderStatus.CLOSED,
    "cancelled": WorkOrderStatus.CANCELLED,
}
_UNBILLED: Final = frozenset({"none", "pending"})
_BILLED: Final = frozenset({"awaiting payment", "partially paid", "paid"})
_BOOKED: Final = frozenset({"posted", "paid"})
_KINDS: Final = {"service": LineKind.SERVICE, "assets": LineKind.ASSET}


def exact(value: float | str | None) -> Decimal | None:
    """Read a decimal's text, or a float by the shortest text that names it, as Tryton itself does: 5.0 → 5."""
    if value is None:
        return None
    if isinstance(value, float):
        return Decimal(int(value)) if value.is_integer() else Decimal(repr(value))
    return Decimal(value)


def first(*values: Any) -> Any:
    """Take the first value that is not empty."""
    return next((value for value in values if value), None)


def key(value: int | None) -> str | None:
    """Read a key or a count as text."""
    return None if value is None else str(value)


def price_base(price: str | None) -> int | None:
    """Tell how many units a price is for: Tryton's are for one."""
    return None if price is None else 1


def status(state: str, shipment_state: str | None) -> PurchaseOrderStatus:
    """Read the state; while an order is processed its receipts tell more."""
    if state == "processing" and shipment_state in _PROCESSING:
        return _PROCESSING[shipment_state]
    return STATUSES.get(state, PurchaseOrderStatus.UNKNOWN)


def native_status(state: str, shipment_state: str | None, invoice_state: str | None) -> str:
    """Join Tryton's three states, word for word: `processing/partially shipped/pending`."""
    return "/".join((state, shipment_state or "none", invoice_state or "none"))


def approval(state: str) -> ApprovalState:
    """Read the approval: asked for by a quotation, given by its confirmation; a draft or cancelled order tells none."""
    return _APPROVALS.get(state, ApprovalState.UNKNOWN)


def receipt(shipment_state: str | None) -> Progress:
    """Read the receipt; an exception (a cancelled receipt) hides how much came."""
    return _RECEIPTS.get(shipment_state or "none", Progress.UNKNOWN)


def billing(invoice_state: str | None, lines: Rows | None) -> Progress:
    """Read the billing: the state says whether invoices are booked, the lines whether they cover everything."""
    if (invoice_state or "none") in _UNBILLED:
        return Progress.NONE
    if invoice_state not in _BILLED:
        return Progress.UNKNOWN
    ordered = [line for line in lines or () if line.get("type") == "line"]
    covered = all(_covered(exact(line.get("quantity")), _billed(line)) for line in ordered)
    return Progress.FULL if covered else Progress.PARTIAL


def asked_for(header: str | None, lines: Rows | None) -> str | None:
    """Give the earliest day that the buyer asked for; dates that Tryton works out from lead times are nobody's wish."""
    days = [day for line in lines or () if (day := line_asked_for(*_asked(line)))]
    return min(days, default=header)


def line_asked_for(edited: bool | None, own: str | None, order: str | None) -> str | None:
    """Give the day entered on the line, else the order's."""
    return own if edited else order


def payment_terms(name: str | None, description: str | None) -> PaymentTerms | None:
    """Make payment terms; Tryton's have a name, which serves as the code, and sometimes a description."""
    return PaymentTerms(code=name, text=description or name) if name else None


def warehouse(place: Row | None) -> Address | None:
    """Make the address of a warehouse, named by its code where it has one."""
    if not place:
        return None
    made = address(place.get("address.") or {})
    code = place.get("code") or place.get("name")
    return made.model_copy(update={"name": made.name or place.get("name"), "site_code": code})


def address(place: Row) -> Address:
    """Make an address; the street may have several lines."""
    return Address(
        name=place.get("party_name") or None,
        lines=[line.strip() for line in (place.get("street") or "").splitlines() if line.strip()],
        city=place.get("city") or None,
        region=(place.get("subdivision.") or {}).get("name"),
        postal_code=place.get("postal_code") or None,
        country=(place.get("country.") or {}).get("code"),
    )


def addresses(places: Rows | None) -> list[Address]:
    """Make all addresses, in Tryton's order: the main one first."""
    return [address(place) for place in places or ()]


def kind(line_type: str, product: int | None, product_type: str | None) -> LineKind:
    """Tell items from services, assets and plain text; a priced line without a product goes to an expense account."""
    if line_type != "line":
        return LineKind.COMMENT
    return _KINDS.get(product_type or "", LineKind.ITEM) if product else LineKind.ACCOUNT


def line_amount(line_type: str, amount: str | None) -> Decimal | None:
    """Read the amount of an ordering line: a subtotal's would count twice."""
    return exact(amount) if line_type == "line" else None


def line_status(line_type: str, state: str | None, progress: float | None) -> LineStatus:
    """Read the status from the order's state and the share that came."""
    if line_type != "line":
        return LineStatus.UNKNOWN
    if state in {"cancelled", "done"}:
        return LineStatus.CANCELLED if state == "cancelled" else LineStatus.CLOSED
    if not progress:
        return LineStatus.OPEN
    return LineStatus.RECEIVED if progress >= 1 else LineStatus.PARTIALLY_RECEIVED


def received(line_type: str, product_type: str | None, unit: int | None, moves: Rows | None) -> Decimal | None:
    """Sum what came; None for services and text, and where a receipt counts in another unit than the line."""
    if line_type != "line" or product_type in {None, "service"}:
        return None
    return _sum([move for move in moves or () if move.get("state") == "done"], unit)


def billed(line_type: str, unit: int | None, invoice_lines: Rows | None) -> Decimal | None:
    """Sum what booked invoices bill; credit notes count against it."""
    return _billed({"type": line_type, "unit": unit, "invoice_lines.": invoice_lines})


def taxes(rows: Rows | None) -> str | None:
    """Name the taxes of a line."""
    return ", ".join(row["name"] for row in rows or ()) or None


def production_type(state: str) -> WorkOrderType:
    """Tell why the work is done: to produce."""
    del state
    return WorkOrderType.PRODUCTION


def production_status(state: str) -> WorkOrderStatus:
    """Read the state of a production."""
    return _PRODUCTIONS.get(state, WorkOrderStatus.UNKNOWN)


def stock_class(location: int) -> StockClass:
    """Tell what may be done with stock in a storage location: anything."""
    del location
    return StockClass.UNRESTRICTED


_ITEM_TYPES: Final = {"goods": ItemType.STOCK, "service": ItemType.SERVICE, "assets": ItemType.ASSET}
_LOCATION_TYPES: Final = {
    "warehouse": LocationType.WAREHOUSE,
    "storage": LocationType.STORAGE,
    "view": LocationType.VIRTUAL,
    "supplier": LocationType.VIRTUAL,
    "customer": LocationType.VIRTUAL,
    "lost_found": LocationType.VIRTUAL,
    "drop": LocationType.VIRTUAL,
    "production": LocationType.VIRTUAL,
    "rental": LocationType.VIRTUAL,
}


def first_text(*values: Any) -> str:
    """Take the first value that is not empty, as text: a product needs no code in Tryton, and has a key."""
    return str(next(value for value in values if value))


def item_type(kind: str | None, consumable: bool | None) -> ItemType:
    """Tell goods in stock from consumed ones, services and assets."""
    if kind == "goods" and consumable:
        return ItemType.NON_STOCK
    return _ITEM_TYPES.get(kind or "", ItemType.UNKNOWN)


def gtin(identifiers: Rows | None) -> str | None:
    """Give the first trade item number among the identifiers."""
    return next((row["code"] for row in identifiers or () if row.get("type") in {"ean", "upc"}), None)


def both(own: bool | None, template: bool | None) -> bool:
    """Tell whether neither the product nor its template is retired."""
    return own is not False and template is not False


def location_type(kind: str | None) -> LocationType:
    """Tell places from what stock is only booked to."""
    return _LOCATION_TYPES.get(kind or "", LocationType.UNKNOWN)


def place(told: Row | None) -> Address | None:
    """Make the address of a location, where it has one."""
    return address(told) if told else None


def instant(value: str | None) -> datetime | None:
    """Read an instant."""
    return datetime.fromisoformat(value) if value else None


def midnight(value: str | None) -> datetime | None:
    """Read a day as the midnight, UTC, that begins it."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if value else None


def parts(outputs: Rows | None, inputs: Rows | None) -> list[dict[str, Any]]:
    """Make parts of what comes out and of what goes in, less what was cancelled."""
    return [
        {
            "number": str(move["id"]),
            "item_source_id": key(move.get("product")),
            "item_code": (move.get("product.") or {}).get("code"),
            "description": (move.get("product.") or {}).get("rec_name"),
            "quantity": exact(move.get("quantity")),
            "used_quantity": exact(move.get("quantity")) if move.get("state") == "done" else Decimal(0),
            "unit": REC20.get(symbol := (move.get("unit.") or {}).get("symbol") or "", symbol or None),
        }
        for move in (*(outputs or ()), *(inputs or ()))
        if move.get("state") != "cancelled"
    ]


def _asked(line: Row) -> tuple[bool | None, str | None, str | None]:
    order = (line.get("purchase.") or {}).get("delivery_date")
    return line.get("delivery_date_edit"), line.get("delivery_date_store"), order


def _billed(line: Row) -> Decimal | None:
    if line.get("type") != "line":
        return None
    booked = [row for row in line.get("invoice_lines.") or () if (row.get("invoice.") or {}).get("state") in _BOOKED]
    return _sum(booked, line.get("unit"))


def _sum(rows: Rows, unit: int | None) -> Decimal | None:
    if any(row.get("unit") != unit for row in rows):
        return None
    return sum((exact(row.get("quantity")) or Decimal(0) for row in rows), Decimal(0))


def _covered(ordered: Decimal | None, part: Decimal | None) -> bool:
    return part is not None and (ordered is None or abs(part) >= abs(ordered))
