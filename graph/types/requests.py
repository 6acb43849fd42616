"""The request log."""

import strawberry

from db.models import request as stored
from graph.entity import entity
from graph.lists import relay
from graph.types.systems import ConnectedSystem


@entity(stored.RequestLog)
class RequestLog:
    """One request of the organization's tokens, and how it ended."""

    connection: ConnectedSystem | None = strawberry.field(
        description="The connection of the token; null for an organization key."
    )


RequestLogConnection = relay("RequestLog", RequestLog)
