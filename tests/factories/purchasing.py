"""Purchase orders and their lines."""

from typing import Any

from db.engine import WriteSession
from db.models.purchasing.purchase_order import (
    PurchaseOrder,
    PurchaseOrderFields,
    PurchaseOrderLine,
    PurchaseOrderLineFields,
    PurchaseOrderStatus,
)
from db.scope import Scope
from tests.factories.rows import add_record, owner_of, stored


async def make_purchase_order(
    session: WriteSession, *, scope: Scope, source_id: str = "po-1", **values: Any
) -> PurchaseOrder:
    """Insert an order without lines."""
    given = {"status": PurchaseOrderStatus.APPROVED, **values}
    return await add_record(session, PurchaseOrder, PurchaseOrderFields, scope=scope, source_id=source_id, values=given)


async def make_purchase_order_line(
    session: WriteSession, *, scope: Scope, order: PurchaseOrder, position: int = 0, **values: Any
) -> PurchaseOrderLine:
    """Insert a line of an order."""
    given = {"source_line_id": str(position + 1), "line_number": str(position + 1), **values}
    fields = PurchaseOrderLineFields.model_validate(given)
    row = PurchaseOrderLine(**owner_of(scope), purchase_order_id=order.id, position=position, **stored(fields))
    session.add(row)
    await session.flush()
    return row
