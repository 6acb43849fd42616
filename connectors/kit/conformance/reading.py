"""Reading: whole, page by page, since a time, from borders."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from connectors.base import Connector, Feed, Item, Page, Source, Window
from connectors.compiled import record
from connectors.errors import Unsupported
from connectors.kit.conformance.bench import Bench, EntityCases, NotTried, always, has_cursor
from connectors.kit.conformance.expect import equal, raises, true
from connectors.mapping import project
from db.models.rows import record_of
from db.types import Entity

_AHEAD: Final = timedelta(days=400)
_PLACES: Final = 4


async def first(bench: Bench, entity: Entity) -> None:
    """A first pass gives every document once, whole and mapped."""
    wanted = await _keys(bench, entity)
    async with bench.open() as source:
        for feed in bench.feeds(entity, full=True):
            pages = await bench.pages(source, feed)
            _well_formed(pages, entity)
            ids = [item.source_id for page in pages for item in page.items]
            equal(len(ids), len(set(ids)), "documents, and different ones,")
            if pages[0].total is not None:
                equal(pages[0].total, len(ids), "the total that the first page tells")
            for page in pages:
                for item in page.items:
                    _sound(bench, entity, feed, item)
            if wanted is not None:
                equal(set(ids) ^ wanted, set(), "read and not there, or there and not read,")
    bench.prove(entity, "read")


async def paging(bench: Bench, entity: Entity) -> None:
    """A pass goes on behind any page, and ends well where the last page is just full."""
    async with bench.open() as source:
        for feed in bench.feeds(entity, full=True):
            size = await _filled(bench, source, feed)
            for more in (0, 1):
                if more:
                    await bench.rig.make(entity.value, 1)
                pages = await bench.pages(source, feed)
                _well_formed(pages, entity)
                ids = [item.source_id for page in pages for item in page.items]
                equal(len(ids), len(set(ids)), f"documents and different ones, at {size} a page,")
                await _resumes(bench, source, feed, pages, ids)


async def _resumes(bench: Bench, source: Source, feed: Feed, pages: list[Page], ids: list[str]) -> None:
    for place in range(min(len(pages) - 1, _PLACES)):
        again = await bench.pages(source, feed, position=pages[place].position)
        rest = [item.source_id for page in again for item in page.items]
        seen = [item.source_id for page in pages[: place + 1] for item in page.items]
        equal(seen + rest, ids, f"the pass that goes on behind page {place + 1}")


async def _filled(bench: Bench, source: Source, feed: Feed) -> int:
    """Fill the source until its last page is just full; gives the rows of a page."""
    size = 0
    for _ in range(3):
        pages = await bench.pages(source, feed)
        size = max(len(page.items) for page in pages)
        last = len(pages[-1].items)
        if len(pages) > 1 and last == size:
            return size
        if len(pages) == 1:
            # A page is as large as it is: only a second one shows how much the first can hold.
            known = await bench.rig.keys(feed.entity.value)
            await bench.rig.make(feed.entity.value, max(200, len(known)))
            continue
        await bench.rig.make(feed.entity.value, size - last)
    return size


async def empty(bench: Bench, entity: Entity) -> None:
    """Nothing changed gives no item, and ends."""
    async with bench.open() as source:
        ahead = await source.clock() + _AHEAD
        for feed in bench.feeds(entity, full=False):
            if feed.cursor is None:
                continue
            pages = await bench.pages(source, feed, Window(since=ahead))
            equal(
                [item.source_id for page in pages for item in page.items], [], f"changed after {ahead}, in {feed.name}"
            )
            true(pages and pages[-1].position is None, "the pass does not end")


async def since(bench: Bench, entity: Entity) -> None:
    """A window begins at its very instant, in whatever zone it is told."""
    async with bench.open() as source:
        for feed in bench.feeds(entity, full=True):
            items = [item for page in await bench.pages(source, feed) for item in page.items]
            stamped = sorted((item for item in items if item.updated_at), key=lambda item: item.updated_at or _LONG_AGO)
            if not stamped:
                raise NotTried("no document has a stamp")
            for item in {id(one): one for one in (stamped[len(stamped) // 2], stamped[-1])}.values():
                at = item.updated_at or _LONG_AGO
                told = [
                    {one.source_id for page in await bench.pages(source, feed, Window(zoned)) for one in page.items}
                    for zoned in (at, at.astimezone(timezone(timedelta(hours=5, minutes=45))))
                ]
                true(item.source_id in told[0], f"{item.source_id}, stamped {at}, is not among what changed since")
                equal(told[0] ^ told[1], set(), "in one zone and not in the other")


async def fetch(bench: Bench, entity: Entity) -> None:
    """Documents are read by key, the missing left out, doubled keys given once, and as a pass gives them."""
    async with bench.open() as source:
        whole = await bench.whole(source, entity)
        if not whole:
            raise NotTried(f"the system holds no {entity}")
        some = sorted(whole)[:: max(1, len(whole) // 30)]
        found = await source.fetch(entity, [*some, some[0], "999999999", "no such key"])
        equal(sorted(item.source_id for item in found), sorted(some), "fetched by key")
        for item in found[:3]:
            equal(item.body, whole[item.source_id].body, f"the body of {item.source_id}, fetched and in a pass,")
        equal(await source.fetch(entity, []), [], "fetched by no key")


async def unmapped(bench: Bench) -> None:
    """An entity that the connector does not read is refused before any call."""
    others = [one for one in Entity if one not in bench.connector.mappings]
    if not others:
        raise NotTried("the connector reads every entity")
    async with bench.open() as source:
        before = bench.calls
        for other in others:
            async with raises(Unsupported, told=bench.told):
                await source.fetch(other, ["1"])
        equal(bench.calls, before, "calls")


async def period(bench: Bench, entity: Entity) -> None:
    """The historical period is cut where the document's date says."""
    async with bench.open() as source:
        for feed in bench.feeds(entity, full=True):
            items = [item for page in await bench.pages(source, feed) for item in page.items]
            days = sorted(item.dated_on for item in items if item.dated_on)
            if not days:
                raise NotTried("no document is dated")
            cut = days[len(days) // 2]
            pages = await bench.pages(source, feed, Window(period_start=cut))
            found = {item.source_id: item for page in pages for item in page.items}
            wanted = {item.source_id for item in items if item.dated_on and item.dated_on >= cut}
            dated = {key for key, item in found.items() if item.dated_on}
            equal(dated ^ wanted, set(), f"dated from {cut} on and not read, or the other way round,")


def _well_formed(pages: list[Page], entity: Entity) -> None:
    true(pages, f"a pass over {entity} gives no page")
    equal(pages[-1].position, None, "the position of the last page")
    true(all(page.position is not None for page in pages[:-1]), "a page before the last has no position")


def _sound(bench: Bench, entity: Entity, feed: Feed, item: Item) -> None:
    """Hold an item to what the protocol says, and both ways of mapping to be one."""
    true(item.source_id, f"{item.source_id!r} is no key")
    if item.updated_at is not None:
        equal(item.updated_at.utcoffset(), timedelta(), f"the zone of the stamp of {item.source_id}")
    if feed.period_field is None:
        equal(item.dated_on, None, f"the date of {item.source_id}, which no period cuts,")
    units, mapping = bench.connector.units(bench.defaults), bench.connector.mappings[entity]
    mapped: Any = project(mapping, item.body, units=units)
    equal(record(mapping, item.body, units=units), record_of(mapped), f"{item.source_id}, mapped quickly and plainly,")


async def _keys(bench: Bench, entity: Entity) -> set[str] | None:
    try:
        return await bench.rig.keys(entity.value)
    except NotImplementedError:
        return None


def _has_period(connector: Connector, entity: Entity) -> bool:
    return any(feed.entity is entity and feed.full and feed.period_field for feed in connector.feeds)


_LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)
CASES: Final[EntityCases] = {
    "first": (always, first),
    "paging borders": (always, paging),
    "empty": (has_cursor, empty),
    "boundary timestamps and zones": (has_cursor, since),
    "historical period": (_has_period, period),
    "by key": (always, fetch),
}
UNREAD: Final[Mapping[str, Callable[[Bench], Awaitable[None]]]] = {"entities it does not read": unmapped}
