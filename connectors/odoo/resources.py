"""What is read from Odoo: models, fields, feeds. Which of the fields a server has, its `fields_get` decides."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from connectors.base import Feed
from db.types import Entity

OVERLAP: Final = timedelta(minutes=15)
"""A stamp is the start of the transaction that wrote it, so a change may come to light that much after its stamp."""
_DAY: Final = timedelta(days=1)
STAMPS: Final = ("create_date", "write_date")


@dataclass(frozen=True, slots=True)
class Resource:
    """The records of an entity.

    Attributes:
        fields: Those the mapping reads, under every name that a version from 16 to 19 has for them.
        domain: What else its records satisfy.
        period_field: See Feed.
    """

    entity: Entity
    model: str
    fields: tuple[str, ...]
    domain: tuple[tuple[str, str, object], ...] = ()
    period_field: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a feed's changes are seen.

    Attributes:
        model: The model whose stamps are read.
        owner: Its field that names the changed records; None when the model is the entity's own.
    """

    feed: Feed
    model: str
    owner: str | None = None


PURCHASE_ORDERS: Final = Resource(
    Entity.PURCHASE_ORDER,
    "purchase.order",
    (
        *STAMPS,
        *("name", "state", "locked", "origin", "partner_ref", "partner_id", "currency_id", "company_id", "user_id"),
        *("date_order", "date_approve", "date_planned", "effective_date", "payment_term_id", "incoterm_id"),
        *("amount_untaxed", "amount_tax", "amount_total", "invoice_status", "receipt_status", "notes", "note"),
        *("dest_address_id", "picking_type_id", "priority"),
    ),
    period_field="date_order",
)
LINE_MODEL: Final = "purchase.order.line"
LINES: Final = (
    *STAMPS,
    *("order_id", "sequence", "display_type", "product_id", "name", "product_qty", "product_uom", "product_uom_id"),
    *("price_unit", "discount", "taxes_id", "tax_ids", "price_subtotal", "qty_received", "qty_invoiced"),
    *("date_planned", "state"),
)
VENDORS: Final = Resource(
    Entity.VENDOR,
    "res.partner",
    (
        *STAMPS,
        *("name", "ref", "vat", "email", "phone", "mobile", "active", "supplier_rank", "comment"),
        *("street", "street2", "city", "zip", "state_id", "country_id"),
        *("property_purchase_currency_id", "property_supplier_payment_term_id"),
    ),
    (("supplier_rank", ">", 0),),
)
ITEMS: Final = Resource(
    Entity.ITEM,
    "product.product",
    (
        *STAMPS,
        *("default_code", "name", "barcode", "active", "type", "detailed_type", "is_storable", "categ_id"),
        *("uom_id", "uom_po_id", "standard_price", "cost_currency_id", "currency_id", "purchase_ok"),
    ),
)
LOCATIONS: Final = Resource(
    Entity.LOCATION,
    "stock.location",
    (
        *STAMPS,
        *("name", "complete_name", "usage", "location_id", "company_id", "barcode", "active", "comment"),
    ),
)
ASSETS: Final = Resource(
    Entity.ASSET,
    "maintenance.equipment",
    (
        *STAMPS,
        *("name", "serial_no", "category_id", "partner_id", "partner_ref", "model", "location", "location_id"),
        *("company_id", "note"),
        *("technician_user_id", "owner_user_id", "effective_date", "scrap_date", "active", "maintenance_team_id"),
    ),
)
WORK_ORDERS: Final = Resource(
    Entity.WORK_ORDER,
    "maintenance.request",
    (
        *STAMPS,
        *("name", "description", "stage_id", "done", "kanban_state", "archive", "maintenance_type", "priority"),
        *("equipment_id", "company_id", "request_date", "schedule_date", "schedule_end", "close_date", "duration"),
        *("user_id", "maintenance_team_id"),
    ),
    period_field="request_date",
)
RESOURCES: Final = {each.entity: each for each in (PURCHASE_ORDERS, VENDORS, ITEMS, LOCATIONS, ASSETS, WORK_ORDERS)}
QUANT_MODEL: Final = "stock.quant"
QUANTS: Final = (
    *("product_id", "location_id", "lot_id", "quantity", "reserved_quantity", "available_quantity"),
    *("product_uom_id", "company_id", "write_date"),
)
STOCK: Final = Feed(Entity.INVENTORY_LEVEL, "stock", timedelta(0), cursor=None, tie_break="product_id")
"""Stock rows are merged and removed as it pleases Odoo, so each run reads what there is."""


def _own(name: str, resource: Resource) -> Origin:
    return Origin(_feed(name, resource, full=True), resource.model)


def _parts(name: str, resource: Resource, model: str, owner: str) -> Origin:
    return Origin(_feed(name, resource, full=False), model, owner)


def _feed(name: str, resource: Resource, *, full: bool) -> Feed:
    return Feed(
        resource.entity,
        name,
        OVERLAP,
        resource.period_field,
        full=full,
        cursor="write_date",
        tie_break="id",
        # What is deleted leaves nothing behind.
        scan_every=_DAY if full else None,
    )


ORIGINS: Final = (
    _own("orders", PURCHASE_ORDERS),
    # A line's text or date changes without a trace in the order's own stamp.
    _parts("lines", PURCHASE_ORDERS, LINE_MODEL, "order_id"),
    _own("vendors", VENDORS),
    _own("products", ITEMS),
    # What a product's variants share is kept in its template, whose changes do not always reach their stamps.
    _parts("templates", ITEMS, "product.template", "product_variant_ids"),
    _own("locations", LOCATIONS),
    _own("equipment", ASSETS),
    _own("requests", WORK_ORDERS),
)
BY_FEED: Final = {(origin.feed.entity, origin.feed.name): origin for origin in ORIGINS}
FEEDS: Final = (*(origin.feed for origin in ORIGINS), STOCK)
