"""The audit log."""

import strawberry

from db.models import audit as stored
from graph.entity import entity
from graph.lists import relay
from graph.types.systems import ConnectedSystem


@entity(stored.AuditEntry)
class AuditEntry:
    """One change of configuration: who made it, when, by which request, and what it changed."""

    connection: ConnectedSystem | None = strawberry.field(
        description="The connection that it is about; null where it is about none, and once its data is gone."
    )


AuditEntryConnection = relay("AuditEntry", AuditEntry)
