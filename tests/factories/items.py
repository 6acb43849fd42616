"""Items."""

from typing import Any

from db.engine import WriteSession
from db.models.items.item import Item, ItemFields
from db.scope import Scope
from tests.factories.rows import add_record


async def make_item(session: WriteSession, *, scope: Scope, source_id: str = "i-1", **values: Any) -> Item:
    """Insert an item; its code is its key in capitals."""
    given = {"code": source_id.upper(), **values}
    return await add_record(session, Item, ItemFields, scope=scope, source_id=source_id, values=given)
