"""Writing vendors: parties with an address, an e-mail address and a telephone number."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.base import Change, JsonObject, Written
from connectors.errors import WriteRejected
from connectors.tryton import read
from connectors.tryton import values as make
from connectors.tryton.journal import Journal
from connectors.tryton.values import Path
from db.models.parties.vendor import Address
from db.types import Entity

MODEL: Final = "party.party"
_PLAIN: Final = {"name": "name", "number": "code", "active": "active"}
_CONTACTS: Final = ("email", "phone")
_PHONES: Final = frozenset({"phone", "mobile"})
_KEPT: Final = frozenset({"id", "addresses", "contact_mechanisms", "identifiers"})


async def create(journal: Journal, change: Change) -> Written:
    """Create a party; without a number Tryton gives the next of its sequence."""
    root: Path = ("vendor",)
    made = await _values(journal, change, root)
    contacts = [
        {"type": kind, "value": change.values[kind]} for kind in _CONTACTS if change.values.get(kind) is not None
    ]
    if contacts:
        made["contact_mechanisms"] = [["create", contacts]]
    places = [
        await _address(journal, place, (*root, "addresses", str(number)))
        for number, place in enumerate(change.values.get("addresses") or ())
    ]
    if places:
        made["addresses"] = [["create", places]]
    return await journal.made(MODEL, made)


async def update(journal: Journal, change: Change) -> Written:
    """Change a party's own fields, and its first e-mail address and telephone number.

    Raises:
        WriteRejected: No such party, or its number comes from Tryton's sequence. VersionConflict: it changed meanwhile.
    """
    root: Path = ("changes",)
    found = await read.fetch(journal.client, Entity.VENDOR, [change.source_id or ""])
    if not found:
        raise WriteRejected("Tryton has no such party, or the user may not see it.")
    body = found[0].body
    read.expect(change.expected, body, "The party changed in Tryton since it was read.")
    made = await _values(journal, change, root)
    if made.get("code", body["code"]) != body["code"] and await _numbered(journal, body["id"]):
        raise make.rejected((*root, "number"), "Tryton numbers parties by itself; the number cannot be changed.")
    contacts = [operation for kind in _CONTACTS if kind in change.values for operation in _contact(body, kind, change)]
    if contacts:
        made["contact_mechanisms"] = contacts
    if made:
        await journal.do(MODEL, "write", [body["id"]], made, extra=_lock(body))
    return Written(found[0].source_id)


async def _values(journal: Journal, change: Change, root: Path) -> JsonObject:
    given = change.values
    made: JsonObject = {field: given[ours] for ours, field in _PLAIN.items() if ours in given}
    if given.get("currency") is not None:
        made["supplier_currency"] = await make.currency(journal.client, given["currency"], (*root, "currency"))
    if "payment_terms_source_id" in given:
        terms = given["payment_terms_source_id"]
        made["supplier_payment_term"] = None if terms is None else make.row_id(terms, (*root, "paymentTerms"))
    for field in change.source_fields.keys() & _KEPT:
        raise make.rejected(("sourceFields", field), "Tryton's connector does not let this field be set here.")
    return made | change.source_fields


async def _numbered(journal: Journal, party: int) -> bool:
    rows = await journal.client.call(MODEL, "read", [party], ["code_readonly"])
    return bool(rows[0]["code_readonly"])


def _contact(body: JsonObject, kind: str, change: Change) -> list[list[Any]]:
    """Change the first contact of a kind, add one, or remove it where the value is cleared."""
    kinds = _PHONES if kind == "phone" else {kind}
    known = [row["id"] for row in body["contact_mechanisms."] if row["type"] in kinds]
    value = change.values[kind]
    if value is None:
        return [["delete", known[:1]]] if known else []
    return [["write", known[:1], {"value": value}]] if known else [["create", [{"type": kind, "value": value}]]]


def _lock(body: JsonObject) -> JsonObject:
    contacts = {f"party.contact_mechanism,{row['id']}": row["_timestamp"] for row in body["contact_mechanisms."]}
    return {"_timestamp": {f"{MODEL},{body['id']}": body["_timestamp"], **contacts}}


async def _address(journal: Journal, place: Address | Mapping[str, Any], path: Path) -> JsonObject:
    given = place if isinstance(place, Address) else Address.model_validate(place)
    made: JsonObject = {"street": "\n".join(given.lines or ()) or None}
    made |= {"party_name": given.name, "postal_code": given.postal_code, "city": given.city}
    if given.country:
        where = (*path, "country")
        made["country"] = await make.one(journal.client, "country.country", ("code", "name"), given.country, where)
    if given.region:
        domain = [["country", "=", made.get("country")]]
        where = (*path, "region")
        made["subdivision"] = await make.one(
            journal.client, "country.subdivision", ("name", "code"), given.region, where, domain=domain
        )
    return made
