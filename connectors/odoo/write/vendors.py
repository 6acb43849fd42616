"""Writing vendors: partners with a supplier rank."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.base import Change, JsonObject, Written
from connectors.odoo import convert, read
from connectors.odoo.client import Client
from connectors.odoo.mapping.masters import VENDOR
from connectors.odoo.write import values as make
from connectors.odoo.write.journal import Journal
from connectors.odoo.write.values import Path
from db.models.parties.vendor import Address
from db.types import Entity

MODEL: Final = "res.partner"
REFERENCE_FIELD: Final = "comment"
"""Internal notes: a partner has no field for the number of where it comes from."""
_PLAIN: Final = ("name", "number", "tax_id", "email", "phone")
_KEPT: Final = frozenset({"id", "supplier_rank"})


async def create(journal: Journal, change: Change) -> Written:
    """Create a vendor, unless one with this reference is there already."""
    client, root = journal.client, ("vendor",)
    known = await find(client, change.reference)
    if known:
        return Written(str(known[0]), {"foundByReference": change.reference})
    made: JsonObject = {"supplier_rank": 1, "is_company": True}
    made |= await _values(client, change.values, root)
    places = change.values.get("addresses") or ()
    if len(places) > 1:
        raise make.rejected((*root, "addresses", "1"), "A partner of Odoo has one address.")
    for place in places:
        made |= await _address(client, place, (*root, "addresses", "0"))
    made |= make.source_fields(change.source_fields, _KEPT)
    made[REFERENCE_FIELD] = convert.marked(convert.text(made.get(REFERENCE_FIELD) or None), change.reference)
    key = await journal.create(MODEL, made)
    return Written(str(key) if key else "")


async def find(client: Client, reference: str) -> list[int]:
    """Find the partners that carry our reference."""
    if not reference:
        return []
    rows = await client.find(
        MODEL, [[REFERENCE_FIELD, "ilike", f"[ref {reference}]"]], ["id", REFERENCE_FIELD], archived=True
    )
    return [row["id"] for row in rows if make.carries(row[REFERENCE_FIELD], reference)]


async def update(journal: Journal, change: Change) -> Written:
    """Change a vendor's own fields.

    Raises:
        WriteRejected: No such vendor. VersionConflict: it changed meanwhile.
    """
    client = journal.client
    read_now = await read.fetch(client, journal.lookups, Entity.VENDOR, [change.source_id or ""])
    found = make.present(read_now, "vendor")
    read.expect(change.expected, found.body, "The vendor changed in Odoo since it was read.")
    made = await _values(client, change.values, ("changes",))
    if change.values.get("active") is not None:
        made[make.back(VENDOR, "active")] = change.values["active"]
    made |= make.source_fields(change.source_fields, _KEPT)
    if made:
        await journal.do(MODEL, "write", [found.body["id"]], vals=made)
    return Written(found.source_id)


async def _values(client: Client, given: JsonObject, root: Path) -> JsonObject:
    made: JsonObject = {make.back(VENDOR, name): given[name] or False for name in _PLAIN if name in given}
    if "currency" in given:
        code = given["currency"]
        found = await make.currency(client, code, (*root, "currency")) if code else False
        made[make.back(VENDOR, "currency")] = found
    if "payment_terms_source_id" in given:
        terms = given["payment_terms_source_id"]
        found = False if terms is None else make.row_id(terms, (*root, "paymentTerms"))
        made[make.back(VENDOR, "payment_terms")] = found
    return made


async def _address(client: Client, place: Address | Mapping[str, Any], path: Path) -> JsonObject:
    given = place if isinstance(place, Address) else Address.model_validate(place)
    told = given.lines or []
    if len(told) > 2:
        raise make.rejected((*path, "lines"), "An address of Odoo has two street lines.")
    made: JsonObject = {
        "street": told[0] if told else False,
        "street2": told[1] if len(told) > 1 else False,
        "city": given.city or False,
        "zip": given.postal_code or False,
    }
    if given.country:
        country = await make.one(client, "res.country", ("code", "name"), given.country, (*path, "country"))
        made["country_id"] = country
        if given.region:
            domain = [["country_id", "=", country]]
            made["state_id"] = await make.one(
                client, "res.country.state", ("code", "name"), given.region, (*path, "region"), domain=domain
            )
    return made
