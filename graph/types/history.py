"""Versions of records."""

import strawberry

from db.models import history as stored
from graph.entity import entity
from graph.lists import relay
from graph.types.node import Node
from graph.types.sync import SyncRun
from graph.types.systems import ConnectedSystem
from graph.types.writing import WriteOperation


@entity(stored.RecordVersion)
class RecordVersion:
    """One version of a record: when and why it began, and what changed with it."""

    connection: ConnectedSystem = strawberry.field(description="The connection the record came from.")
    sync_run: SyncRun | None = strawberry.field(
        description="The run that brought it; null for a write, and once the run is forgotten."
    )
    write_operation: WriteOperation | None = strawberry.field(description="The write that brought it.")
    record: Node | None = strawberry.field(description="The record as it is now.")


RecordVersionConnection = relay("RecordVersion", RecordVersion)
