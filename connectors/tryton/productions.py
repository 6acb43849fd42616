"""Writing work orders: productions, made with the moves that follow from them, and taken from state to state."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from connectors.base import Change, Item, JsonObject, Written
from connectors.errors import WriteRejected
from connectors.tryton import guard, read
from connectors.tryton import values as make
from connectors.tryton.client import Client
from connectors.tryton.journal import Journal
from connectors.tryton.values import Path
from db.types import Entity

MODEL: Final = "production"
REFERENCE_FIELD: Final = "reference"
"""A free line of text of the production, searchable by Tryton's users."""
_DATES: Final = {
    "scheduled_start_at": ("planned_start_date", "scheduledStartAt"),
    "scheduled_end_at": ("planned_date", "scheduledEndAt"),
}
_OUTPUTS: Final = "outputs"
_FILLED: Final = ("unit", "inputs", _OUTPUTS)


async def create(journal: Journal, change: Change, *, units: Mapping[str, str], warehouse: str | None) -> Written:
    """Create a production in draft, unless one with this reference is there already.

    Its inputs follow from the bill of materials where `sourceFields` name one (`bom`); without one it has its product
    as the only output.
    """
    known = await find(journal.client, change.reference)
    if known:
        return Written(str(known[0]), {"foundByReference": change.reference})
    root: Path = ("workOrder",)
    values = change.values
    item = make.row_id(values.get("item_source_id"), (*root, "item"))
    product = await _product(journal.client, item, (*root, "item"))
    made: JsonObject = {
        "company": (await journal.client.context())["company"],
        "product": item,
        "quantity": make.quantity(values["quantity"], (*root, "quantity")),
        **await _place(journal.client, values, warehouse, root),
        **_dates(values),
    }
    if values.get("unit") is not None:
        category = product["default_uom_category"]
        where = (*root, "unit")
        made["unit"] = await make.unit(journal.client, values["unit"], category=category, units=units, path=where)
    made |= _source_fields(change.source_fields)
    text = made.get(REFERENCE_FIELD)
    made[REFERENCE_FIELD] = f"{text} [{change.reference}]" if text else change.reference
    filled = await journal.work_out(MODEL, {**made, "inputs": [], _OUTPUTS: []}, "product", "bom", "quantity")
    for field in _FILLED:
        if field == "unit":
            made.setdefault(field, filled.get(field))
        elif added := _moves((filled.get(field) or {}).get("add", ())):
            made[field] = [["create", added]]
    if _OUTPUTS not in made:
        made[_OUTPUTS] = [["create", [await _output(journal.client, made, product)]]]
    return await journal.made(MODEL, made)


async def find(client: Client, reference: str) -> list[int]:
    """Find the productions that carry our reference."""
    if not reference:
        return []
    domain = ["OR", [REFERENCE_FIELD, "=", reference], [REFERENCE_FIELD, "like", f"%[{reference}]"]]
    return [row["id"] for row in await client.find(MODEL, [domain], ["id"], limit=2)]


async def update(journal: Journal, change: Change, *, units: Mapping[str, str]) -> Written:
    """Change a production, then press the buttons of the step asked for, looking at the state after each.

    Raises:
        WriteRejected: The state does not allow it. VersionConflict: it changed since the caller, or this call, read it.
    """
    found = await _present(journal.client, change)
    body, root = found.body, ("changes",)
    buttons = guard.buttons(body["state"], change.transition, (*root, "status")) if change.transition else ()
    made = _dates(change.values)
    if change.values.get("quantity") is not None:
        made["quantity"] = make.quantity(change.values["quantity"], (*root, "quantity"))
    if change.values.get("unit") is not None:
        category = (body.get("product.") or {}).get("default_uom_category")
        where = (*root, "unit")
        made["unit"] = await make.unit(
            journal.client, change.values["unit"], category=category, units=units, path=where
        )
    made |= _source_fields(change.source_fields)
    paths = {"quantity": (*root, "quantity"), "unit": (*root, "unit")}
    paths |= {field: (*root, name) for field, name in _DATES.values()}
    guard.refuse_fields(
        body["state"], {name: paths.get(name, ("sourceFields", name)) for name in made}, guard.PRODUCTION
    )
    lock: JsonObject | None = {"_timestamp": {f"{MODEL},{body['id']}": body["_timestamp"]}}
    if made:
        await journal.do(MODEL, "write", [body["id"]], made, extra=lock)
        lock = None
    for method, state in buttons:
        await journal.do(MODEL, method, [body["id"]], extra=lock)
        lock = None
        if not journal.wire.dry:
            await _reached(journal.client, body["id"], method, state, (*root, "status"))
    return Written(found.source_id)


async def _reached(client: Client, production: int, method: str, state: str, path: Path) -> None:
    """Look at what came of a button: Tryton passes over what it cannot do (no stock to assign) in silence."""
    rows = await client.find(MODEL, [["id", "=", production]], ["state"], limit=1)
    now = rows[0]["state"] if rows else "deleted"
    if now != state:
        raise guard.refusal(f"Tryton passed over {method!r}: the production is in state {now!r}.", [path])


async def _present(client: Client, change: Change) -> Item:
    found = await read.fetch(client, Entity.WORK_ORDER, [change.source_id or ""])
    if not found:
        raise WriteRejected("Tryton has no such production, or the user may not see it.")
    read.expect(change.expected, found[0].body, "The production changed in Tryton since it was read.")
    return found[0]


async def _product(client: Client, product: int, path: Path) -> JsonObject:
    fields = ["producible", "default_uom", "default_uom_category", "list_price"]
    rows = await client.find("product.product", [["id", "=", product]], fields, limit=1)
    if not rows:
        raise make.rejected(path, f"Tryton has no active product {product}.")
    if not rows[0]["producible"]:
        raise make.rejected(path, f"Product {product} may not be produced.")
    return rows[0]


async def _place(client: Client, values: JsonObject, default: str | None, root: Path) -> JsonObject:
    """Find the warehouse, and the place in it where things are produced."""
    path = (*root, "location")
    if values.get("location_source_id") is not None:
        place = await make.warehouse(client, make.row_id(values["location_source_id"], path), path)
    elif default:
        place = await make.warehouse(client, default, ())
    else:
        found = await client.find("stock.location", [["type", "=", "warehouse"]], ["id"], limit=2)
        if len(found) != 1:
            raise make.rejected(path, "Tryton has several warehouses: name one, or set it in the write defaults.")
        place = found[0]["id"]
    rows = await client.call("stock.location", "read", [place], ["production_location"])
    return {"warehouse": place, "location": rows[0]["production_location"]}


async def _output(client: Client, made: JsonObject, product: JsonObject) -> JsonObject:
    """Make the move that brings the product from where it is produced into the warehouse."""
    rows = await client.call("stock.location", "read", [made["warehouse"]], ["storage_location"])
    [company] = await client.call("company.company", "read", [made["company"]], ["currency"])
    return {
        "product": made["product"],
        "quantity": made["quantity"],
        "unit": made.get("unit") or product["default_uom"],
        "from_location": made["location"],
        "to_location": rows[0]["storage_location"],
        "company": made["company"],
        "currency": company["currency"],
        "unit_price": make.price(product["list_price"]),
    }


def _moves(added: Iterable[Any]) -> list[JsonObject]:
    """Take the moves that Tryton worked out, without the names beside their keys."""
    moves = []
    for _, move in added:
        values = {name: value for name, value in move.items() if not name.endswith(".") and name != "id"}
        moves.append(values | ({"unit_price": make.price(move["unit_price"])} if move.get("unit_price") else {}))
    return moves


def _dates(given: JsonObject) -> JsonObject:
    return {field: _day(given[ours]) for ours, (field, _) in _DATES.items() if ours in given}


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None


def _source_fields(given: JsonObject) -> JsonObject:
    for field in given.keys() & guard.PRODUCTION_KEPT:
        raise make.rejected(("sourceFields", field), "Tryton's connector does not let this field be set here.")
    return dict(given)
