"""The live check: right, wrong, expired and under-privileged credentials, each told apart."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from connectors.base import Referable, Window
from connectors.errors import AuthError, ConfigError, PermissionRefused, SourceUnavailable
from connectors.kit.conformance.bench import Bench
from connectors.kit.conformance.expect import equal, raises, true
from db.types import Entity


async def right(bench: Bench) -> None:
    """Good credentials are let in, nothing is refused, and the facts hold no secret."""
    async with bench.open() as source:
        checked = await source.check()
        bench.told.append(str(checked.facts))
    equal(dict(checked.refused), {}, "refused to credentials that may do everything")
    true(checked.facts, "the check tells no facts")


async def wrong(bench: Bench) -> None:
    """A wrong secret asks for other credentials."""
    async with bench.open("wrong") as source, raises(AuthError, told=bench.told) as caught:
        await source.check()
    true("<" not in (caught.error.source_message or ""), "the source's words are a page's markup")
    async with bench.open("wrong") as source, raises(AuthError, told=bench.told):
        await source.clock()
        feed = bench.connector.feeds[0]
        async for _ in source.read(feed, window=Window(), position=None):
            pass


async def expired(bench: Bench) -> None:
    """Credentials that were right once ask for others, too."""
    async with bench.open("expired") as source, raises(AuthError, told=bench.told):
        await source.check()


async def ended_sessions(bench: Bench) -> None:
    """A conversation goes on where its session or token ended meanwhile."""
    async with bench.open() as source:
        await source.check()
        await bench.rig.expire()
        checked = await source.check()
        feed = bench.connector.feeds[0]
        page = [page async for page in source.read(feed, window=Window(), position=None)]
    true(page, "nothing is read after the session ended")
    equal(dict(checked.refused), {}, "refused after the session ended")


async def unprivileged(bench: Bench) -> None:
    """What may not be read is told by entity, and refused on reading; the rest is read."""
    async with bench.open("unprivileged") as source:
        refused = dict((await source.check()).refused)
        true(refused, "nothing is told as refused")
        true(set(refused) < set(bench.connector.mappings), "everything is told as refused")
        bench.told.append(str(refused))
        for entity in bench.connector.mappings:
            for feed in bench.feeds(entity, full=True):
                if entity in refused:
                    async with raises(PermissionRefused, told=bench.told):
                        await bench.pages(source, feed)
                else:
                    await bench.pages(source, feed)


async def nowhere(bench: Bench) -> None:
    """An address where nothing answers is unreachable, and nothing was sent."""
    async with bench.open("nowhere") as source, raises(SourceUnavailable, ConfigError, told=bench.told) as caught:
        await source.check()
    if isinstance(caught.error, SourceUnavailable):
        true(caught.error.reason in {"CONNECT", "DNS"}, f"the reason is {caught.error.reason}")
        equal(caught.error.sent, False, "told as sent")


async def clock(bench: Bench) -> None:
    """The source's clock is told in UTC; near ours, where the system runs on ours."""
    async with bench.open() as source:
        now = await source.clock()
    equal(now.utcoffset(), timedelta(), "the clock's zone")
    if bench.rig.against == "sandbox":
        true(abs(now - datetime.now(UTC)) < timedelta(seconds=30), f"the clock is at {now}, and the sandbox's at ours")


async def codes(bench: Bench) -> None:
    """A code that nothing has resolves to nothing, whatever characters it holds."""
    read = bench.connector.mappings
    kinds: list[Referable] = ["payment_terms", *(kind for kind, entity in _LISTED.items() if entity in read)]
    async with bench.open() as source:
        for kind in kinds:
            for code in ("no such code anywhere", 'O\'Neil & "Söhne" (100 %)', "🏭"):
                equal(await source.resolve(kind, code), [], f"{kind} {code!r}")


_LISTED: Final[Mapping[Referable, Entity]] = {
    "vendor": Entity.VENDOR,
    "item": Entity.ITEM,
    "location": Entity.LOCATION,
    "asset": Entity.ASSET,
}
"""What a connector can look up, where it reads it; other codes it may have to leave to the source."""
CASES: Final[Mapping[str, Callable[[Bench], Awaitable[None]]]] = {
    "right credentials": right,
    "wrong credentials": wrong,
    "expired credentials": expired,
    "ended sessions": ended_sessions,
    "under-privileged credentials": unprivileged,
    "nothing at the address": nowhere,
    "the source's clock": clock,
    "unknown codes": codes,
}
