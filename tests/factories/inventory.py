"""Inventory levels."""

from typing import Any

from db.engine import WriteSession
from db.models.inventory.inventory_level import InventoryLevel, InventoryLevelFields
from db.scope import Scope
from tests.factories.rows import add_record


async def make_inventory_level(
    session: WriteSession, *, scope: Scope, source_id: str = "s-1", **values: Any
) -> InventoryLevel:
    """Insert an inventory level."""
    return await add_record(
        session, InventoryLevel, InventoryLevelFields, scope=scope, source_id=source_id, values=values
    )
