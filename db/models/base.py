"""What all stored rows share, and how records point at each other."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict
from sqlalchemy import (
    CheckConstraint,
    Index,
    text,
)
from sqlmodel import SQLModel

from db.models import columns as c
from db.types import Cause, new_id


class Fields(SQLModel):
    """Base of the classes that validate: unknown keys are an error, blank text is no value."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)  # type: ignore[assignment]


class Value(SQLModel):
    """Base of the small values inside a record, stored as JSON."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class One:
    """A relation to at most one row.

    Attributes:
        target: Name of the API's type.
        on: Target column → own column; equality of all of them is the join.
        filterable: Lists may be filtered by what it points at.
        only: Target column → the value that it must have.
    """

    target: str
    on: dict[str, str] = field(hash=False)
    filterable: bool = False
    only: dict[str, str] = field(hash=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Many:
    """A relation to many rows.

    Attributes:
        target: Name of the API's type.
        on: Target column → own column.
        paged: True gives a Relay list with arguments, False the whole list.
        order: Columns that order a whole list, or a page where the caller may give no order; `-` turns one around.
        only: Target column → the value that it must have.
    """

    target: str
    on: dict[str, str] = field(hash=False)
    paged: bool = False
    order: tuple[str, ...] = ()
    only: dict[str, str] = field(hash=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnyRecord:
    """A relation to at most one record of the kind that a column names.

    Attributes:
        entity: The own column that names the kind.
        record: The own column that holds the record's id.
        target: Name of the API's type.
    """

    entity: str
    record: str
    target: str = "Node"


@dataclass(frozen=True, slots=True)
class Computed:
    """A field that is read by an expression instead of a column; declared in a table's `computed`.

    Attributes:
        annotation: Its type.
        description: One sentence for the API's documentation.
        sql: The expression; `{row}` stands for the row's alias.
        nullable: It may be null.
    """

    annotation: Any
    description: str
    sql: str
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Findable:
    """A field that lists are filtered by in a way of its own; declared in a table's `findable`.

    Attributes:
        kind: `inside`: texts inside a JSON value, each kept in a column of its own. `labels`: a list of texts.
            `keys`: a JSON object, by the values at its top.
        columns: For `inside`, name inside → column.
    """

    kind: Literal["inside", "labels", "keys"]
    columns: dict[str, str] = field(hash=False, default_factory=dict)


Relation = One | Many | AnyRecord
BY_CONNECTION: dict[str, str] = {"organization_id": "organization_id", "id": "connection_id"}


class TenantRow(SQLModel):
    """A row that belongs to an organization."""

    organization_id: UUID = c.uuid("The organization whose row it is.", public=False)


class ConnectionRow(TenantRow):
    """A row that belongs to one connection; its key begins with the connection, for partitioning."""

    connection_id: UUID = c.uuid("The connection it belongs to.", primary_key=True, public=False)


class EntityRow(ConnectionRow):
    """What every record carries beside its fields."""

    relations: ClassVar[dict[str, Relation]] = {}

    id: UUID = c.uuid("Our own id.", primary_key=True, default_factory=new_id)
    source_id: str = c.text("The source's own key.", default=c.REQUIRED, filterable=True)
    version: int = c.integer("Counts the record's versions, from 1.", default=1)
    content_hash: bytes = c.binary("Hash of the fields, to tell a change from a touch.", default=b"")
    source_updated_at: datetime | None = c.instant("When the source says it changed, UTC.", filterable=True)
    synced_at: datetime = c.instant("When this version was stored, UTC.", default=c.REQUIRED, filterable=True)
    deleted_at: datetime | None = c.instant("When it was found gone from the source, UTC.")
    first_seen_at: datetime = c.instant("When its first version was stored, UTC.", default=c.REQUIRED, public=False)
    first_cause: Cause = c.choice("Why it has its first version.", default=Cause.SYNC, public=False)
    first_run_id: UUID | None = c.uuid("The run that made its first version.", default=None, public=False)
    first_operation_id: UUID | None = c.uuid("The write that made its first version.", default=None, public=False)


def made_by(table: str) -> tuple[CheckConstraint | Index, ...]:
    """Give what every table of records holds beside its own: how a run's and a write's new records are found."""
    return (
        one_of("first_cause", Cause),
        Index(f"{table}_first_run", "connection_id", "first_run_id", "id"),
        Index(
            f"{table}_first_operation",
            "connection_id",
            "first_operation_id",
            postgresql_where="first_operation_id IS NOT NULL",
        ),
    )


def across(organization_id: str) -> str:
    """Spell an organization's id so that only reads of all its connections can take the index `by_organization`.

    Plans made for any values preferred an index on the plain column to the connection's own, and walked through the
    rows of all other connections.
    """
    return f"nullif({organization_id}, '00000000-0000-0000-0000-000000000000'::uuid)"


def by_organization(table: str) -> Index:
    """Make the index for reading rows of all connections of an organization, in the order of their ids."""
    return Index(f"{table}_organization", text(across("organization_id")), "id")


def one_of(name: str, values: type[StrEnum]) -> CheckConstraint:
    """Hold a text column to the values of an enum, in the database too."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{name} IN ({listed})", name=f"{name}_known")


def dumped(value: SQLModel) -> dict[str, Any]:
    """Give the values as they are stored: JSON-ready values inside, exact decimals as text."""
    return value.model_dump(mode="json", exclude_none=True)
