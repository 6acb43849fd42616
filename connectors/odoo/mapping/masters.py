"""Vendors, items, locations and levels of stock."""

from typing import Final

from connectors.mapping import EntityMapping, To, unit
from connectors.odoo import convert as to
from connectors.odoo.rows import CUSTOM
from db.models.inventory.inventory_level import InventoryLevelFields
from db.models.inventory.location import LocationFields
from db.models.items.item import ItemFields
from db.models.parties.vendor import VendorFields

VENDOR: Final = EntityMapping(
    VendorFields,
    (
        To("number", "ref", back="ref"),
        To("name", ("name", "ref", "email", "id"), to.vendor_name, back="name"),
        To("tax_id", "vat", back="vat"),
        To("email", "email", back="email"),
        To("phone", ("phone", "mobile"), to.first, back="phone"),
        To("addresses", to.ADDRESS, to.addresses),
        To("currency", "property_purchase_currency_id", to.named, back="property_purchase_currency_id"),
        To(
            "payment_terms",
            "property_supplier_payment_term_id",
            to.payment_terms,
            back="property_supplier_payment_term_id",
        ),
        To("active", "active", back="active"),
    ),
)
ITEM: Final = EntityMapping(
    ItemFields,
    (
        To("code", ("default_code", "barcode", "id"), to.item_code),
        To("description", "name"),
        To("type", ("is_storable", "detailed_type", "type"), to.item_type),
        To("native_type", ("detailed_type", "type"), to.first),
        To("category", "categ_id", to.named),
        To("base_unit", "_unit", unit),
        To("purchase_unit", "_purchase_unit", unit),
        To("gtin", "barcode"),
        To("active", "active"),
        To("standard_cost", "standard_price", to.exact),
        To("cost_currency", ("cost_currency_id", "currency_id"), to.first_named),
        To("custom_fields", CUSTOM, to.custom),
    ),
)
LOCATION: Final = EntityMapping(
    LocationFields,
    (
        To("code", ("complete_name", "name"), to.first),
        To("name", "name"),
        To("description", "comment", to.text),
        To("type", ("usage", "warehouse."), to.location_type),
        To("native_type", "usage"),
        To("parent_source_id", "location_id", to.key),
        To("site", "company_id", to.named),
        To("active", "active"),
        To("custom_fields", CUSTOM, to.custom),
    ),
    absent=frozenset({"address"}),
)
INVENTORY_LEVEL: Final = EntityMapping(
    InventoryLevelFields,
    (
        To("item_source_id", "product_id", to.key),
        To("item_code", ("product_id./default_code", "product_id./barcode"), to.first),
        To("site", "company_id", to.named),
        To("location", ("location_id./complete_name", "_place"), to.first),
        To("lot", "lot_id", to.named),
        To("stock_class", "location_id./usage", to.stock_class),
        To("native_stock_class", "location_id./usage"),
        To("on_hand", "quantity", to.exact),
        To("reserved", "reserved_quantity", to.exact),
        To("available", "available_quantity", to.exact),
        To("unit", "_unit", unit),
        To("native_unit", "product_uom_id", to.named),
    ),
    absent=frozenset({"bin", "on_order", "as_of"}),
)
