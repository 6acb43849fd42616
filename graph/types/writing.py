"""Write operations."""

import strawberry

from db.models import write as stored
from graph.entity import entity
from graph.lists import relay
from graph.types.node import Node
from graph.types.systems import ConnectedSystem


@entity(stored.WriteOperation)
class WriteOperation(Node):
    """A caller's change on its way to the source."""

    connection: ConnectedSystem = strawberry.field(description="Where it goes.")


WriteOperationConnection = relay("WriteOperation", WriteOperation)
