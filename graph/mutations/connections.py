"""Connecting systems, changing connections, asking for syncs."""

from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from db.models.organization import TokenScope
from db.models.sync import SyncMode
from db.types import Entity, ErrorCode, decode_id
from graph.context import ApiInfo, Context, Read
from graph.entity import enumeration
from graph.errors import ApiError, bad_input
from graph.inputs import GIVEN, UserError, given, json_object, user_error
from graph.types.sync import SyncRun
from graph.types.systems import ConnectedSystem
from jobs.connect import ConnectRequest


@strawberry.input(description="The organization's own customer behind a connection.")
class CustomerInput:
    """The organization's own customer behind a connection."""

    ref: str = strawberry.field(description="The organization's own key of the customer.")
    name: str = strawberry.field(description="The customer's name.")


@strawberry.input(description="What to connect.")
class ConnectSystemInput:
    """What to connect."""

    system: str = strawberry.field(description="Slug of the system, from `systems`.")
    credentials: JSON = strawberry.field(description="The values of the system's credentialForm.")
    customer: CustomerInput = strawberry.field(description="Whose system it is.")
    base_url: str | None = strawberry.field(
        default=None, description="Address of the source, if not among the credentials."
    )
    historical_period_days: int = strawberry.field(
        default=90, description="How far back the first sync reads documents."
    )
    write_defaults: JSON | None = strawberry.field(
        default=None, description="The values of the system's writeDefaultsForm."
    )
    tags: list[str] | None = strawberry.field(default=None, description="Labels of yours.")
    metadata: JSON | None = strawberry.field(default=None, description="Anything you want kept with it.")


@strawberry.type(description="A new connection, and the only appearance of its token.")
class ConnectSystemPayload:
    """A new connection, and the only appearance of its token."""

    connection: ConnectedSystem | None = strawberry.field(default=None, description="The connection.")
    token: str | None = strawberry.field(
        default=None, description="Its bearer token; keep it now, it is never shown again."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was connected.")


@strawberry.input(description="When one entity of a connection syncs.")
class ScheduleInput:
    """When one entity of a connection syncs."""

    entity: enumeration(Entity) = strawberry.field(description="The entity.")  # type: ignore[valid-type]
    every_minutes: int | None = strawberry.field(default=None, description="Minutes between scheduled runs.")
    paused: bool | None = strawberry.field(default=None, description="Whether it rests.")


@strawberry.input(description="What to change of a connection; what is left out stays.")
class UpdateConnectionInput:
    """What to change of a connection."""

    connection_id: strawberry.ID = strawberry.field(description="The connection.")
    schedules: list[ScheduleInput] | None = strawberry.field(default=strawberry.UNSET, description="Schedules.")
    historical_period_days: int | None = strawberry.field(
        default=strawberry.UNSET, description="How far back full syncs read documents."
    )
    paused: bool | None = strawberry.field(default=strawberry.UNSET, description="Whether all of it rests.")
    write_defaults: JSON | None = strawberry.field(
        default=strawberry.UNSET, description="The values of the system's writeDefaultsForm."
    )
    customer: CustomerInput | None = strawberry.field(default=strawberry.UNSET, description="Whose system it is.")
    tags: list[str] | None = strawberry.field(default=strawberry.UNSET, description="Labels of yours.")
    metadata: JSON | None = strawberry.field(default=strawberry.UNSET, description="Anything you want kept with it.")


@strawberry.type(description="The changed connection.")
class UpdateConnectionPayload:
    """The changed connection."""

    connection: ConnectedSystem | None = strawberry.field(default=None, description="The connection as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.input(description="What to sync.")
class TriggerSyncInput:
    """What to sync."""

    connection_id: strawberry.ID | None = strawberry.field(
        default=None, description="The connection; a connection token implies it."
    )
    entities: list[enumeration(Entity)] | None = strawberry.field(  # type: ignore[valid-type]
        default=None, description="What to read; everything by default."
    )
    mode: enumeration(SyncMode) = strawberry.field(  # type: ignore[valid-type]
        default=SyncMode.INCREMENTAL,
        description="How much to read: FULL ignores the checkpoint and reads the whole historical period.",
    )


@strawberry.type(description="The runs that were asked for; open ones are given instead of second ones.")
class TriggerSyncPayload:
    """The runs that were asked for."""

    sync_runs: list[SyncRun] = strawberry.field(default_factory=list, description="The runs.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why none was started.")


def connection_of(context: Context, named: strawberry.ID | None) -> UUID:
    """Give the connection that an input names, or that the token implies.

    Raises:
        ApiError: BAD_USER_INPUT where neither does, NOT_FOUND where the token is held to another.
    """
    own = context.who.scope.connection_id
    if named is None and own is None:
        raise bad_input("connectionId is needed: an organization key implies no connection.")
    asked = decode_id(named, type_name="ConnectedSystem")[1] if named is not None else own
    if asked is None or own not in (None, asked):
        raise ApiError(ErrorCode.NOT_FOUND, "There is no such connection.")
    return asked


@strawberry.type
class ConnectionMutations:
    """Mutations of connections."""

    @strawberry.mutation(
        description="Connect a system: its credentials are checked against it first, and nothing is stored on failure."
    )
    async def connect_system(
        self,
        info: ApiInfo,
        input: Annotated[ConnectSystemInput, GIVEN],  # noqa: A002
    ) -> ConnectSystemPayload:
        """Connect a system."""
        context = info.context
        context.who.require_organization(TokenScope.ADMIN)
        request = ConnectRequest(
            system=input.system,
            credentials=json_object(input.credentials, "credentials"),
            customer_ref=input.customer.ref,
            customer_name=input.customer.name,
            base_url=input.base_url,
            historical_period_days=input.historical_period_days,
            write_defaults=json_object(input.write_defaults, "writeDefaults"),
            tags=tuple(input.tags or ()),
            metadata=json_object(input.metadata, "metadata"),
        )
        connected, problems = await context.services.connect.connect(context.who.scope, request)
        if connected is None:
            return ConnectSystemPayload(user_errors=[user_error(each) for each in problems])
        read: Any = Read("ConnectedSystem", one=connected.connection_id)
        return ConnectSystemPayload(connection=read, token=connected.token)

    @strawberry.mutation(description="Change a connection's settings: all that is given, or nothing.")
    async def update_connection(
        self,
        info: ApiInfo,
        input: Annotated[UpdateConnectionInput, GIVEN],  # noqa: A002
    ) -> UpdateConnectionPayload:
        """Change a connection."""
        context = info.context
        context.who.require(TokenScope.WRITE)
        connection_id = connection_of(context, input.connection_id)
        values = given(input)
        values.pop("connection_id")
        schedules = tuple(values.pop("schedules", None) or ())
        nulls = [name for name, value in values.items() if value is None]
        if nulls:
            raise bad_input(f"{', '.join(nulls)} must not be null; leave out what stays.")
        for name in ("write_defaults", "metadata"):
            json_object(values.get(name), name)
        problems = await context.services.connect.update(context.who.scope, connection_id, values, schedules)
        if problems:
            return UpdateConnectionPayload(user_errors=[user_error(each) for each in problems])
        read: Any = Read("ConnectedSystem", one=connection_id)
        return UpdateConnectionPayload(connection=read)

    @strawberry.mutation(
        description="Ask for a sync now. While a run of the entity is open that reads as much, that one is given; a"
        " FULL one asked for while an INCREMENTAL one works is QUEUED behind it."
    )
    async def trigger_sync(self, info: ApiInfo, input: Annotated[TriggerSyncInput, GIVEN]) -> TriggerSyncPayload:  # noqa: A002
        """Ask for a sync."""
        context = info.context
        context.who.require(TokenScope.WRITE)
        connection_id = connection_of(context, input.connection_id)
        entities = tuple(Entity(each) for each in input.entities) if input.entities is not None else None
        runs, problems = await context.services.connect.trigger(
            context.who.scope, connection_id, entities, SyncMode(input.mode)
        )
        told: Any = [Read("SyncRun", one=run) for run in runs]
        return TriggerSyncPayload(sync_runs=told, user_errors=[user_error(each) for each in problems])
