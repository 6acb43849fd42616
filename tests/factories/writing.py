"""Write operations."""

from typing import Any

from db.engine import WriteSession
from db.models.write import WriteOperation, WriteState
from db.scope import Scope
from db.types import Entity, Operation, new_id
from tests.factories.rows import EPOCH, owner_of


async def make_write_operation(session: WriteSession, *, scope: Scope, **values: Any) -> WriteOperation:
    """Store a write that succeeded."""
    given = {
        "entity": Entity.PURCHASE_ORDER,
        "operation": Operation.CREATE,
        "state": WriteState.SUCCEEDED,
        "input_hash": b"h",
        "input": {},
        "reference": new_id().hex[-12:],
        "created_at": EPOCH,
        **values,
    }
    row = WriteOperation(**owner_of(scope), **given)
    session.add(row)
    await session.flush()
    return row
