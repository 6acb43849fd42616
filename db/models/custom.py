"""Custom fields of records as rows, for lists to be filtered by."""

from uuid import UUID

from sqlalchemy import Index

from db.models import columns as c
from db.models.base import ConnectionRow, one_of
from db.types import Entity

LONGEST_VALUE = 200
"""Characters of a value, and of a name, that filters know; what is longer is found by no filter but a prefix."""


class CustomValue(ConnectionRow, table=True):
    """One custom field of a record: kept by triggers of the record's table, whoever writes there."""

    __tablename__ = "custom_value"
    __table_args__ = (
        one_of("entity", Entity),
        Index("custom_value_value", "connection_id", "entity", "name", "value", "record_id"),
    )

    record_id: UUID = c.uuid("The record.", primary_key=True)
    name: str = c.text("Name of the field.", primary_key=True, default=c.REQUIRED)
    entity: Entity = c.choice("What the record is.")
    value: str = c.text(
        "Its value as text, cut one character behind the longest that filters know.", default=c.REQUIRED
    )
