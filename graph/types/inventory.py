"""Inventory levels."""

import strawberry

from db.models.inventory import inventory_level as stored
from graph.entity import entity
from graph.lists import relay
from graph.types.items import Item
from graph.types.node import Node
from graph.types.systems import ConnectedSystem


@entity(stored.InventoryLevel)
class InventoryLevel(Node):
    """How much of an item lies at one place."""

    connection: ConnectedSystem = strawberry.field(description="The connection it came from.")
    item: Item | None = strawberry.field(description="What lies there.")


InventoryLevelConnection = relay("InventoryLevel", InventoryLevel)
