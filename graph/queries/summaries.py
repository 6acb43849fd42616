"""Records counted and summed by groups."""

from typing import Any, Final

import strawberry

from graph.summaries import summary_field
from graph.types.inventory import InventoryLevel, Location
from graph.types.items import Item
from graph.types.maintenance import Asset, WorkOrder
from graph.types.parties import Vendor
from graph.types.purchasing import PurchaseOrder
from graph.types.systems import ConnectedSystem

_RELATED: Final[dict[str, Any]] = {
    of.__name__: of for of in (Asset, ConnectedSystem, InventoryLevel, Item, Location, PurchaseOrder, Vendor, WorkOrder)
}


def _of(type_name: str, what: str) -> Any:
    description = f"{what} counted and summed by groups, the largest first; at most 1,000 groups."
    return summary_field(type_name, _RELATED, description)


@strawberry.type
class SummaryQueries:
    """Queries of summaries."""

    purchase_order_summary = _of("PurchaseOrder", "Purchase orders")
    work_order_summary = _of("WorkOrder", "Work orders")
    vendor_summary = _of("Vendor", "Vendors")
    item_summary = _of("Item", "Items")
    inventory_level_summary = _of("InventoryLevel", "Inventory levels")
    asset_summary = _of("Asset", "Assets")
    location_summary = _of("Location", "Locations")
