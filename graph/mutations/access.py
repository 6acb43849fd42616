"""Bearer tokens: keys of the organization, and tokens of its connections."""

from datetime import UTC, datetime
from typing import Annotated, Any

import strawberry

from db.models.organization import TokenScope
from db.types import ErrorCode, Problem, decode_id
from graph.context import ApiInfo, Read
from graph.entity import enumeration
from graph.inputs import GIVEN, UserError, user_error
from graph.mutations.connections import ConnectSystemPayload, connection_of
from graph.types.access import ApiKey


@strawberry.input(description="What key to make.")
class CreateApiKeyInput:
    """What key to make."""

    name: str = strawberry.field(description="What people call it, 1 to 255 characters.")
    scope: enumeration(TokenScope) = strawberry.field(  # type: ignore[valid-type]
        description="What it may do; each scope includes the ones before it."
    )
    api_version: str | None = strawberry.field(
        default=None,
        description="The version of the API that its requests get, where they name none; the newest stable one by"
        " default.",
    )


@strawberry.input(description="Which key to rotate.")
class RotateApiKeyInput:
    """Which key to rotate."""

    api_key_id: strawberry.ID = strawberry.field(description="A live key of the organization.")


@strawberry.input(description="Which key to revoke.")
class RevokeApiKeyInput:
    """Which key to revoke."""

    api_key_id: strawberry.ID = strawberry.field(description="A key of the organization, or a connection's token.")


@strawberry.input(description="Whose token to rotate.")
class RotateConnectionTokenInput:
    """Whose token to rotate."""

    connection_id: strawberry.ID = strawberry.field(description="The connection.")


@strawberry.type(description="A new key, and the only appearance of its text.")
class IssueApiKeyPayload:
    """A new key, and the only appearance of its text."""

    api_key: ApiKey | None = strawberry.field(default=None, description="What is kept of it.")
    token: str | None = strawberry.field(
        default=None, description="The bearer token; keep it now, it is never shown again."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why none was made.")


@strawberry.type(description="The revoked key.")
class RevokeApiKeyPayload:
    """The revoked key."""

    api_key: ApiKey | None = strawberry.field(default=None, description="The key as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was not revoked.")


@strawberry.type
class AccessMutations:
    """Mutations of bearer tokens."""

    @strawberry.mutation(description="Make a key of the organization. Needs the scope ADMIN.")
    async def create_api_key(
        self,
        info: ApiInfo,
        input: Annotated[CreateApiKeyInput, GIVEN],  # noqa: A002
    ) -> IssueApiKeyPayload:
        """Make a key."""
        who = info.context.who
        who.require_organization(TokenScope.ADMIN)
        version = input.api_version
        problem = info.context.services.versions.problem(version, datetime.now(UTC)) if version is not None else None
        if problem is not None:
            return _issued(None, [Problem(ErrorCode.BAD_USER_INPUT, problem, ("apiVersion",))])
        issued, problems = await info.context.services.access.create_key(
            who.scope, name=input.name, may=TokenScope(input.scope), api_version=version
        )
        return _issued(issued, problems)

    @strawberry.mutation(
        description="Make a key in the place of another, with its name and scope; the other is refused from now on."
        " Needs the scope ADMIN."
    )
    async def rotate_api_key(
        self,
        info: ApiInfo,
        input: Annotated[RotateApiKeyInput, GIVEN],  # noqa: A002
    ) -> IssueApiKeyPayload:
        """Rotate a key."""
        who = info.context.who
        who.require_organization(TokenScope.ADMIN)
        key_id = decode_id(input.api_key_id, type_name="ApiKey")[1]
        issued, problems = await info.context.services.access.rotate_key(who.scope, key_id)
        return _issued(issued, problems)

    @strawberry.mutation(
        description="End a key, or a connection's token: it is refused from now on. Needs the scope ADMIN."
    )
    async def revoke_api_key(
        self,
        info: ApiInfo,
        input: Annotated[RevokeApiKeyInput, GIVEN],  # noqa: A002
    ) -> RevokeApiKeyPayload:
        """Revoke a key."""
        who = info.context.who
        who.require_organization(TokenScope.ADMIN)
        key_id = decode_id(input.api_key_id, type_name="ApiKey")[1]
        problems = await info.context.services.access.revoke_key(who.scope, key_id)
        if problems:
            return RevokeApiKeyPayload(user_errors=[user_error(each) for each in problems])
        read: Any = Read("ApiKey", one=key_id)
        return RevokeApiKeyPayload(api_key=read)

    @strawberry.mutation(
        description="Give a connection a new token; the one before is refused from now on, and its sockets are closed."
        " Needs an organization key with the scope ADMIN."
    )
    async def rotate_connection_token(
        self,
        info: ApiInfo,
        input: Annotated[RotateConnectionTokenInput, GIVEN],  # noqa: A002
    ) -> ConnectSystemPayload:
        """Rotate a connection's token."""
        context = info.context
        context.who.require_organization(TokenScope.ADMIN)
        connection_id = connection_of(context, input.connection_id)
        issued, problems = await context.services.access.rotate_connection(context.who.scope, connection_id)
        if issued is None:
            return ConnectSystemPayload(user_errors=[user_error(each) for each in problems])
        read: Any = Read("ConnectedSystem", one=connection_id)
        return ConnectSystemPayload(connection=read, token=issued.token)


def _issued(issued: Any, problems: list[Any]) -> IssueApiKeyPayload:
    if issued is None:
        return IssueApiKeyPayload(user_errors=[user_error(each) for each in problems])
    read: Any = Read("ApiKey", one=issued.token_id)
    return IssueApiKeyPayload(api_key=read, token=issued.token)
