"""Writing purchase orders: create, update with its steps, cancel, delete."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.base import Change, Item, JsonObject, Written
from connectors.errors import WriteRejected
from connectors.odoo import convert, read
from connectors.odoo.client import Client
from connectors.odoo.forms import OdooWriteDefaults
from connectors.odoo.mapping.orders import PURCHASE_ORDER
from connectors.odoo.write import lines
from connectors.odoo.write import values as make
from connectors.odoo.write.journal import Journal
from connectors.odoo.write.values import Path
from db.models.parties.vendor import Address
from db.types import Entity

MODEL: Final = "purchase.order"
REFERENCE_FIELD: Final = "origin"
""""Source Document": meant for the number of whatever an order comes from."""
_KEPT: Final = frozenset({"id", "state", "order_line", "name"})
_OPEN: Final = frozenset({"draft", "sent", "to approve"})
_ALWAYS: Final = frozenset({"vendor_reference", "notes", "required_date", "custom_fields"})
"""Header fields that may still change once an order is confirmed; Odoo's interface would take the others, too."""
_ADDRESS: Final = ("name", "lines", "city", "region", "postal_code", "country")


async def create(journal: Journal, change: Change, defaults: OdooWriteDefaults, units: Mapping[str, str]) -> Written:
    """Create an order, unless one with this reference is there already: an answer may have been lost."""
    client, root = journal.client, ("purchaseOrder",)
    known = await find(client, change.reference)
    if known:
        return Written(str(known[0]), {"foundByReference": change.reference})
    vendor = make.row_id(change.values.get("vendor_source_id"), (*root, "vendor"))
    # Odoo words an unknown vendor as if one were being deleted.
    if not await client.find("res.partner", [["id", "=", vendor]], ["id"]):
        raise make.rejected((*root, "vendor"), f"Odoo has no active partner {vendor}.")
    made: JsonObject = {make.back(PURCHASE_ORDER, "vendor_source_id"): vendor}
    made |= await _header(client, change.values, root)
    if defaults.warehouse and "picking_type_id" not in made:
        made["picking_type_id"] = await make.receipts_of(client, defaults.warehouse, ("writeDefaults", "warehouse"))
    made |= make.source_fields(change.source_fields, _KEPT)
    text = made.get(REFERENCE_FIELD)
    made[REFERENCE_FIELD] = f"{text} {change.reference}" if text else change.reference
    made["order_line"] = await lines.commands(client, change, None, root, units=units)
    key = await journal.create(MODEL, made)
    return Written(str(key) if key else "")


async def find(client: Client, reference: str) -> list[int]:
    """Find the orders that carry our reference."""
    if not reference:
        return []
    domain = [[REFERENCE_FIELD, "ilike", reference]]
    rows = await client.find(MODEL, domain, ["id", REFERENCE_FIELD])
    return [row["id"] for row in rows if (row[REFERENCE_FIELD] or "").split()[-1:] == [reference]]


async def update(journal: Journal, change: Change, units: Mapping[str, str]) -> Written:
    """Change header and lines in one call, then take the step asked for.

    Raises:
        WriteRejected: The state does not allow it. VersionConflict: it changed since the caller read it.
    """
    found, root = await _present(journal, change), ("changes",)
    body = found.body
    _guard(body, change, root)
    made = await _header(journal.client, change.values, root)
    made |= make.source_fields(change.source_fields, _KEPT)
    told = await lines.commands(journal.client, change, body, root, units=units)
    if told:
        made["order_line"] = told
    if made:
        await journal.do(MODEL, "write", [body["id"]], vals=made)
    if change.transition == "APPROVE":
        await _approve(journal, body, (*root, "status"))
    return Written(found.source_id)


async def cancel(journal: Journal, change: Change) -> Written:
    """Cancel an order; Odoo refuses where goods came or bills are there."""
    found = await _present(journal, change)
    if found.body["state"] == "cancel":
        raise WriteRejected("The order is cancelled already.")
    await journal.do(MODEL, "button_cancel", [found.body["id"]])
    await _reached(journal, found.body["id"], frozenset({"cancel"}), "button_cancel", ())
    return Written(found.source_id)


async def delete(journal: Journal, change: Change) -> Written:
    """Delete a cancelled order; Odoo keeps no trace of it."""
    found = await _present(journal, change)
    if found.body["state"] != "cancel":
        raise WriteRejected("Odoo deletes cancelled orders only: cancel it first.")
    await journal.do(MODEL, "unlink", [found.body["id"]])
    return Written(found.source_id)


async def _present(journal: Journal, change: Change) -> Item:
    """Read the order as it is, and compare it with what the caller saw."""
    read_now = await read.fetch(journal.client, journal.lookups, Entity.PURCHASE_ORDER, [change.source_id or ""])
    found = make.present(read_now, "order")
    read.expect(change.expected, found.body, "The order changed in Odoo since it was read.")
    return found


def _guard(body: JsonObject, change: Change, root: Path) -> None:
    """Refuse what Odoo's screens refuse and its interface takes.

    Raises:
        WriteRejected: With the path of each refused field.
    """
    state = body["state"]
    if state in _OPEN:
        return
    words = "locked" if body.get("locked") or state == "done" else "cancelled" if state == "cancel" else ""
    if words and (change.values or change.add_lines or change.change_lines or change.remove_lines):
        raise make.rejected(root, f"The order is {words} in Odoo.")
    for name in change.values.keys() - _ALWAYS:
        path = (*root, name.removesuffix("_source_id"))
        raise make.rejected(path, f"This field cannot change once an order is confirmed (state {state!r}).")


async def _approve(journal: Journal, body: JsonObject, path: Path) -> None:
    """Confirm an order, or approve one that waits for it; a large one may then wait for somebody's approval."""
    state = body["state"]
    if state not in _OPEN:
        raise make.rejected(path, f"The order is in state {state!r} already.")
    button = "button_approve" if state == "to approve" else "button_confirm"
    await journal.do(MODEL, button, [body["id"]])
    await _reached(journal, body["id"], convert.CONFIRMED | {"to approve"}, button, path)


async def _reached(journal: Journal, order: int, ends: frozenset[str], button: str, path: Path) -> None:
    """Look at what came of a button: its answer may be nothing, true, or an action for a screen."""
    if journal.wire.dry:
        return
    rows = await journal.client.find(MODEL, [["id", "=", order]], ["state"])
    state = rows[0]["state"] if rows else "deleted"
    if state not in ends:
        raise make.rejected(path, f"Odoo passed over {button!r}: the order is in state {state!r}.")


async def _header(client: Client, given: JsonObject, root: Path) -> JsonObject:
    made: JsonObject = {}
    if "vendor_reference" in given:
        made[_back("vendor_reference")] = given["vendor_reference"] or False
    for name in ("order_date", "required_date"):
        if name in given:
            made[_back(name)] = make.noon(given[name])
    if given.get("currency") is not None:
        made[_back("currency")] = await make.currency(client, given["currency"], (*root, "currency"))
    if "payment_terms_source_id" in given:
        terms = given["payment_terms_source_id"]
        made[_back("payment_terms")] = False if terms is None else make.row_id(terms, (*root, "paymentTerms"))
    if given.get("ship_to") is not None:
        made[_back("ship_to")] = await _ship_to(client, given["ship_to"], (*root, "shipTo"))
    if "notes" in given:
        kinds = await client.fields(MODEL)
        made["notes" if "notes" in kinds else "note"] = convert.rich(given["notes"])
    return made | await make.custom_fields(client, MODEL, given.get("custom_fields"), (*root, "customFields"))


async def _ship_to(client: Client, place: Address | Mapping[str, Any], path: Path) -> int:
    """Find the warehouse that an address names; Odoo receives orders in its warehouses.

    Raises:
        WriteRejected: The address names no site, or holds more than a site.
    """
    given = place.model_dump(exclude_none=True) if isinstance(place, Address) else place
    if not given.get("site_code") or any(given.get(part) for part in _ADDRESS):
        raise make.rejected(path, "Odoo receives orders in its warehouses: give siteCode and nothing else.")
    return await make.receipts_of(client, str(given["site_code"]), (*path, "siteCode"))


def _back(target: str) -> str:
    return make.back(PURCHASE_ORDER, target)
