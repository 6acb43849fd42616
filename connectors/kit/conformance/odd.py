"""Odd values: unknown states, empty fields, other scripts, huge texts, fine decimals."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, get_args

from connectors.base import Connector
from connectors.kit.conformance.bench import Applies, Bench, EntityCases, NotTried, always
from connectors.kit.conformance.expect import equal, true
from db.types import Entity

UNKNOWN: Final = "ZZ"
"""A native status, short enough for any source's field, that no connector can know."""
TEXT: Final = "Ölfilter Zürich — 油过滤器 فلتر 🛢 'quoted' \"twice\" <b>&amp;</b> \\ 100 %"
SHORT: Final = "Ölfilter 油过滤器 ' \" <b> \\ %"
HUGE: Final = ("Gdańsk 100 % — " * 2_000).strip()
_TEXTS: Final[Mapping[Entity, tuple[str, ...]]] = {
    Entity.PURCHASE_ORDER: ("notes", "lines.description"),
    Entity.WORK_ORDER: ("title", "description"),
    Entity.VENDOR: ("name",),
    Entity.ITEM: ("description",),
    Entity.INVENTORY_LEVEL: ("lot", "bin"),
    Entity.ASSET: ("name", "description"),
    Entity.LOCATION: ("name", "description"),
}
_LONG: Final[Mapping[Entity, tuple[str, ...]]] = {
    Entity.PURCHASE_ORDER: ("notes", "lines.description"),
    Entity.WORK_ORDER: ("description",),
    Entity.ASSET: ("description",),
}
_EXACT: Final[Mapping[Entity, tuple[str, ...]]] = {
    Entity.PURCHASE_ORDER: ("lines.quantity", "lines.unit_price"),
    Entity.ITEM: ("standard_cost",),
    Entity.INVENTORY_LEVEL: ("on_hand",),
}
_DECIMALS: Final = tuple(map(Decimal, ("0.123456", "1234567.654321", "0.12345", "3.001", "0.1", "7", "1000000")))


async def unknown(bench: Bench, entity: Entity) -> None:
    """A state that nobody knows is UNKNOWN, with the source's own word, and fails no record."""
    key = await bench.fresh_key(entity)
    await bench.rig.put(entity.value, key, "status", UNKNOWN)
    async with bench.open() as source:
        record = await bench.fetched(source, entity, key)
    equal(str(record.status), "UNKNOWN", "status")
    true(UNKNOWN.casefold() in (record.native_status or "").casefold(), f"native status is {record.native_status!r}")


async def missing(bench: Bench, entity: Entity) -> None:
    """A document without anything that may be missing is mapped."""
    key = await bench.fresh_key(entity)
    await bench.rig.blank(entity.value, key)
    async with bench.open() as source:
        await bench.fetched(source, entity, key)
        true(key in await bench.whole(source, entity), f"{key}, now without its optional fields, is not read")


async def texts(bench: Bench, entity: Entity) -> None:
    """Other scripts, quotes and markup come as they are."""
    await _each(bench, entity, _TEXTS, (TEXT, SHORT))


async def long_texts(bench: Bench, entity: Entity) -> None:
    """A text as long as our own field comes whole, thirty thousand characters at most."""
    for name in _LONG[entity]:
        longest = _longest(bench.connector.mappings[entity].record, name)
        await _each(bench, entity, {entity: (name,)}, (HUGE[:longest].strip(),))


async def decimals(bench: Bench, entity: Entity) -> None:
    """Decimals come with every digit that the source's field can hold."""
    await _each(bench, entity, _EXACT, _DECIMALS)


async def _each(
    bench: Bench, entity: Entity, fields: Mapping[Entity, tuple[str, ...]], values: tuple[Any, ...]
) -> None:
    """Put each value into each field, and read it back; what the source cannot hold is left out."""
    tried, why = 0, f"{entity} has no such field"
    names = [name for name in fields.get(entity, ()) if _is_mapped(bench.connector, entity, name)]
    key = await bench.fresh_key(entity)
    async with bench.open() as source:
        for name in names:
            for value in values:
                try:
                    await bench.rig.put(entity.value, key, name, value)
                except NotImplementedError as error:
                    why = str(error)
                    continue
                found = list(_found(await bench.fetched(source, entity, key), name))
                true(value in found, f"{name} is {str(found)[:200]} instead of {str(value)[:80]!r}")
                tried += 1
    if not tried:
        raise NotTried(why)


def _is_mapped(connector: Connector, entity: Entity, name: str) -> bool:
    return connector.mappings[entity].part(name.partition(".")[0]) is not None


def _has_status(connector: Connector, entity: Entity) -> bool:
    return _is_mapped(connector, entity, "status") and _is_mapped(connector, entity, "native_status")


def _any(fields: Mapping[Entity, tuple[str, ...]]) -> Applies:
    return lambda connector, entity: any(_is_mapped(connector, entity, name) for name in fields.get(entity, ()))


def _found(record: Any, name: str) -> Iterator[Any]:
    head, _, tail = name.partition(".")
    if tail:
        yield from (getattr(one, tail) for one in getattr(record, head))
    else:
        yield getattr(record, head)


def _longest(record: type[Any], name: str) -> int:
    """Give the longest text that a field of a record takes."""
    head, _, tail = name.partition(".")
    if tail:
        [part] = get_args(record.model_fields[head].annotation)
        return _longest(part, tail)
    lengths = [each.max_length for each in record.model_fields[head].metadata if hasattr(each, "max_length")]
    return min(lengths, default=len(HUGE))


CASES: Final[EntityCases] = {
    "unknown state": (_has_status, unknown),
    "missing optional fields": (always, missing),
    "other scripts": (_any(_TEXTS), texts),
    "huge texts": (_any(_LONG), long_texts),
    "decimals": (_any(_EXACT), decimals),
}
