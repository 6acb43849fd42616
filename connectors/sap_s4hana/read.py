"""Pages of whole items: keyset pages by the document's own key, whatever page size the server likes."""

from collections.abc import AsyncIterator, Iterable

from connectors.base import Item, JsonObject, Page, Window
from connectors.errors import BadResponse
from connectors.kit.odata2 import Listed, text_literal
from connectors.sap_s4hana.client import SapClient
from connectors.sap_s4hana.faults import BadRequest
from connectors.sap_s4hana.services import Resource

_BATCH = 20


async def pages(
    client: SapClient, resource: Resource, window: Window, position: JsonObject | None
) -> AsyncIterator[Page]:
    """Read a window of an entity, resuming after `position` (`{"after": key, "seen": rows, "total": count}`).

    Raises:
        BadResponse: The source gives the same page again, or cuts one item's rows.
    """
    after: str | None = position["after"] if position else None
    seen: int = position["seen"] if position else 0
    total: int | None = position["total"] if position else None
    size = resource.page_size
    while True:
        options = _options(resource, window, after=after, size=size, count=position is None and total is None)
        found = await _list(client, resource, options, at_most=size)
        total = found.count if total is None else total
        rows = found.rows
        # A short page without a link to more ends the pass, unless the count says that the server cut it.
        complete = len(rows) < size and found.next_link is None and (total is None or seen + len(rows) >= total)
        if resource.grouped and rows and not complete:
            whole = _whole_groups(rows, resource.key)
            if not whole and len(rows) >= size:
                size *= 2  # one material fills the page: take more of it at once
                continue
            rows = whole or rows
        last = str(rows[-1][resource.key]) if rows else None
        if last is not None and last == after:
            raise BadResponse(f"{resource.path} gives {last} again after {after}.")
        seen += len(rows)
        ended = complete or last is None
        after = last
        position = None if ended else {"after": last, "seen": seen, "total": total}
        yield Page(tuple(item(resource, row) for row in rows), position, total)
        if ended:
            return


async def fetch(client: SapClient, resource: Resource, source_ids: Iterable[str]) -> list[Item]:
    """Read whole items by key, some at a time; missing ones, and what can be no key, are left out."""
    wanted = [each for each in dict.fromkeys(source_ids) if resource.is_key(each)]
    found: list[Item] = []
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        keys = " or ".join(f"({resource.id_filter(source_id)})" for source_id in batch)
        options = {"$filter": keys, "$orderby": resource.order, "$top": str(len(batch))}
        rows = (await _list(client, resource, options, at_most=len(batch))).rows
        found += [item(resource, row) for row in rows]
    return found


async def _list(client: SapClient, resource: Resource, options: dict[str, str], *, at_most: int) -> Listed:
    """List whole items; navigation that this release refuses is left out from then on."""
    wanted = [part for part in (resource.expand, resource.optional) if part and part not in client.unknown]
    try:
        told = {**options, "$expand": ",".join(wanted)}
        return await client.list(resource.service, resource.path, told, at_most=at_most)
    except BadRequest:
        if resource.optional not in wanted:
            raise
        told = {**options, "$expand": resource.expand}
        found = await client.list(resource.service, resource.path, told, at_most=at_most)
        client.unknown.add(resource.optional)
        return found


def item(resource: Resource, row: JsonObject) -> Item:
    """Make an item of a row as the client lists it."""
    return Item(resource.source_id(row), row, resource.updated_at(row), resource.dated_on(row))


def _options(resource: Resource, window: Window, *, after: str | None, size: int, count: bool) -> dict[str, str]:
    filters = resource.filters(window)
    if after is not None:
        filters.append(f"{resource.key} gt {text_literal(after)}")
    return {
        "$filter": " and ".join(filters),
        "$orderby": resource.order,
        "$top": str(size),
        "$inlinecount": "allpages" if count else "",
    }


def _whole_groups(rows: list[JsonObject], key: str) -> list[JsonObject]:
    """Leave out the last key's rows, of which more may follow; [] when all rows are of one key."""
    last = rows[-1][key]
    return [row for row in rows if row[key] != last]
