"""Subscriptions: committed changes as they come, over graphql-transport-ws."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import strawberry

from db.models.connection import ConnectionStatus
from db.models.registry import SPECS
from db.scope import Scope
from db.statuses import STATUS_CHANGED
from db.types import Entity, ErrorCode, decode_id, encode_id
from graph.context import ApiInfo, Context, Read
from graph.entity import enumeration
from graph.errors import ApiError, bad_input, refusal_of
from graph.mutations.connections import connection_of
from graph.mutations.webhooks import sequence_of
from graph.selection import no_connection
from graph.shared import Shared
from graph.types.events import Event
from graph.types.node import Node
from graph.types.sync import SyncRun
from graph.types.systems import ConnectedSystem
from graph.types.writing import WriteOperation
from jobs.channels import Ahead, Expired, Live, NoStream
from jobs.event_types import EVENT_TYPES
from jobs.events import NoRun


@strawberry.type(description="A record that was made, changed or found gone.")
class RecordChange:
    """A record that was made, changed or found gone."""

    sequence: str = strawberry.field(description="Its number in the connection's sequence, without gaps.")
    type: str = strawberry.field(description="What happened, e.g. purchase_order.updated.")
    entity: enumeration(Entity) = strawberry.field(description="What it is.")  # type: ignore[valid-type]
    connection_id: strawberry.ID = strawberry.field(description="Where it is.")
    record_id: strawberry.ID = strawberry.field(description="Which it is.")
    record: Node | None = strawberry.field(description="The record as it is now; null once its data was deleted.")


@strawberry.type(description="A connection that came into another status.")
class ConnectionStatusChange:
    """A connection that came into another status."""

    sequence: str = strawberry.field(description="Its number in the connection's sequence, without gaps.")
    connection_id: strawberry.ID = strawberry.field(description="Which it is.")
    status: enumeration(ConnectionStatus) = strawberry.field(description="Its status then.")  # type: ignore[valid-type]
    previous_status: enumeration(ConnectionStatus) = strawberry.field(  # type: ignore[valid-type]
        description="Its status before."
    )
    reason: str | None = strawberry.field(description="Why.")
    changed_at: datetime = strawberry.field(description="When, UTC.")
    connection: ConnectedSystem | None = strawberry.field(
        description="The connection as it is now; null once its data was deleted."
    )


OfConnection = Annotated[
    strawberry.ID | None, strawberry.argument(description="Only this connection; all that the token sees otherwise.")
]
OfRun = Annotated[strawberry.ID | None, strawberry.argument(description="Only this run.")]
OfEntity = Annotated[Entity | None, strawberry.argument(description="Only this entity.")]


AfterSequence = Annotated[
    str | None,
    strawberry.argument(
        description="Begin after this number, with what is stored; after what is there now by default. 0 is the"
        " beginning; SEQUENCE_EXPIRED where retention has deleted the next one."
    ),
]
OfTypes = Annotated[
    list[str] | None, strawberry.argument(description="Only these types, of `eventTypes`; all by default.")
]


def _scope(context: Context, connection_id: strawberry.ID | None) -> Scope:
    who = context.who
    if connection_id is None:
        return who.scope
    return who.scope.narrowed(connection_of(context, connection_id))


@strawberry.type(description="Committed changes as they come.")
class Subscription:
    """The root of subscriptions."""

    @strawberry.subscription(
        description="A sync run each time it changes, as it is by then, so that one state may be told twice."
        " A named run is told at once, too."
    )
    async def sync_run_updated(
        self,
        info: ApiInfo,
        connection_id: OfConnection = None,
        sync_run_id: OfRun = None,
    ) -> AsyncIterator[SyncRun]:
        """Follow runs."""
        scope = _scope(info.context, connection_id)
        run_id = decode_id(sync_run_id, type_name="SyncRun")[1] if sync_run_id else None
        with _refusing():
            async for changed in info.context.services.events.follow_runs(scope, run_id=run_id):
                read: Any = Read("SyncRun", one=changed)
                yield read

    @strawberry.subscription(
        description="Write operations as they are settled, or left to people because nobody can tell their outcome."
    )
    async def write_settled(self, info: ApiInfo, connection_id: OfConnection = None) -> AsyncIterator[WriteOperation]:
        """Follow writes."""
        scope = _scope(info.context, connection_id)
        with _refusing():
            async for live in info.context.services.events.channels.follow_all(scope):
                event = live.event
                if event.type != "write.settled":
                    continue
                operation_id = decode_id(event.data["operationId"], type_name="WriteOperation")[1]
                told: Any = Shared(Read("WriteOperation", one=operation_id), live.shared)
                yield told

    @strawberry.subscription(description="Connections as they come into another status.")
    async def connection_status_changed(
        self, info: ApiInfo, connection_id: OfConnection = None
    ) -> AsyncIterator[ConnectionStatusChange]:
        """Follow statuses."""
        scope = _scope(info.context, connection_id)
        with _refusing():
            async for live in info.context.services.events.channels.follow_all(scope):
                event = live.event
                if event.type != STATUS_CHANGED or event.connection_id is None:
                    continue
                connection: Any = Read("ConnectedSystem", one=event.connection_id)
                change = ConnectionStatusChange(
                    sequence=str(event.sequence),
                    connection_id=strawberry.ID(event.data["connectionId"]),
                    status=ConnectionStatus(event.data["status"]),
                    previous_status=ConnectionStatus(event.data["previousStatus"]),
                    reason=event.data["reason"],
                    changed_at=event.created_at,
                    connection=connection,
                )
                told: Any = Shared(change, live.shared)
                yield told

    @strawberry.subscription(description="Records as they are made, changed or found gone.")
    async def record_changed(
        self,
        info: ApiInfo,
        connection_id: OfConnection = None,
        entity: OfEntity = None,
    ) -> AsyncIterator[RecordChange]:
        """Follow records."""
        scope = _scope(info.context, connection_id)
        with _refusing():
            async for live in info.context.services.events.channels.follow_all(scope):
                event = live.event
                if event.entity is None or event.record_id is None or event.connection_id is None:
                    continue
                of = Entity(event.entity)
                if entity is not None and of is not Entity(entity):
                    continue
                type_name = SPECS[of].type_name
                record: Any = Read(type_name, one=event.record_id)
                change = RecordChange(
                    sequence=str(event.sequence),
                    type=event.type,
                    entity=of,
                    connection_id=strawberry.ID(encode_id("ConnectedSystem", event.connection_id)),
                    record_id=strawberry.ID(encode_id(type_name, event.record_id)),
                    record=record,
                )
                told: Any = Shared(change, live.shared)
                yield told

    @strawberry.subscription(
        description="Events of one stream, a connection's or the organization's own, in their sequence: what is stored"
        " behind afterSequence, then what is committed, with no gap and no repeat. Whoever loses the socket comes back"
        " with the last number it has."
    )
    async def events(
        self,
        info: ApiInfo,
        connection_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="The connection; a connection token implies it. Without one: the organization's own stream."
            ),
        ] = None,
        after_sequence: AfterSequence = None,
        types: OfTypes = None,
    ) -> AsyncIterator[Event]:
        """Follow a stream."""
        after, wanted = sequence_of(after_sequence, "afterSequence"), frozenset(types or ())
        unknown = sorted(wanted - set(EVENT_TYPES))
        if unknown:
            raise bad_input(f"{unknown[0][:80]!r} is no type of event; `eventTypes` lists them.")
        scope = _scope(info.context, connection_id)
        with _refusing():
            async for live in info.context.services.events.channels.follow(scope, after=after):
                if not wanted or live.event.type in wanted:
                    told: Any = Shared(_event(live), live.shared)
                    yield told


@contextmanager
def _refusing() -> Iterator[None]:
    """Refuse to follow what is not there, or not the caller's to see, and numbers that are gone or not given yet."""
    try:
        yield
    except NoStream:
        raise no_connection() from None
    except NoRun:
        raise ApiError(ErrorCode.NOT_FOUND, "There is no such run.") from None
    except Expired as expired:
        raise refusal_of("SEQUENCE_EXPIRED", str(expired.oldest)) from None
    except Ahead as ahead:
        raise refusal_of("SEQUENCE_AHEAD", str(ahead.last)) from None


def _event(live: Live) -> Event:
    """Tell an event from memory; what it points at is read where it is asked for."""
    event, of = live.event, Entity(live.event.entity) if live.event.entity else None
    connection: Any = Read("ConnectedSystem", one=event.connection_id) if event.connection_id else None
    record: Any = Read(SPECS[of].type_name, one=event.record_id) if of and event.record_id else None
    record_id = encode_id(SPECS[of].type_name, event.record_id) if of and event.record_id else None
    made: Any = Event
    told: Event = made(
        id=strawberry.ID(encode_id("Event", event.id)),
        sequence=str(event.sequence),
        type=event.type,
        entity=of,
        record_id=strawberry.ID(record_id) if record_id else None,
        version=event.data.get("version") if of else None,
        data=event.data,
        created_at=event.created_at,
        connection=connection,
        record=record,
    )
    return told
