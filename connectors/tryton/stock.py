"""Stock: levels, one for each product at each storage location, and counts that correct them.

Tryton keeps moves, not levels: a quantity is what the moves up to today add up to, so it has no stamp of change and
each pass reads all of them.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from connectors.base import Change, Item, JsonObject, Page, Written
from connectors.errors import WriteRejected
from connectors.tryton import converters
from connectors.tryton import values as make
from connectors.tryton.client import PAGE_SIZE, Client
from connectors.tryton.journal import Journal
from connectors.tryton.units import native

MODEL: Final = "stock.inventory"
REFERENCE_FIELD: Final = "number"
"""The inventory's own number: Tryton takes the one it is given, and gives one of its sequence where there is none."""
_PRODUCT: Final = ("code", "rec_name", "default_uom", "default_uom.symbol", "default_uom_category", "quantity")
_STORED: Final = (("type", "=", "goods"), ("consumable", "=", False))


async def pages(client: Client, position: JsonObject | None) -> AsyncIterator[Page]:
    """Yield all levels, by location and product, resuming after `position` (`{"location": n, "after_id": m}`)."""
    places = await client.find("stock.location", [["type", "=", "storage"]], ["code", "name"], limit=10_000)
    current = position["location"] if position else (places[0]["id"] if places else 0)
    after: int = position["after_id"] if position else 0
    rest = [place for place in places if place["id"] >= current]
    for number, place in enumerate(rest):
        while True:
            items = await _levels(client, place, [["id", ">", after], *_STORED])
            ended = len(items) < PAGE_SIZE
            after = 0 if ended else int(items[-1].body["product"])
            if ended and number + 1 == len(rest):
                yield Page(tuple(items), None)
                return
            following = rest[number + 1]["id"] if ended else place["id"]
            yield Page(tuple(items), {"location": following, "after_id": after})
            if ended:
                break
    yield Page((), None)


async def fetch(client: Client, source_ids: Iterable[str]) -> list[Item]:
    """Read levels by key (`location:product`); where there was never a move, the quantity is 0."""
    keys = sorted(key for each in source_ids if (key := _key(each)) is not None)
    found: list[Item] = []
    for place, pairs in groupby(keys, key=lambda pair: pair[0]):
        rows = await client.find("stock.location", [["id", "=", place]], ["code", "name"], limit=1)
        if rows:
            found += await _levels(client, rows[0], [["id", "in", [product for _, product in pairs]]])
    return found


async def adjust(journal: Journal, change: Change, *, units: Mapping[str, str]) -> Written:
    """Count a product at a place: an inventory with one line, confirmed.

    Tryton takes what should be there and moves the difference to what it expects at that moment. A `delta` is added
    to the quantity read just before: a movement between the two calls is not seen. An inventory of ours that an
    earlier try left as a draft is confirmed instead of a second one.
    """
    client, values = journal.client, change.values
    place, product = await _target(client, change)
    levels = await fetch(client, [f"{place}:{product}"])
    if not levels:
        raise make.rejected(("item",), f"Tryton has no product {product} at location {place}.")
    [level] = levels
    unit = level.body["product."]["default_uom.symbol"]
    if values.get("unit") is not None and unit not in native(values["unit"], units):
        message = f"Tryton counts this product in {unit!r} only, not in {values['unit'][:40]!r}."
        raise make.rejected(("unit",), message)
    on_hand = converters.exact(level.body["quantity"]) or Decimal(0)
    counted = values["quantity"] if values.get("quantity") is not None else on_hand + values["delta"]
    if counted < 0:
        raise make.rejected(("delta",), f"There are {on_hand}; Tryton counts no quantity below 0.")
    drafts = await client.find(
        MODEL, [[REFERENCE_FIELD, "=", change.reference], ["state", "=", "draft"]], ["id"], limit=1
    )
    if drafts:
        inventory: int | None = drafts[0]["id"]
    else:
        line = {"product": product, "quantity": make.quantity(counted, ("quantity",))}
        made = {"location": place, REFERENCE_FIELD: change.reference or None, "lines": [["create", [line]]]}
        keys = await journal.do(MODEL, "create", [made])
        inventory = keys[0] if keys else None
    await journal.do(MODEL, "confirm", [inventory])
    facts = {"onHand": str(on_hand), "difference": str(counted - on_hand)}
    return Written(level.source_id, facts)


async def find(client: Client, change: Change) -> list[str]:
    """Give the level that a confirmed inventory of ours counted; one left as a draft has moved nothing yet."""
    if not change.reference:
        return []
    domain = [[REFERENCE_FIELD, "=", change.reference], ["state", "=", "done"]]
    rows = await client.find(MODEL, domain, ["location", "lines.product"], limit=2)
    return [f"{row['location']}:{line['product']}" for row in rows for line in row["lines."]]


async def _levels(client: Client, place: JsonObject, domain: list[Any]) -> list[Item]:
    context = {"locations": [place["id"]], "with_childs": False}
    rows = await client.call(
        "product.product", "search_read", domain, 0, PAGE_SIZE, [["id", "ASC"]], list(_PRODUCT), extra=context
    )
    return [_item(place, row) for row in rows]


def _item(place: JsonObject, row: JsonObject) -> Item:
    named = {"code": place.get("code"), "name": place.get("name")}
    unit = row.get("default_uom.") or {}
    product = {
        "code": row.get("code"),
        "rec_name": row.get("rec_name"),
        "default_uom.symbol": unit.get("symbol"),
        "default_uom_category": row.get("default_uom_category"),
    }
    body = {
        "location": place["id"],
        "location.": named,
        "product": row["id"],
        "product.": product,
        "quantity": row["quantity"],
    }
    return Item(f"{place['id']}:{row['id']}", body)


def _key(source_id: str) -> tuple[int, int] | None:
    place, _, product = source_id.partition(":")
    return (int(place), int(product)) if place.isdecimal() and product.isdecimal() else None


async def _target(client: Client, change: Change) -> tuple[int, int]:
    """Give location and product; a warehouse stands for its storage location."""
    if change.source_id:
        key = _key(change.source_id)
        if key is None:
            raise WriteRejected("This is not the key of a level of Tryton.")
        return key
    asked = make.row_id(change.values.get("location_source_id"), ("location",))
    rows = await client.find("stock.location", [["id", "=", asked]], ["type", "storage_location"], limit=1)
    if not rows or rows[0]["type"] not in {"warehouse", "storage"}:
        raise make.rejected(("location",), f"Tryton has no warehouse or storage location {asked}.")
    place = rows[0]["storage_location"] if rows[0]["type"] == "warehouse" else asked
    product = make.row_id(change.values.get("item_source_id"), ("item",))
    if not await client.find("product.product", [["id", "=", product], *_STORED], ["id"], limit=1):
        raise make.rejected(("item",), f"Tryton has no product {product} that is kept in stock.")
    return int(place), product
