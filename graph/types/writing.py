"""Write operations."""

import strawberry

from db.models import write as stored
from graph.entity import entity
from graph.inputs import UserError
from graph.lists import relay
from graph.types.inventory import InventoryLevel
from graph.types.maintenance import WorkOrder
from graph.types.node import Node
from graph.types.parties import Vendor
from graph.types.purchasing import PurchaseOrder
from graph.types.systems import ConnectedSystem


@entity(stored.WriteOperation)
class WriteOperation(Node):
    """A caller's change on its way to the source."""

    connection: ConnectedSystem = strawberry.field(description="Where it goes.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused, by field.")
    purchase_order: PurchaseOrder | None = strawberry.field(description="The order that it made or changed.")
    work_order: WorkOrder | None = strawberry.field(description="The work order that it made or changed.")
    vendor: Vendor | None = strawberry.field(description="The vendor that it made or changed.")
    inventory_level: InventoryLevel | None = strawberry.field(description="The level that it adjusted.")


WriteOperationConnection = relay("WriteOperation", WriteOperation)
