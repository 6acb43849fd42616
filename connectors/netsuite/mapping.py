"""How NetSuite's rows become records, and which of their fields are written back: data."""

from typing import Final

from connectors.mapping import Each, EntityMapping, To, unit
from connectors.netsuite import status
from connectors.netsuite import values as v
from db.models.inventory.inventory_level import InventoryLevelFields
from db.models.inventory.location import LocationFields
from db.models.items.item import ItemFields
from db.models.parties.vendor import VendorFields
from db.models.purchasing.purchase_order import PurchaseOrderRecord

LINE: Final = (
    To("source_line_id", "id", v.text),
    To("line_number", ("linesequencenumber", "id"), v.first),
    To("kind", ("item", "itemtype"), v.kind),
    To("item_source_id", "item", v.text, back="item"),
    To("item_code", "item_name", v.text),
    To("vendor_item_code", "vendorname", v.text, back="vendorName"),
    To("description", "memo", v.text, back="description"),
    To("quantity", "quantity", v.amount, back="quantity"),
    To("unit", "units_name", unit),
    To("native_unit", "units_name", v.text),
    To("unit_price", "rate", v.amount, back="rate"),
    To("source_price", "rate", v.amount),
    To("price_base", "rate", v.price_base),
    To("price_unit", "units_name", unit),
    To("net_amount", "foreignamount", v.amount),
    To("status", ("isclosed", "quantity", "quantityshiprecv"), status.line_status),
    To("received_quantity", "quantityshiprecv", v.amount),
    To("billed_quantity", "quantitybilled", v.amount),
    To("required_date", "expectedreceiptdate", v.day, back="expectedReceiptDate", write=str),
    To("location", "location_name", v.text),
    To("account_assignment", ("department", "class"), v.assignment),
    To("custom_fields", "custom", v.custom),
)

PURCHASE_ORDER: Final = EntityMapping(
    PurchaseOrderRecord,
    (
        To("order_number", "tranid", v.text),
        To("status", ("status", "lines"), status.order_status),
        To("native_status", "status", v.text),
        To("approval", "status", status.approval),
        To("receipt", ("status", "lines"), status.receipt),
        To("billing", ("status", "lines"), status.billing),
        To("vendor_source_id", "entity", v.text, back="entity"),
        To("vendor_reference", "otherrefnum", v.text, back="otherRefNum"),
        To("buyer", "employee_name", v.text),
        To("currency", "currency_symbol", v.currency, back="currency"),
        To("order_date", "trandate", v.day, back="tranDate", write=str),
        To("required_date", ("duedate", "lines"), v.required_on, back="dueDate", write=str),
        To("payment_terms", ("terms", "terms_name"), v.terms, back="terms"),
        To("incoterms", "incoterm_name", v.text),
        To("ship_to", "shippingaddress_", v.address),
        To("bill_to", "billingaddress_", v.address),
        To("total_gross", "foreigntotal", v.amount),
        To("notes", "memo", v.text, back="memo"),
        To("custom_fields", "custom", v.custom),
        Each("lines", "lines", LINE),
    ),
    # NetSuite knows neither.
    absent=frozenset({"revision", "delivery_date"}),
)

VENDOR: Final = EntityMapping(
    VendorFields,
    (
        To("number", "entityid", v.text, back="entityId"),
        To(
            "name", ("companyname", "legalname", "firstname", "lastname", "entityid"), v.vendor_name, back="companyName"
        ),
        To("tax_id", ("vatregnumber", "taxidnum"), v.first),
        To("email", "email", v.text, back="email"),
        To("phone", "phone", v.text, back="phone"),
        To("addresses", "addresses", v.addresses),
        To("currency", "currency_symbol", v.currency, back="currency"),
        To("payment_terms", ("terms", "terms_name"), v.terms, back="terms"),
        To("active", "isinactive", v.active, back="isInactive"),
    ),
)

ITEM: Final = EntityMapping(
    ItemFields,
    (
        To("code", "itemid", v.text),
        To("description", ("displayname", "purchasedescription", "description"), v.first),
        To("type", "itemtype", v.item_type),
        To("native_type", "itemtype", v.text),
        To("category", "class_name", v.text),
        To("base_unit", "stockunit_name", unit),
        To("purchase_unit", "purchaseunit_name", unit),
        To("gtin", "upccode", v.text),
        To("active", "isinactive", v.active),
        To("standard_cost", "cost", v.exact),
        To("custom_fields", "custom", v.custom),
    ),
)

INVENTORY_LEVEL: Final = EntityMapping(
    InventoryLevelFields,
    (
        To("item_source_id", "item", v.text),
        To("item_code", "item_name", v.text),
        To("location", ("location_name", "location"), v.first),
        To("stock_class", "location", v.stock_class),
        To("on_hand", "quantityonhand", v.exact),
        To("reserved", "quantitycommitted", v.exact),
        To("available", "quantityavailable", v.exact),
        To("on_order", "quantityonorder", v.exact),
        To("unit", "stockunit_name", unit),
        To("native_unit", "stockunit_name", v.text),
    ),
    # Bins and lots are tables of their own; the rest NetSuite does not tell of stock.
    absent=frozenset({"site", "bin", "lot", "native_stock_class", "as_of"}),
)

LOCATION: Final = EntityMapping(
    LocationFields,
    (
        To("code", "name", v.text),
        To("name", ("fullname", "name"), v.first),
        To("type", "locationtype_name", v.location_type),
        To("native_type", "locationtype_name", v.text),
        To("parent_source_id", "parent", v.text),
        To("site", "subsidiary_name", v.text),
        To("address", "mainaddress_", v.address),
        To("active", "isinactive", v.active),
    ),
)
