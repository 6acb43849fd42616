"""Purchase orders."""

import strawberry

from db.models.purchasing import purchase_order as stored
from graph.entity import entity
from graph.lists import relay
from graph.types.items import Item
from graph.types.node import Node
from graph.types.parties import Vendor
from graph.types.systems import ConnectedSystem


@entity(stored.PurchaseOrderLine)
class PurchaseOrderLine:
    """One line of a purchase order."""

    item: Item | None = strawberry.field(description="What it orders, where the source knows it as an item.")


@entity(stored.PurchaseOrder)
class PurchaseOrder(Node):
    """A purchase order as every system's orders are told."""

    connection: ConnectedSystem = strawberry.field(description="The connection it came from.")
    vendor: Vendor | None = strawberry.field(description="Who it was placed with.")
    lines: list[PurchaseOrderLine] = strawberry.field(description="Its lines, in the source's order.")


PurchaseOrderConnection = relay("PurchaseOrder", PurchaseOrder)
