"""Reading feeds page by page, and items by key."""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from connectors.base import Feed, Item, JsonObject, Page, Window
from connectors.errors import Unsupported, VersionConflict
from connectors.mapping import at
from connectors.tryton import stock
from connectors.tryton.client import PAGE_SIZE, Client
from connectors.tryton.fields import ITEMS, ORIGINS, RETIRED, Origin
from db.types import Entity

_BY_FEED: Final = {(origin.feed.entity, origin.feed.name): origin for origin in ORIGINS}
_OWN_PARTS: Final = ("lines.", "addresses.", "contact_mechanisms.", "identifiers.", "template.")
_PARTS: Final = (*_OWN_PARTS, "moves.", "invoice_lines.")


async def pages(client: Client, feed: Feed, *, window: Window, position: JsonObject | None) -> AsyncIterator[Page]:
    """Yield the pages of one pass, in the order of ids, resuming after `position` (`{"after_id": n, "total": m}`).

    Pages are cut by id, which no change moves, so nothing is skipped or doubled while records change. A feed of parts
    counts its parts in `total` and yields the items that own them; an item may then come on several pages.
    """
    if feed.entity is Entity.INVENTORY_LEVEL:
        async for page in stock.pages(client, position):
            yield page
        return
    origin = _BY_FEED[feed.entity, feed.name]
    domain = _changed(origin, window)
    after: int = position["after_id"] if position else 0
    total: int | None = position.get("total") if position else await client.call(origin.model, "search_count", domain)
    while True:
        ids, items = await _page(client, origin, domain=[*domain, ["id", ">", after]], window=window)
        if len(ids) < PAGE_SIZE:
            yield Page(items, None, total)
            return
        after = ids[-1]
        yield Page(items, {"after_id": after, "total": total}, total)


async def fetch(client: Client, entity: Entity, source_ids: list[str]) -> list[Item]:
    """Read whole items by key, in the order of keys; those that are missing, or not this user's, are left out."""
    if entity is Entity.INVENTORY_LEVEL:
        return await stock.fetch(client, source_ids)
    if entity not in ITEMS:
        raise Unsupported(f"{entity} is not read from Tryton.")
    ids = sorted(int(source_id) for source_id in source_ids if source_id.isdigit())
    return await _items(client, entity, ids, [])


def item(body: JsonObject) -> Item:
    """Make an item of what Tryton told; its `updated_at` is the newest stamp of the record and its parts.

    Each line gets its place as `_position`, from 1: Tryton's lines have an order, but no number.
    """
    for position, line in enumerate(body.get("lines.") or (), 1):
        line["_position"] = position
    stamps = [datetime.fromisoformat(stamp) for stamp in _stamps(body, ("write_date", "create_date"), _PARTS)]
    return Item(str(body["id"]), body, max(stamps, default=None), _dated_on(body))


def _dated_on(body: JsonObject) -> date | None:
    """Give the day that `_period` goes by; None for what has no period."""
    if "purchase_date" not in body:
        return None
    told = body["purchase_date"] or body["create_date"]
    return date.fromisoformat(told[:10])


def version(body: Mapping[str, Any]) -> str:
    """Give the version stamp of an item: the newest `_timestamp` of the record and its own parts, seconds as text.

    It fits `Change.expected`. Lines count because Tryton leaves the order's own stamp alone when one changes;
    receipts and invoices do not, for they are records of their own.
    """
    return max(_stamps(body, ("_timestamp",), _OWN_PARTS), key=Decimal, default="")


def expect(expected: str | None, body: Mapping[str, Any], message: str) -> None:
    """Compare the version that the caller saw with the present one.

    Raises:
        VersionConflict: They differ.
    """
    if expected and Decimal(version(body)) != Decimal(expected):
        raise VersionConflict(message)


async def _page(
    client: Client, origin: Origin, *, domain: list[Any], window: Window
) -> tuple[list[int], tuple[Item, ...]]:
    entity = origin.feed.entity
    if origin.owner is None:
        found = await client.find(origin.model, domain, ITEMS[entity][1])
        return [row["id"] for row in found], tuple(item(row) for row in found)
    rows = await client.find(origin.model, domain, [origin.owner.replace("./", ".")])
    owners = sorted({owner for row in rows for owner in _owners(row, origin.owner)})
    items: list[Item] = []
    for start in range(0, len(owners), PAGE_SIZE):
        items += await _items(client, entity, owners[start : start + PAGE_SIZE], _period(origin, window))
    return [row["id"] for row in rows], tuple(items)


async def _items(client: Client, entity: Entity, ids: list[int], domain: list[Any]) -> list[Item]:
    model, fields = ITEMS[entity]
    anywhere = [["active", "in", [True, False]]] if entity in RETIRED else []
    rows = await client.find(model, [["id", "in", ids], *anywhere, *domain], fields, limit=max(len(ids), 1))
    return [item(row) for row in rows]


def _owners(row: JsonObject, path: str) -> Iterable[int]:
    value = at(row, path)
    return value if isinstance(value, list) else [value] if isinstance(value, int) else []


def _changed(origin: Origin, window: Window) -> list[Any]:
    domain: list[Any] = [list(clause) for clause in origin.domain]
    if window.since is not None:
        since = window.since.astimezone(UTC)
        # write_date is null until a record's first change.
        domain.append(["OR", ["write_date", ">=", since], [["write_date", "=", None], ["create_date", ">=", since]]])
    return domain + (_period(origin, window) if origin.owner is None else [])


def _period(origin: Origin, window: Window) -> list[Any]:
    field = origin.feed.period_field
    if window.period_start is None or field is None:
        return []
    # Drafts need no date yet; they count from the day they were made.
    made = [[field, "=", None], ["create_date", ">=", _midnight(window.period_start)]]
    return [["OR", [field, ">=", window.period_start], made]]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _stamps(body: Mapping[str, Any], names: tuple[str, ...], parts: tuple[str, ...]) -> list[str]:
    found = [stamp for name in names if (stamp := body.get(name)) is not None]
    for key in parts:
        told = body.get(key) or ()
        for part in [told] if isinstance(told, Mapping) else told:
            found += _stamps(part, names, parts)
    return found
