"""Location: a place where stock lies, or where assets stand and work is done."""

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
from db.models.parties.vendor import Address
from db.models.summary import Summary


class LocationType(StrEnum):
    """What a location is to its system."""

    SITE = "SITE"
    """A plant, branch or site as a whole."""
    WAREHOUSE = "WAREHOUSE"
    """A warehouse as a whole."""
    STORAGE = "STORAGE"
    """A store, shelf or area that stock lies in."""
    TECHNICAL = "TECHNICAL"
    """A place in a plant or building where assets stand and work is done."""
    VIRTUAL = "VIRTUAL"
    """No place: what stock is booked to that is with vendors or customers, on its way, used up or lost."""
    UNKNOWN = "UNKNOWN"
    """The source's own word is not known here."""


class LocationFields(Fields):
    """A location as every system's places are told."""

    code: str | None = c.text("The code people know the location by.", filterable=True)
    name: str | None = c.text("Its name.", filterable=True)
    description: str | None = c.text("Longer text.", max_length=10_000)
    type: LocationType = c.choice("What it is to its system.", default=LocationType.UNKNOWN, filterable=True)
    native_type: str | None = c.text("The source's own type, word for word.")
    parent_source_id: str | None = c.text("The source's key of the location it is part of.", public=False)
    site: str | None = c.text("The source's code of the site, plant or company it belongs to.", filterable=True)
    address: Address | None = c.document("Where it is.")
    active: bool = c.column("False once the source retires it.", sa_type=Boolean, default=True)
    custom_fields: dict[str, Any] = c.document("Fields beyond the model.", default_factory=dict)


class Location(LocationFields, EntityRow, table=True):
    """Stored locations."""

    __tablename__ = "location"
    __table_args__ = (
        UniqueConstraint("connection_id", "source_id"),
        *made_by("location"),
        one_of("type", LocationType),
        Index("location_code", "connection_id", "code", "id"),
        Index("location_name", "connection_id", "name", "id"),
        Index("location_type", "connection_id", "type", "id"),
        Index("location_site", "connection_id", "site", "id"),
        Index("location_parent", "connection_id", "parent_source_id", "id"),
        Index("location_source_updated_at", "connection_id", "source_updated_at", "id"),
        Index("location_synced_at", "connection_id", "synced_at", "id"),
        by_organization("location"),
    )
    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "parent": One("Location", {"connection_id": "connection_id", "source_id": "parent_source_id"}),
        "locations": Many("Location", {"connection_id": "connection_id", "parent_source_id": "source_id"}, paged=True),
        "assets": Many("Asset", {"connection_id": "connection_id", "location_source_id": "source_id"}, paged=True),
    }
    summary: ClassVar[Summary] = Summary(by=("connection", "type", "site", "active"))
