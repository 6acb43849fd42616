"""Webhook endpoints: making, changing, trying and ending them, and telling events again."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from db.models.organization import TokenScope
from db.types import decode_id
from graph.context import ApiInfo, Read
from graph.errors import bad_input
from graph.inputs import GIVEN, UserError, given, user_error
from graph.types.webhooks import WebhookDelivery, WebhookEndpoint
from jobs.webhooks import Replay

_ENDPOINT = "The endpoint."


@strawberry.input(description="Where events are to be sent.")
class CreateWebhookEndpointInput:
    """Where events are to be sent."""

    url: str = strawberry.field(
        description="Where they are posted to: https, or an address of a network that the operator allows."
    )
    types: list[str] | None = strawberry.field(
        default=None, description="Types of events, of `eventTypes`; all by default."
    )
    connection_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only events of this connection; all of the organization by default."
    )
    description: str | None = strawberry.field(default=None, description="What people call it.")


@strawberry.input(description="What to change of an endpoint; what is left out stays.")
class UpdateWebhookEndpointInput:
    """What to change of an endpoint."""

    endpoint_id: strawberry.ID = strawberry.field(description=_ENDPOINT)
    url: str | None = strawberry.field(default=strawberry.UNSET, description="Where events are posted to.")
    types: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Types of events; an empty list names all."
    )
    description: str | None = strawberry.field(default=strawberry.UNSET, description="What people call it.")
    enabled: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="False: nothing is sent. True: it is again; what waited goes out, and what was committed meanwhile"
        " comes by `replayWebhooks`.",
    )


@strawberry.input(description="Which endpoint to delete.")
class DeleteWebhookEndpointInput:
    """Which endpoint to delete."""

    endpoint_id: strawberry.ID = strawberry.field(description=_ENDPOINT)


@strawberry.input(description="Whose secret to rotate.")
class RotateWebhookSecretInput:
    """Whose secret to rotate."""

    endpoint_id: strawberry.ID = strawberry.field(description=_ENDPOINT)


@strawberry.input(description="What to try an endpoint with.")
class SendTestWebhookInput:
    """What to try an endpoint with."""

    endpoint_id: strawberry.ID = strawberry.field(description=_ENDPOINT)
    type: str = strawberry.field(description="A type of `eventTypes`.")


@strawberry.input(description="Which delivery to begin anew.")
class RedeliverWebhookInput:
    """Which delivery to begin anew."""

    delivery_id: strawberry.ID = strawberry.field(description="The delivery.")


@strawberry.input(
    description="Which events to tell an endpoint again: a part of a stream (fromSequence, toSequence), or all from an"
    " instant on (since)."
)
class ReplayWebhooksInput:
    """Which events to tell an endpoint again."""

    endpoint_id: strawberry.ID = strawberry.field(description=_ENDPOINT)
    connection_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Events of this connection; by default, those of the endpoint's, or with sequences the"
        " organization's own.",
    )
    from_sequence: str | None = strawberry.field(default=None, description="The first number.")
    to_sequence: str | None = strawberry.field(default=None, description="The last number.")
    since: datetime | None = strawberry.field(default=None, description="From this instant on.")
    until: datetime | None = strawberry.field(default=None, description="Up to this instant, itself left out.")
    only_failed: bool = strawberry.field(
        default=False, description="Leave out what the endpoint took: only what failed or was never sent."
    )


@strawberry.type(description="An endpoint, and the only appearance of its secret.")
class WebhookSecretPayload:
    """An endpoint, and the only appearance of its secret."""

    webhook_endpoint: WebhookEndpoint | None = strawberry.field(default=None, description="The endpoint.")
    secret: str | None = strawberry.field(
        default=None, description="The secret that signs, `whsec_…`; keep it now, it is never shown again."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="The endpoint.")
class WebhookEndpointPayload:
    """The endpoint."""

    webhook_endpoint: WebhookEndpoint | None = strawberry.field(default=None, description="The endpoint as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type(description="The delivery that is sent.")
class WebhookDeliveryPayload:
    """The delivery that is sent."""

    webhook_delivery: WebhookDelivery | None = strawberry.field(default=None, description="The delivery.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing is sent.")


@strawberry.type(description="How much is told again.")
class ReplayWebhooksPayload:
    """How much is told again."""

    count: int = strawberry.field(default=0, description="Deliveries that are to be sent.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why none are.")


@strawberry.type
class WebhookMutations:
    """Mutations of webhooks."""

    @strawberry.mutation(
        description="Make a webhook endpoint; it is sent what is committed from now on. Needs an organization key with"
        " the scope ADMIN."
    )
    async def create_webhook_endpoint(
        self,
        info: ApiInfo,
        input: Annotated[CreateWebhookEndpointInput, GIVEN],  # noqa: A002
    ) -> WebhookSecretPayload:
        """Make an endpoint."""
        who = _manager(info)
        of = decode_id(input.connection_id, type_name="ConnectedSystem")[1] if input.connection_id else None
        made, problems = await info.context.services.webhooks.create(
            who.scope, url=input.url, description=input.description, types=input.types or [], connection_id=of
        )
        return _secret(made, problems)

    @strawberry.mutation(
        description="Change an endpoint: all that is given, or nothing. Needs an organization key with the scope ADMIN."
    )
    async def update_webhook_endpoint(
        self,
        info: ApiInfo,
        input: Annotated[UpdateWebhookEndpointInput, GIVEN],  # noqa: A002
    ) -> WebhookEndpointPayload:
        """Change an endpoint."""
        who, values = _manager(info), given(input)
        endpoint_id = _endpoint(values.pop("endpoint_id"))
        nulls = [name for name, value in values.items() if value is None and name != "description"]
        if nulls:
            raise bad_input(f"{', '.join(nulls)} must not be null; leave out what stays.")
        problems = await info.context.services.webhooks.update(who.scope, endpoint_id, values)
        return _told(endpoint_id, problems)

    @strawberry.mutation(
        description="Delete an endpoint: nothing is sent to it any more, and its secrets are destroyed. Needs an"
        " organization key with the scope ADMIN."
    )
    async def delete_webhook_endpoint(
        self,
        info: ApiInfo,
        input: Annotated[DeleteWebhookEndpointInput, GIVEN],  # noqa: A002
    ) -> WebhookEndpointPayload:
        """Delete an endpoint."""
        who, endpoint_id = _manager(info), _endpoint(input.endpoint_id)
        return _told(endpoint_id, await info.context.services.webhooks.delete(who.scope, endpoint_id))

    @strawberry.mutation(
        description="Give an endpoint a new secret. For 24 hours each delivery carries a signature by the one before,"
        " too. Needs an organization key with the scope ADMIN."
    )
    async def rotate_webhook_secret(
        self,
        info: ApiInfo,
        input: Annotated[RotateWebhookSecretInput, GIVEN],  # noqa: A002
    ) -> WebhookSecretPayload:
        """Rotate a secret."""
        who = _manager(info)
        return _secret(*await info.context.services.webhooks.rotate(who.scope, _endpoint(input.endpoint_id)))

    @strawberry.mutation(
        description="Send an event of a type in its real shape, with `test: true`: signed, logged and tried again like"
        " any other, and never counted towards disabling. Needs an organization key with the scope ADMIN."
    )
    async def send_test_webhook(
        self,
        info: ApiInfo,
        input: Annotated[SendTestWebhookInput, GIVEN],  # noqa: A002
    ) -> WebhookDeliveryPayload:
        """Try an endpoint."""
        who, endpoint_id = _manager(info), _endpoint(input.endpoint_id)
        delivery_id, problems = await info.context.services.webhooks.test(who.scope, endpoint_id, input.type)
        if delivery_id is None:
            return WebhookDeliveryPayload(user_errors=[user_error(each) for each in problems])
        read: Any = Read("WebhookDelivery", one=delivery_id)
        return WebhookDeliveryPayload(webhook_delivery=read)

    @strawberry.mutation(
        description="Begin a delivery anew, with the same bytes and `webhook-id`. Needs an organization key with the"
        " scope ADMIN."
    )
    async def redeliver_webhook(
        self,
        info: ApiInfo,
        input: Annotated[RedeliverWebhookInput, GIVEN],  # noqa: A002
    ) -> WebhookDeliveryPayload:
        """Begin a delivery anew."""
        who = _manager(info)
        delivery_id = decode_id(input.delivery_id, type_name="WebhookDelivery")[1]
        problems = await info.context.services.webhooks.redeliver(who.scope, delivery_id)
        if problems:
            return WebhookDeliveryPayload(user_errors=[user_error(each) for each in problems])
        read: Any = Read("WebhookDelivery", one=delivery_id)
        return WebhookDeliveryPayload(webhook_delivery=read)

    @strawberry.mutation(
        description="Tell an endpoint events again, at most 10,000 at a time, be they sent before or not. Needs an"
        " organization key with the scope ADMIN."
    )
    async def replay_webhooks(
        self,
        info: ApiInfo,
        input: Annotated[ReplayWebhooksInput, GIVEN],  # noqa: A002
    ) -> ReplayWebhooksPayload:
        """Tell events again."""
        who = _manager(info)
        of = decode_id(input.connection_id, type_name="ConnectedSystem")[1] if input.connection_id else None
        asked = Replay(
            endpoint_id=_endpoint(input.endpoint_id),
            connection_id=of,
            first=sequence_of(input.from_sequence, "fromSequence"),
            last=sequence_of(input.to_sequence, "toSequence"),
            since=input.since,
            until=input.until,
            only_failed=input.only_failed,
        )
        count, problems = await info.context.services.webhooks.replay(who.scope, asked)
        return ReplayWebhooksPayload(count=count, user_errors=[user_error(each) for each in problems])


def sequence_of(text: str | None, name: str) -> int | None:
    """Read a number of a stream.

    Raises:
        ApiError: BAD_USER_INPUT where it is none.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise bad_input(f"{name} is a number of the stream, in digits.")
    return int(text)


def _manager(info: ApiInfo) -> Any:
    info.context.who.require_organization(TokenScope.ADMIN)
    return info.context.who


def _endpoint(text: str) -> Any:
    return decode_id(text, type_name="WebhookEndpoint")[1]


def _told(endpoint_id: Any, problems: list[Any]) -> WebhookEndpointPayload:
    if problems:
        return WebhookEndpointPayload(user_errors=[user_error(each) for each in problems])
    read: Any = Read("WebhookEndpoint", one=endpoint_id)
    return WebhookEndpointPayload(webhook_endpoint=read)


def _secret(made: Any, problems: list[Any]) -> WebhookSecretPayload:
    if made is None:
        return WebhookSecretPayload(user_errors=[user_error(each) for each in problems])
    read: Any = Read("WebhookEndpoint", one=made.endpoint_id)
    return WebhookSecretPayload(webhook_endpoint=read, secret=made.secret)
