"""What changes, and what is deleted: found as the connector declares it."""

from datetime import datetime, timedelta
from typing import Final

from connectors.base import Page, Source, Window
from connectors.kit.conformance.bench import Bench, EntityCases, always, has_cursor
from connectors.kit.conformance.expect import equal, true
from db.types import Entity

_OUR_SLACK: Final = timedelta(seconds=5)


async def incremental(bench: Bench, entity: Entity) -> None:
    """A change is found by its feeds since just before it, is stamped by the source's clock, and nothing old comes."""
    feeds = bench.feeds(entity, full=False)
    async with bench.open() as source:
        key = await bench.fresh_key(entity)
        before = await source.clock()
        await bench.rig.change(entity.value, key)
        after = await source.clock()
        overlap = max(feed.overlap for feed in feeds)
        found = await bench.since(source, entity, before - overlap)
        true(key in found, f"{key}, changed at {before}, is not among what changed since")
        stamp = found[key].updated_at
        if stamp is not None and overlap < timedelta(hours=12):
            # A stamp of another zone would be hours off, and checkpoints with it.
            true(
                before - _OUR_SLACK <= stamp <= after + timedelta(seconds=1) + _OUR_SLACK,
                f"{key}, changed between {before} and {after}, is stamped {stamp}",
            )
        bench.record(entity, found[key])
    bench.prove(entity, "incremental")


async def made(bench: Bench, entity: Entity) -> None:
    """What was made is found by the next pass over changes."""
    feeds = bench.feeds(entity, full=False)
    async with bench.open() as source:
        before = await source.clock()
        [key] = await bench.rig.make(entity.value, 1)
        overlap = max(feed.overlap for feed in feeds)
        found = await bench.since(source, entity, before - overlap)
    true(key in found, f"{key}, made at {before}, is not among what changed since")


async def deleted(bench: Bench, entity: Entity) -> None:
    """What is deleted is told by a feed or a flag, or missing from a whole pass and from a look at its key."""
    feeds = bench.feeds(entity, full=False)
    async with bench.open() as source:
        key = await bench.fresh_key(entity)
        before = await source.clock()
        await bench.rig.vanish(entity.value, key)
        overlap = max(feed.overlap for feed in feeds)
        told = await _gone_keys(bench, source, entity, since=before - overlap)
        there = [item for item in await source.fetch(entity, [key]) if not item.gone]
        equal([item.source_id for item in there], [], "deleted, and still there when looked up,")
        whole = await bench.whole(source, entity)
        true(key not in whole or whole[key].gone, f"{key} was deleted, and a whole pass gives it as if it were there")
        swept = any(feed.scan_every or feed.cursor is None for feed in feeds)
        if key in told:
            bench.prove(entity, "deletions", told[key])
        else:
            true(swept, f"{key} was deleted: no feed tells it, and no full run is declared that would find it")
            bench.prove(entity, "deletions", "whole pass" if all(f.cursor is None for f in feeds) else "full run")


async def _gone_keys(bench: Bench, source: Source, entity: Entity, *, since: datetime) -> dict[str, str]:
    told: dict[str, str] = {}
    for feed in bench.feeds(entity, full=False):
        pages: list[Page] = await bench.pages(source, feed, Window(since))
        told |= {key: "tombstones" for page in pages for key in page.gone}
        told |= {item.source_id: "flag" for page in pages for item in page.items if item.gone}
    return told


CASES: Final[EntityCases] = {
    "incremental": (has_cursor, incremental),
    "made since": (always, made),
    "deletions": (always, deleted),
}
