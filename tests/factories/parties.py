"""Vendors."""

from typing import Any

from db.engine import WriteSession
from db.models.parties.vendor import Vendor, VendorFields
from db.scope import Scope
from tests.factories.rows import add_record


async def make_vendor(session: WriteSession, *, scope: Scope, source_id: str = "v-1", **values: Any) -> Vendor:
    """Insert a vendor."""
    given = {"name": f"Vendor {source_id}", "number": source_id.upper(), **values}
    return await add_record(session, Vendor, VendorFields, scope=scope, source_id=source_id, values=given)
