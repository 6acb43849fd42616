"""Purchase orders: A_PurchaseOrder with items, schedule lines, account assignments and notes."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from connectors.kit.odata2 import write_day
from connectors.mapping import Each, EntityMapping, To, unit
from connectors.sap_s4hana import status
from connectors.sap_s4hana import values as v
from db.models.purchasing.purchase_order import LineKind, PurchaseOrderRecord

_ASSIGNED: Final = (
    "CostCenter",
    "GLAccount",
    "OrderID",
    "WBSElement",
    "SalesOrder",
    "MasterFixedAsset",
    "ProfitCenter",
    "BusinessArea",
    "ProjectNetwork",
)
HEADER_NOTE: Final = "F01"
"""Text id of a purchase order's header text in the standard system."""


def kind(material: Any, product_type: Any, item_category: Any, assignment: Any) -> LineKind:
    """Tell what an item orders: product type group 2 and item category 9 are services, category A an asset."""
    if product_type == "2" or item_category == "9":
        return LineKind.SERVICE
    if material:
        return LineKind.ITEM
    if assignment == "A":
        return LineKind.ASSET
    return LineKind.ACCOUNT if assignment else LineKind.ITEM


def schedules(rows: Sequence[v.Row] | None) -> list[dict[str, Any]]:
    """Make schedules of an item's schedule lines; SAP tells no received quantity here."""
    return [
        {
            "number": v.item_number(row.get("ScheduleLine")),
            "required_date": v.day(row.get("ScheduleLineDeliveryDate")),
            "quantity": v.exact(row.get("ScheduleLineOrderQuantity")),
        }
        for row in rows or ()
    ]


def assignment(rows: Sequence[v.Row] | None, category: Any) -> dict[str, Any] | None:
    """Tell cost centre and the like; several parts are told one by one with their share."""
    parts = [v.filled(row, _ASSIGNED) for row in rows or () if not row.get("IsDeleted")]
    if len(parts) > 1:
        shares = [row.get("MultipleAcctAssgmtDistrPercent") for row in rows or () if not row.get("IsDeleted")]
        return {
            "AccountAssignmentCategory": category,
            "parts": [{**part, "percent": share} for part, share in zip(parts, shares, strict=True)],
        }
    told = {**({"AccountAssignmentCategory": category} if category else {}), **(parts[0] if parts else {})}
    return told or None


def required_on(items: status.Rows) -> date | None:
    """Give the earliest delivery date that any live item asks for."""
    days = [found for item in status.live(items) if (found := v.first_day(item.get("to_ScheduleLine")))]
    return min(days, default=None)


_DELIVERY: Final = tuple(f"DeliveryAddress{name}" for name in v.ADDRESS)
_DELIVERY_PATHS: Final = (_DELIVERY[0], "DeliveryAddressName", *_DELIVERY[1:], "Plant")


def ship_to(items: status.Rows) -> dict[str, Any] | None:
    """Give the delivery address that all live items share; SAP keeps none at the header."""
    parts = [tuple(map(item.get, _DELIVERY_PATHS)) for item in status.live(items)]
    if not parts:
        return None
    first = line_ship_to(*parts[0])
    return first if all(one == parts[0] or line_ship_to(*one) == first for one in parts) else None


def line_ship_to(*told: Any) -> dict[str, Any] | None:
    """Give an item's delivery address, or the plant that receives it."""
    found, plant = v.postal(told[0], *told[2:-1], name=told[1]), v.text(told[-1])
    return {**(found or {}), "site_code": plant} if found or plant else None


def note(rows: Sequence[v.Row] | None) -> str | None:
    """Give the header text."""
    told = [v.text(row.get("PlainLongText")) for row in rows or () if row.get("TextObjectType") == HEADER_NOTE]
    return "\n".join(filter(None, told)) or None


def incoterms(code: Any, where: Any) -> str | None:
    """Join code and place."""
    return " ".join(filter(None, (v.text(code), v.text(where)))) or None


LINE: Final = (
    To("source_line_id", "PurchaseOrderItem", v.item_number),
    To("line_number", "PurchaseOrderItem", v.item_number),
    To(
        "kind",
        ("Material", "ProductType", "PurchaseOrderItemCategory", "AccountAssignmentCategory"),
        kind,
    ),
    To("item_source_id", "Material", v.text, back="Material"),
    To("item_code", "Material", v.text),
    To("vendor_item_code", "SupplierMaterialNumber", v.text, back="SupplierMaterialNumber"),
    To("description", "PurchaseOrderItemText", v.text, back="PurchaseOrderItemText"),
    To("quantity", "OrderQuantity", v.exact, back="OrderQuantity", write=str),
    To("unit", "PurchaseOrderQuantityUnit", unit, back="PurchaseOrderQuantityUnit"),
    To("native_unit", "PurchaseOrderQuantityUnit", v.text),
    To("unit_price", ("NetPriceAmount", "NetPriceQuantity"), v.unit_price),
    To("price_unit", "OrderPriceUnit", unit),
    To("source_price", "NetPriceAmount", v.exact, back="NetPriceAmount", write=str),
    To("price_base", "NetPriceQuantity", v.exact, back="NetPriceQuantity", write=str),
    To("tax_code", "TaxCode", v.text, back="TaxCode"),
    To(
        "status",
        ("PurchasingDocumentDeletionCode", "IsCompletelyDelivered", "IsFinallyInvoiced"),
        status.line_status,
    ),
    To("required_date", "to_ScheduleLine", v.first_day),
    To("schedules", "to_ScheduleLine", schedules),
    To("ship_to", _DELIVERY_PATHS, line_ship_to),
    To("location", ("Plant", "StorageLocation"), v.place),
    To("account_assignment", ("to_AccountAssignment", "AccountAssignmentCategory"), assignment),
    To("custom_fields", "YY1_", v.custom),
)

PURCHASE_ORDER: Final = EntityMapping(
    PurchaseOrderRecord,
    (
        To("order_number", "PurchaseOrder", v.text),
        To(
            "status",
            (
                "PurchasingDocumentDeletionCode",
                "PurchasingCompletenessStatus",
                "PurchasingProcessingStatus",
                "ReleaseIsNotCompleted",
                "to_PurchaseOrderItem",
            ),
            status.order_status,
        ),
        To("native_status", "PurchasingProcessingStatus", v.text),
        To("approval", ("PurchasingProcessingStatus", "ReleaseIsNotCompleted"), status.approval),
        To("receipt", "to_PurchaseOrderItem", status.receipt),
        To("billing", "to_PurchaseOrderItem", status.billing),
        To("vendor_source_id", "Supplier", v.text, back="Supplier"),
        To("vendor_reference", "SupplierQuotationExternalID", v.text, back="SupplierQuotationExternalID"),
        To("buyer", "PurchasingGroup", v.text),
        To("company", "CompanyCode", v.text),
        To("currency", "DocumentCurrency", v.text, back="DocumentCurrency"),
        To("order_date", "PurchaseOrderDate", v.day, back="PurchaseOrderDate", write=write_day),
        To("required_date", "to_PurchaseOrderItem", required_on),
        To("payment_terms", "PaymentTerms", v.coded, back="PaymentTerms"),
        To("incoterms", ("IncotermsClassification", "IncotermsLocation1"), incoterms),
        To("ship_to", "to_PurchaseOrderItem", ship_to),
        To("notes", "to_PurchaseOrderNote", note),
        To("custom_fields", "YY1_", v.custom),
        Each("lines", "to_PurchaseOrderItem", LINE),
    ),
    # A_PurchaseOrder and its items have none of these (their metadata): no net amounts, taxes are worked out at
    # invoicing, a vendor's promise is kept in confirmations, which the service does not tell.
    absent=frozenset({"revision", "delivery_date", "bill_to", "total_net", "total_tax", "total_gross"}),
)
