"""Sync runs."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from db.models import sync as stored
from graph.entity import entity
from graph.lists import list_field, relay
from graph.types.node import Node
from graph.types.systems import ConnectedSystem

if TYPE_CHECKING:
    RecordVersionConnection = Any
else:
    RecordVersionConnection = Annotated["RecordVersionConnection", strawberry.lazy("graph.types.history")]


@entity(stored.SyncRun)
class SyncRun(Node):
    """One execution over one entity of a connection."""

    connection: ConnectedSystem = strawberry.field(description="Whose it is.")
    changes: RecordVersionConnection = list_field(
        "RecordVersion", RecordVersionConnection, "The records that it made, changed or found gone, and their fields."
    )


@entity(stored.RawItem)
class RawItem:
    """The raw document of a record, with where it came from."""

    connection: ConnectedSystem = strawberry.field(description="The connection it came from.")
    sync_run: SyncRun | None = strawberry.field(
        description="The run that read it; null for a read-back after a write, and once the run is forgotten."
    )


@entity(stored.QuarantinedItem)
class QuarantinedItem:
    """An item that could not be mapped, kept whole with the reason."""

    connection: ConnectedSystem = strawberry.field(description="The connection it came from.")
    sync_run: SyncRun | None = strawberry.field(description="The run that met it; null once it is forgotten.")


SyncRunConnection = relay("SyncRun", SyncRun)
QuarantinedItemConnection = relay("QuarantinedItem", QuarantinedItem)
