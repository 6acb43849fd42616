"""Writing work orders: maintenance requests, whose stages say how far they are."""

from typing import Any, Final

from connectors.base import Change, JsonObject, Written
from connectors.errors import WriteRejected
from connectors.odoo import convert, read
from connectors.odoo.client import Client
from connectors.odoo.forms import OdooWriteDefaults
from connectors.odoo.lookups import Lookups
from connectors.odoo.mapping.maintenance import WORK_ORDER
from connectors.odoo.write import values as make
from connectors.odoo.write.journal import Journal
from connectors.odoo.write.values import Path
from db.types import Entity

MODEL: Final = "maintenance.request"
REFERENCE_FIELD: Final = "description"
"""Internal notes: a request has no field for the number of where it comes from."""
_KEPT: Final = frozenset({"id", "stage_id", "archive"})
_STARS: Final = {1: "3", 2: "2", 3: "1", 4: "0", 5: "0"}


async def create(journal: Journal, change: Change, defaults: OdooWriteDefaults) -> Written:
    """Create a request, unless one with this reference is there already."""
    client, root = journal.client, ("workOrder",)
    known = await find(client, change.reference)
    if known:
        return Written(str(known[0]), {"foundByReference": change.reference})
    made = await _values(client, change.values, root)
    if defaults.maintenance_team:
        path = ("writeDefaults", "maintenanceTeam")
        made["maintenance_team_id"] = await make.one(
            client, "maintenance.team", ("name",), defaults.maintenance_team, path
        )
    made |= make.source_fields(change.source_fields, _KEPT)
    made[REFERENCE_FIELD] = convert.marked(change.values.get("description"), change.reference)
    key = await journal.create(MODEL, made)
    return Written(str(key) if key else "")


async def find(client: Client, reference: str) -> list[int]:
    """Find the requests that carry our reference."""
    if not reference:
        return []
    rows = await client.find(MODEL, [[REFERENCE_FIELD, "ilike", f"[ref {reference}]"]], ["id", REFERENCE_FIELD])
    return [row["id"] for row in rows if make.carries(row[REFERENCE_FIELD], reference)]


async def update(journal: Journal, change: Change) -> Written:
    """Change a request and its stage, in one call.

    Raises:
        WriteRejected: No such request, or no stage that the step leads to. VersionConflict: it changed meanwhile.
    """
    client, root = journal.client, ("changes",)
    read_now = await read.fetch(client, journal.lookups, Entity.WORK_ORDER, [change.source_id or ""])
    found = make.present(read_now, "maintenance request")
    read.expect(change.expected, found.body, "The maintenance request changed in Odoo since it was read.")
    made = await _values(client, change.values, root)
    if "description" in change.values:
        reference = convert.mark_of(found.body.get(REFERENCE_FIELD))
        words = change.values["description"]
        made[REFERENCE_FIELD] = convert.marked(words, reference) if reference else convert.rich(words)
    if change.transition:
        made |= await _step(journal.lookups, found.body, change.transition, (*root, "status"))
    made |= make.source_fields(change.source_fields, _KEPT)
    if made:
        await journal.do(MODEL, "write", [found.body["id"]], vals=made)
    return Written(found.source_id)


async def _step(lookups: Lookups, body: JsonObject, step: str, path: Path) -> JsonObject:
    """Find the stage that a step leads to; stages are the customer's own, and say themselves which of them end work."""
    if step == "CANCEL":
        if body.get("archive"):
            raise make.rejected(path, "The request is cancelled already.")
        return {"archive": True}
    if body.get("archive") and step != "REOPEN":
        raise make.rejected(path, "The request is cancelled; reopen it first.")
    stages = sorted(await lookups.all("maintenance.stage"), key=lambda row: (row.get("sequence") or 0, row["id"]))
    if not stages:
        raise WriteRejected("Odoo has no maintenance stages that the user may see.")
    ends = [row["id"] for row in stages if row.get("done")]
    between = [row["id"] for row in stages[1:] if not row.get("done")]
    chosen = {"START": between, "COMPLETE": ends, "CLOSE": ends, "REOPEN": [stages[0]["id"]]}[step]
    if not chosen:
        raise make.rejected(path, f"Odoo has no maintenance stage to {step}.")
    return {"stage_id": chosen[0]} | ({"archive": False} if step == "REOPEN" and "archive" in body else {})


async def _values(client: Client, given: JsonObject, root: Path) -> JsonObject:
    kinds = await client.fields(MODEL)
    made: JsonObject = {}
    if "title" in given:
        made[_back("title")] = given["title"]
    if "priority" in given:
        made[_back("priority")] = _STARS.get(given["priority"] or 4, "0")
    if given.get("native_type") is not None:
        made[_back("native_type")] = given["native_type"]
    if "asset_source_id" in given:
        asset = given["asset_source_id"]
        made[_back("asset_source_id")] = False if asset is None else make.row_id(asset, (*root, "asset"))
    for name in ("scheduled_start_at", "scheduled_end_at"):
        if name in given:
            field = _back(name)
            if field not in kinds:
                raise make.rejected((*root, _camel(name)), f"This version of Odoo has no {field}.")
            made[field] = make.stamp(given[name])
    return made | await make.custom_fields(client, MODEL, given.get("custom_fields"), (*root, "customFields"))


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _back(target: str) -> Any:
    return make.back(WORK_ORDER, target)
