"""Work orders."""

from typing import Any

from db.engine import WriteSession
from db.models.maintenance.work_order import WorkOrder, WorkOrderFields, WorkOrderStatus
from db.scope import Scope
from tests.factories.rows import add_record


async def make_work_order(session: WriteSession, *, scope: Scope, source_id: str = "w-1", **values: Any) -> WorkOrder:
    """Insert a work order."""
    given = {"status": WorkOrderStatus.APPROVED, **values}
    return await add_record(session, WorkOrder, WorkOrderFields, scope=scope, source_id=source_id, values=given)
