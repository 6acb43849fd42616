"""Write operations: a caller's change on its way to the source."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Index

from db.models import columns as c
from db.models.base import BY_CONNECTION, ConnectionRow, Fields, One, Relation, by_organization, one_of
from db.models.sync import SourceError
from db.types import Entity, Operation, new_id


class WriteState(StrEnum):
    """Where a write is; SENT is committed before its first byte leaves."""

    PENDING = "PENDING"
    SENT = "SENT"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"


class WriteOperationFields(Fields):
    """A caller's change on its way to the source."""

    entity: Entity = c.choice("What it changes.", filterable=True)
    operation: Operation = c.choice("What it does.")
    state: WriteState = c.choice("Where it is.", default=WriteState.PENDING, filterable=True)
    idempotency_key: str | None = c.text("The caller's key.")
    request: dict[str, Any] | None = c.document("What went to the source, without secrets.", ordered=True)
    answer: dict[str, Any] | None = c.document("What the source answered.", ordered=True)
    error: SourceError | None = c.document("Why it failed or is unknown.")
    created_at: datetime = c.instant("When it was asked for, UTC.", default=c.REQUIRED)
    sent_at: datetime | None = c.instant("When it left for the source, UTC.")
    settled_at: datetime | None = c.instant("When its outcome was known, UTC.")


class WriteOperation(WriteOperationFields, ConnectionRow, table=True):
    """Stored write operations."""

    __tablename__ = "write_operation"
    __table_args__ = (
        one_of("entity", Entity),
        one_of("operation", Operation),
        one_of("state", WriteState),
        Index(
            "write_operation_idempotency",
            "connection_id",
            "idempotency_key",
            unique=True,
            postgresql_where="idempotency_key IS NOT NULL",
        ),
        by_organization("write_operation"),
        Index("write_operation_entity", "connection_id", "entity", "id"),
        Index("write_operation_state", "connection_id", "state", "id"),
    )
    relations: ClassVar[dict[str, Relation]] = {"connection": One("ConnectedSystem", BY_CONNECTION)}

    id: UUID = c.uuid("Our own id.", primary_key=True, default_factory=new_id)
    input_hash: bytes = c.binary(
        "Hash of the caller's input, to tell a repeat from a reuse of the key.", default=c.REQUIRED
    )
    input: dict[str, Any] = c.document("The validated change.", default=c.REQUIRED, public=False)
    record_id: UUID | None = c.uuid("The record it changed.", default=None, public=False)
    source_id: str | None = c.text("The source's key of that record.", public=False)
    actor: str | None = c.text("The token that asked.", public=False)
    request_id: str | None = c.text("The request that asked.", public=False)
