"""Which fields of Tryton an item holds, and which other records' changes make an item change.

A dotted field is read through its relation in the same call, thus in the same transaction: an item is never half old
and half new. Its value then lies under the relation's name and a dot (`party.code` in `body["party."]["code"]`).
`_timestamp` is Tryton's version stamp; computed dates that move by themselves are left out.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from connectors.base import Feed
from db.types import Entity

STAMPS: Final = ("create_date", "write_date", "_timestamp")
OVERLAP: Final = timedelta(minutes=15)
"""A stamp is the start of the transaction that wrote it, so a change may come to light that much after its stamp."""


def _under(prefix: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names)


_PLACE: Final = ("party_name", "street", "postal_code", "city", "subdivision.name", "country.code")
_LINE: Final = (
    *STAMPS,
    *("type", "description", "note", "purchase_state", "purchase.delivery_date"),
    *("product", "product.code", "product.name", "product.type", "product.default_uom_category"),
    *(
        "product_supplier.code",
        "quantity",
        "actual_quantity",
        "unit",
        "unit.symbol",
        "unit.name",
        "unit_price",
        "amount",
        "taxes.name",
    ),
    *("delivery_date_edit", "delivery_date_store", "warehouse.code", "moves_progress"),
    *_under("moves", "state", "quantity", "unit", *STAMPS),
    *_under("invoice_lines", "type", "quantity", "unit", "invoice.state", *STAMPS),
)
PURCHASE: Final = (
    *STAMPS,
    *("number", "reference", "description", "comment", "state", "shipment_state", "invoice_state", "invoice_method"),
    *("purchase_date", "delivery_date", "company", "company.rec_name", "party", "party.code", "party.rec_name"),
    *("currency.code", "payment_term.name", "payment_term.description", "untaxed_amount", "tax_amount", "total_amount"),
    *("quoted_by.rec_name", "confirmed_by.rec_name", "invoice_address", "warehouse.code", "warehouse.name"),
    *_under("warehouse.address", *_PLACE),
    *_under("lines", *_LINE),
)
PARTY: Final = (
    *STAMPS,
    *("code", "name", "rec_name", "active", "email", "phone", "mobile", "tax_identifier.code"),
    *("supplier_currency.code", "supplier_payment_term.name", "supplier_payment_term.description"),
    *_under("addresses", *STAMPS, "sequence", *_PLACE),
    *_under("contact_mechanisms", *STAMPS, "type", "value"),
    *_under("identifiers", *STAMPS, "type", "code"),
)
PRODUCT: Final = (
    *STAMPS,
    *("code", "name", "rec_name", "description", "type", "consumable", "active", "template"),
    *("default_uom.symbol", "purchase_uom.symbol"),
    *_under("template", *STAMPS, "active"),
    *_under("identifiers", *STAMPS, "type", "code"),
)
PLACE: Final = (
    *STAMPS,
    *("code", "name", "rec_name", "type", "active", "parent", "warehouse", "warehouse.code", "warehouse.name"),
    *_under("address", *_PLACE),
)
_MOVE: Final = (*STAMPS, "product", "product.code", "product.rec_name", "quantity", "unit.symbol", "state")
PRODUCTION: Final = (
    *STAMPS,
    *("number", "reference", "state", "planned_date", "planned_start_date", "effective_date", "effective_start_date"),
    *("company.rec_name", "warehouse", "warehouse.code", "warehouse.name", "quantity", "unit.symbol"),
    *("product", "product.code", "product.rec_name", "product.default_uom_category", "bom.rec_name"),
    *("assigned_by.rec_name", "run_by.rec_name", "done_by.rec_name"),
    *_under("inputs", *_MOVE),
    *_under("outputs", *_MOVE),
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a feed's changes are seen, and which items they change.

    Attributes:
        feed: The feed.
        model: The model whose stamps are read.
        owner: Path in that model to the ids of the changed items; None when the model is the item itself.
        domain: What else the model's records must satisfy.
    """

    feed: Feed
    model: str
    owner: str | None = None
    domain: tuple[tuple[object, ...], ...] = ()


# Records without an `active` clause are searched among the active ones only.
_ANY = ("active", "in", (True, False))


def _feed(entity: Entity, name: str, owner: str | None, period_field: str | None = None) -> Feed:
    return Feed(
        entity,
        name,
        OVERLAP,
        period_field,
        full=owner is None,
        cursor="write_date",
        tie_break="id",
        # What is deleted leaves nothing behind that a user of the interface may read.
        scan_every=timedelta(days=1) if owner is None else None,
    )


def _orders(name: str, model: str, owner: str | None, *domain: tuple[object, ...]) -> Origin:
    return Origin(_feed(Entity.PURCHASE_ORDER, name, owner, "purchase_date"), model, owner, domain)


def _vendors(name: str, model: str, owner: str | None, *domain: tuple[object, ...]) -> Origin:
    return Origin(_feed(Entity.VENDOR, name, owner), model, owner, domain)


def _productions(name: str, model: str, owner: str | None, *domain: tuple[object, ...]) -> Origin:
    return Origin(_feed(Entity.WORK_ORDER, name, owner, "planned_date"), model, owner, domain)


def _items(name: str, model: str, owner: str | None, *domain: tuple[object, ...]) -> Origin:
    return Origin(_feed(Entity.ITEM, name, owner), model, owner, domain)


ORIGINS: Final = (
    _orders("orders", "purchase.purchase", None),
    # Lines, receipts and invoices change without a trace in the order's own stamp.
    _orders("lines", "purchase.line", "purchase"),
    _orders("receipts", "stock.move", "origin./purchase", ("origin", "like", "purchase.line,%")),
    _orders("invoices", "account.invoice", "purchases", ("type", "=", "in")),
    # Any party can be ordered from; Tryton draws no line between vendors and others.
    _vendors("parties", "party.party", None, _ANY),
    _vendors("addresses", "party.address", "party", _ANY),
    _vendors("contacts", "party.contact_mechanism", "party", _ANY),
    _vendors("identifiers", "party.identifier", "party"),
    _productions("productions", "production", None),
    # What goes in and comes out moves without a trace in the production's own stamp.
    _productions("production_inputs", "stock.move", "production_input", ("production_input", "!=", None)),
    _productions("production_outputs", "stock.move", "production_output", ("production_output", "!=", None)),
    # A product shows its template's name, type and units.
    _items("products", "product.product", None, _ANY),
    _items("templates", "product.template", "products", _ANY),
    _items("product_identifiers", "product.identifier", "product"),
    Origin(_feed(Entity.LOCATION, "locations", None), "stock.location", None, (_ANY,)),
)
STOCK: Final = Feed(Entity.INVENTORY_LEVEL, "stock", timedelta(0), cursor=None, tie_break="id")
FEEDS: Final = (*(origin.feed for origin in ORIGINS), STOCK)
ITEMS: Final = {
    Entity.PURCHASE_ORDER: ("purchase.purchase", PURCHASE),
    Entity.VENDOR: ("party.party", PARTY),
    Entity.WORK_ORDER: ("production", PRODUCTION),
    Entity.ITEM: ("product.product", PRODUCT),
    Entity.LOCATION: ("stock.location", PLACE),
}
"""Entity → the model of its items and the fields to read."""
RETIRED: Final = frozenset({Entity.VENDOR, Entity.ITEM, Entity.LOCATION})
"""What Tryton hides once it is not active, unless it is asked for both."""
