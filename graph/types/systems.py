"""Systems and connections."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from db.models import connection as stored
from db.models import health
from db.models.capability import Capability as Stored
from graph.entity import entity
from graph.lists import relay
from graph.types.node import Node

if TYPE_CHECKING:
    ApiKey = Any
else:
    ApiKey = Annotated["ApiKey", strawberry.lazy("graph.types.access")]


@entity(stored.System)
class System:
    """A kind of source that can be connected."""


@entity(stored.ConnectedEntity)
class ConnectedEntity:
    """One entity of a connection: whether and when it syncs."""


@entity(health.ConnectionHealth)
class ConnectionHealth:
    """How a connection's source fares, as last seen; reading it calls no source."""


@entity(Stored)
class Capability:
    """One operation on one entity of a connection: whether it can be done, and with which fields."""


@entity(stored.ConnectedSystem)
class ConnectedSystem(Node):
    """One customer's connected system."""

    system: System = strawberry.field(description="The kind of source it is.")
    entities: list[ConnectedEntity] = strawberry.field(description="What it syncs, and when.")
    health: ConnectionHealth = strawberry.field(description="How its source fares.")
    tokens: list[ApiKey] = strawberry.field(description="Its bearer tokens, the oldest first, dead ones too.")
    capabilities: list[Capability] = strawberry.field(
        description="What can be read and written, field by field: what the system can, less what the credentials may"
        " not do."
    )


ConnectedSystemConnection = relay("ConnectedSystem", ConnectedSystem)
