"""Committed changes, in a sequence without gaps."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index

from db.models import columns as c
from db.models.base import TenantRow
from db.types import new_id


class EventCounter(TenantRow, table=True):
    """The last sequence number of a stream: a connection's, or the organization's own."""

    __tablename__ = "event_counter"

    stream_id: UUID = c.uuid("The connection's id, or the organization's.", primary_key=True)
    connection_id: UUID | None = c.uuid("The connection; null for the organization's own stream.", default=None)
    last_sequence: int = c.integer("The last number given.", big=True, default=0)


class Event(TenantRow, table=True):
    """One committed change with its number."""

    __tablename__ = "event"
    __table_args__ = (Index("event_record", "connection_id", "record_id"),)

    stream_id: UUID = c.uuid("The stream it is numbered in.", primary_key=True)
    sequence: int = c.integer("Its number in the stream, from 1, without gaps.", big=True, primary_key=True)
    id: UUID = c.uuid("Its id, the same in every delivery.", default_factory=new_id)
    connection_id: UUID | None = c.uuid("The connection; null for the organization's own.", default=None)
    type: str = c.text("What happened, e.g. purchase_order.updated.", default=c.REQUIRED)
    entity: str | None = c.text("The entity of the record, for record changes.")
    record_id: UUID | None = c.uuid("The record or run that changed.", default=None)
    data: dict[str, Any] = c.document("What is told of it.", default_factory=dict)
    created_at: datetime = c.instant("When it was committed, UTC.", default=c.REQUIRED)
