"""Purchase orders: made in one request, changed by merging lines, closed line by line, deleted."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.base import Change, JsonObject, Written
from connectors.errors import WriteRejected
from connectors.mapping import To, written
from connectors.netsuite.forms import WriteDefaults
from connectors.netsuite.mapping import LINE, PURCHASE_ORDER
from connectors.netsuite.read import Reader
from connectors.netsuite.status import letter
from connectors.netsuite.tables import ORDERS
from connectors.netsuite.values import Row, flag
from connectors.netsuite.write.fields import Units, currency, custom
from connectors.netsuite.write.steps import (
    Steps,
    create,
    expect,
    given,
    number,
    problem,
    reference_to,
    refuse,
)

RECORD: Final = "purchaseOrder"
_HEADER: Final = tuple(part for part in PURCHASE_ORDER.fields if isinstance(part, To))
_REFERENCES: Final = ("entity", "terms", "location", "item")
_ENDED: Final = frozenset("GH")


async def make(reader: Reader, steps: Steps, change: Change, defaults: WriteDefaults) -> Written:
    """Make an order with its lines.

    Raises:
        WriteRejected: NetSuite needs something that neither the call nor the connection says.
    """
    lines = change.values.get("lines") or ()
    told = {"required_date": change.values.get("required_date")}
    body = given(
        {
            "subsidiary": reference_to(defaults.subsidiary),
            "location": reference_to(defaults.location),
            "department": reference_to(defaults.department),
            "class": reference_to(defaults.classification),
            **await _header(reader, change.values),
        }
    )
    rows = await _lines(reader, [{**told, **line} for line in lines], defaults)
    extra = dict(change.source_fields)
    sublist = extra.pop("item", None)
    refuse([] if rows or sublist else [problem("NetSuite needs at least one line with an item.", "lines")])
    body = {**body, **extra, "item": sublist or {"items": rows}}
    return await create(steps, RECORD, body, change.reference)


async def update(reader: Reader, steps: Steps, change: Change, defaults: WriteDefaults) -> Written:
    """Change an order: header fields, and lines by their key; removing one replaces the list, with the rest kept.

    Raises:
        WriteRejected: There is no such order or line. VersionConflict: it changed meanwhile.
    """
    present = await _present(reader, change)
    body = {**await _header(reader, change.values), **change.source_fields}
    known = {str(line["id"]): line for line in present["lines"]}
    _must_know(known, [str(line.get("source_line_id")) for line in change.change_lines], "changeLines")
    _must_know(known, change.remove_lines, "removeLines")
    keys = [str(line["source_line_id"]) for line in change.change_lines]
    items = [str(known[key].get("item") or "") for key in keys]
    changed = await _lines(reader, change.change_lines, defaults, items=items)
    rows = [{"line": _key(key), **row} for key, row in zip(keys, changed, strict=True)]
    rows += await _lines(reader, change.add_lines, defaults)
    path = f"{RECORD}/{change.source_id}"
    if change.remove_lines:
        gone = {*change.remove_lines, *keys}
        rows = [*({"line": _key(key)} for key in known if key not in gone), *rows]
        path += "?replace=item"
    if change.transition == "CLOSE":
        refuse([problem("Close the order by itself, without changes of its lines.", "transition")] if rows else [])
        rows = _closed(present["lines"])
    if rows or change.remove_lines:
        body["item"] = {"items": rows}
    if body:
        await steps.call("PATCH", path, body)
    return Written(str(change.source_id))


async def cancel(reader: Reader, steps: Steps, change: Change) -> Written:
    """Close all open lines: that is how NetSuite cancels an order that was approved."""
    present = await _present(reader, change)
    if letter(present.get("status")) in _ENDED:
        return Written(str(change.source_id), {"alreadyClosed": True})
    await steps.call("PATCH", f"{RECORD}/{change.source_id}", {"item": {"items": _closed(present["lines"])}})
    return Written(str(change.source_id))


async def delete(reader: Reader, steps: Steps, change: Change) -> Written:
    """Delete an order; NetSuite refuses it once anything was received or billed."""
    await _present(reader, change)
    await steps.call("DELETE", f"{RECORD}/{change.source_id}")
    return Written(str(change.source_id))


def _closed(lines: Sequence[Row]) -> list[JsonObject]:
    return [{"line": _key(line["id"]), "isClosed": True} for line in lines if not flag(line.get("isclosed"))]


async def _present(reader: Reader, change: Change) -> JsonObject:
    found = await reader.fetch(ORDERS, [change.source_id or ""])
    if not found:
        raise WriteRejected("NetSuite has no such purchase order, or the role may not see it.")
    expect(change.expected, found[0].body.get("lastmodifieddate"))
    return found[0].body


def _must_know(known: Mapping[str, Row], keys: Sequence[str], where: str) -> None:
    refuse(
        [
            problem(f"The order has no line {key[:40]!r}.", where, str(index), "sourceLineId")
            for index, key in enumerate(keys)
            if key not in known
        ]
    )


def _key(line: Any) -> int:
    return int(str(line))


async def _header(reader: Reader, values: Mapping[str, Any]) -> JsonObject:
    told = dict(values)
    if "payment_terms_source_id" in told:
        told["payment_terms"] = told.pop("payment_terms_source_id")
    elif isinstance(told.get("payment_terms"), Mapping):
        del told["payment_terms"]  # a text alone names no terms of NetSuite
    given_fields = {name: value for name, value in told.items() if value is not None}
    body = written(_HEADER, given_fields)
    if "currency" in body:
        body["currency"] = await currency(reader, str(body["currency"]), ("currency",))
    cleared = {part.back: None for part in _HEADER if part.back and part.target in told and told[part.target] is None}
    body = _referring({name: value for name, value in body.items() if value is not None})
    return {**cleared, **body, **custom(values)}


async def _lines(
    reader: Reader, lines: Sequence[Mapping[str, Any]], defaults: WriteDefaults, *, items: Sequence[str] | None = None
) -> list[JsonObject]:
    """Make the rows of lines.

    Args:
        items: What the lines order now, where they are there already: fields given as None are then cleared.
    """
    ordered = [str(line.get("item_source_id") or (items[index] if items else "")) for index, line in enumerate(lines)]
    units = Units(reader.client, defaults)
    await units.learn(sorted({item for item, line in zip(ordered, lines, strict=True) if item and line.get("unit")}))
    return [
        {**(_cleared(line) if items is not None else {}), **await _line(units, line, ordered[index], index)}
        for index, line in enumerate(lines)
    ]


def _cleared(line: Mapping[str, Any]) -> JsonObject:
    return {part.back: None for part in LINE if part.back and part.target in line and line[part.target] is None}


async def _line(units: Units, line: Mapping[str, Any], item: str, index: int) -> JsonObject:
    where = ("lines", str(index))
    told = {name: value for name, value in line.items() if value is not None}
    body = written(LINE, {name: value for name, value in told.items() if name not in {"unit", "location"}})
    for name, ours in (("quantity", "quantity"), ("rate", "unitPrice")):
        if name in body:
            body[name] = number(body[name], (*where, ours))
    if told.get("location_source_id"):
        body["location"] = told["location_source_id"]
    if told.get("unit"):
        native = await units.native(item, str(told["unit"]), (*where, "unit"))
        if native is not None:
            body["units"] = native
    return {**_referring(body), **custom(told)}


def _referring(body: JsonObject) -> JsonObject:
    return {name: reference_to(value) if name in _REFERENCES else value for name, value in body.items()}
