"""Work orders."""

import strawberry

from db.models.maintenance import work_order as stored
from graph.entity import entity
from graph.lists import relay
from graph.types.node import Node
from graph.types.parties import Vendor
from graph.types.systems import ConnectedSystem


@entity(stored.WorkOrder)
class WorkOrder(Node):
    """A work order as every system's maintenance and production orders are told."""

    connection: ConnectedSystem = strawberry.field(description="The connection it came from.")
    parent: "WorkOrder | None" = strawberry.field(description="The order it is a part of.")
    vendor: Vendor | None = strawberry.field(description="Who does the work, when a vendor does.")


WorkOrderConnection = relay("WorkOrder", WorkOrder)
