"""Webhooks: where events are sent to, what is sent, and each attempt."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Boolean, Index, UniqueConstraint

from db.models import columns as c
from db.models.base import BY_CONNECTION, Computed, Fields, Many, One, Relation, TenantRow, one_of
from db.types import PREFIXES, new_id


class EndpointState(StrEnum):
    """Whether an endpoint is sent anything."""

    ENABLED = "ENABLED"
    """Deliveries go out."""
    DISABLED = "DISABLED"
    """Nothing goes out; `disabledAs` says why."""


class EndpointEnd(StrEnum):
    """Why an endpoint was disabled."""

    REQUESTED = "REQUESTED"
    """Somebody asked for it."""
    FAILING = "FAILING"
    """Nothing it was sent for five days succeeded."""
    GONE = "GONE"
    """It answered 410 Gone."""


class DeliveryState(StrEnum):
    """Where a delivery is."""

    PENDING = "PENDING"
    """It is sent, or sent again, at `nextAttemptAt`."""
    SUCCEEDED = "SUCCEEDED"
    """The endpoint answered 2xx."""
    FAILED = "FAILED"
    """All attempts failed, or the endpoint is gone; `redeliverWebhook` begins anew."""


class WebhookEndpointFields(Fields):
    """Where events are sent to."""

    url: str = c.text("Where they are posted to.", max_length=2000, default=c.REQUIRED)
    description: str | None = c.text("What people call it.")
    types: list[str] = c.texts("Types of events that it is sent; none names all.")
    state: EndpointState = c.choice("Whether it is sent anything.", default=EndpointState.ENABLED)
    disabled_as: EndpointEnd | None = c.choice("Why it was disabled.", default=None)
    disabled_at: datetime | None = c.instant("When it was disabled, UTC.")
    failing_since: datetime | None = c.instant(
        "When the first of its failures since its last success happened, UTC; five days of them disable it."
    )
    last_success_at: datetime | None = c.instant("When it last took a delivery, UTC, to the minute.")
    secret_last_four: str = c.text("The last four characters of its signing secret.", max_length=4, default=c.REQUIRED)
    old_secret_expires_at: datetime | None = c.instant(
        "Until when the secret before signs beside the present one, UTC, after a rotation."
    )
    created_at: datetime = c.instant("When it was made, UTC.", default=c.REQUIRED)
    deleted_at: datetime | None = c.instant("When it was deleted, UTC.")


class WebhookEndpoint(WebhookEndpointFields, TenantRow, table=True):
    """Stored endpoints, with their signing secrets sealed."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = (
        one_of("state", EndpointState),
        one_of("disabled_as", EndpointEnd),
        Index("webhook_endpoint_organization", "organization_id", "id"),
        Index("webhook_endpoint_connection", "connection_id", "id"),
    )
    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "deliveries": Many("WebhookDelivery", {"endpoint_id": "id"}, paged=True),
    }

    id: UUID = c.uuid("Our own id.", primary_key=True, default_factory=new_id)
    connection_id: UUID | None = c.uuid(
        "The only connection whose events it is sent; null for all.", default=None, public=False
    )
    key_id: str = c.text("The master key that wraps the data key of its secrets.", default="", public=False)
    wrapped_key: bytes = c.binary("The data key of its secrets, wrapped.", default=b"")
    sealed: bytes = c.binary("Its secrets, sealed.", default=b"")
    last_failure_at: datetime | None = c.instant("When it last failed, UTC.", public=False)


class WebhookDeliveryFields(Fields):
    """One event to one endpoint."""

    type: str = c.text("The type of the event.", default=c.REQUIRED)
    test: bool = c.column("A test: no such event happened.", sa_type=Boolean, default=False)
    state: DeliveryState = c.choice("Where it is.", default=DeliveryState.PENDING, filterable=True)
    attempt_count: int = c.integer("How often it was sent.", unit="attempts", default=0)
    next_attempt_at: datetime | None = c.instant("When it is sent next, UTC; null once it is settled.")
    settled_at: datetime | None = c.instant("When it succeeded or was given up, UTC.")
    created_at: datetime = c.instant("When it was made, UTC.", default=c.REQUIRED)


class WebhookDelivery(WebhookDeliveryFields, TenantRow, table=True):
    """Stored deliveries; each is a lease of its own, and holds the bytes that are signed and sent."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        one_of("state", DeliveryState),
        UniqueConstraint("endpoint_id", "event_id"),
        Index("webhook_delivery_due", "endpoint_id", "next_attempt_at", postgresql_where="state = 'PENDING'"),
        Index("webhook_delivery_endpoint", "endpoint_id", "id"),
        Index("webhook_delivery_organization", "organization_id", "id"),
        Index("webhook_delivery_connection", "connection_id", "id"),
        Index("webhook_delivery_state", "organization_id", "state", "id"),
    )
    relations: ClassVar[dict[str, Relation]] = {
        "endpoint": One(
            "WebhookEndpoint", {"organization_id": "organization_id", "id": "endpoint_id"}, filterable=True
        ),
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "attempts": Many("WebhookAttempt", {"delivery_id": "id"}, order=("id",)),
    }
    computed: ClassVar[dict[str, Computed]] = {
        "event_id": Computed(
            str,
            "The id of the event: the `webhook-id` of every attempt.",
            f"'{PREFIXES['Event']}_' || replace({{row}}.event_id::text, '-', '')",
            nullable=False,
        ),
        "sequence": Computed(
            str | None, "The number of the event in its stream; null for a test.", "{row}.sequence::text"
        ),
        "payload": Computed(
            dict[str, Any], "What is sent, as JSON.", "convert_from({row}.body, 'UTF8')", nullable=False
        ),
    }

    id: UUID = c.uuid("Our own id.", primary_key=True, default_factory=new_id)
    connection_id: UUID | None = c.uuid("The connection of the event.", default=None, public=False)
    endpoint_id: UUID = c.uuid("Where it goes.", public=False)
    event_id: UUID = c.uuid("The event.", public=False)
    sequence: int | None = c.integer("The number of the event.", big=True, default=None, public=False)
    body: bytes = c.binary("The bytes that are signed and sent.", default=b"")
    tries: int = c.integer("Attempts since it was last begun.", default=0, public=False)
    lease_owner: str | None = c.text("The process that sends it.", public=False)
    lease_expires_at: datetime | None = c.instant("When the lease lapses, UTC.", public=False)


class WebhookAttemptFields(Fields):
    """One POST of a delivery, and what came of it."""

    number: int = c.integer("Counts the delivery's attempts, from 1.", default=1)
    at: datetime = c.instant("When it began, UTC.", default=c.REQUIRED)
    duration_ms: int = c.integer("How long it took.", unit="milliseconds", default=0)
    status: int | None = c.integer("The HTTP status; null where no answer came.", default=None)
    failure: str | None = c.text(
        "Why no answer came: DNS, CONNECT, TLS, TIMEOUT, RESET or BLOCKED; null where one came."
    )
    address: str | None = c.text("The network address that the host's name stood for.")
    response_head: str | None = c.text("The first 4 kB of the answer's body, as text.", max_length=4096)


class WebhookAttempt(WebhookAttemptFields, TenantRow, table=True):
    """Stored attempts."""

    __tablename__ = "webhook_attempt"
    __table_args__ = (
        Index("webhook_attempt_delivery", "delivery_id", "id"),
        Index("webhook_attempt_connection", "connection_id", "id"),
    )
    relations: ClassVar[dict[str, Relation]] = {}

    id: UUID = c.uuid("Our own id.", primary_key=True, default_factory=new_id)
    connection_id: UUID | None = c.uuid("The connection of the event.", default=None, public=False)
    delivery_id: UUID = c.uuid("What was sent.", public=False)


class EventRelay(TenantRow, table=True):
    """How far a stream's events have been made into deliveries."""

    __tablename__ = "event_relay"

    stream_id: UUID = c.uuid("The stream: a connection's id, or the organization's.", primary_key=True)
    connection_id: UUID | None = c.uuid("The connection; null for the organization's own stream.", default=None)
    relayed_sequence: int = c.integer("The last number that has been.", big=True, default=0)
