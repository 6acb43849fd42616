"""Connections that change for good: new credentials, a live check, the end."""

from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from db.models.organization import TokenScope
from db.types import Entity
from graph.context import ApiInfo, Read
from graph.entity import enumeration
from graph.inputs import GIVEN, UserError, json_object, user_error
from graph.mutations.connections import ConnectSystemPayload, connection_of
from graph.types.systems import ConnectedSystem


@strawberry.input(description="New credentials of a connection.")
class ReauthorizeConnectionInput:
    """New credentials of a connection."""

    connection_id: strawberry.ID = strawberry.field(description="The connection.")
    credentials: JSON = strawberry.field(
        description="The values of the system's credentialForm. Those that tell which source it is may be left out, and"
        " cannot change."
    )


@strawberry.input(description="What to check.")
class CheckConnectionInput:
    """What to check."""

    connection_id: strawberry.ID | None = strawberry.field(
        default=None, description="The connection; a connection token implies it."
    )


@strawberry.type(description="An entity that the credentials may not read.")
class RefusedEntity:
    """An entity that the credentials may not read."""

    entity: enumeration(Entity) = strawberry.field(description="The entity.")  # type: ignore[valid-type]
    reason: str = strawberry.field(description="The source's reason.")


@strawberry.type(description="What the source answered.")
class CheckConnectionPayload:
    """What the source answered."""

    connection: ConnectedSystem | None = strawberry.field(default=None, description="The connection as it is now.")
    facts: JSON | None = strawberry.field(
        default=None, description="What the source tells of itself: version, company, user; nothing secret."
    )
    refused: list[RefusedEntity] = strawberry.field(
        default_factory=list, description="Entities that the credentials may not read."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why the source does not work.")


@strawberry.input(description="What to disconnect.")
class DisconnectInput:
    """What to disconnect."""

    connection_id: strawberry.ID = strawberry.field(description="The connection.")


@strawberry.type(description="The ended connection.")
class DisconnectPayload:
    """The ended connection."""

    connection: ConnectedSystem | None = strawberry.field(default=None, description="The connection as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was not disconnected.")


@strawberry.input(description="Whose data to delete.")
class DeleteConnectionDataInput:
    """Whose data to delete."""

    connection_id: strawberry.ID = strawberry.field(description="A disconnected connection.")
    confirm: str = strawberry.field(description="The name of its customer, to be sure that it is the one.")


@strawberry.type(description="Rows that outlive their connection.")
class RemainingData:
    """Rows that outlive their connection."""

    table: str = strawberry.field(description="Where they are kept.")
    rows: int = strawberry.field(description="How many they are.")
    reason: str = strawberry.field(description="Why they stay.")


@strawberry.type(description="How far the deletion came.")
class DeleteConnectionDataPayload:
    """How far the deletion came."""

    done: bool = strawberry.field(
        default=False, description="Nothing is left but `remaining`; otherwise workers go on until it is so."
    )
    deleted_rows: int = strawberry.field(default=0, description="Rows that went by now.")
    remaining: list[RemainingData] = strawberry.field(default_factory=list, description="What stays for good.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was deleted.")


@strawberry.type
class EndingMutations:
    """Mutations that renew or end connections."""

    @strawberry.mutation(
        description="Put new credentials in the place of a connection's, once the source takes them. The connection"
        " keeps its id, history and mappings, and gets a new token; the one before stays dead. Needs an organization"
        " key with the scope ADMIN."
    )
    async def reauthorize_connection(
        self,
        info: ApiInfo,
        input: Annotated[ReauthorizeConnectionInput, GIVEN],  # noqa: A002
    ) -> ConnectSystemPayload:
        """Reauthorize a connection."""
        context = info.context
        context.who.require_organization(TokenScope.ADMIN)
        connection_id = connection_of(context, input.connection_id)
        given = json_object(input.credentials, "credentials")
        connected, problems = await context.services.connect.reauthorize(context.who.scope, connection_id, given)
        if connected is None:
            return ConnectSystemPayload(user_errors=[user_error(each) for each in problems])
        read: Any = Read("ConnectedSystem", one=connection_id)
        return ConnectSystemPayload(connection=read, token=connected.token)

    @strawberry.mutation(
        description="Ask the connection's source whether it works: its address, credentials and rights. Success and"
        " failure are recorded in the connection's health and status."
    )
    async def check_connection(
        self,
        info: ApiInfo,
        input: Annotated[CheckConnectionInput, GIVEN],  # noqa: A002
    ) -> CheckConnectionPayload:
        """Check a connection."""
        context = info.context
        context.who.require(TokenScope.WRITE)
        connection_id = connection_of(context, input.connection_id)
        checked, problems = await context.services.connect.check(context.who.scope, connection_id)
        read: Any = Read("ConnectedSystem", one=connection_id)
        if checked is None:
            return CheckConnectionPayload(connection=read, user_errors=[user_error(each) for each in problems])
        refused = [RefusedEntity(entity=entity, reason=reason) for entity, reason in checked.refused.items()]
        return CheckConnectionPayload(connection=read, facts=JSON(checked.facts), refused=refused)

    @strawberry.mutation(
        description="End a connection: its token is refused from the reply on, sockets and running syncs stop,"
        " schedules end, credentials are destroyed and credits returned. Its data stays readable with an organization"
        " key until deleteConnectionData. Needs an organization key with the scope ADMIN."
    )
    async def disconnect(
        self,
        info: ApiInfo,
        input: Annotated[DisconnectInput, GIVEN],  # noqa: A002
    ) -> DisconnectPayload:
        """Disconnect."""
        context = info.context
        context.who.require_organization(TokenScope.ADMIN)
        connection_id = connection_of(context, input.connection_id)
        problems = await context.services.disconnect.disconnect(context.who.scope, connection_id)
        if problems:
            return DisconnectPayload(user_errors=[user_error(each) for each in problems])
        read: Any = Read("ConnectedSystem", one=connection_id)
        return DisconnectPayload(connection=read)

    @strawberry.mutation(
        description="Delete all that a disconnected connection left, itself included: records, history, raw documents,"
        " runs, events, errors. It cannot be undone. Needs an organization key with the scope ADMIN."
    )
    async def delete_connection_data(
        self,
        info: ApiInfo,
        input: Annotated[DeleteConnectionDataInput, GIVEN],  # noqa: A002
    ) -> DeleteConnectionDataPayload:
        """Delete a connection's data."""
        context = info.context
        context.who.require_organization(TokenScope.ADMIN)
        connection_id = connection_of(context, input.connection_id)
        deletion, problems = await context.services.disconnect.delete_data(
            context.who.scope, connection_id, confirm=input.confirm
        )
        if deletion is None:
            return DeleteConnectionDataPayload(user_errors=[user_error(each) for each in problems])
        return DeleteConnectionDataPayload(
            done=deletion.done,
            deleted_rows=deletion.deleted,
            remaining=[RemainingData(table=each.table, rows=each.rows, reason=each.why) for each in deletion.remains],
        )
