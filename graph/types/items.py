"""Items."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from db.models.items import item as stored
from graph.entity import entity
from graph.lists import list_field, relay
from graph.types.node import Node
from graph.types.systems import ConnectedSystem

if TYPE_CHECKING:
    InventoryLevelConnection = Any
else:
    InventoryLevelConnection = Annotated["InventoryLevelConnection", strawberry.lazy("graph.types.inventory")]


@entity(stored.Item)
class Item(Node):
    """An item as every system's materials and products are told."""

    connection: ConnectedSystem = strawberry.field(description="The connection it came from.")
    inventory_levels: InventoryLevelConnection = list_field(
        "InventoryLevel", InventoryLevelConnection, "How much of it lies where."
    )


ItemConnection = relay("Item", Item)
