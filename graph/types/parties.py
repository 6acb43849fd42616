"""Vendors."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from db.models.parties import vendor as stored
from graph.entity import entity
from graph.lists import list_field, relay
from graph.types.node import Node
from graph.types.systems import ConnectedSystem

if TYPE_CHECKING:
    PurchaseOrderConnection = Any
else:
    PurchaseOrderConnection = Annotated["PurchaseOrderConnection", strawberry.lazy("graph.types.purchasing")]


@entity(stored.Vendor)
class Vendor(Node):
    """A vendor (supplier) as every system's vendors are told."""

    connection: ConnectedSystem = strawberry.field(description="The connection it came from.")
    purchase_orders: PurchaseOrderConnection = list_field(
        "PurchaseOrder", PurchaseOrderConnection, "Orders placed with it."
    )


VendorConnection = relay("Vendor", Vendor)
