"""What Odoo's values mean in ours: the converters that the mappings name."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import escape, unescape
from typing import Any, Final

from db.models.inventory.inventory_level import StockClass
from db.models.inventory.location import LocationType
from db.models.items.item import ItemType
from db.models.maintenance.work_order import WorkOrderStatus, WorkOrderType
from db.models.parties.vendor import Address, PaymentTerms
from db.models.purchasing.purchase_order import ApprovalState, LineKind, LineStatus, Progress, PurchaseOrderStatus

Row = Mapping[str, Any]
Reference = Sequence[Any] | None
STATUSES: Final = {
    "draft": PurchaseOrderStatus.DRAFT,
    "sent": PurchaseOrderStatus.DRAFT,
    "to approve": PurchaseOrderStatus.PENDING_APPROVAL,
    "purchase": PurchaseOrderStatus.APPROVED,
    "done": PurchaseOrderStatus.APPROVED,
    "cancel": PurchaseOrderStatus.CANCELLED,
}
CONFIRMED: Final = frozenset({"purchase", "done"})
_RECEIPTS: Final = {"pending": Progress.NONE, "partial": Progress.PARTIAL, "full": Progress.FULL}
_RECEIVED: Final = {
    "partial": PurchaseOrderStatus.PARTIALLY_RECEIVED,
    "full": PurchaseOrderStatus.RECEIVED,
}
_APPROVALS: Final = {
    "to approve": ApprovalState.PENDING,
    "purchase": ApprovalState.APPROVED,
    "done": ApprovalState.APPROVED,
}
_ITEM_TYPES: Final = {
    "product": ItemType.STOCK,
    "consu": ItemType.NON_STOCK,
    "service": ItemType.SERVICE,
    "combo": ItemType.KIT,
}
_USAGES: Final = {
    "internal": LocationType.STORAGE,
    "supplier": LocationType.VIRTUAL,
    "customer": LocationType.VIRTUAL,
    "inventory": LocationType.VIRTUAL,
    "production": LocationType.VIRTUAL,
    "transit": LocationType.VIRTUAL,
}
_CLASSES: Final = {"internal": StockClass.UNRESTRICTED, "transit": StockClass.TRANSIT}
_TYPES: Final = {"corrective": WorkOrderType.CORRECTIVE, "preventive": WorkOrderType.PREVENTIVE}
PRIORITIES: Final = {"3": 1, "2": 2, "1": 3, "0": 4}
_FIGURES: Final = 15
LINE_TEXT: Final = 10_000
"""Longest description of a line that a record takes."""
_BREAK: Final = re.compile(r"<br\s*/?>|</(?:p|div|li|h\d|tr)>", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^>]+>")
_MARK: Final = re.compile(r"\s*\[ref ([A-Za-z0-9]{1,12})\]\s*$")


def exact(value: float | None) -> Decimal | None:
    """Read a float by the shortest text that names it: 5.0 → 5, 0.195 → 0.195; what sums leave behind is cut off."""
    if value is None:
        return None
    if isinstance(value, float):
        if value.is_integer():
            return Decimal(int(value))
        text = repr(value)
        return Decimal(text if len(text) <= _FIGURES else repr(round(value, 9)))
    return Decimal(value)


def key(value: Reference | int) -> str | None:
    """Give the key of a reference, or a number, as text."""
    if isinstance(value, int):
        return str(value)
    return str(value[0]) if value else None


def named(value: Reference) -> str | None:
    """Give the name of what a reference leads to."""
    return value[1] if value else None


def first(*values: Any) -> Any:
    """Take the first value that is not empty."""
    return next((value for value in values if value), None)


def first_named(*values: Reference) -> str | None:
    """Take the name of the first reference that there is: versions call the same field differently."""
    return next((value[1] for value in values if value), None)


def place(text: str | None, reference: Reference) -> str | None:
    """Give where equipment stands: a text until 18, one of stock's locations from 19 on."""
    return text or named(reference)


def day(value: str | None) -> str | None:
    """Read the day of an instant, UTC."""
    return value[:10] if value else None


def order_day(approved: str | None, ordered: str | None) -> str | None:
    """Give an order's date: when it was confirmed, until then its deadline (`date_order`)."""
    return day(approved or ordered)


def instant(value: str | None) -> datetime | None:
    """Read an instant, or a day as the midnight, UTC, that begins it."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if value else None


def status(state: str, receipt_status: str | None, invoice_status: str | None) -> PurchaseOrderStatus:
    """Read the state; once an order is confirmed its receipts, and bills, tell more."""
    if state in CONFIRMED:
        if receipt_status == "full" and invoice_status == "invoiced":
            return PurchaseOrderStatus.CLOSED
        return _RECEIVED.get(receipt_status or "", PurchaseOrderStatus.APPROVED)
    return STATUSES.get(state, PurchaseOrderStatus.UNKNOWN)


def native_status(state: str, receipt_status: str | None, invoice_status: str | None) -> str:
    """Join Odoo's states, word for word: `purchase/partial/to invoice`."""
    return "/".join(part for part in (state, receipt_status, invoice_status) if part)


def approval(state: str) -> ApprovalState:
    """Read the approval; a draft or cancelled order tells none."""
    return _APPROVALS.get(state, ApprovalState.UNKNOWN)


def receipt(state: str, receipt_status: str | None) -> Progress:
    """Read the receipt; Odoo tells none for orders of services."""
    if receipt_status is None:
        return Progress.UNKNOWN if state in CONFIRMED else Progress.NONE
    return _RECEIPTS.get(receipt_status, Progress.UNKNOWN)


def billing(invoice_status: str | None, lines: Sequence[Row] | None) -> Progress:
    """Read the billing: `to invoice` says that something is still to be billed, the lines whether something was."""
    if invoice_status == "invoiced":
        return Progress.FULL
    if invoice_status not in {"no", "to invoice"}:
        return Progress.UNKNOWN
    return Progress.PARTIAL if any(line.get("qty_invoiced") for line in lines or ()) else Progress.NONE


def payment_terms(value: Reference) -> PaymentTerms | None:
    """Make payment terms; Odoo's have a name only."""
    return PaymentTerms(code=value[1], text=value[1]) if value else None


def ship_to(place: Row | None, kind: Row | None) -> Address | None:
    """Make the address that goods go to: a customer's where they are sent on, else the warehouse."""
    if place:
        return address(place)
    warehouse = (kind or {}).get("warehouse_id.")
    if not warehouse:
        return None
    return Address(name=warehouse.get("name"), site_code=warehouse.get("code"))


def address(place: Row) -> Address:
    """Make a partner's address."""
    country, state = place.get("country_id.") or {}, place.get("state_id.") or {}
    return Address(
        name=place.get("name"),
        lines=[line for name in ("street", "street2") if (line := place.get(name))],
        city=place.get("city"),
        region=state.get("name") or named(place.get("state_id")),
        postal_code=place.get("zip"),
        country=country.get("code") or named(place.get("country_id")),
    )


def addresses(*parts: Any) -> list[Address]:
    """Make the one address that a partner has; see `ADDRESS` for the parts."""
    place = dict(zip(ADDRESS, parts, strict=True))
    found = address(place)
    return [found] if found.lines or found.city or found.country or found.postal_code else []


ADDRESS: Final = ("name", "street", "street2", "city", "zip", "state_id", "state_id.", "country_id", "country_id.")


def kind(display_type: str | None, product: Reference, product_type: str | None) -> LineKind:
    """Tell what a line orders; sections and notes are text."""
    if display_type:
        return LineKind.COMMENT
    if not product:
        return LineKind.ACCOUNT
    return LineKind.SERVICE if product_type == "service" else LineKind.ITEM


def quantity(display_type: str | None, value: float | None) -> Decimal | None:
    """Give a line's number; sections and notes have none, though Odoo tells 0."""
    return None if display_type else exact(value)


def net_price(display_type: str | None, price: float | None, discount: float | None) -> Decimal | None:
    """Give the price of one unit, less its discount."""
    told = quantity(display_type, price)
    return told if told is None or not discount else told * (100 - (exact(discount) or 0)) / 100


def price_base(display_type: str | None) -> int | None:
    """Tell how many units a price is for: Odoo's are for one."""
    return None if display_type else 1


def line_status(
    display_type: str | None, state: str | None, ordered: float | None, received: float | None
) -> LineStatus:
    """Tell how far a line is."""
    if display_type:
        return LineStatus.UNKNOWN
    if state == "cancel":
        return LineStatus.CANCELLED
    if not received:
        return LineStatus.OPEN
    return LineStatus.RECEIVED if received >= (ordered or 0) else LineStatus.PARTIALLY_RECEIVED


def taxes(*lists: Sequence[Row] | None) -> str | None:
    """Join the names of a line's taxes."""
    return ", ".join(row["name"] for rows in lists for row in rows or ()) or None


def custom(fields: Row | None) -> dict[str, Any]:
    """Give the custom fields that are not empty; a reference by its name."""
    return {
        name: value[1] if isinstance(value, list) else value
        for name, value in (fields or {}).items()
        if value is not None
    }


def text(html: str | None) -> str | None:
    """Read a rich text: its words, with line breaks, without our own reference at its end."""
    if not html:
        return None
    plain = unescape(_TAG.sub("", _BREAK.sub("\n", html))).strip() if "<" in html or "&" in html else html.strip()
    return _MARK.sub("", plain) or None


def notes(old: str | None, new: str | None) -> str | None:
    """Read an order's rich text, which lost a letter of its name in 19."""
    return text(old or new)


def rich(words: str | None) -> str | bool:
    """Make a rich text of words; false is how Odoo writes nothing."""
    return f"<p>{'<br>'.join(escape(words, quote=False).splitlines())}</p>" if words else False


def marked(words: str | None, reference: str) -> str:
    """Make a rich text that ends with our reference."""
    return f"{rich(words) or ''}<p>[ref {reference}]</p>"


def mark_of(html: str | None) -> str | None:
    """Give our reference at the end of a rich text."""
    if not html:
        return None
    found = _MARK.search(unescape(_TAG.sub("", _BREAK.sub("\n", html))))
    return found[1] if found else None


def line_text(words: str | None) -> str | None:
    """Give a line's text; Odoo's may be longer than ours, and no order is held back for that."""
    return words[:LINE_TEXT] if words else None


def vendor_name(name: str | None, number: str | None, email: str | None, key_: int) -> str:
    """Give a partner's name; an address of another partner may have none."""
    return name or number or email or str(key_)


def item_code(code: str | None, barcode: str | None, number: int) -> str:
    """Give what people call a product: its internal reference, else its barcode, else its key."""
    return code or barcode or str(number)


def item_type(storable: bool | None, detailed: str | None, told: str | None) -> ItemType:
    """Tell what a product is: up to 17 by `detailed_type` or `type`, from 18 on by `type` and `is_storable`."""
    return ItemType.STOCK if storable else _ITEM_TYPES.get(detailed or told or "", ItemType.UNKNOWN)


def location_type(usage: str | None, warehouse: Row | None) -> LocationType:
    """Tell what a place is; of those that only hold others, a warehouse's own is the warehouse."""
    return LocationType.WAREHOUSE if warehouse else _USAGES.get(usage or "", LocationType.UNKNOWN)


def stock_class(usage: str | None) -> StockClass:
    """Tell what may be done with stock, by where it lies."""
    return _CLASSES.get(usage or "", StockClass.UNKNOWN)


def work_status(
    archived: bool | None, stage: Row | None, done: bool | None, kanban: str | None, scheduled: str | None
) -> WorkOrderStatus:
    """Read a request's stage: what ends work, the first one, and those between, whatever they are called."""
    if archived:
        return WorkOrderStatus.CANCELLED
    if done or (stage and stage.get("done")):
        return WorkOrderStatus.COMPLETED
    if not stage:
        return WorkOrderStatus.UNKNOWN
    if kanban == "blocked":
        return WorkOrderStatus.WAITING
    if not stage["first"]:
        return WorkOrderStatus.IN_PROGRESS
    return WorkOrderStatus.SCHEDULED if scheduled else WorkOrderStatus.APPROVED


def work_native(stage: Reference, kanban: str | None, archived: bool | None) -> str | None:
    """Join stage, block and archive, word for word."""
    told = [named(stage), kanban if kanban not in {None, "normal"} else None, "archived" if archived else None]
    return "/".join(part for part in told if part) or None


def work_type(told: str | None) -> WorkOrderType:
    """Tell why the work is done."""
    return _TYPES.get(told or "", WorkOrderType.OTHER)


def priority(told: str | None) -> int | None:
    """Read the stars of a request: three are most urgent."""
    return PRIORITIES.get(told or "")
