"""Committed changes, in a sequence without gaps."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Index

from db.models import columns as c
from db.models.base import BY_CONNECTION, AnyRecord, Computed, One, Relation, TenantRow
from db.types import Entity, new_id


class EventCounter(TenantRow, table=True):
    """The last sequence number of a stream: a connection's, or the organization's own."""

    __tablename__ = "event_counter"

    stream_id: UUID = c.uuid("The connection's id, or the organization's.", primary_key=True)
    connection_id: UUID | None = c.uuid("The connection; null for the organization's own stream.", default=None)
    last_sequence: int = c.integer("The last number given.", big=True, default=0)


class Event(TenantRow, table=True):
    """One committed change with its number."""

    __tablename__ = "event"
    __table_args__ = (
        Index("event_record", "connection_id", "record_id"),
        Index("event_recent", "created_at", postgresql_using="brin"),
    )

    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "record": AnyRecord("entity", "record_id"),
    }
    computed: ClassVar[dict[str, Computed]] = {
        "sequence": Computed(
            str,
            "Its number in the connection's sequence, from 1, without gaps.",
            "{row}.sequence::text",
            nullable=False,
        ),
        "entity": Computed(Entity | None, "What the record is; null where no record changed.", "{row}.entity"),
        "version": Computed(
            int | None,
            "The version of the record that it tells of; null where no record changed.",
            "CASE WHEN {row}.entity IS NOT NULL THEN ({row}.data ->> 'version')::int END",
        ),
    }
    tie_break: ClassVar[str] = "sequence"
    held_by: ClassVar[str] = "stream_id"

    stream_id: UUID = c.uuid("The stream it is numbered in.", primary_key=True, public=False)
    sequence: int = c.integer(
        "Its number in the stream, from 1, without gaps.", big=True, primary_key=True, public=False
    )
    id: UUID = c.uuid("Its id, the same in every delivery.", default_factory=new_id)
    connection_id: UUID | None = c.uuid("The connection; null for the organization's own.", default=None, public=False)
    type: str = c.text("What happened, e.g. purchase_order.updated.", default=c.REQUIRED)
    entity: str | None = c.text("The entity of the record, for record changes.", public=False)
    record_id: UUID | None = c.uuid("The record that changed.", default=None, public=False)
    data: dict[str, Any] = c.document("What is told of it.", default_factory=dict)
    created_at: datetime = c.instant("When it was committed, UTC.", default=c.REQUIRED)
