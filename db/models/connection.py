"""System and connection: what can be connected, and what is."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Computed as Generated
from sqlalchemy import Index
from sqlmodel import SQLModel

from db.models import columns as c
from db.models.base import Computed, ConnectionRow, Fields, Findable, Many, One, Relation, TenantRow, Value, one_of
from db.types import Entity, new_id


class SystemCategory(StrEnum):
    """What kind of software a system is."""

    ERP = "ERP"
    """Enterprise resource planning."""
    EAM = "EAM"
    """Enterprise asset management."""
    CMMS = "CMMS"
    """Computerised maintenance management."""
    WMS = "WMS"
    """Warehouse management."""


class ConnectionStatus(StrEnum):
    """Whether a connection works, and who has to act when it does not."""

    ACTIVE = "ACTIVE"
    """It works."""
    UNREACHABLE = "UNREACHABLE"
    """The source does not answer; calls resume by themselves."""
    REAUTHORIZATION_REQUIRED = "REAUTHORIZATION_REQUIRED"
    """The source refuses the credentials; new ones are needed."""
    PAUSED = "PAUSED"
    """Somebody paused it."""
    DISCONNECTED = "DISCONNECTED"
    """It was ended for good."""


class EntityState(StrEnum):
    """Whether one entity of a connection syncs."""

    ACTIVE = "ACTIVE"
    """It syncs on schedule."""
    DEGRADED = "DEGRADED"
    """Its last syncs failed; the other entities go on."""
    PAUSED = "PAUSED"
    """Somebody paused it."""


class SystemFields(Fields):
    """A kind of source that can be connected."""

    slug: str = c.text("Its name in the API.", primary_key=True, default=c.REQUIRED, filterable=True)
    name: str = c.text("Its name for people.", default=c.REQUIRED)
    vendor: str = c.text("Who makes it.", default=c.REQUIRED)
    category: SystemCategory = c.choice("What kind of software it is.")
    credits: int = c.integer("What a connection to it costs; twice that on-premise.", unit="credits")
    credential_form: dict[str, Any] = c.document(
        "JSON schema of the credentials: titles, help, patterns, and which are secret.",
        ordered=True,
        default=c.REQUIRED,
    )
    write_defaults_form: dict[str, Any] = c.document(
        "JSON schema of what writes need beyond the model.", ordered=True, default=c.REQUIRED
    )
    capabilities: list[dict[str, Any]] = c.document(
        "Entities and operations it can do.", ordered=True, default=c.REQUIRED
    )


class System(SystemFields, table=True):
    """The catalogue, written from the registry when a process starts."""

    __tablename__ = "system"
    __table_args__ = (one_of("category", SystemCategory),)
    relations: ClassVar[dict[str, Relation]] = {}


class SystemEntity(SQLModel, table=True):
    """One entity that a system has, written from the registry when a process starts."""

    __tablename__ = "system_entity"
    __table_args__ = (one_of("entity", Entity),)

    system_slug: str = c.text("The system.", primary_key=True, default=c.REQUIRED)
    entity: Entity = c.choice("The entity.", primary_key=True)
    unavailable: dict[str, str] = c.document(
        "Field that the connector does not read → why: NOT_SUPPORTED or NOT_MAPPED.", default_factory=dict
    )


class CustomerRef(Value):
    """The organization's own customer behind a connection."""

    ref: str = c.text("The organization's own key of the customer.", default=c.REQUIRED)
    name: str = c.text("The customer's name.", default=c.REQUIRED)


class ConnectionFields(Fields):
    """One customer's connected system."""

    status: ConnectionStatus = c.choice("Whether it works.", default=ConnectionStatus.ACTIVE, filterable=True)
    status_reason: str | None = c.text("Why it is in this status.", max_length=2000)
    status_changed_at: datetime | None = c.instant("Since when it is in this status, UTC; null since it was connected.")
    customer: CustomerRef = c.document("Whose system it is.", default=c.REQUIRED)
    tags: list[str] = c.texts("Labels of the organization.")
    metadata_: dict[str, Any] = c.document("Anything the organization keeps with it.", default_factory=dict)
    base_url: str | None = c.text("Address of the source system.", max_length=2000)
    write_defaults: dict[str, Any] = c.document("What writes need beyond the model.", default_factory=dict)
    historical_period_days: int = c.integer("How far back the first sync reads documents.", unit="days", default=90)
    credits: int = c.integer("What it costs.", unit="credits")
    token_last_four: str = c.text("The last four characters of its token.", max_length=4, default=c.REQUIRED)
    created_at: datetime = c.instant("When it was connected, UTC.", default=c.REQUIRED)
    disconnected_at: datetime | None = c.instant("When it was disconnected, UTC.")
    history_since: datetime | None = c.instant(
        "All versions of its records from this instant on are kept, UTC, and an earlier asOf is refused; null: none was"
        " ever deleted."
    )
    data_deletion_requested_at: datetime | None = c.instant(
        "When the deletion of all its data was asked for, UTC; it goes on until nothing is left."
    )


class ConnectedSystem(ConnectionFields, TenantRow, table=True):
    """Stored connections."""

    __tablename__ = "connection"
    __table_args__ = (
        one_of("status", ConnectionStatus),
        Index("connection_organization", "organization_id", "id"),
        Index("connection_status", "organization_id", "status", "id"),
        Index("connection_customer", "organization_id", "customer_ref", "id"),
    )
    relations: ClassVar[dict[str, Relation]] = {
        "system": One("System", {"slug": "system_slug"}, filterable=True),
        "entities": Many("ConnectedEntity", {"connection_id": "id"}, order=("entity",)),
        "health": One("ConnectionHealth", {"connection_id": "id"}),
        "tokens": Many("ApiKey", {"connection_id": "id"}, order=("id",)),
        "capabilities": Many("Capability", {"connection_id": "id"}, order=("entity", "operation")),
    }

    findable: ClassVar[dict[str, Findable]] = {
        "customer": Findable("inside", {"ref": "customer_ref", "name": "customer_name"}),
        "tags": Findable("labels"),
        "metadata": Findable("keys"),
    }

    id: UUID = c.uuid("Our own id.", primary_key=True, default_factory=new_id)
    system_slug: str = c.text("The kind of source.", default=c.REQUIRED, public=False)
    customer_ref: str = c.text(
        "The customer's key, to find connections by.",
        sa_column_args=[Generated("customer ->> 'ref'", persisted=True)],
        public=False,
    )
    customer_name: str = c.text(
        "The customer's name, to find connections by.",
        sa_column_args=[Generated("customer ->> 'name'", persisted=True)],
        public=False,
    )


class ConnectionSecret(ConnectionRow, table=True):
    """A connection's sealed credentials."""

    __tablename__ = "connection_secret"

    key_id: str = c.text("The master key that wraps the data key.", default=c.REQUIRED)
    wrapped_key: bytes = c.binary("The data key under the master key.", default=c.REQUIRED)
    sealed: bytes = c.binary("The credentials under the data key.", default=c.REQUIRED)


class ConnectedEntityFields(Fields):
    """One entity of a connection: whether and when it syncs."""

    entity: Entity = c.choice("The entity.", primary_key=True)
    state: EntityState = c.choice("Whether it syncs.", default=EntityState.ACTIVE)
    every_minutes: int = c.integer("Time between scheduled runs.", unit="minutes", default=60)
    next_run_at: datetime | None = c.instant("When the next scheduled run is due, UTC.")
    full_every_hours: int | None = c.integer(
        "Time between full runs that look for deletions; null where the source tells them, or each run reads all.",
        unit="hours",
        default=None,
    )
    next_full_run_at: datetime | None = c.instant("When the next full run is due by itself, UTC.")
    last_success_at: datetime | None = c.instant("When the last successful run ended, UTC.")
    complete_through: datetime | None = c.instant("Every change that the source made before is stored, UTC.")


class ConnectedEntity(ConnectedEntityFields, ConnectionRow, table=True):
    """Schedule, checkpoints and lease of one entity of a connection, in one row."""

    __tablename__ = "connected_entity"
    __table_args__ = (
        one_of("entity", Entity),
        one_of("state", EntityState),
        Index("connected_entity_due", "next_run_at"),
        Index("connected_entity_full_due", "next_full_run_at"),
    )
    relations: ClassVar[dict[str, Relation]] = {}
    computed: ClassVar[dict[str, Computed]] = {}

    checkpoints: dict[str, Any] = c.document("Where each feed resumes.", default_factory=dict, public=False)
    source_ahead_ms: int = c.integer(
        "How far the source's clock was ahead of the database's when the last successful pass began.",
        unit="ms",
        big=True,
        default=0,
        public=False,
    )
    lease_owner: str | None = c.text("The worker that holds the lease.", public=False)
    fence: int = c.integer("Grows with each lease; older holders cannot write.", big=True, default=0, public=False)
    lease_expires_at: datetime | None = c.instant("When the lease lapses, UTC.", public=False)
