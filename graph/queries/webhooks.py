"""Webhooks: endpoints, deliveries, and what types of events there are."""

from typing import Annotated, Any

import strawberry

from db.models.organization import TokenScope
from db.models.webhook import DeliveryState
from db.types import decode_id
from graph.context import ApiInfo, Read
from graph.entity import enumeration
from graph.queries.issues import After, First
from graph.types.webhooks import WebhookDeliveryConnection, WebhookEndpoint, WebhookEndpointConnection
from jobs.event_types import EVENT_TYPES

_NEWEST_FIRST = [{"field": "id", "direction": "DESC"}]


@strawberry.type
class WebhookQueries:
    """Queries of webhooks."""

    @strawberry.field(description="Every type of event that endpoints and subscriptions can name.")
    def event_types(self) -> list[str]:
        """List the types."""
        return list(EVENT_TYPES)

    @strawberry.field(description="A webhook endpoint by its id. Needs an organization key.")
    def webhook_endpoint(
        self,
        info: ApiInfo,
        id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")],  # noqa: A002
    ) -> WebhookEndpoint | None:
        """Read an endpoint."""
        info.context.who.require_organization(TokenScope.READ)
        told: Any = Read("WebhookEndpoint", one=decode_id(id, type_name="WebhookEndpoint")[1])
        return told

    @strawberry.field(description="Webhook endpoints of the organization. Needs an organization key.")
    def webhook_endpoints(self, info: ApiInfo, first: First = None, after: After = None) -> WebhookEndpointConnection:
        """Read endpoints."""
        info.context.who.require_organization(TokenScope.READ)
        del first, after  # read by graph.selection
        told: Any = Read("WebhookEndpoint", paged=True)
        return told

    @strawberry.field(
        description="Deliveries of events to endpoints, newest first, kept for 30 days by default. Needs an"
        " organization key."
    )
    def webhook_deliveries(
        self,
        info: ApiInfo,
        endpoint_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only those to this endpoint.")
        ] = None,
        state: Annotated[
            enumeration(DeliveryState) | None,  # type: ignore[valid-type]
            strawberry.argument(description="Only those in this state."),
        ] = None,
        first: First = None,
        after: After = None,
    ) -> WebhookDeliveryConnection:
        """Read deliveries."""
        info.context.who.require_organization(TokenScope.READ)
        del first, after  # read by graph.selection
        conditions: dict[str, Any] = {}
        if state is not None:
            conditions["state"] = {"eq": state}
        if endpoint_id is not None:
            conditions["endpoint"] = {"id": {"eq": endpoint_id}}
        told: Any = Read("WebhookDelivery", paged=True, arguments={"filter": conditions, "orderBy": _NEWEST_FIRST})
        return told
