"""Work orders and assets."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from db.models.maintenance import asset as stored_asset
from db.models.maintenance import work_order as stored
from graph.entity import entity
from graph.lists import list_field, relay
from graph.types.inventory import Location
from graph.types.node import Node
from graph.types.parties import Vendor
from graph.types.systems import ConnectedSystem

if TYPE_CHECKING:
    WorkOrders = Any
else:
    WorkOrders = Annotated["WorkOrderConnection", strawberry.lazy("graph.types.maintenance")]


@entity(stored_asset.Asset)
class Asset(Node):
    """A machine, vehicle, building or part of one that is maintained."""

    connection: ConnectedSystem = strawberry.field(description="The connection it came from.")
    location: Location | None = strawberry.field(description="Where it stands.")
    parent: "Asset | None" = strawberry.field(description="The asset it is a part of.")
    vendor: Vendor | None = strawberry.field(description="Who it was bought from.")
    work_orders: WorkOrders = list_field("WorkOrder", WorkOrders, "Work on it, done and to be done.")


@entity(stored.WorkOrder)
class WorkOrder(Node):
    """A work order as every system's maintenance and production orders are told."""

    connection: ConnectedSystem = strawberry.field(description="The connection it came from.")
    asset: Asset | None = strawberry.field(description="What is worked on.")
    location: Location | None = strawberry.field(description="Where the work is done.")
    parent: "WorkOrder | None" = strawberry.field(description="The order it is a part of.")
    vendor: Vendor | None = strawberry.field(description="Who does the work, when a vendor does.")


AssetConnection = relay("Asset", Asset)
WorkOrderConnection = relay("WorkOrder", WorkOrder)
