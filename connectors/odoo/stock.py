"""Stock: levels, one for each product, place and lot, added up from Odoo's stock rows.

Odoo merges, splits and removes its rows as it pleases, so their own keys are worth nothing: a level's key is
`place:product:lot`. Pages are cut by product, so that all rows of a level lie on one.
"""

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

from connectors.base import Item, JsonObject, Page
from connectors.odoo.client import Client
from connectors.odoo.convert import named
from connectors.odoo.lookups import Lookups
from connectors.odoo.resources import QUANT_MODEL, QUANTS
from connectors.odoo.rows import key_of, plain, wanted

PRODUCTS: Final = 500
_ROWS: Final = 2000
USAGES: Final = ("internal", "transit")
_SUMS: Final = ("quantity", "reserved_quantity", "available_quantity")
Key = tuple[int, int, int]


async def pages(client: Client, lookups: Lookups, position: JsonObject | None) -> AsyncIterator[Page]:
    """Yield all levels, by product, resuming after `position` (`{"after": product}`)."""
    after: int = position["after"] if position else 0
    while True:
        products = await client.find("product.product", [["id", ">", after]], ["id"], limit=PRODUCTS, archived=True)
        keys = [row["id"] for row in products]
        items = await _levels(client, lookups, [["product_id", "in", keys]]) if keys else []
        if len(keys) < PRODUCTS:
            yield Page(tuple(items), None)
            return
        after = keys[-1]
        yield Page(tuple(items), {"after": after})


async def fetch(client: Client, lookups: Lookups, source_ids: Iterable[str]) -> list[Item]:
    """Read levels by key; those without a row are left out."""
    keys = {key for each in source_ids if (key := key_from(each)) is not None}
    if not keys:
        return []
    domain = [
        ["product_id", "in", sorted({product for _, product, _ in keys})],
        ["location_id", "in", sorted({place for place, _, _ in keys})],
    ]
    named = {source_id(key) for key in keys}
    return [item for item in await _levels(client, lookups, domain) if item.source_id in named]


def key_from(text: str) -> Key | None:
    """Read a level's key."""
    parts = text.split(":")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return None
    place, product, lot = (int(part) for part in parts)
    return place, product, lot


def source_id(key: Key) -> str:
    """Write a level's key."""
    return ":".join(str(part) for part in key)


async def _levels(client: Client, lookups: Lookups, domain: list[Any]) -> list[Item]:
    kinds = await client.fields(QUANT_MODEL)
    fields = wanted(QUANTS, kinds, custom=False)
    levels: dict[Key, JsonObject] = {}
    after = 0
    while True:
        told = [*domain, ["location_id.usage", "in", list(USAGES)], ["id", ">", after]]
        rows = await client.find(QUANT_MODEL, told, fields, limit=_ROWS)
        for row in rows:
            _add(levels, plain(row, kinds))
        if len(rows) < _ROWS:
            break
        after = rows[-1]["id"]
    bodies = list(levels.values())
    await lookups.attach(bodies, "product_id", "product.product")
    await lookups.attach(bodies, "location_id", "stock.location")
    return [Item(source_id(key), body) for key, body in sorted(levels.items())]


def _add(levels: dict[Key, JsonObject], row: JsonObject) -> None:
    key = (key_of(row["location_id"]) or 0, key_of(row["product_id"]) or 0, key_of(row.get("lot_id")) or 0)
    # The row's own key and stamp say nothing of the level: both change when Odoo merges rows.
    own = {name: value for name, value in row.items() if name not in {"id", "write_date"}}
    own |= {"_unit": named(row.get("product_uom_id")), "_place": named(row["location_id"])}
    known = levels.setdefault(key, own)
    if known is not own:
        for name in _SUMS:
            if own.get(name) is not None:
                known[name] = (known.get(name) or 0) + own[name]
