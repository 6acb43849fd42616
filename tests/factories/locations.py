"""Locations."""

from typing import Any

from db.engine import WriteSession
from db.models.inventory.location import Location, LocationFields
from db.scope import Scope
from tests.factories.rows import add_record


async def make_location(session: WriteSession, *, scope: Scope, source_id: str = "l-1", **values: Any) -> Location:
    """Insert a location; its code is its key in capitals."""
    given = {"code": source_id.upper(), **values}
    return await add_record(session, Location, LocationFields, scope=scope, source_id=source_id, values=given)
