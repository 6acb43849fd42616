"""How Tryton's purchases, parties, productions and stock become our records, as data."""

from collections.abc import Mapping
from typing import Final

from connectors.mapping import Each, EntityMapping, To, unit
from connectors.tryton import converters as to
from db.models.inventory.inventory_level import InventoryLevelFields
from db.models.inventory.location import LocationFields
from db.models.items.item import ItemFields
from db.models.maintenance.work_order import WorkOrderFields
from db.models.parties.vendor import VendorFields
from db.models.purchasing.purchase_order import PurchaseOrderRecord
from db.types import Entity

# Comment, title and subtotal lines come as COMMENT lines: they hold text for the vendor that belongs to its place.
LINE: Final = (
    To("source_line_id", "id", to.key),
    To("line_number", "_position", to.key),
    To("kind", ("type", "product", "product./type"), to.kind),
    To("item_source_id", "product", to.key),
    To("item_code", "product./code"),
    To("vendor_item_code", "product_supplier./code"),
    To("description", ("description", "product./name"), to.first, back="description"),
    To("quantity", "quantity", to.exact, back="quantity", write=float),
    To("unit", "unit./symbol", unit),
    To("native_unit", "unit./symbol"),
    To("unit_price", "unit_price", to.exact, back="unit_price"),
    To("price_unit", "unit./symbol", unit),
    To("source_price", "unit_price", to.exact),
    To("price_base", "unit_price", to.price_base),
    To("net_amount", ("type", "amount"), to.line_amount),
    To("tax_code", "taxes.", to.taxes),
    To("status", ("type", "purchase_state", "moves_progress"), to.line_status),
    To("received_quantity", ("type", "product./type", "unit", "moves."), to.received),
    To("billed_quantity", ("type", "unit", "invoice_lines."), to.billed),
    To(
        "required_date",
        ("delivery_date_edit", "delivery_date_store", "purchase./delivery_date"),
        to.line_asked_for,
        back="delivery_date_store",
    ),
    To("location", "warehouse./code"),
)
# No bill_to: invoice_address is the vendor's address that bills, not the buyer's that is billed. No delivery_date:
# Tryton keeps no promise of the vendor.
PURCHASE_ORDER: Final = EntityMapping(
    PurchaseOrderRecord,
    (
        To("order_number", "number"),
        To("status", ("state", "shipment_state"), to.status),
        To("native_status", ("state", "shipment_state", "invoice_state"), to.native_status),
        To("approval", "state", to.approval),
        To("receipt", "shipment_state", to.receipt),
        To("billing", ("invoice_state", "lines."), to.billing),
        To("vendor_source_id", "party", to.key, back="party", write=int),
        To("vendor_reference", "reference", back="reference"),
        To("buyer", ("confirmed_by./rec_name", "quoted_by./rec_name"), to.first),
        To("company", "company./rec_name"),
        To("currency", "currency./code"),
        To("order_date", "purchase_date", back="purchase_date"),
        To("required_date", ("delivery_date", "lines."), to.asked_for, back="delivery_date"),
        To("payment_terms", ("payment_term./name", "payment_term./description"), to.payment_terms),
        To("ship_to", "warehouse.", to.warehouse),
        To("total_net", "untaxed_amount", to.exact),
        To("total_tax", "tax_amount", to.exact),
        To("total_gross", "total_amount", to.exact),
        To("notes", "comment", back="comment"),
        Each("lines", "lines.", LINE),
    ),
    absent=frozenset({"revision", "delivery_date", "bill_to"}),
)
VENDOR: Final = EntityMapping(
    VendorFields,
    (
        To("number", "code", back="code"),
        To("name", ("name", "rec_name"), to.first, back="name"),
        To("tax_id", "tax_identifier./code"),
        To("email", "email"),
        To("phone", ("phone", "mobile"), to.first),
        To("addresses", "addresses.", to.addresses),
        To("currency", "supplier_currency./code"),
        To(
            "payment_terms",
            ("supplier_payment_term./name", "supplier_payment_term./description"),
            to.payment_terms,
        ),
        To("active", "active", back="active"),
    ),
)
# Days of Tryton are told as the midnight, UTC, that begins them. Its `request` is a proposal that nobody took up yet.
WORK_ORDER: Final = EntityMapping(
    WorkOrderFields,
    (
        To("number", "number"),
        To("title", ("product./rec_name", "reference"), to.first),
        To("type", "state", to.production_type),
        To("native_type", "bom./rec_name"),
        To("status", "state", to.production_status),
        To("native_status", "state"),
        To("location_source_id", "warehouse", to.key, back="warehouse", write=int),
        To("location_code", ("warehouse./code", "warehouse./name"), to.first),
        To("site", "company./rec_name"),
        To("reported_at", "create_date", to.instant),
        To("scheduled_start_at", "planned_start_date", to.midnight, back="planned_start_date"),
        To("scheduled_end_at", "planned_date", to.midnight, back="planned_date"),
        To("actual_start_at", "effective_start_date", to.midnight),
        To("actual_end_at", "effective_date", to.midnight),
        To("assignee", ("done_by./rec_name", "run_by./rec_name", "assigned_by./rec_name"), to.first),
        To("parts", ("outputs.", "inputs."), to.parts),
    ),
)
# Costs belong to a company and are not of the product itself; Tryton tells no currency beside them.
ITEM: Final = EntityMapping(
    ItemFields,
    (
        To("code", ("code", "rec_name", "id"), to.first_text),
        To("description", ("name", "description"), to.first),
        To("type", ("type", "consumable"), to.item_type),
        To("native_type", "type"),
        To("base_unit", "default_uom./symbol", unit),
        To("purchase_unit", "purchase_uom./symbol", unit),
        To("gtin", "identifiers.", to.gtin),
        To("active", ("active", "template./active"), to.both),
    ),
    absent=frozenset({"cost_currency"}),
)
LOCATION: Final = EntityMapping(
    LocationFields,
    (
        To("code", ("code", "name"), to.first),
        To("name", ("name", "rec_name"), to.first),
        To("type", "type", to.location_type),
        To("native_type", "type"),
        To("parent_source_id", "parent", to.key),
        To("site", ("warehouse./code", "warehouse./name"), to.first),
        To("address", "address.", to.place),
        To("active", "active"),
    ),
    absent=frozenset({"description"}),
)
INVENTORY_LEVEL: Final = EntityMapping(
    InventoryLevelFields,
    (
        To("item_source_id", "product", to.key),
        To("item_code", "product./code"),
        To("location", ("location./code", "location./name"), to.first),
        To("stock_class", "location", to.stock_class),
        To("on_hand", "quantity", to.exact),
        To("unit", "product./default_uom.symbol", unit),
        To("native_unit", "product./default_uom.symbol"),
    ),
)
MAPPINGS: Final[Mapping[Entity, EntityMapping]] = {
    Entity.PURCHASE_ORDER: PURCHASE_ORDER,
    Entity.VENDOR: VENDOR,
    Entity.WORK_ORDER: WORK_ORDER,
    Entity.INVENTORY_LEVEL: INVENTORY_LEVEL,
    Entity.ITEM: ITEM,
    Entity.LOCATION: LOCATION,
}
