"""Inventory levels and locations."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from db.models.inventory import inventory_level as stored
from db.models.inventory import location as stored_location
from graph.entity import entity
from graph.lists import list_field, relay
from graph.types.items import Item
from graph.types.node import Node
from graph.types.systems import ConnectedSystem

if TYPE_CHECKING:
    AssetConnection = Any
    Locations = Any
else:
    AssetConnection = Annotated["AssetConnection", strawberry.lazy("graph.types.maintenance")]
    Locations = Annotated["LocationConnection", strawberry.lazy("graph.types.inventory")]


@entity(stored.InventoryLevel)
class InventoryLevel(Node):
    """How much of an item lies at one place."""

    connection: ConnectedSystem = strawberry.field(description="The connection it came from.")
    item: Item | None = strawberry.field(description="What lies there.")


@entity(stored_location.Location)
class Location(Node):
    """A place where stock lies, or where assets stand and work is done."""

    connection: ConnectedSystem = strawberry.field(description="The connection it came from.")
    parent: "Location | None" = strawberry.field(description="The location it is a part of.")
    locations: Locations = list_field("Location", Locations, "The locations that are a part of it.")
    assets: AssetConnection = list_field("Asset", AssetConnection, "What stands there.")


InventoryLevelConnection = relay("InventoryLevel", InventoryLevel)
LocationConnection = relay("Location", Location)
