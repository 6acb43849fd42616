"""Bearer tokens and credits: what an organization's keys and connections may do, and what they cost."""

import strawberry

from db.models import organization as stored
from graph.entity import entity
from graph.lists import relay
from graph.types.node import Node
from graph.types.systems import ConnectedSystem


@entity(stored.ApiKey)
class ApiKey(Node):
    """A bearer token as it is kept: of the text itself, only the hash and the last four characters."""

    connection: ConnectedSystem | None = strawberry.field(
        description="The only connection it opens; null for an organization key, and once its data is gone."
    )


@entity(stored.CreditEntry)
class CreditEntry(Node):
    """Credits that a connection took from the organization's pool, or gave back."""

    connection: ConnectedSystem | None = strawberry.field(
        description="The connection; null once its data was deleted, while the entry stays."
    )


ApiKeyConnection = relay("ApiKey", ApiKey)
CreditEntryConnection = relay("CreditEntry", CreditEntry)
