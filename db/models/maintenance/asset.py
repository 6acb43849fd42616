"""Asset: a machine, vehicle, building or part of one that is maintained."""

from datetime import date
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
)
from db.models.summary import Summary


class AssetFields(Fields):
    """An asset as every system's equipment is told."""

    number: str | None = c.text("The number or tag people know the asset by.", filterable=True)
    name: str | None = c.text("What it is called.", max_length=1_000)
    description: str | None = c.text("Longer text.", max_length=100_000)
    category: str | None = c.text("The source's category, class or type.", filterable=True)
    native_status: str | None = c.text("The source's own status, word for word.", filterable=True)
    criticality: str | None = c.text("How much depends on it, as the source names it.")
    manufacturer: str | None = c.text("Who made it.")
    model: str | None = c.text("The maker's model or type.")
    serial_number: str | None = c.text("The maker's serial number.", filterable=True)
    vendor_source_id: str | None = c.text("The source's key of the vendor it was bought from.", public=False)
    parent_source_id: str | None = c.text("The source's key of the asset it is part of.", public=False)
    location_source_id: str | None = c.text("The source's key of the location where it stands.", public=False)
    location_code: str | None = c.text("Code of the location where it stands.", filterable=True)
    site: str | None = c.text("The source's code of the site or plant.", filterable=True)
    assignee: str | None = c.text("Who is responsible for it, as the source names them.")
    started_on: date | None = c.day("When it was taken into service.")
    ended_on: date | None = c.day("When it was taken out of service.")
    active: bool = c.column("False once the source retires it.", sa_type=Boolean, default=True)
    custom_fields: dict[str, Any] = c.document("Fields beyond the model.", default_factory=dict)


class Asset(AssetFields, EntityRow, table=True):
    """Stored assets."""

    __tablename__ = "asset"
    __table_args__ = (
        UniqueConstraint("connection_id", "source_id"),
        *made_by("asset"),
        Index("asset_number", "connection_id", "number", "id"),
        Index("asset_category", "connection_id", "category", "id"),
        Index("asset_native_status", "connection_id", "native_status", "id"),
        Index("asset_serial_number", "connection_id", "serial_number", "id"),
        Index("asset_location", "connection_id", "location_source_id", "id"),
        Index("asset_location_code", "connection_id", "location_code", "id"),
        Index("asset_site", "connection_id", "site", "id"),
        Index("asset_source_updated_at", "connection_id", "source_updated_at", "id"),
        Index("asset_synced_at", "connection_id", "synced_at", "id"),
        by_organization("asset"),
    )
    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "location": One("Location", {"connection_id": "connection_id", "source_id": "location_source_id"}),
        "parent": One("Asset", {"connection_id": "connection_id", "source_id": "parent_source_id"}),
        "vendor": One("Vendor", {"connection_id": "connection_id", "source_id": "vendor_source_id"}),
        "work_orders": Many(
            "WorkOrder", {"connection_id": "connection_id", "asset_source_id": "source_id"}, paged=True
        ),
    }
    summary: ClassVar[Summary] = Summary(
        by=("connection", "category", "native_status", "manufacturer", "location", "site", "active")
    )
