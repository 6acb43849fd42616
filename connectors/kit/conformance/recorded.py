"""What real systems answered, replayed: truth from outside the sandbox, where there is any."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from connectors import errors
from connectors.base import Source
from connectors.errors import ConnectorError
from connectors.kit.conformance.bench import Bench, EntityCases, NotTried, always, plain
from connectors.kit.conformance.expect import equal, raises, true
from connectors.kit.conformance.rig import JsonObject
from db.types import Entity, Operation


async def replayed(bench: Bench, entity: Entity) -> None:
    """Answers of a real system become the records that a person read out of them."""
    found = [recording for recording in bench.rig.recordings() if entity.value in recording.expected]
    if not found:
        raise NotTried(f"no answer about {entity} was recorded")
    for recording in found:
        wanted = recording.expected[entity.value]
        async with recording.serving() as credentials, bench.sign_in(credentials) as source:
            items = await bench.whole(source, entity)
            true(wanted.keys() <= items.keys(), f"{recording.name}: of {set(wanted)} only {set(items)} are read")
            for source_id, fields in wanted.items():
                record = bench.record(entity, items[source_id])
                _compare(record, fields, f"{recording.name}: {entity} {source_id}")


async def refusals(bench: Bench) -> None:
    """Refusals of a real system are the errors that they have to be."""
    tried = 0
    for recording in bench.rig.recordings():
        for name, told in recording.refused.items():
            kind: type[ConnectorError] = getattr(errors, told["error"])
            async with recording.serving(name) as credentials, bench.sign_in(credentials) as source:
                async with raises(kind, told=bench.told):
                    await _do(bench, source, told)
                tried += 1
    if not tried:
        raise NotTried("no refusal was recorded")


async def _do(bench: Bench, source: Source, told: JsonObject) -> None:
    """Do what was refused: sign in, read an entity, or change something."""
    if "read" in told:
        await bench.whole(source, Entity(told["read"]))
    elif "change" in told:
        given = dict(told["change"])
        entity, operation = Entity(given.pop("entity")), Operation(given.pop("operation"))
        await bench.write(source, bench.change(entity, operation, given))
    else:
        await source.check()


def _compare(found: Any, wanted: JsonObject, where: str) -> None:
    """Hold the fields that are told to be so; of lists each element, and no more of them."""
    for name, value in wanted.items():
        told, place = getattr(found, name), f"{where}: {name}"
        if isinstance(value, list):
            equal(len(told), len(value), f"{place}, how many,")
            for number, (one, expected) in enumerate(zip(told, value, strict=True)):
                _compare(one, expected, f"{place} {number}")
        elif isinstance(value, dict):
            _compare(told, value, place)
        else:
            equal(_text(told), _text(value), place)


def _text(value: Any) -> Any:
    """Give a value as JSON tells it; numbers by their worth."""
    told = plain(value)
    return f"{told.normalize():f}" if hasattr(told, "normalize") else str(told) if told is not None else None


CASES: Final[EntityCases] = {"answers of a real system": (always, replayed)}
REFUSALS: Final[Mapping[str, Callable[[Bench], Awaitable[None]]]] = {"refusals of a real system": refusals}
