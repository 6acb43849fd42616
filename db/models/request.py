"""The request log: who asked what, what it cost and how it ended; never with which values."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Index

from db.models import columns as c
from db.models.base import BY_CONNECTION, Fields, One, Relation, TenantRow, one_of
from db.types import ErrorCode, new_id


class OperationKind(StrEnum):
    """What an operation of the API does."""

    QUERY = "QUERY"
    """Reads."""
    MUTATION = "MUTATION"
    """Changes."""
    SUBSCRIPTION = "SUBSCRIPTION"
    """Follows changes."""


class RequestLogFields(Fields):
    """One request, and how it ended."""

    request_id: str = c.text("The request's id, as its answer told it.", default=c.REQUIRED, filterable=True)
    token_id: str = c.text("The token that asked.", default=c.REQUIRED)
    operation_name: str | None = c.text("The operation's name in its document.", filterable=True)
    operation_type: OperationKind | None = c.choice("What it does; null where it was never known.", default=None)
    cost: int = c.integer("What it cost.", unit="points", default=0)
    duration_ms: int = c.integer("How long it took, a subscription until it ended.", unit="milliseconds", default=0)
    status: int | None = c.integer("The HTTP status; null over a socket.", default=None)
    code: ErrorCode | None = c.choice(
        "Why it failed, or a part of it; null where all went well.", default=None, filterable=True
    )
    at: datetime = c.instant("When it ended, UTC.", default=c.REQUIRED, filterable=True)


class RequestLog(RequestLogFields, TenantRow, table=True):
    """Stored requests."""

    __tablename__ = "request_log"
    __table_args__ = (
        one_of("operation_type", OperationKind),
        one_of("code", ErrorCode),
        Index("request_log_organization", "organization_id", "id"),
        Index("request_log_request", "organization_id", "request_id", "id"),
        Index("request_log_operation", "organization_id", "operation_name", "id"),
        Index("request_log_code", "organization_id", "code", "id"),
        Index("request_log_at", "organization_id", "at", "id"),
        Index("request_log_connection", "connection_id", "id"),
    )
    relations: ClassVar[dict[str, Relation]] = {"connection": One("ConnectedSystem", BY_CONNECTION)}

    id: UUID = c.uuid("Our own id.", primary_key=True, default_factory=new_id)
    connection_id: UUID | None = c.uuid(
        "The connection of the token; null for an organization key.", default=None, public=False
    )
