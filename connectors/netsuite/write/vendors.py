"""Vendors: made and changed in one request each."""

from typing import Final

from connectors.base import Change, JsonObject, Written
from connectors.errors import WriteRejected
from connectors.mapping import To, written
from connectors.netsuite.forms import WriteDefaults
from connectors.netsuite.mapping import VENDOR
from connectors.netsuite.read import Reader
from connectors.netsuite.tables import VENDORS
from connectors.netsuite.write.fields import currency
from connectors.netsuite.write.steps import Steps, create, expect, given, reference_to

RECORD: Final = "vendor"
_FIELDS: Final = tuple(part for part in VENDOR.fields if isinstance(part, To) and part.target != "active")


async def make(reader: Reader, steps: Steps, change: Change, defaults: WriteDefaults) -> Written:
    """Make a vendor; without a number NetSuite gives the next one, or takes its name."""
    body = {**given({"subsidiary": reference_to(defaults.subsidiary)}), **await _body(reader, change)}
    return await create(steps, RECORD, body, change.reference)


async def update(reader: Reader, steps: Steps, change: Change) -> Written:
    """Change a vendor.

    Raises:
        WriteRejected: There is none. VersionConflict: it changed meanwhile.
    """
    found = await reader.fetch(VENDORS, [change.source_id or ""])
    if not found:
        raise WriteRejected("NetSuite has no such vendor, or the role may not see it.")
    expect(change.expected, found[0].body.get("lastmodifieddate"))
    body = await _body(reader, change)
    if body:
        await steps.call("PATCH", f"{RECORD}/{change.source_id}", body)
    return Written(str(change.source_id))


async def _body(reader: Reader, change: Change) -> JsonObject:
    values = change.values
    body = written(_FIELDS, {name: value for name, value in values.items() if name != "payment_terms"})
    if values.get("currency"):
        body["currency"] = await currency(reader, str(values["currency"]), ("currency",))
    if "payment_terms_source_id" in values:
        body["terms"] = reference_to(values["payment_terms_source_id"])
    if values.get("active") is not None:
        body["isInactive"] = not values["active"]
    return {**body, **change.source_fields}
