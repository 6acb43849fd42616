"""Writing purchase orders: create, update with its steps, cancel, delete."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from connectors.base import Change, Item, JsonObject, Written
from connectors.errors import WriteRejected
from connectors.tryton import guard, lines, read
from connectors.tryton import values as make
from connectors.tryton.client import Client
from connectors.tryton.journal import Journal
from connectors.tryton.lines import Order
from connectors.tryton.values import Path
from db.types import Entity

MODEL: Final = "purchase.purchase"
REFERENCE_FIELD: Final = "description"
"""A free line of text on the order's head, shown to Tryton's users and not printed as the vendor's reference."""

_PLAIN: Final = {
    "order_date": ("purchase_date", "orderDate"),
    "required_date": ("delivery_date", "requiredDate"),
    "vendor_reference": ("reference", "vendorReference"),
    "notes": ("comment", "notes"),
}
_FROM_PARTY: Final = ("invoice_address", "payment_term", "currency", "invoice_method")


async def create(
    journal: Journal, change: Change, *, units: Mapping[str, str], warehouse: str | None, first_address: bool
) -> Written:
    """Create an order, unless one with this reference is there already: an answer may have been lost.

    Args:
        journal: The change's calls.
        change: See Change.
        units: Unit symbol → Rec 20 code.
        warehouse: Code or name of the warehouse for orders that name none.
        first_address: Take the vendor's first address instead of the one for invoices.
    """
    known = await find(journal.client, change.reference)
    if known:
        return Written(str(known[0]), {"foundByReference": change.reference})
    root: Path = ("purchaseOrder",)
    company = (await journal.client.context())["company"]
    party = make.row_id(change.values.get("vendor_source_id"), (*root, "vendor"))
    if not await journal.client.find("party.party", [["id", "=", party]], ["id"]):
        raise make.rejected((*root, "vendor"), f"Tryton has no active party {party}.")
    filled = await journal.work_out(MODEL, {"company": company, "party": party, "lines": []}, "party")
    made: JsonObject = {"company": company, "party": party}
    made |= {field: filled[field] for field in _FROM_PARTY if filled.get(field) is not None}
    if first_address:
        made["invoice_address"] = await _first_address(journal, party)
    made |= await _header(journal, change.values, root)
    place = await _line_place(journal, change.values.get("lines") or (), root)
    if "warehouse" not in made and (place or warehouse):
        made["warehouse"] = place or await make.warehouse(journal.client, warehouse or "", ())
    made |= await _source_fields(journal, change.source_fields)
    text = made.get(REFERENCE_FIELD)
    made[REFERENCE_FIELD] = f"{text} [{change.reference}]" if text else change.reference
    target = {"id": made["warehouse"]} if "warehouse" in made else None
    order = Order(company, party, made["currency"], made.get("purchase_date"), units, target)
    new = await lines.created(journal, order, change.values.get("lines") or (), (*root, "lines"))
    return await journal.made(MODEL, {**made, "lines": [["create", new]]})


async def find(client: Client, reference: str) -> list[int]:
    """Find the orders that carry our reference."""
    if not reference:
        return []
    escaped = reference.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    domain = ["OR", [REFERENCE_FIELD, "=", reference], [REFERENCE_FIELD, "like", f"%[{escaped}]"]]
    return [row["id"] for row in await client.find(MODEL, [domain], ["id"], limit=2)]


async def update(journal: Journal, change: Change, *, units: Mapping[str, str]) -> Written:
    """Change header and lines in one call, then take the step asked for.

    Raises:
        WriteRejected: The state does not allow it. VersionConflict: it changed since the caller, or this call, read it.
    """
    found = await _present(journal, change)
    body = found.body
    state = body["state"]
    root: Path = ("changes",)
    step = guard.STEPS[change.transition] if change.transition else None
    if step:
        guard.refuse_step(state, step, (*root, "status"))
    made = await _header(journal, change.values, root)
    made |= await _source_fields(journal, change.source_fields)
    guard.refuse_fields(state, {field: _field_path(root, field) for field in made}, guard.HEADER)
    operations = await _line_operations(journal, change, body, root, units=units)
    if operations:
        made["lines"] = operations
    if made:
        await journal.do(MODEL, "write", [body["id"]], made, extra=_lock(body))
    if step:
        lock = _lock(body) if not made else None
        try:
            await _take(journal, body["id"], step, lock=lock, path=(*root, "status"))
        except WriteRejected as error:
            if not made:
                raise
            told = f"The fields were stored, but the step was refused: {error.message}"
            raise WriteRejected(told, source_message=error.source_message, problems=error.problems) from error
    return Written(found.source_id)


async def cancel(journal: Journal, change: Change) -> Written:
    """Cancel an order that is not confirmed yet."""
    found = await _present(journal, change)
    guard.refuse_step(found.body["state"], guard.STEPS["CANCEL"], ())
    await _take(journal, found.body["id"], guard.STEPS["CANCEL"], lock=_lock(found.body), path=())
    return Written(found.source_id)


async def delete(journal: Journal, change: Change) -> Written:
    """Delete a draft; Tryton keeps no trace of it."""
    found = await _present(journal, change)
    if found.body["state"] not in guard.DELETABLE:
        raise guard.refusal(f"Only drafts are deleted; the order is in state {found.body['state']!r}.", [()])
    await journal.do(MODEL, "delete", [found.body["id"]], extra=_lock(found.body))
    return Written(found.source_id)


async def _present(journal: Journal, change: Change) -> Item:
    """Read the order as it is, and compare it with what the caller saw."""
    found = await read.fetch(journal.client, Entity.PURCHASE_ORDER, [change.source_id or ""])
    if not found:
        raise WriteRejected("Tryton has no such order, or the user may not see it.")
    read.expect(change.expected, found[0].body, "The order changed in Tryton since it was read.")
    return found[0]


def _lock(body: JsonObject) -> JsonObject:
    """Make the context that has Tryton refuse the change if the order or a line moves on after this reading."""
    stamps = {f"{MODEL},{body['id']}": body["_timestamp"]}
    return {"_timestamp": stamps | {f"purchase.line,{line['id']}": line["_timestamp"] for line in body["lines."]}}


async def _take(journal: Journal, order: int, step: guard.Step, *, lock: JsonObject | None, path: Path) -> None:
    """Press a button and look at what came of it: Tryton passes over what is not allowed in silence."""
    await journal.do(MODEL, step.method, [order], extra=lock)
    if journal.wire.dry:
        return
    rows = await journal.client.find(MODEL, [["id", "=", order]], ["state"], limit=1)
    state = rows[0]["state"] if rows else "deleted"
    if state not in step.ends:
        raise guard.refusal(f"Tryton passed over {step.method!r}: the order is in state {state!r}.", [path])


async def _header(journal: Journal, given: JsonObject, root: Path) -> JsonObject:
    made: JsonObject = {field: given[ours] for ours, (field, _) in _PLAIN.items() if ours in given}
    if given.get("currency") is not None:
        made["currency"] = await make.currency(journal.client, given["currency"], (*root, "currency"))
    if "payment_terms_source_id" in given:
        terms = given["payment_terms_source_id"]
        made["payment_term"] = None if terms is None else make.row_id(terms, (*root, "paymentTerms"))
    if given.get("ship_to") is not None:
        made["warehouse"] = await make.ship_to(journal.client, given["ship_to"], (*root, "shipTo"))
    return made


async def _source_fields(journal: Journal, given: JsonObject) -> JsonObject:
    made = dict(given)
    for field in made.keys() & guard.KEPT:
        raise make.rejected(("sourceFields", field), "Tryton's connector does not let this field be set here.")
    if made.get("warehouse") is not None:
        made["warehouse"] = await make.warehouse(journal.client, made["warehouse"], ("sourceFields", "warehouse"))
    return made


async def _first_address(journal: Journal, party: int) -> int | None:
    rows = await journal.client.call("party.party", "read", [party], ["addresses"], purpose="prepare")
    return rows[0]["addresses"][0] if rows[0]["addresses"] else None


async def _line_place(journal: Journal, given: Any, root: Path) -> int | None:
    """Give the one warehouse that lines name: in Tryton all lines of an order go to one."""
    places = {str(line["location_source_id"]): number for number, line in enumerate(given) if _placed(line)}
    if not places:
        return None
    path = (*root, "lines", str(max(places.values())), "location")
    if len(places) > 1:
        raise make.rejected(path, "In Tryton all lines of an order go to one warehouse.")
    return await make.warehouse(journal.client, make.row_id(next(iter(places)), path), path)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _placed(line: JsonObject) -> bool:
    return line.get("location_source_id") is not None


async def _line_operations(
    journal: Journal, change: Change, body: JsonObject, root: Path, *, units: Mapping[str, str]
) -> list[list[Any]]:
    state = body["state"]
    adding = [(*root, "addLines", str(number)) for number in range(len(change.add_lines))]
    removing = [(*root, "removeLines", str(number)) for number in range(len(change.remove_lines))]
    guard.refuse_lines(state, [*adding, *removing])
    present = {str(line["id"]): line for line in body["lines."]}
    order = Order(
        body["company"], body["party"], body["currency."]["id"], _day(body["purchase_date"]), units, body["warehouse."]
    )
    operations = await lines.changed(
        journal, order, change.change_lines, (*root, "changeLines"), state=state, present=present
    )
    gone = lines.removed(change.remove_lines, (*root, "removeLines"), present=present)
    new = await lines.created(journal, order, change.add_lines, (*root, "addLines"))
    return operations + ([["delete", gone]] if gone else []) + ([["create", new]] if new else [])


def _field_path(root: Path, field: str) -> Path:
    ours = {**dict(_PLAIN.values()), "payment_term": "paymentTerms", "warehouse": "shipTo", "currency": "currency"}
    return (*root, ours[field]) if field in ours else ("sourceFields", field)
