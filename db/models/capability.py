"""Capabilities: what can be done to each entity of a connection, field by field."""

from typing import ClassVar

from sqlalchemy import Boolean

from db.models import columns as c
from db.models.base import ConnectionRow, Fields, Relation, Value, one_of
from db.types import Entity, Operation


class CapabilityField(Value):
    """One field of an operation's input."""

    path: str = c.text("Its name in the input; `lines.quantity` is a field of each line.", default=c.REQUIRED)
    required: bool = c.column("It must be given.", sa_type=Boolean, default=False)
    writable: bool = c.column("It may be given.", sa_type=Boolean, default=False)
    max_length: int | None = c.integer("Its longest text.", unit="characters", default=None)
    allowed_values: list[str] = c.texts("The only values that it takes; empty where any fits.")
    unavailable_reason: str | None = c.text("Why it may not be given.", max_length=2_000)


class CapabilityFields(Fields):
    """One operation on one entity of a connection."""

    entity: Entity = c.choice("What it is done to.", primary_key=True)
    operation: Operation = c.choice("What is done.", primary_key=True)
    supported: bool = c.column("It can be done.", sa_type=Boolean, default=False)
    unavailable_reason: str | None = c.text("Why it cannot be done.", max_length=2_000)
    reference_field: str | None = c.text(
        "The source's field that keeps our reference: a lost answer is then looked up by it. Null where there is none."
    )
    fields: list[CapabilityField] = c.document("The fields of its input.", default_factory=list)


class Capability(CapabilityFields, ConnectionRow, table=True):
    """Stored capabilities: the connector's declaration, less what the connection's credentials may not do."""

    __tablename__ = "connection_capability"
    __table_args__ = (one_of("entity", Entity), one_of("operation", Operation))
    relations: ClassVar[dict[str, Relation]] = {}

    refused: str | None = c.text(
        "Why the credentials may not do it, as the source told.", max_length=2_000, public=False
    )
