"""Write operations: a caller's change on its way to the source."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Boolean, Index, UniqueConstraint

from db.models import columns as c
from db.models.base import BY_CONNECTION, ConnectionRow, Fields, One, Relation, Value, by_organization, one_of
from db.models.sync import SourceError
from db.types import Entity, ErrorCode, Operation, new_id

_RECORD = ("connection_id", "entity", "source_id")
_ON_RECORD = "source_id IS NOT NULL AND settled_at IS NULL AND next_attempt_at IS NOT NULL"
"""Of the writes that are under way on a record."""


class WriteState(StrEnum):
    """Where a write is; SENT is committed before its first byte leaves."""

    PENDING = "PENDING"
    """It has not left yet."""
    SENT = "SENT"
    """It left, and is not settled yet."""
    SUCCEEDED = "SUCCEEDED"
    """The source has it."""
    FAILED = "FAILED"
    """The source does not have it."""
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    """Its answer was lost; it is being looked up, or a person has to."""


class UserError(Value):
    """One thing that kept a write from being done."""

    code: ErrorCode = c.choice("What kind of problem it is.")
    path: Any = c.document("Where in the caller's input, from its top; null where it has no one place.")
    message: str = c.text("One sentence for people.", max_length=10_000, default=c.REQUIRED)
    source_message: str | None = c.text("The source system's own words.", max_length=10_000)


class WriteOperationFields(Fields):
    """A caller's change on its way to the source."""

    entity: Entity = c.choice("What it changes.", filterable=True)
    operation: Operation = c.choice("What it does.")
    state: WriteState = c.choice("Where it is.", default=WriteState.PENDING, filterable=True)
    idempotency_key: str | None = c.text("The caller's key.")
    reference: str = c.text("Our reference, which the source keeps where it has a field for it.", default=c.REQUIRED)
    source_id: str | None = c.text("The source's key of the record.")
    request: dict[str, Any] | None = c.document("What went to the source, without secrets.", ordered=True)
    answer: dict[str, Any] | None = c.document("What the source answered.", ordered=True)
    error: SourceError | None = c.document("Why it failed or is unknown, and what to do about it.")
    user_errors: list[UserError] = c.document("Why it was refused, by field.", default_factory=list)
    sends: int = c.integer("How often it was sent.", default=0)
    actor: str | None = c.text("The token that asked.")
    request_id: str | None = c.text("The request that asked.")
    created_at: datetime = c.instant("When it was asked for, UTC.", default=c.REQUIRED)
    sent_at: datetime | None = c.instant("When it last left for the source, UTC.")
    settled_at: datetime | None = c.instant("When its outcome was known, UTC.")
    next_attempt_at: datetime | None = c.instant("When it is sent or looked up next, UTC.")


class WriteOperation(WriteOperationFields, ConnectionRow, table=True):
    """Stored write operations; each is a lease of its own."""

    __tablename__ = "write_operation"
    __table_args__ = (
        one_of("entity", Entity),
        one_of("operation", Operation),
        one_of("state", WriteState),
        UniqueConstraint("connection_id", "reference"),
        Index(
            "write_operation_idempotency",
            "connection_id",
            "key_claim",
            unique=True,
            postgresql_where="key_claim IS NOT NULL",
        ),
        by_organization("write_operation"),
        Index("write_operation_entity", "connection_id", "entity", "id"),
        Index("write_operation_state", "connection_id", "state", "id"),
        Index("write_operation_open", "connection_id", "id", postgresql_where="settled_at IS NULL"),
        Index("write_operation_record", *_RECORD, "id", postgresql_where=_ON_RECORD),
        Index("write_operation_turn", *_RECORD, unique=True, postgresql_where=f"has_turn AND {_ON_RECORD}"),
    )
    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "purchase_order": One("PurchaseOrder", {"connection_id": "connection_id", "id": "record_id"}),
        "work_order": One("WorkOrder", {"connection_id": "connection_id", "id": "record_id"}),
        "vendor": One("Vendor", {"connection_id": "connection_id", "id": "record_id"}),
        "inventory_level": One("InventoryLevel", {"connection_id": "connection_id", "id": "record_id"}),
    }

    id: UUID = c.uuid("Our own id.", primary_key=True, default_factory=new_id)
    key_claim: str | None = c.text(
        "The key while it is held: let go after 7 days, and where nothing took effect and waiting helps.", public=False
    )
    input_hash: bytes = c.binary(
        "Hash of the caller's input, to tell a repeat from a reuse of the key.", default=c.REQUIRED
    )
    input: dict[str, Any] = c.document(
        "The validated change, and what the caller expected; its order is that of what is sent.",
        ordered=True,
        default=c.REQUIRED,
        public=False,
    )
    before: dict[str, Any] | None = c.document("What the record was when the change was first sent.", public=False)
    record_id: UUID | None = c.uuid("The record it changed.", default=None, public=False)
    has_turn: bool = c.column(
        "Its turn on the record has come: of the writes under way on it, one has it.",
        sa_type=Boolean,
        default=False,
        public=False,
    )
    background: bool = c.column("A worker performs it.", sa_type=Boolean, default=False, public=False)
    tries: int = c.integer("How often it was put off before it was sent.", default=0, public=False)
    looks: int = c.integer("How often it was looked up since its answer was lost.", default=0, public=False)
    unknown_since: datetime | None = c.instant("When its answer was lost, UTC.", public=False)
    lease_owner: str | None = c.text("The process that holds the lease.", public=False)
    fence: int = c.integer("Grows with each lease; older holders cannot write.", big=True, default=0, public=False)
    lease_expires_at: datetime | None = c.instant("When the lease lapses, UTC.", public=False)
    woken_at: datetime | None = c.instant("When a worker was last told of it, UTC.", public=False)
