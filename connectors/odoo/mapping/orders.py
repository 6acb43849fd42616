"""Purchase orders and their lines."""

from typing import Final

from connectors.mapping import Each, EntityMapping, To, unit
from connectors.odoo import convert as to
from connectors.odoo.rows import CUSTOM
from db.models.purchasing.purchase_order import PurchaseOrderRecord

# A line's unit and taxes have other names from 19 on; an item holds those that its server has.
LINE: Final = (
    To("source_line_id", "id", to.key),
    To("line_number", "_position", to.key),
    To("kind", ("display_type", "product_id", "product_id./type"), to.kind),
    To("item_source_id", "product_id", to.key, back="product_id"),
    To("item_code", ("product_id./default_code", "product_id./barcode"), to.first),
    To("description", "name", to.line_text, back="name"),
    To("quantity", ("display_type", "product_qty"), to.quantity, back="product_qty"),
    To("unit", "_unit", unit),
    To("native_unit", ("product_uom", "product_uom_id"), to.first_named),
    To("unit_price", ("display_type", "price_unit", "discount"), to.net_price, back="price_unit"),
    To("price_unit", "_unit", unit),
    To("source_price", ("display_type", "price_unit"), to.quantity),
    To("price_base", "display_type", to.price_base),
    To("discount_percent", ("display_type", "discount"), to.quantity),
    To("net_amount", ("display_type", "price_subtotal"), to.quantity),
    To("tax_code", ("taxes_id.", "tax_ids."), to.taxes),
    To("status", ("display_type", "state", "product_qty", "qty_received"), to.line_status),
    To("received_quantity", ("display_type", "qty_received"), to.quantity),
    To("billed_quantity", ("display_type", "qty_invoiced"), to.quantity),
    To("required_date", "date_planned", to.day, back="date_planned"),
    To("custom_fields", CUSTOM, to.custom),
)
# No delivery_date: Odoo has one date of arrival, which buyer and vendor share. No bill_to: it is the buying company.
PURCHASE_ORDER: Final = EntityMapping(
    PurchaseOrderRecord,
    (
        To("order_number", "name"),
        To("status", ("state", "receipt_status", "invoice_status"), to.status),
        To("native_status", ("state", "receipt_status", "invoice_status"), to.native_status),
        To("approval", "state", to.approval),
        To("receipt", ("state", "receipt_status"), to.receipt),
        To("billing", ("invoice_status", "lines."), to.billing),
        To("vendor_source_id", "partner_id", to.key, back="partner_id"),
        To("vendor_reference", "partner_ref", back="partner_ref"),
        To("buyer", "user_id", to.named),
        To("company", "company_id", to.named),
        To("currency", "currency_id", to.named, back="currency_id"),
        To("order_date", ("date_approve", "date_order"), to.order_day, back="date_order"),
        To("required_date", "date_planned", to.day, back="date_planned"),
        To("payment_terms", "payment_term_id", to.payment_terms, back="payment_term_id"),
        To("incoterms", "incoterm_id", to.named),
        To("ship_to", ("dest_address_id.", "picking_type_id."), to.ship_to, back="picking_type_id"),
        To("total_net", "amount_untaxed", to.exact),
        To("total_tax", "amount_tax", to.exact),
        To("total_gross", "amount_total", to.exact),
        To("notes", ("notes", "note"), to.notes, back="notes"),
        To("custom_fields", CUSTOM, to.custom),
        Each("lines", "lines.", LINE),
    ),
    absent=frozenset({"revision", "delivery_date", "bill_to"}),
)
