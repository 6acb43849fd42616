"""Sync runs."""

import strawberry

from db.models import sync as stored
from graph.entity import entity
from graph.lists import relay
from graph.types.node import Node
from graph.types.systems import ConnectedSystem


@entity(stored.SyncRun)
class SyncRun(Node):
    """One execution over one entity of a connection."""

    connection: ConnectedSystem = strawberry.field(description="Whose it is.")


SyncRunConnection = relay("SyncRun", SyncRun)
