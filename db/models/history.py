"""History: what each record was, from version to version."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Index

from db.models import columns as c
from db.models.base import BY_CONNECTION, AnyRecord, Computed, ConnectionRow, One, Relation, Value, one_of
from db.types import Cause, Entity


class FieldChange(Value):
    """One field of a record that changed."""

    path: list[str] = c.texts(
        "The field, from the record's top; a line is named by its key: `lines`, `10`, `quantity`. `lines` alone is the"
        " order of the lines."
    )
    before: Any | None = c.document("Its value before; null where it had none.")
    after: Any | None = c.document("Its value afterwards; null where it has none.")


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
        Index("record_version_since", "connection_id", "entity", "valid_from"),
        Index("record_version_run", "connection_id", "run_id", "record_id", postgresql_where="run_id IS NOT NULL"),
        Index("record_version_operation", "connection_id", "operation_id", postgresql_where="operation_id IS NOT NULL"),
    )

    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "sync_run": One("SyncRun", {"connection_id": "connection_id", "id": "run_id"}),
        "write_operation": One("WriteOperation", {"connection_id": "connection_id", "id": "operation_id"}),
        "record": AnyRecord("entity", "record_id"),
    }
    computed: ClassVar[dict[str, Computed]] = {
        "valid_to": Computed(
            datetime | None,
            "When the next version began, UTC; null for the newest.",
            "SELECT n.valid_from FROM record_version n WHERE n.connection_id = {row}.connection_id"
            " AND n.entity = {row}.entity AND n.record_id = {row}.record_id AND n.version > {row}.version"
            " ORDER BY n.version LIMIT 1",
        ),
        "changes": Computed(
            list[FieldChange],
            "What changed from the version before; empty for the first one.",
            "{row}.diff::jsonb",
            nullable=False,
        ),
    }
    tie_break: ClassVar[str] = "version"
    source: ClassVar[str]

    entity: Entity = c.choice("What the record is.", primary_key=True)
    record_id: UUID = c.uuid("The record.", primary_key=True, public=False)
    version: int = c.integer("The version's number, from 1.", primary_key=True)
    valid_from: datetime = c.instant("When it began, UTC.", default=c.REQUIRED)
    cause: Cause = c.choice("Why it began.")
    run_id: UUID | None = c.uuid("The run that brought it.", default=None, public=False)
    operation_id: UUID | None = c.uuid("The write that brought it.", default=None, public=False)
    diff: list[Any] = c.document(
        "The fields that changed, in the API's names: path, before, after.",
        ordered=True,
        default=c.REQUIRED,
        public=False,
    )
    before: dict[str, Any] = c.document(
        "The version that ended, whole, in the names of its columns.", ordered=True, default=c.REQUIRED, public=False
    )
