"""History: what each record was, from version to version."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index

from db.models import columns as c
from db.models.base import ConnectionRow, one_of
from db.types import Cause, Entity


class RecordVersion(ConnectionRow, table=True):
    """One change of a record: the version that it began, and the one that it ended.

    A first version has no row: its time and cause stand in the record (`first_…`). So the state at an instant t is the
    `before` of the row with the smallest version among those with `valid_from` after t, else the record itself, where
    it was first seen by t.
    """

    __tablename__ = "record_version"
    __table_args__ = (
        one_of("entity", Entity),
        one_of("cause", Cause),
        Index("record_version_valid", "connection_id", "entity", "record_id", "valid_from"),
        Index("record_version_run", "connection_id", "run_id", "record_id", postgresql_where="run_id IS NOT NULL"),
        Index("record_version_operation", "connection_id", "operation_id", postgresql_where="operation_id IS NOT NULL"),
    )

    entity: Entity = c.choice("What the record is.", primary_key=True)
    record_id: UUID = c.uuid("The record.", primary_key=True)
    version: int = c.integer("The version that began, from 2.", primary_key=True)
    valid_from: datetime = c.instant("When it began, UTC.", default=c.REQUIRED)
    cause: Cause = c.choice("Why it began.")
    run_id: UUID | None = c.uuid("The run that brought it.", default=None)
    operation_id: UUID | None = c.uuid("The write that brought it.", default=None)
    diff: list[Any] = c.document("The fields that changed: path, before, after.", ordered=True, default=c.REQUIRED)
    before: dict[str, Any] = c.document("The version that ended, whole.", ordered=True, default=c.REQUIRED)
