"""The connect module: sessions for an organization's customers, and the codes that they give out."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from db.models.organization import TokenScope
from db.types import decode_id, encode_id
from graph.context import ApiInfo, Read
from graph.errors import bad_input
from graph.inputs import GIVEN, UserError, json_object, user_error
from graph.mutations.connections import ConnectSystemPayload, CustomerInput
from jobs.links import SessionRequest


@strawberry.input(description="What a connect session is for. Say where its code goes: redirectUri, origin, or both.")
class CreateConnectSessionInput:
    """What a connect session is for."""

    customer: CustomerInput | None = strawberry.field(
        default=None, description="Whose system it will be; needed, unless connectionId says it."
    )
    systems: list[str] | None = strawberry.field(
        default=None, description="Slugs of the systems that may be chosen; all by default."
    )
    redirect_uri: str | None = strawberry.field(
        default=None,
        description="Where the browser goes at the end, with `code` and `connect_session_id` added to the query. Its"
        " origin is one of the organization's allowedOrigins.",
    )
    origin: str | None = strawberry.field(
        default=None,
        description="Origin of the page that embeds or opens the connect page and is posted the code; one of the"
        " organization's allowedOrigins.",
    )
    connection_id: strawberry.ID | None = strawberry.field(
        default=None, description="The connection whose credentials are renewed; it keeps its id, history and mappings."
    )
    historical_period_days: int | None = strawberry.field(
        default=None, description="How far back the first sync of a new connection reads documents; 90 by default."
    )
    tags: list[str] | None = strawberry.field(default=None, description="Labels of a new connection.")
    metadata: JSON | None = strawberry.field(default=None, description="What is kept with a new connection.")


@strawberry.type(description="A new connect session, and the only appearance of its link.")
class CreateConnectSessionPayload:
    """A new connect session, and the only appearance of its link."""

    connect_session_id: strawberry.ID | None = strawberry.field(
        default=None, description="Its id, which comes back with the code."
    )
    url: str | None = strawberry.field(
        default=None, description="The link for the customer's browser; it opens once, within 30 minutes."
    )
    expires_at: datetime | None = strawberry.field(default=None, description="When it ends, UTC.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why none was made.")


@strawberry.input(description="The code that the connect page gave out.")
class ExchangeConnectCodeInput:
    """The code that the connect page gave out."""

    code: str = strawberry.field(description="The code; it works once, within five minutes.")


@strawberry.type
class SessionMutations:
    """Mutations of the connect module."""

    @strawberry.mutation(
        description="Make a link by which a customer connects a system, or renews a connection's credentials, in the"
        " browser. Needs an organization key with the scope ADMIN."
    )
    async def create_connect_session(
        self,
        info: ApiInfo,
        input: Annotated[CreateConnectSessionInput, GIVEN],  # noqa: A002
    ) -> CreateConnectSessionPayload:
        """Make a connect session."""
        context = info.context
        context.who.require_organization(TokenScope.ADMIN)
        made, problems = await context.services.portal.create(context.who.scope, _request(input))
        if made is None:
            return CreateConnectSessionPayload(user_errors=[user_error(each) for each in problems])
        key = encode_id("ConnectSession", made.session_id)
        return CreateConnectSessionPayload(
            connect_session_id=strawberry.ID(key),
            url=f"{context.public_url}/connect/{key}#{made.secret}",
            expires_at=made.expires_at,
        )

    @strawberry.mutation(
        description="Trade a connect page's code for the connection's token: only now is the system connected, or the"
        " connection renewed. Needs an organization key with the scope ADMIN."
    )
    async def exchange_connect_code(
        self,
        info: ApiInfo,
        input: Annotated[ExchangeConnectCodeInput, GIVEN],  # noqa: A002
    ) -> ConnectSystemPayload:
        """Trade a code for a token."""
        context = info.context
        context.who.require_organization(TokenScope.ADMIN)
        connected, problems = await context.services.portal.exchange(context.who.scope, input.code)
        if connected is None:
            return ConnectSystemPayload(user_errors=[user_error(each) for each in problems])
        read: Any = Read("ConnectedSystem", one=connected.connection_id)
        return ConnectSystemPayload(connection=read, token=connected.token)


def _request(asked: CreateConnectSessionInput) -> SessionRequest:
    settings: dict[str, Any] = {
        "historical_period_days": asked.historical_period_days,
        "tags": asked.tags,
        "metadata": json_object(asked.metadata, "metadata") if asked.metadata is not None else None,
    }
    settings = {name: value for name, value in settings.items() if value is not None}
    if asked.connection_id is not None and (settings or asked.customer is not None or asked.systems):
        raise bad_input("connectionId says whose system it is; leave out customer, systems and settings.")
    return SessionRequest(
        customer={"ref": asked.customer.ref, "name": asked.customer.name} if asked.customer is not None else None,
        systems=tuple(asked.systems or ()),
        redirect_uri=asked.redirect_uri,
        origin=asked.origin,
        connection_id=decode_id(asked.connection_id, type_name="ConnectedSystem")[1] if asked.connection_id else None,
        settings=settings,
    )
