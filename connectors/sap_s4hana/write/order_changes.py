"""Changed and cancelled purchase orders: part by part, for the service takes no deep update."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.base import Change, JsonObject, Written
from connectors.errors import WriteRejected
from connectors.kit.odata2 import key_path, write_day
from connectors.sap_s4hana import values as v
from connectors.sap_s4hana.client import SapClient
from connectors.sap_s4hana.forms import WriteDefaults
from connectors.sap_s4hana.mapping.orders import HEADER_NOTE
from connectors.sap_s4hana.services import RESOURCES
from connectors.sap_s4hana.status import live
from connectors.sap_s4hana.write.orders import (
    ITEMS,
    SERVICE,
    header_fields,
    line_body,
    line_fields,
    line_problems,
    note_body,
)
from connectors.sap_s4hana.write.steps import Steps, expect, ignored, refuse, refuse_ignored
from db.types import Entity, ErrorCode, Problem

_EXPAND: Final = RESOURCES[Entity.PURCHASE_ORDER].expand
Sent = dict[str | None, JsonObject]


async def update(client: SapClient, steps: Steps, change: Change, defaults: WriteDefaults) -> Written:
    """Change header, items and dates, then read the order back: SAP ignores what is read-only without a word."""
    number = str(change.source_id)
    order = await _read(client, number)
    expect(change.expected, order.get("LastChangeDateTime"))
    items = {v.item_number(item["PurchaseOrderItem"]): item for item in live(order.get(ITEMS))}
    extra = dict(change.source_fields)
    line_extra = extra.pop(ITEMS, {})
    new = _new_items(change, order, defaults, line_extra)
    refuse(_line_problems(change, items, new))

    sent: Sent = {None: {**header_fields(change.values), **extra}}
    if sent[None]:
        await steps.call("PATCH", SERVICE, key_path("A_PurchaseOrder", number), body=sent[None])
    if "notes" in change.values:
        await _write_note(steps, order, change.values["notes"] or "", defaults)
    for line in _dated(change, items):
        await _change_item(steps, number, items, line, sent, defaults=defaults, currency=order.get("DocumentCurrency"))
    for body in new:
        await steps.call("POST", SERVICE, "A_PurchaseOrderItem", body={"PurchaseOrder": number, **body})
        sent[v.item_number(body["PurchaseOrderItem"])] = body
    for line_id in change.remove_lines:
        await steps.call("DELETE", SERVICE, _item_path(number, line_id))

    if not steps.dry:
        _verify(sent, await _read(client, number), removed=change.remove_lines)
    return Written(number)


async def cancel(client: SapClient, steps: Steps, change: Change) -> Written:
    """Cancel an order by deleting all of its items, which is how SAP tells it; a cancelled one stays as it is."""
    number = str(change.source_id)
    order = await _read(client, number)
    expect(change.expected, order.get("LastChangeDateTime"))
    for item in live(order.get(ITEMS)):
        await steps.call("DELETE", SERVICE, _item_path(number, str(item["PurchaseOrderItem"])))
    if steps.dry:
        return Written(number)
    left = [str(v.item_number(item["PurchaseOrderItem"])) for item in live((await _read(client, number)).get(ITEMS))]
    refuse_ignored([f"the deletion of item {line}" for line in left])
    return Written(number)


async def _read(client: SapClient, number: str) -> JsonObject:
    found = await client.get(SERVICE, key_path("A_PurchaseOrder", number), {"$expand": _EXPAND})
    if found is None:
        raise WriteRejected(f"SAP has no purchase order {number}.")
    return found.body


def _new_items(change: Change, order: JsonObject, defaults: WriteDefaults, extra: JsonObject) -> list[JsonObject]:
    numbers = [int(item["PurchaseOrderItem"]) for item in order.get(ITEMS) or ()]
    following = max(numbers, default=0) // 10 * 10 + 10
    return [
        line_body(
            {"required_date": change.values.get("required_date"), **line},
            defaults,
            currency=order.get("DocumentCurrency"),
            extra=extra,
            number=str(following + 10 * index),
        )
        for index, line in enumerate(change.add_lines)
    ]


def _line_problems(change: Change, items: Mapping[str | None, Any], new: list[JsonObject]) -> list[Problem]:
    """Refuse lines that the order does not have, and dates of lines that SAP splits over several."""
    named = [("changeLines", str(line["source_line_id"])) for line in change.change_lines]
    named += [("removeLines", line_id) for line_id in change.remove_lines]
    problems = [
        Problem(ErrorCode.BAD_USER_INPUT, f"The order has no open line {line_id}.", (where, line_id))
        for where, line_id in named
        if v.item_number(line_id) not in items
    ]
    for index, body in enumerate(new):
        problems += line_problems(body, index)
    for line in _dated(change, items):
        line_id = v.item_number(line["source_line_id"])
        if line.get("required_date") and len((items.get(line_id) or {}).get("to_ScheduleLine") or ()) > 1:
            told = f"Line {line_id} has several dates in SAP; which one to change is not clear."
            problems.append(Problem(ErrorCode.BAD_USER_INPUT, told, ("changeLines", str(line_id), "requiredDate")))
    return problems


def _dated(change: Change, items: Mapping[str | None, Any]) -> list[JsonObject]:
    """Give the line changes, where a new date of the order is one of every line that stays and says no other."""
    changed = {v.item_number(line["source_line_id"]): line for line in change.change_lines}
    if change.values.get("required_date"):
        removed = {v.item_number(line_id) for line_id in change.remove_lines}
        for line_id in items:
            if line_id not in removed:
                told = {"source_line_id": line_id, "required_date": change.values["required_date"]}
                changed[line_id] = {**told, **changed.get(line_id, {})}
    return list(changed.values())


async def _change_item(
    steps: Steps,
    number: str,
    items: Mapping[str | None, Any],
    line: JsonObject,
    sent: Sent,
    *,
    defaults: WriteDefaults,
    currency: str | None,
) -> None:
    line_id = v.item_number(line["source_line_id"])
    body = line_fields(line, defaults, currency=currency)
    if body:
        await steps.call("PATCH", SERVICE, _item_path(number, str(line_id)), body=body)
        sent[line_id] = body
    if not line.get("required_date"):
        return
    date = {"ScheduleLineDeliveryDate": write_day(line["required_date"])}
    schedules = items[line_id].get("to_ScheduleLine") or ()
    key = {"PurchasingDocument": number, "PurchasingDocumentItem": str(line_id)}
    if schedules:
        path = key_path("A_PurchaseOrderScheduleLine", {**key, "ScheduleLine": str(schedules[0]["ScheduleLine"])})
        await steps.call("PATCH", SERVICE, path, body=date)
    else:
        await steps.call("POST", SERVICE, "A_PurchaseOrderScheduleLine", body={**key, "ScheduleLine": "1", **date})
    sent.setdefault(line_id, {})["to_ScheduleLine"] = [date]


async def _write_note(steps: Steps, order: JsonObject, text: str, defaults: WriteDefaults) -> None:
    number = str(order["PurchaseOrder"])
    body = note_body(text, defaults)
    found = [row for row in order.get("to_PurchaseOrderNote") or () if row.get("TextObjectType") == HEADER_NOTE]
    if not found:
        await steps.call("POST", SERVICE, "A_PurchaseOrderNote", body={"PurchaseOrder": number, **body})
        return
    key = {"PurchaseOrder": number, "TextObjectType": HEADER_NOTE, "Language": str(found[0]["Language"])}
    await steps.call("PATCH", SERVICE, key_path("A_PurchaseOrderNote", key), body={"PlainLongText": text})


def _item_path(number: str, line_id: str) -> str:
    return key_path("A_PurchaseOrderItem", {"PurchaseOrder": number, "PurchaseOrderItem": line_id})


def _verify(sent: Sent, order: JsonObject, *, removed: tuple[str, ...]) -> None:
    items = {v.item_number(item["PurchaseOrderItem"]): item for item in order.get(ITEMS) or ()}
    names = ignored(sent.pop(None), order)
    for line_id, body in sent.items():
        stored = items.get(line_id, {})
        names += [f"{name} of item {line_id}" for name in ignored(body, stored)]
        for date, row in zip(body.get("to_ScheduleLine") or (), stored.get("to_ScheduleLine") or ({},), strict=False):
            names += [f"{name} of item {line_id}" for name in ignored(date, row)]
    alive = {v.item_number(item["PurchaseOrderItem"]) for item in live(order.get(ITEMS))}
    names += [f"the deletion of item {line_id}" for line_id in removed if v.item_number(line_id) in alive]
    refuse_ignored(names)
