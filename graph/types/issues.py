"""Connection errors and the issues that group them."""

import strawberry

from db.models import health as stored
from graph.entity import entity
from graph.lists import relay
from graph.types.node import Node
from graph.types.sync import SyncRun
from graph.types.systems import ConnectedSystem
from graph.types.writing import WriteOperation


@entity(stored.Issue)
class Issue(Node):
    """An open group of like connection errors, until what it touches works again."""

    connection: ConnectedSystem = strawberry.field(description="Whose it is.")


@entity(stored.ConnectionError)
class ConnectionError(Node):  # noqa: A001  (the name in the API)
    """One failure of a source, kept apart from other logs."""

    connection: ConnectedSystem = strawberry.field(description="Whose it is.")
    issue: Issue | None = strawberry.field(description="The issue that groups it.")
    sync_run: SyncRun | None = strawberry.field(description="The run that met it.")
    write_operation: WriteOperation | None = strawberry.field(description="The write that met it.")


IssueConnection = relay("Issue", Issue)
ConnectionErrorConnection = relay("ConnectionError", ConnectionError)
