"""How a connection's source fares: its health, its call budget, its errors and the issues they group into."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Index

from db.models import columns as c
from db.models.base import BY_CONNECTION, Computed, ConnectionRow, Fields, One, Relation, Value, one_of
from db.types import Entity, ErrorCode, new_id


class BreakerState(StrEnum):
    """Whether calls go out to a source."""

    CLOSED = "CLOSED"
    """Calls go out."""
    OPEN = "OPEN"
    """No call goes out but a check now and then."""


class HealthError(Value):
    """The last failure of a source, and what it touches."""

    occurred_at: datetime = c.instant("When it happened, UTC.", default=c.REQUIRED)
    code: ErrorCode = c.choice("What kind of failure it is.")
    message: str = c.text("One sentence for people.", default=c.REQUIRED)
    source_message: str | None = c.text("The source's own words.")
    remedy: str | None = c.text("What to do about it.")
    reason: str | None = c.text("Why it was unreachable: DNS, CONNECT, TLS, TIMEOUT, RESET or BLOCKED.")
    entities: list[str] = c.texts("The entities that it touches.")
    operations: list[str] = c.texts("The operations that it touches: CHECK, READ, CREATE …")


class ConnectionHealthFields(Fields):
    """How a connection's source fares, as last seen; reading it calls no source."""

    last_contact_at: datetime | None = c.instant("When the source last answered, be it with a refusal, UTC.")
    last_success_at: datetime | None = c.instant("When a sync, a check or a write last succeeded, UTC.")
    consecutive_failures: int = c.integer("Failures since the last success.", unit="failures", default=0)
    breaker: BreakerState = c.choice(
        "OPEN: nothing but one cheap check at a time goes to the source.", default=BreakerState.CLOSED
    )
    last_error: HealthError | None = c.document("The last failure; `consecutiveFailures` tells whether it is over.")


class ConnectionHealth(ConnectionHealthFields, ConnectionRow, table=True):
    """Stored health, one row a connection."""

    __tablename__ = "connection_health"
    __table_args__ = (
        one_of("breaker", BreakerState),
        Index("connection_health_probe", "probe_at", postgresql_where="breaker = 'OPEN'"),
    )
    relations: ClassVar[dict[str, Relation]] = {}
    computed: ClassVar[dict[str, Computed]] = {
        "next_attempt_at": Computed(
            datetime | None,
            "When the source is tried next where something waits for it, UTC: a check, the end of a rest it asked"
            " for, or the first waiting run.",
            """CASE WHEN {row}.breaker = 'OPEN' THEN {row}.probe_at ELSE greatest(
                 CASE WHEN {row}.paused_until > now() THEN {row}.paused_until END,
                 (SELECT min(waiting.next_attempt_at) FROM sync_run waiting
                  WHERE waiting.connection_id = {row}.connection_id AND waiting.status = 'WAITING')) END""",
        )
    }

    unanswered: int = c.integer("Calls in a row that got no answer, or a failing server's.", default=0, public=False)
    reason: str | None = c.text("How the last of them failed.", public=False)
    probe_at: datetime | None = c.instant("When the next check is due while the breaker is open, UTC.", public=False)
    probed_at: datetime | None = c.instant("When the last check began while the breaker was open, UTC.", public=False)
    paused_until: datetime | None = c.instant("Until when the source asked to be left alone, UTC.", public=False)


class CallBudget(ConnectionRow, table=True):
    """The calls to a connection's source that are under way or allowed, over all processes."""

    __tablename__ = "call_budget"

    calls: dict[str, Any] = c.document("Call under way → Unix time at which it lapses.", default_factory=dict)
    next_call_at: datetime | None = c.instant("When the rate's next call would be due if all came evenly, UTC.")
    writes_wait_until: datetime | None = c.instant("Until when syncs step back for a waiting write, UTC.")


class IssueFields(Fields):
    """An open group of like connection errors, until what it touches works again."""

    entity: Entity | None = c.choice("The entity that it touches; null touches all.", default=None)
    operation: str | None = c.text("The operation that it touches; null touches all.")
    code: ErrorCode = c.choice("What kind of failure it is.")
    message: str = c.text("One sentence for people.", max_length=2000, default=c.REQUIRED)
    source_message: str | None = c.text("The source's own words.", max_length=2000)
    remedy: str | None = c.text("What to do about it.", max_length=2000)
    reason: str | None = c.text("Why it was unreachable: DNS, CONNECT, TLS, TIMEOUT, RESET or BLOCKED.")
    occurrences: int = c.integer("How many errors it groups.", unit="errors", default=1)
    opened_at: datetime = c.instant("When the first of them happened, UTC.", default=c.REQUIRED)
    last_seen_at: datetime = c.instant("When the last of them happened, UTC.", default=c.REQUIRED)
    resolved_at: datetime | None = c.instant("When what it touches next worked, UTC; null while it is open.")


class Issue(IssueFields, ConnectionRow, table=True):
    """Stored issues."""

    __tablename__ = "issue"
    __table_args__ = (
        one_of("entity", Entity),
        one_of("code", ErrorCode),
        Index("issue_one_open", "connection_id", "fingerprint", unique=True, postgresql_where="resolved_at IS NULL"),
        Index("issue_recent", "organization_id", "id"),
    )
    relations: ClassVar[dict[str, Relation]] = {"connection": One("ConnectedSystem", BY_CONNECTION)}

    id: UUID = c.uuid("Our own id.", primary_key=True, default_factory=new_id)
    fingerprint: str = c.text("What its errors have in common.", max_length=400, default=c.REQUIRED, public=False)


class ConnectionErrorFields(Fields):
    """One failure of a source, kept apart from other logs."""

    occurred_at: datetime = c.instant("When it happened, UTC.", default=c.REQUIRED)
    entity: Entity | None = c.choice("The entity that was read or written; null for a check.", default=None)
    operation: str = c.text("What was under way: CHECK, READ, CREATE …", default=c.REQUIRED)
    code: ErrorCode = c.choice("What kind of failure it is.")
    message: str = c.text("One sentence for people.", max_length=2000, default=c.REQUIRED)
    source_message: str | None = c.text("The source's own words.", max_length=2000)
    remedy: str | None = c.text("What to do about it.", max_length=2000)
    reason: str | None = c.text("Why it was unreachable: DNS, CONNECT, TLS, TIMEOUT, RESET or BLOCKED.")


class ConnectionError(ConnectionErrorFields, ConnectionRow, table=True):  # noqa: A001  (the name in the API)
    """Stored errors; kept for a time that a setting tells."""

    __tablename__ = "connection_error"
    __table_args__ = (
        one_of("entity", Entity),
        one_of("code", ErrorCode),
        Index("connection_error_recent", "organization_id", "id"),
        Index("connection_error_occurred_at", "occurred_at"),
    )
    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "issue": One("Issue", {"connection_id": "connection_id", "id": "issue_id"}),
        "sync_run": One("SyncRun", {"connection_id": "connection_id", "id": "run_id"}),
        "write_operation": One("WriteOperation", {"connection_id": "connection_id", "id": "operation_id"}),
    }

    id: UUID = c.uuid("Our own id.", primary_key=True, default_factory=new_id)
    issue_id: UUID | None = c.uuid("The issue that groups it.", default=None, public=False)
    run_id: UUID | None = c.uuid("The run that met it.", default=None, public=False)
    operation_id: UUID | None = c.uuid("The write that met it.", default=None, public=False)
