"""Writes: each declared one works and reads back, each undeclared one is refused before any call."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from connectors.base import Change, Source, Wire
from connectors.errors import PermissionRefused, Unsupported, WriteRejected
from connectors.kit.conformance.bench import Bench, NotTried, plain
from connectors.kit.conformance.expect import equal, raises, true
from db.types import Entity, Operation

_WRITES: Final = (Operation.CREATE, Operation.UPDATE, Operation.CANCEL, Operation.DELETE, Operation.ADJUST)
_SHOWN: Final = {"CREATE": "create", "UPDATE": "update", "CANCEL": "cancel", "DELETE": "delete", "ADJUST": "adjust"}


async def works(bench: Bench, entity: Entity, operation: Operation) -> None:
    """It is carried out once, and what the source has then is what was asked."""
    async with bench.open() as source:
        change = await _prepared(bench, source, entity, operation)
        wire = Wire()
        written = await bench.write(source, change, wire=wire)
        true(written.source_id, "the write tells no key")
        true(wire.requests, "the write tells no request")
        if change.source_id and operation is not Operation.ADJUST:
            equal(written.source_id, change.source_id, "the key of what was changed")
        found = [item for item in await source.fetch(entity, [written.source_id]) if not item.gone]
        if operation is Operation.DELETE:
            equal(found, [], "deleted, and still there,")
        else:
            equal([item.source_id for item in found], [written.source_id], "read back")
            record = bench.record(entity, found[0])
            if operation is Operation.CANCEL:
                equal(str(record.status), "CANCELLED", "status")
            _same(change, record)
    bench.prove(entity, _SHOWN[operation.value])


async def dry(bench: Bench, entity: Entity, operation: Operation) -> None:
    """A dry run tells the requests, and sends none."""
    async with bench.open() as source:
        change = await _prepared(bench, source, entity, operation)
        before = await bench.rig.keys(entity.value)
        wire = Wire(dry=True)
        await bench.write(source, change, wire=wire)
        true(wire.requests, "a dry run tells no request")
        equal(wire.answers, [], "answers of a dry run")
        if change.source_id and operation is not Operation.ADJUST:
            equal(
                [item.source_id for item in await source.fetch(entity, [change.source_id])], [change.source_id], "left"
            )
    equal(await bench.rig.keys(entity.value), before, "what is there after a dry run")


async def same_reference(bench: Bench, entity: Entity, operation: Operation) -> None:
    """What carries our reference is found by it, and is not made again."""
    async with bench.open() as source:
        change = await _prepared(bench, source, entity, operation)
        equal(await source.find(change, defaults=bench.defaults), [], "found by a reference that nobody used")
        written = await bench.write(source, change)
        equal(await source.find(change, defaults=bench.defaults), [written.source_id], "found by its reference")
        other = replace(change, reference="NOBODYUSEDIT")
        equal(await source.find(other, defaults=bench.defaults), [], "found by another reference")


async def refused(bench: Bench, entity: Entity, operation: Operation) -> None:
    """The source's own refusal is told as such, with its words, and changes nothing."""
    given = await bench.rig.refused(entity.value, operation.value)
    async with bench.open() as source:
        if "source_id" not in given and operation not in {Operation.CREATE, Operation.ADJUST}:
            given["source_id"] = (await _prepared(bench, source, entity, operation)).source_id
        before = await bench.rig.keys(entity.value)
        async with raises(WriteRejected, told=bench.told) as caught:
            await bench.write(source, bench.change(entity, operation, given))
    true(caught.error.message, "the refusal says nothing")
    equal(await bench.rig.keys(entity.value), before, "what is there after a refusal")


async def read_only(bench: Bench, entity: Entity, operation: Operation) -> None:
    """Credentials that may not write are refused the right, and the change is not made."""
    async with bench.open() as source:
        change = await _prepared(bench, source, entity, operation)
    before = await bench.rig.keys(entity.value)
    async with bench.open("read_only") as source:
        known = (await source.check()).unwritable
        if known and (entity, operation) not in known:
            raise NotTried("the system lets these credentials write it")
        async with raises(PermissionRefused, told=bench.told):
            await bench.write(source, change)
    equal(await bench.rig.keys(entity.value), before, "what is there after a refusal")


async def undeclared(bench: Bench) -> None:
    """Every operation that is not declared is refused before any call."""
    async with bench.open() as source:
        before, tried = bench.calls, 0
        for entity in Entity:
            for operation in _WRITES:
                if (entity, operation) in bench.connector.writes:
                    continue
                async with raises(Unsupported, told=bench.told):
                    await bench.write(source, bench.change(entity, operation, {"source_id": "1", "values": {}}))
                tried += 1
        equal(bench.calls, before, "calls")
        true(tried, "every operation is declared")


async def transitions(bench: Bench, entity: Entity) -> None:
    """Every declared transition leads to a status that is declared for it."""
    spec = bench.connector.writes[entity, Operation.UPDATE].transitions
    walks = bench.rig.walks(entity.value)
    equal(
        {step for walk in walks for step in walk} ^ set(spec),
        set(),
        "declared and not walked, or walked and not declared,",
    )
    async with bench.open() as source:
        for walk in walks:
            made = await _prepared(bench, source, entity, Operation.CREATE)
            key = (await bench.write(source, made)).source_id
            for step in walk:
                await bench.write(source, bench.change(entity, Operation.UPDATE, {"source_id": key}, transition=step))
                status = str((await bench.fetched(source, entity, key)).status)
                if status == "CANCELLED":
                    bench.prove(entity, "cancel")
                true(status in spec[step], f"{step} leads to {status}; declared is {', '.join(sorted(spec[step]))}")


async def _prepared(bench: Bench, source: Source, entity: Entity, operation: Operation) -> Change:
    """Give the rig's sample as a change, of a record made for it where it names none."""
    given = await bench.rig.sample(entity.value, operation.value)
    if operation in {Operation.CREATE, Operation.ADJUST} or given.get("source_id"):
        return bench.change(entity, operation, given)
    create = bench.change(entity, Operation.CREATE, await bench.rig.sample(entity.value, "CREATE"))
    key = (await bench.write(source, create)).source_id
    return bench.change(entity, operation, {**given, "source_id": key})


def _same(change: Change, record: Any) -> None:
    """Hold a record to what was asked: plain values as they are, lines one by one."""
    if change.operation is Operation.ADJUST and change.values.get("quantity") is not None:
        equal(record.on_hand, change.values["quantity"], "on hand")
    for name, asked in change.values.items():
        if name == "lines":
            equal(len(record.lines), len(asked), "lines")
            for told, line in zip(record.lines, asked, strict=True):
                _same_values(line, told, "lines.")
        else:
            _same_values({name: asked}, record, "")


def _same_values(asked: Mapping[str, Any], record: Any, where: str) -> None:
    for name, value in asked.items():
        if not hasattr(record, name) or isinstance(value, (list, dict)):
            continue
        found = getattr(record, name)
        if isinstance(value, datetime) and isinstance(found, datetime):
            equal(found.date(), value.date(), f"{where}{name}, by its day,")
        elif not isinstance(value, date):
            equal(plain(found), plain(value), where + name)
        else:
            equal(found, value, where + name)


CASES: Final[Mapping[str, Callable[[Bench, Entity, Operation], Awaitable[None]]]] = {
    "works": works,
    "dry run": dry,
    "same reference": same_reference,
    "refused by the source": refused,
    "without the right": read_only,
}
UNDECLARED: Final[Mapping[str, Callable[[Bench], Awaitable[None]]]] = {"undeclared operations": undeclared}
