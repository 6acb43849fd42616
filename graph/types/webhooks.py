"""Webhook endpoints, their deliveries and attempts."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from db.models import webhook as stored
from graph.entity import entity
from graph.lists import list_field, relay
from graph.types.node import Node
from graph.types.systems import ConnectedSystem

if TYPE_CHECKING:
    Deliveries = Any
else:
    Deliveries = Annotated["WebhookDeliveryConnection", strawberry.lazy("graph.types.webhooks")]


@entity(stored.WebhookAttempt)
class WebhookAttempt:
    """One POST of a delivery, and what came of it."""


@entity(stored.WebhookEndpoint)
class WebhookEndpoint(Node):
    """Where events are sent to."""

    connection: ConnectedSystem | None = strawberry.field(
        description="The only connection whose events it is sent; null for all of the organization."
    )
    deliveries: Deliveries = list_field("WebhookDelivery", Deliveries, "What it was and is to be sent.")


@entity(stored.WebhookDelivery)
class WebhookDelivery(Node):
    """One event to one endpoint."""

    endpoint: WebhookEndpoint | None = strawberry.field(description="Where it goes.")
    connection: ConnectedSystem | None = strawberry.field(description="The connection of the event.")
    attempts: list[WebhookAttempt] = strawberry.field(description="Each POST of it, the first one first.")


WebhookEndpointConnection = relay("WebhookEndpoint", WebhookEndpoint)
WebhookDeliveryConnection = relay("WebhookDelivery", WebhookDelivery)
