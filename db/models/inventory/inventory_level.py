"""Inventory level: how much of an item lies at one place, in one condition."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import Index, UniqueConstraint

from db.models import columns as c
from db.models.base import (
    BY_CONNECTION,
    EntityRow,
    Fields,
    One,
    Relation,
    by_organization,
    made_by,
    one_of,
)
from db.models.summary import Summary
from db.types import Exact


class StockClass(StrEnum):
    """What may be done with stock."""

    UNRESTRICTED = "UNRESTRICTED"
    """Free to be used."""
    QUALITY = "QUALITY"
    """Under inspection."""
    BLOCKED = "BLOCKED"
    """Not to be used."""
    RESERVED = "RESERVED"
    """Set apart for somebody."""
    TRANSIT = "TRANSIT"
    """On its way between places."""
    UNKNOWN = "UNKNOWN"
    """The source's own word is not known here."""


class InventoryLevelFields(Fields):
    """A quantity in stock as every system's stock is told."""

    item_source_id: str | None = c.text("The source's key of the item.", public=False)
    item_code: str | None = c.text("Code of the item, material or product.", filterable=True)
    site: str | None = c.text("The source's code of the site, plant or company.", filterable=True)
    location: str | None = c.text("The source's code of the warehouse or store.", filterable=True)
    bin: str | None = c.text("Bin or place within the location.")
    lot: str | None = c.text("Lot, batch or serial number.")
    stock_class: StockClass = c.choice("What may be done with it.", default=StockClass.UNKNOWN, filterable=True)
    native_stock_class: str | None = c.text("The source's own stock type, word for word.")
    on_hand: Exact | None = c.number("How much is there.", unit="unit", filterable=True)
    reserved: Exact | None = c.number("How much of it is promised.", unit="unit")
    available: Exact | None = c.number("How much of it can be taken.", unit="unit")
    on_order: Exact | None = c.number("How much is ordered and not yet there.", unit="unit")
    unit: str | None = c.text("Unit of measure: UN/ECE Rec 20 where the connection maps it, else the source's own.")
    native_unit: str | None = c.text("The source's own unit of measure.")
    as_of: datetime | None = c.instant("When the source says the quantity held, UTC; most sources do not say.")
    custom_fields: dict[str, Any] = c.document("Fields beyond the model.", default_factory=dict)


class InventoryAdjustment(Fields):
    """A correction of the quantity of an item at a place: what should be there, or what to add."""

    lot: str | None = c.text("Lot, batch or serial number; where the place holds several.")
    quantity: Exact | None = c.number("How much should be there.", unit="unit", ge=0)
    delta: Exact | None = c.number("How much to add, or with a minus to take away.", unit="unit")
    unit: str | None = c.text("Unit of measure: a UN/ECE Rec 20 code or the source's own; the item's own by default.")
    reason: str | None = c.text("Why, for the source's records.")


class InventoryLevel(InventoryLevelFields, EntityRow, table=True):
    """Stored inventory levels."""

    __tablename__ = "inventory_level"
    __table_args__ = (
        UniqueConstraint("connection_id", "source_id"),
        *made_by("inventory_level"),
        one_of("stock_class", StockClass),
        Index("inventory_level_item", "connection_id", "item_source_id", "id"),
        Index("inventory_level_item_code", "connection_id", "item_code", "id"),
        Index("inventory_level_site", "connection_id", "site", "id"),
        Index("inventory_level_location", "connection_id", "location", "id"),
        Index("inventory_level_stock_class", "connection_id", "stock_class", "id"),
        Index("inventory_level_on_hand", "connection_id", "on_hand_ordinal", "id"),
        Index("inventory_level_source_updated_at", "connection_id", "source_updated_at", "id"),
        Index("inventory_level_synced_at", "connection_id", "synced_at", "id"),
        by_organization("inventory_level"),
    )
    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "item": One("Item", {"connection_id": "connection_id", "source_id": "item_source_id"}),
    }
    summary: ClassVar[Summary] = Summary(
        by=("connection", "item", "site", "location", "stock_class", "unit"),
        sums=("on_hand", "reserved", "available", "on_order"),
        per="unit",
    )

    on_hand_ordinal: int | None = c.ordinal("on_hand")
