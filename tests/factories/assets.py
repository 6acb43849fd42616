"""Assets."""

from typing import Any

from db.engine import WriteSession
from db.models.maintenance.asset import Asset, AssetFields
from db.scope import Scope
from tests.factories.rows import add_record


async def make_asset(session: WriteSession, *, scope: Scope, source_id: str = "a-1", **values: Any) -> Asset:
    """Insert an asset; its number is its key in capitals."""
    given = {"number": source_id.upper(), **values}
    return await add_record(session, Asset, AssetFields, scope=scope, source_id=source_id, values=given)
