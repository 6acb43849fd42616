"""Faults: each gives the right error, on reads and on writes."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from connectors.errors import (
    AuthError,
    BadResponse,
    ConnectorError,
    OutcomeUnknown,
    PermissionRefused,
    RateLimited,
    SourceFault,
    SourceUnavailable,
    WriteRejected,
)
from connectors.kit.conformance.bench import Bench, NotTried
from connectors.kit.conformance.expect import equal, raises, true
from db.types import Entity, Operation

_EVER: Final = {"count": None}
_RETRY: Final = 7
_CHUNKS: Final = 40.0
"""Seconds over which a body trickles, for each that is waited for: twice as slow as is borne."""

Kinds = tuple[type[ConnectorError], ...]
_READ_ERRORS: Final[Mapping[str, tuple[str, dict[str, Any], Kinds]]] = {
    "offline": ("offline", {"seconds": 0.2}, (SourceUnavailable,)),
    "drop_before": ("drop_before", _EVER, (SourceUnavailable,)),
    "silent": ("silent", _EVER, (SourceUnavailable,)),
    "hold": ("hold", _EVER, (SourceUnavailable,)),
    "unauthorized": ("unauthorized", _EVER, (AuthError,)),
    "forbidden": ("forbidden", _EVER, (PermissionRefused,)),
    "unavailable": ("unavailable", _EVER, (SourceFault, RateLimited, SourceUnavailable)),
    "status 500": ("status", {"status": 500, **_EVER}, (SourceFault,)),
    "status 502": ("status", {"status": 502, **_EVER}, (SourceFault, SourceUnavailable)),
    "reset_body": ("reset_body", _EVER, (SourceUnavailable,)),
    "cut_body": ("cut_body", _EVER, (SourceUnavailable,)),
    "slow_body": ("slow_body", {"seconds": _CHUNKS, **_EVER}, (SourceUnavailable,)),
    "drop_after": ("drop_after", _EVER, (SourceUnavailable,)),
}
_HARMLESS: Final[Mapping[str, dict[str, Any]]] = {
    "delay": {"seconds": 0.05},
    "delay_after": {"seconds": 0.05},
    "repeat_page": _EVER,
    "shift_page": {"rows": 1, "after": 1},
    "edit_between": {"rows": 1},
}
_LOST: Final[Mapping[str, dict[str, Any]]] = {
    "drop_after": {},
    "fail_after": {"status": 502},
    "reset_body": {},
    "delay_after": {"seconds": 30.0},
    "silent": {},
}


async def _read(bench: Bench) -> list[str]:
    """Read the first feed whole: keys."""
    async with bench.open() as source:
        feed = bench.connector.feeds[0]
        return [item.source_id for page in await bench.pages(source, feed) for item in page.items]


async def _look(bench: Bench, key: str) -> list[str]:
    """Read one document."""
    async with bench.open(hasty=True) as source:
        return [item.source_id for item in await source.fetch(bench.connector.feeds[0].entity, [key])]


def _error(kind: str, more: dict[str, Any], kinds: Kinds) -> Callable[[Bench], Awaitable[None]]:
    async def run(bench: Bench) -> None:
        key = await bench.any_key(bench.connector.feeds[0].entity)
        equal(await _look(bench, key), [key], "read before")
        slow = {"seconds": _CHUNKS * bench.rig.hasty_seconds} if kind == "slow_body" else {}
        await bench.rig.fault(kind, writing=False, **{**more, **slow})
        async with raises(*kinds, told=bench.told) as caught:
            await _look(bench, key)
        waits = not isinstance(caught.error, (AuthError, PermissionRefused))
        equal(caught.error.transient, waits, f"whether waiting helps, of a {type(caught.error).__name__}")
        await bench.rig.mend()
        equal(await _look(bench, key), [key], "read once it is mended")

    return run


def _limited(kind: str, written: str) -> Callable[[Bench], Awaitable[None]]:
    async def run(bench: Bench) -> None:
        key = await bench.any_key(bench.connector.feeds[0].entity)
        await bench.rig.fault(kind, writing=False, retry_after=_RETRY, retry_after_as=written, **_EVER)
        async with raises(RateLimited, told=bench.told) as caught:
            await _look(bench, key)
        seconds = caught.error.retry_after_s
        true(seconds is not None and _RETRY - 3 <= seconds <= _RETRY, f"it would wait {seconds} s instead of {_RETRY}")

    return run


def _survived(kind: str, more: dict[str, Any]) -> Callable[[Bench], Awaitable[None]]:
    async def run(bench: Bench) -> None:
        before = set(await _read(bench))
        await bench.rig.fault(kind, writing=False, **more)
        try:
            found = set(await _read(bench))
        except BadResponse as error:  # a page that cannot be is told, and the pass comes again
            bench.told.append(error.message)
        else:
            true(found >= before, f"{len(before - found)} documents were lost")
        await bench.rig.mend()

    return run


async def _create(bench: Bench) -> tuple[Entity, dict[str, Any]]:
    for entity, operation in bench.connector.writes:
        if operation is Operation.CREATE and bench.connector.writes[entity, operation].reference_field:
            return entity, await bench.rig.sample(entity.value, operation.value)
    raise NotTried("nothing is created whose reference the source keeps")


def _lost(kind: str, more: dict[str, Any]) -> Callable[[Bench], Awaitable[None]]:
    async def run(bench: Bench) -> None:
        """A lost answer leaves the outcome open; what was made is found by its reference, and is made once."""
        entity, given = await _create(bench)
        change = bench.change(entity, Operation.CREATE, given)
        before = await bench.rig.keys(entity.value)
        await bench.rig.fault(kind, writing=True, **more)
        async with (
            bench.open(hasty=True) as source,
            raises(SourceUnavailable, OutcomeUnknown, told=bench.told) as caught,
        ):
            await bench.write(source, change)
        equal(getattr(caught.error, "sent", True), True, "told as sent")
        await bench.rig.mend()
        made = await bench.rig.keys(entity.value) - before
        async with bench.open() as source:
            equal(set(await source.find(change, defaults=bench.defaults)), made, "found by its reference")
            true(len(made) <= 1, f"{len(made)} were made")

    return run


def _unmade(kind: str, more: dict[str, Any], kinds: Kinds) -> Callable[[Bench], Awaitable[None]]:
    async def run(bench: Bench) -> None:
        """What was refused was not made, and is not told as open."""
        entity, given = await _create(bench)
        before = await bench.rig.keys(entity.value)
        await bench.rig.fault(kind, writing=True, **more)
        async with bench.open(hasty=True) as source, raises(*kinds, told=bench.told) as caught:
            await bench.write(source, bench.change(entity, Operation.CREATE, given))
        if isinstance(caught.error, SourceUnavailable) and kind == "offline":
            equal(caught.error.sent, False, "told as sent")
        await bench.rig.mend()
        equal(await bench.rig.keys(entity.value), before, "what is there afterwards")

    return run


READS: Final[Mapping[str, Callable[[Bench], Awaitable[None]]]] = {
    **{name: _error(*case) for name, case in _READ_ERRORS.items()},
    "rate_limit": _limited("rate_limit", "seconds"),
    "rate_limit until a date": _limited("rate_limit", "date"),
    **{name: _survived(name, more) for name, more in _HARMLESS.items()},
}
WRITES: Final[Mapping[str, Callable[[Bench], Awaitable[None]]]] = {
    **{name: _lost(name, more) for name, more in _LOST.items()},
    "drop_before": _lost("drop_before", {}),
    "rate_limit": _unmade("rate_limit", {"retry_after": _RETRY}, (RateLimited,)),
    "unauthorized": _unmade("unauthorized", _EVER, (AuthError,)),
    "forbidden": _unmade("forbidden", _EVER, (PermissionRefused,)),
    "refuse": _unmade("refuse", {}, (WriteRejected,)),
}
