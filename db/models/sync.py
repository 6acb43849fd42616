"""Sync runs, raw items and quarantine."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import Boolean, Index

from db.models import columns as c
from db.models.base import BY_CONNECTION, ConnectionRow, Fields, Many, One, Relation, Value, by_organization, one_of
from db.types import Entity, ErrorCode, new_id


class SyncMode(StrEnum):
    """How much a run reads."""

    INCREMENTAL = "INCREMENTAL"
    """What changed since the last success."""
    FULL = "FULL"
    """The whole historical period, whatever was read before."""


class SyncTrigger(StrEnum):
    """Why a run exists."""

    INITIAL = "INITIAL"
    """The connection was just made."""
    SCHEDULED = "SCHEDULED"
    """It was due."""
    MANUAL = "MANUAL"
    """Somebody asked for it."""
    RETRY = "RETRY"
    """An earlier run failed."""
    WORKFLOW = "WORKFLOW"
    """A workflow asked for it."""


class SyncStatus(StrEnum):
    """Where a run is; the last four are ends."""

    QUEUED = "QUEUED"
    """It waits for its turn."""
    RUNNING = "RUNNING"
    """A worker reads and stores."""
    WAITING = "WAITING"
    """It failed or was asked to slow down, and goes on by itself at `nextAttemptAt`."""
    SUCCEEDED = "SUCCEEDED"
    """All was read and stored."""
    PARTIAL = "PARTIAL"
    """All was read, but some items are in quarantine."""
    FAILED = "FAILED"
    """It ended without having read everything."""
    CANCELLED = "CANCELLED"
    """Somebody stopped it."""


OPEN_STATUSES = (SyncStatus.QUEUED, SyncStatus.RUNNING, SyncStatus.WAITING)
ACTIVE: Final = "status IN ('QUEUED', 'RUNNING', 'WAITING') AND NOT awaits_confirmation"
"""In SQL: runs that take an entity's turn; one that awaits people's confirmation holds up no other."""


class SourceError(Value):
    """What a source system, or the way to it, answered."""

    code: ErrorCode = c.choice("What kind of failure it is.")
    message: str = c.text("One sentence for people.", default=c.REQUIRED)
    source_message: str | None = c.text("The source's own words.")
    remedy: str | None = c.text("What to do about it.")
    reason: str | None = c.text("Why it was unreachable: DNS, CONNECT, TLS, TIMEOUT, RESET or BLOCKED.")


class SyncRunFields(Fields):
    """One execution over one entity of a connection."""

    entity: Entity = c.choice("What it reads.", filterable=True)
    mode: SyncMode = c.choice("How much it reads.")
    trigger: SyncTrigger = c.choice("Why it exists.")
    status: SyncStatus = c.choice("Where it is.", default=SyncStatus.QUEUED, filterable=True)
    fetched: int = c.integer("Items read from the source.", unit="items", default=0)
    created: int = c.integer("Records made.", unit="records", default=0)
    updated: int = c.integer("Records changed.", unit="records", default=0)
    unchanged: int = c.integer("Items that changed no record.", unit="items", default=0)
    deleted: int = c.integer("Records found gone.", unit="records", default=0)
    quarantined: int = c.integer("Items that could not be mapped.", unit="items", default=0)
    pages: int = c.integer("Pages read and stored.", unit="pages", default=0)
    judged: int | None = c.integer(
        "Records that a whole pass should have met; null before it has read all.", unit="records", default=None
    )
    vanished: int | None = c.integer(
        "Those of them that it did not meet: each is looked up in the source before it counts as deleted.",
        unit="records",
        default=None,
    )
    awaits_confirmation: bool = c.column(
        "So many vanished that none is touched before `confirmDeletions` says so.", sa_type=Boolean, default=False
    )
    total: int | None = c.integer(
        "Items in the whole pass, once the source has told; null where it does not.", unit="items", default=None
    )
    items_per_second: Decimal | None = c.number("Items read in a second of work, on average.", unit="items per second")
    estimated_end_at: datetime | None = c.instant(
        "When the pass will have read all at that rate, UTC; null where the source tells no total."
    )
    since: datetime | None = c.instant("The earliest change it reads, UTC; null reads the whole period.")
    period_start: date | None = c.day("Documents dated from this day on are read; null for all, or for changes only.")
    created_at: datetime = c.instant("When it was asked for, UTC.", default=c.REQUIRED)
    started_at: datetime | None = c.instant("When it first ran, UTC.")
    finished_at: datetime | None = c.instant("When it ended, UTC.")
    next_attempt_at: datetime | None = c.instant("When a waiting run is tried again, UTC.")
    error: SourceError | None = c.document("Why it waits or failed.")


class SyncRun(SyncRunFields, ConnectionRow, table=True):
    """Stored runs."""

    __tablename__ = "sync_run"
    __table_args__ = (
        one_of("entity", Entity),
        one_of("mode", SyncMode),
        one_of("trigger", SyncTrigger),
        one_of("status", SyncStatus),
        Index(
            "sync_run_one_open",
            "connection_id",
            "entity",
            "mode",
            unique=True,
            postgresql_where=ACTIVE,
        ),
        by_organization("sync_run"),
        Index("sync_run_entity", "connection_id", "entity", "id"),
        Index("sync_run_status", "connection_id", "status", "id"),
    )
    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "changes": Many(
            "RecordVersion", {"connection_id": "connection_id", "run_id": "id"}, paged=True, order=("record_id",)
        ),
    }

    id: UUID = c.uuid("Our own id.", primary_key=True, default_factory=new_id)
    attempts: int = c.integer("Failed attempts since the last page.", default=0, public=False)
    window_start: datetime | None = c.instant("The source's clock when the pass began, UTC.", public=False)
    source_ahead_ms: int = c.integer(
        "How far the source's clock was ahead of the database's then.", unit="ms", big=True, default=0, public=False
    )
    completed_at: datetime | None = c.instant("When its pass had read all, UTC.", public=False)
    worked_ms: int = c.integer(
        "How long workers were at it, up to the last page.", unit="ms", big=True, default=0, public=False
    )
    feeds: dict[str, Any] = c.document(
        "Progress of each feed: position, done, total.", default_factory=dict, public=False
    )
    cancel_requested: bool = c.column("Stop at the next page.", sa_type=Boolean, default=False, public=False)
    woken_at: datetime | None = c.instant("When a worker was last told of it, UTC.", public=False)
    revision: int = c.integer("Grows with each change of the row.", default=0, public=False)


class RawItem(ConnectionRow, table=True):
    """The last raw document of a record, as the source sent it."""

    __tablename__ = "raw_item"
    __table_args__ = (one_of("entity", Entity),)
    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "sync_run": One("SyncRun", {"connection_id": "connection_id", "id": "run_id"}),
    }

    entity: Entity = c.choice("What it is.", primary_key=True)
    source_id: str = c.text("The source's own key.", primary_key=True, default=c.REQUIRED)
    item_hash: bytes = c.binary("Hash of the document and of the mapping's version.", default=c.REQUIRED)
    body: dict[str, Any] = c.document("The document.", ordered=True, default=c.REQUIRED)
    fetched_at: datetime = c.instant("When the read that brought it began, UTC.", default=c.REQUIRED)
    feed: str | None = c.text("The feed it came by; null where it was read by its key.")
    run_id: UUID | None = c.uuid(
        "The run that read it; null for a read-back after a write.", default=None, public=False
    )
    dated_on: date | None = c.day("The document's date that the historical period goes by.")
    read_at: datetime = c.instant(
        "When the newest read that told of it began, UTC: what an older read brings is not stored.", default=c.REQUIRED
    )


class QuarantinedItem(ConnectionRow, table=True):
    """An item that could not be mapped, kept whole with the reason."""

    __tablename__ = "quarantined_item"
    __table_args__ = (one_of("entity", Entity),)
    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "sync_run": One("SyncRun", {"connection_id": "connection_id", "id": "run_id"}),
    }
    tie_break: ClassVar[str] = "source_id"

    entity: Entity = c.choice("What it is.", primary_key=True)
    source_id: str = c.text("The source's own key.", primary_key=True, default=c.REQUIRED)
    body: dict[str, Any] = c.document("The document.", ordered=True, default=c.REQUIRED)
    reason: str = c.text("Why it could not be mapped.", max_length=4000, default=c.REQUIRED)
    run_id: UUID | None = c.uuid("The run that met it.", default=None, public=False)
    dated_on: date | None = c.day("The document's date that the historical period goes by.")
    quarantined_at: datetime = c.instant("When, UTC.", default=c.REQUIRED)


class SeenKeys(ConnectionRow, table=True):
    """The keys of one page of a whole pass, until its run has judged what it did not meet."""

    __tablename__ = "sync_seen"

    run_id: UUID = c.uuid("The run.", primary_key=True)
    page: int = c.integer("The page's number in the run, from 0.", primary_key=True)
    keys: list[str] = c.texts("The source's own keys of its items.")


class VanishedItem(ConnectionRow, table=True):
    """A record that a run has to look up in the source, for it may be gone."""

    __tablename__ = "vanished_item"
    __table_args__ = (one_of("entity", Entity),)

    run_id: UUID = c.uuid("The run.", primary_key=True)
    source_id: str = c.text("The source's own key.", primary_key=True, default=c.REQUIRED)
    entity: Entity = c.choice("What it is.")
