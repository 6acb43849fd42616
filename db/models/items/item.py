"""Item: a material, product or service that is bought, stored or used."""

from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import Boolean, Index, UniqueConstraint

from db.models import columns as c
from db.models.base import (
    BY_CONNECTION,
    EntityRow,
    Fields,
    Many,
    One,
    Relation,
    by_organization,
    made_by,
    one_of,
)
from db.models.summary import Summary
from db.types import Exact


class ItemType(StrEnum):
    """What an item is to its system."""

    STOCK = "STOCK"
    """Kept in stock."""
    NON_STOCK = "NON_STOCK"
    """Bought and used without being kept in stock."""
    SERVICE = "SERVICE"
    """Done, not delivered."""
    KIT = "KIT"
    """Several items under one code."""
    ASSET = "ASSET"
    """Becomes an asset once it is there."""
    UNKNOWN = "UNKNOWN"
    """The source's own word is not known here."""


class ItemFields(Fields):
    """An item as every system's materials and products are told."""

    code: str = c.text("The code people know the item by.", default=c.REQUIRED, filterable=True)
    description: str | None = c.text("What it is.", max_length=10_000)
    type: ItemType = c.choice("What it is to its system.", default=ItemType.UNKNOWN, filterable=True)
    native_type: str | None = c.text("The source's own type, word for word.")
    category: str | None = c.text("The source's group or category.", filterable=True)
    base_unit: str | None = c.text("Unit it is counted in: UN/ECE Rec 20 where the connection maps it.")
    purchase_unit: str | None = c.text("Unit it is bought in, where it differs.")
    gtin: str | None = c.text("Global trade item number (EAN, UPC).", filterable=True)
    active: bool = c.column("False once the source retires it.", sa_type=Boolean, default=True)
    standard_cost: Exact | None = c.number("Cost of one base unit.", unit="costCurrency")
    cost_currency: str | None = c.text("Currency of the cost, ISO 4217.", max_length=3)
    custom_fields: dict[str, Any] = c.document("Fields beyond the model.", default_factory=dict)


class Item(ItemFields, EntityRow, table=True):
    """Stored items."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("connection_id", "source_id"),
        *made_by("item"),
        one_of("type", ItemType),
        Index("item_code", "connection_id", "code", "id"),
        Index("item_type", "connection_id", "type", "id"),
        Index("item_category", "connection_id", "category", "id"),
        Index("item_gtin", "connection_id", "gtin", "id"),
        Index("item_source_updated_at", "connection_id", "source_updated_at", "id"),
        Index("item_synced_at", "connection_id", "synced_at", "id"),
        by_organization("item"),
    )
    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "inventory_levels": Many(
            "InventoryLevel", {"connection_id": "connection_id", "item_source_id": "source_id"}, paged=True
        ),
    }
    summary: ClassVar[Summary] = Summary(by=("connection", "type", "category", "active"))
