"""Work order: what has to be done to an asset, at a location, or in production."""

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
    Value,
    by_organization,
    made_by,
    one_of,
)
from db.models.summary import Summary
from db.types import Exact


class WorkOrderStatus(StrEnum):
    """Where the work is on its way."""

    DRAFT = "DRAFT"
    """Being written."""
    WAITING_APPROVAL = "WAITING_APPROVAL"
    """Somebody has to approve it."""
    APPROVED = "APPROVED"
    """It may be scheduled and begun."""
    SCHEDULED = "SCHEDULED"
    """Its time is set."""
    WAITING = "WAITING"
    """It waits for parts, people or a permit."""
    IN_PROGRESS = "IN_PROGRESS"
    """Work has begun."""
    COMPLETED = "COMPLETED"
    """The work is done."""
    CLOSED = "CLOSED"
    """Nothing more may be booked on it."""
    CANCELLED = "CANCELLED"
    """It will not be done."""
    UNKNOWN = "UNKNOWN"
    """The source's own word is not known here."""


class WorkOrderType(StrEnum):
    """Why the work is done."""

    CORRECTIVE = "CORRECTIVE"
    """Something is broken."""
    PREVENTIVE = "PREVENTIVE"
    """So that nothing breaks."""
    INSPECTION = "INSPECTION"
    """To see how it is."""
    PROJECT = "PROJECT"
    """Part of a larger change."""
    PRODUCTION = "PRODUCTION"
    """To make something."""
    OTHER = "OTHER"
    """None of these."""


class WorkOrderTransition(StrEnum):
    """A step that a work order is to take; which ones a system knows, its capabilities tell."""

    SUBMIT = "SUBMIT"
    """Hand it in for approval."""
    APPROVE = "APPROVE"
    """Approve it."""
    REJECT = "REJECT"
    """Refuse it."""
    RELEASE = "RELEASE"
    """Let it be worked on."""
    READY = "READY"
    """Say that all it needs is there."""
    SCHEDULE = "SCHEDULE"
    """Set its time."""
    START = "START"
    """Begin the work."""
    FINISH = "FINISH"
    """End the work, so that what is left can be booked."""
    COMPLETE = "COMPLETE"
    """Say that the work is done."""
    CLOSE = "CLOSE"
    """Let nothing more be booked on it."""
    REOPEN = "REOPEN"
    """Take it up again."""
    CANCEL = "CANCEL"
    """Say that it will not be done."""


class WorkOrderTask(Value):
    """One step of the work."""

    number: str | None = c.text("The source's number of the step.")
    description: str | None = c.text("What is to be done.", max_length=10_000)
    status: str | None = c.text("The source's own status of the step.")
    work_center: str | None = c.text("Who or what does it, as the source names it.")
    planned_hours: Exact | None = c.number("Planned work, in hours.")
    actual_hours: Exact | None = c.number("Work reported, in hours.")


class WorkOrderPart(Value):
    """One item that the work needs, or makes."""

    number: str | None = c.text("The source's number of the entry.")
    item_source_id: str | None = c.text("The source's key of the item.")
    item_code: str | None = c.text("Code of the item.")
    description: str | None = c.text("What it is.", max_length=10_000)
    quantity: Exact | None = c.number("How much is planned.")
    used_quantity: Exact | None = c.number("How much was taken.")
    unit: str | None = c.text("Unit of measure: UN/ECE Rec 20 where the connection maps it, else the source's own.")


class WorkOrderFields(Fields):
    """A work order as every system's orders of work are told."""

    number: str | None = c.text("The number people know the work order by.", filterable=True)
    title: str | None = c.text("What it is about.", max_length=1_000)
    description: str | None = c.text("Longer text.", max_length=100_000)
    type: WorkOrderType = c.choice("Why the work is done.", default=WorkOrderType.OTHER, filterable=True)
    native_type: str | None = c.text("The source's own type, word for word.")
    status: WorkOrderStatus = c.choice("Where the work is on its way.", filterable=True)
    native_status: str | None = c.text("The source's own status, word for word.", filterable=True)
    priority: int | None = c.integer("From 1, the most urgent, to 5.", default=None, filterable=True, ge=1, le=5)
    native_priority: str | None = c.text("The source's own priority, word for word.")
    asset_source_id: str | None = c.text("The source's key of the asset.", public=False)
    asset_code: str | None = c.text("Code of the asset or equipment.", filterable=True)
    location_source_id: str | None = c.text("The source's key of the location.", public=False)
    location_code: str | None = c.text("Code of the location.", filterable=True)
    site: str | None = c.text("The source's code of the site or plant.", filterable=True)
    reported_at: datetime | None = c.instant("When it was asked for, UTC.")
    scheduled_start_at: datetime | None = c.instant("Planned start, UTC.", filterable=True)
    scheduled_end_at: datetime | None = c.instant("Planned end, UTC.")
    actual_start_at: datetime | None = c.instant("When the work began, UTC.")
    actual_end_at: datetime | None = c.instant("When the work ended, UTC.")
    due_at: datetime | None = c.instant("When it has to be done, UTC.", filterable=True)
    assignee: str | None = c.text("Who does it, as the source names them.", filterable=True)
    vendor_source_id: str | None = c.text("The source's key of the vendor who does it.", public=False)
    parent_source_id: str | None = c.text("The source's key of the work order it is part of.", public=False)
    tasks: list[WorkOrderTask] = c.document("The steps, in the source's order.", default_factory=list)
    parts: list[WorkOrderPart] = c.document("The items it needs or makes.", default_factory=list)
    custom_fields: dict[str, Any] = c.document("Fields beyond the model.", default_factory=dict)


class WorkOrderWrite(WorkOrderFields):
    """What may be given of a work order: its fields, and what a production order makes."""

    quantity: Exact | None = c.number("How much a production order makes.", unit="unit", gt=0)
    unit: str | None = c.text("Unit of that quantity: a UN/ECE Rec 20 code or the source's own.")


class WorkOrder(WorkOrderFields, EntityRow, table=True):
    """Stored work orders."""

    __tablename__ = "work_order"
    __table_args__ = (
        UniqueConstraint("connection_id", "source_id"),
        *made_by("work_order"),
        one_of("type", WorkOrderType),
        one_of("status", WorkOrderStatus),
        Index("work_order_number", "connection_id", "number", "id"),
        Index("work_order_type", "connection_id", "type", "id"),
        Index("work_order_status", "connection_id", "status", "id"),
        Index("work_order_native_status", "connection_id", "native_status", "id"),
        Index("work_order_priority", "connection_id", "priority", "id"),
        Index("work_order_asset", "connection_id", "asset_source_id", "id"),
        Index("work_order_asset_code", "connection_id", "asset_code", "id"),
        Index("work_order_location_code", "connection_id", "location_code", "id"),
        Index("work_order_site", "connection_id", "site", "id"),
        Index("work_order_scheduled_start_at", "connection_id", "scheduled_start_at", "id"),
        Index("work_order_due_at", "connection_id", "due_at", "id"),
        Index("work_order_assignee", "connection_id", "assignee", "id"),
        Index("work_order_vendor", "connection_id", "vendor_source_id", "id"),
        Index("work_order_source_updated_at", "connection_id", "source_updated_at", "id"),
        Index("work_order_synced_at", "connection_id", "synced_at", "id"),
        by_organization("work_order"),
    )
    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "vendor": One("Vendor", {"connection_id": "connection_id", "source_id": "vendor_source_id"}, filterable=True),
        "asset": One("Asset", {"connection_id": "connection_id", "source_id": "asset_source_id"}),
        "location": One("Location", {"connection_id": "connection_id", "source_id": "location_source_id"}),
        "parent": One("WorkOrder", {"connection_id": "connection_id", "source_id": "parent_source_id"}),
    }
    summary: ClassVar[Summary] = Summary(
        by=("connection", "status", "type", "priority", "asset", "location", "vendor", "site", "assignee"),
        months={"reported_month": "reported_at", "due_month": "due_at"},
    )
