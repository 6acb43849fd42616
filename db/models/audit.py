"""The audit log: every change of configuration, who made it and what it changed; rows are added and never changed."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Index

from db.models import columns as c
from db.models.base import BY_CONNECTION, Fields, One, Relation, TenantRow, one_of
from db.types import new_id


class ActorKind(StrEnum):
    """Who changed something."""

    KEY = "KEY"
    """A key of the organization."""
    TOKEN = "TOKEN"  # noqa: S105  (a word, no secret)
    """A connection's token."""
    SESSION = "SESSION"
    """Whoever opened the link of a connect session."""
    OPERATOR = "OPERATOR"
    """Whoever runs the API, by a command."""


class AuditEntryFields(Fields):
    """One change of configuration."""

    action: str = c.text("What was done: the mutation's name, or the command's.", default=c.REQUIRED, filterable=True)
    actor_kind: ActorKind = c.choice("Who did it.")
    actor_id: str | None = c.text("The key, the token or the session.", filterable=True)
    actor_last_four: str | None = c.text("The last four characters of the key or token.", max_length=4)
    request_id: str | None = c.text("The request that asked for it.", filterable=True)
    target_id: str | None = c.text("What was changed.", filterable=True)
    changes: dict[str, Any] = c.document(
        "Field → its value now. Values that are secret, or say something of the organization's customers, are left"
        " out: `{withheld: true}`.",
        default_factory=dict,
    )
    at: datetime = c.instant("When, UTC.", default=c.REQUIRED, filterable=True)


class AuditEntry(AuditEntryFields, TenantRow, table=True):
    """Stored changes; the application may add and read them, and nothing else."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        one_of("actor_kind", ActorKind),
        Index("audit_entry_organization", "organization_id", "id"),
        Index("audit_entry_action", "organization_id", "action", "id"),
        Index("audit_entry_actor", "organization_id", "actor_id", "id"),
        Index("audit_entry_request", "organization_id", "request_id", "id"),
        Index("audit_entry_target", "organization_id", "target_id", "id"),
        Index("audit_entry_at", "organization_id", "at", "id"),
        Index("audit_entry_connection", "connection_id", "id"),
    )
    relations: ClassVar[dict[str, Relation]] = {"connection": One("ConnectedSystem", BY_CONNECTION)}

    id: UUID = c.uuid("Its id.", primary_key=True, default_factory=new_id)
    connection_id: UUID | None = c.uuid("The connection that it is about.", default=None, public=False)
