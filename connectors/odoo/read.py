"""Reading feeds page by page, and items by key."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from connectors.base import Feed, Item, JsonObject, Page, Window
from connectors.errors import Unsupported, VersionConflict
from connectors.odoo import stock
from connectors.odoo.client import Client
from connectors.odoo.lookups import Lookups
from connectors.odoo.resources import BY_FEED, LINE_MODEL, LINES, RESOURCES, Origin, Resource
from connectors.odoo.rows import key_of, plain, wanted
from db.types import Entity

PAGE_SIZE: Final = 250
"""Records a page: an order with five lines is about 3 kB on the wire, so a page stays below 1 MB."""
PARTS: Final = "lines."


async def pages(
    client: Client, lookups: Lookups, feed: Feed, *, window: Window, position: JsonObject | None
) -> AsyncIterator[Page]:
    """Yield the pages of one pass, in the order of ids, resuming after `position` (`{"after": n, "total": m}`).

    Pages are cut by id, which no change moves, so nothing is skipped or doubled while records change: Odoo's own order
    would do both. A feed of parts counts its parts in `total` and yields the items that own them.
    """
    if feed.entity is Entity.INVENTORY_LEVEL:
        async for page in stock.pages(client, lookups, position):
            yield page
        return
    origin, resource = BY_FEED[feed.entity, feed.name], RESOURCES[feed.entity]
    domain = _changed(origin, resource, window)
    after: int = position["after"] if position else 0
    total = position["total"] if position else await client.count(origin.model, domain, archived=True)
    while True:
        part = [*domain, ["id", ">", after]]
        if origin.owner is None:
            rows = await _rows(client, resource, part, limit=PAGE_SIZE)
            items = await _items(client, lookups, resource, rows)
        else:
            rows = await client.find(origin.model, part, [origin.owner], limit=PAGE_SIZE, archived=True)
            items = await _owners(client, lookups, resource, rows, owner=origin.owner, window=window)
        if len(rows) < PAGE_SIZE:
            yield Page(tuple(items), None, total)
            return
        after = rows[-1]["id"]
        yield Page(tuple(items), {"after": after, "total": total}, total)


async def fetch(client: Client, lookups: Lookups, entity: Entity, source_ids: list[str]) -> list[Item]:
    """Read whole items by key, in the order of keys; those that are missing, or not this user's, are left out."""
    if entity is Entity.INVENTORY_LEVEL:
        return await stock.fetch(client, lookups, source_ids)
    if entity not in RESOURCES:
        raise Unsupported(f"{entity} is not read from Odoo.")
    resource = RESOURCES[entity]
    keys = sorted({int(each) for each in source_ids if each.isdecimal()})
    found: list[Item] = []
    for start in range(0, len(keys), PAGE_SIZE):
        rows = await _rows(client, resource, [["id", "in", keys[start : start + PAGE_SIZE]]])
        found += await _items(client, lookups, resource, rows)
    return found


def version(body: Mapping[str, Any]) -> str | None:
    """Give the newest stamp of a record and its lines, as Odoo writes it: to the second, UTC."""
    stamps = [body.get("write_date"), *(line.get("write_date") for line in body.get(PARTS) or ())]
    return max((stamp for stamp in stamps if stamp), default=None)


def expect(expected: str | None, body: Mapping[str, Any], message: str) -> None:
    """Compare the version that the caller saw with the present one.

    Raises:
        VersionConflict: They differ.
    """
    if expected and version(body) != expected:
        raise VersionConflict(message)


def instant(text: str) -> datetime:
    """Read one of Odoo's instants: UTC, without saying so."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def _rows(client: Client, resource: Resource, domain: list[Any], *, limit: int | None = None) -> list[JsonObject]:
    kinds = await client.fields(resource.model)
    fields = wanted(resource.fields, kinds)
    found = await client.find(resource.model, domain, fields, limit=limit, archived=True)
    return [plain(row, kinds) for row in found]


async def _items(client: Client, lookups: Lookups, resource: Resource, rows: list[JsonObject]) -> list[Item]:
    dress = _DRESSING.get(resource.entity)
    if dress is not None and rows:
        await dress(client, lookups, rows)
    return [_item(resource, row) for row in rows]


def _item(resource: Resource, row: JsonObject) -> Item:
    stamp = version(row)
    dated = row.get(resource.period_field) if resource.period_field else None
    return Item(
        str(row["id"]), row, instant(stamp) if stamp else None, date.fromisoformat(dated[:10]) if dated else None
    )


async def _owners(
    client: Client, lookups: Lookups, resource: Resource, rows: list[JsonObject], *, owner: str, window: Window
) -> list[Item]:
    keys = sorted({key for row in rows for key in _keys(row[owner])})
    items: list[Item] = []
    for start in range(0, len(keys), PAGE_SIZE):
        domain = [["id", "in", keys[start : start + PAGE_SIZE]], *_period(resource, window)]
        items += await _items(client, lookups, resource, await _rows(client, resource, domain))
    return items


def _name(value: Any) -> str | None:
    return value[1] if value else None


def _keys(value: Any) -> Iterable[int]:
    """Give the keys of a reference `[key, name]`, or of a list of keys."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], str):
        return [value[0]]
    return value or ()


def _changed(origin: Origin, resource: Resource, window: Window) -> list[Any]:
    domain = [list(clause) for clause in resource.domain] if origin.owner is None else []
    if window.since is not None:
        # Shown to the second and compared to the microsecond: at or after finds each, some of them again.
        domain.append(["write_date", ">=", f"{window.since.astimezone(UTC):%Y-%m-%d %H:%M:%S}"])
    return domain + (_period(resource, window) if origin.owner is None else [])


def _period(resource: Resource, window: Window) -> list[Any]:
    if window.period_start is None or resource.period_field is None:
        return []
    start = f"{window.period_start:%Y-%m-%d}"
    return [[resource.period_field, ">=", f"{start} 00:00:00" if resource.period_field == "date_order" else start]]


async def _dress_orders(client: Client, lookups: Lookups, orders: list[JsonObject]) -> None:
    """Lay the lines under their orders, with what orders and lines refer to."""
    kinds = await client.fields(LINE_MODEL)
    domain = [["order_id", "in", [order["id"] for order in orders]]]
    found = await client.find(LINE_MODEL, domain, wanted(LINES, kinds), order="sequence asc, id asc")
    lines = [plain(row, kinds) for row in found]
    await lookups.attach(lines, "product_id", "product.product")
    for field in ("taxes_id", "tax_ids"):
        if field in kinds:
            await lookups.attach_many(lines, field, "account.tax")
    by_order: dict[int, list[JsonObject]] = {order["id"]: [] for order in orders}
    for line in lines:
        own = by_order[line["order_id"][0]]
        own.append(line)
        line["_position"] = len(own)  # Odoo's lines have an order, but no number
        line["_unit"] = _name(line.get("product_uom") or line.get("product_uom_id"))
    for order in orders:
        order[PARTS] = by_order[order["id"]]
    await lookups.attach(orders, "dest_address_id", "res.partner")
    await _countries(lookups, [order["dest_address_id."] for order in orders if "dest_address_id." in order])
    await lookups.attach(orders, "picking_type_id", "stock.picking.type")
    types = [order["picking_type_id."] for order in orders if "picking_type_id." in order]
    await lookups.attach(types, "warehouse_id", "stock.warehouse")


async def _dress_vendors(_: Client, lookups: Lookups, partners: list[JsonObject]) -> None:
    await _countries(lookups, partners)


async def _countries(lookups: Lookups, partners: list[JsonObject]) -> None:
    await lookups.attach(partners, "country_id", "res.country")
    await lookups.attach(partners, "state_id", "res.country.state")


async def _dress_items(_: Client, __: Lookups, products: list[JsonObject]) -> None:
    """Name the units: that of stock, and the one it is bought in where that differs."""
    for product in products:
        base, bought = product.get("uom_id"), product.get("uom_po_id")
        product["_unit"] = _name(base)
        product["_purchase_unit"] = _name(bought) if bought and base and bought[0] != base[0] else None


async def _dress_locations(_: Client, lookups: Lookups, places: list[JsonObject]) -> None:
    """Say of which warehouse a place is the whole."""
    warehouses = {key_of(row.get("view_location_id")): row for row in await lookups.all("stock.warehouse")}
    for place in places:
        if place["id"] in warehouses:
            place["warehouse."] = warehouses[place["id"]]


async def _dress_requests(_: Client, lookups: Lookups, requests: list[JsonObject]) -> None:
    """Say what the stage of a request means: whether it is the first, and whether it ends the work."""
    await lookups.attach(requests, "equipment_id", "maintenance.equipment")
    stages = sorted(await lookups.all("maintenance.stage"), key=lambda row: (row.get("sequence") or 0, row["id"]))
    by_key = {row["id"]: {**row, "first": place == 0} for place, row in enumerate(stages)}
    for request in requests:
        request["stage_id."] = by_key.get(key_of(request.get("stage_id")) or 0)


_DRESSING: Final[Mapping[Entity, Callable[[Client, Lookups, list[JsonObject]], Awaitable[None]]]] = {
    Entity.PURCHASE_ORDER: _dress_orders,
    Entity.VENDOR: _dress_vendors,
    Entity.ITEM: _dress_items,
    Entity.LOCATION: _dress_locations,
    Entity.WORK_ORDER: _dress_requests,
}
