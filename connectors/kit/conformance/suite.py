"""The cases of a connector, by what it declares."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from connectors.base import Connector
from connectors.kit.conformance import breaking, changing, checking, odd, published, reading, recorded, writing
from connectors.kit.conformance.bench import Bench
from db.types import Entity, Operation

Run = Callable[[Bench], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing tried.

    Attributes:
        area: one of AREAS.
        name: What is tried.
        about: The entity, and for writes the operation; "" where it is about none.
    """

    area: str
    name: str
    about: str
    run: Run

    @property
    def id(self) -> str:
        """Its name in reports."""
        return f"{self.area}: {self.name}" + (f" [{self.about}]" if self.about else "")


def cases(connector: Connector) -> list[Case]:
    """Give all cases of a connector."""
    told = [Case("check", name, "", run) for name, run in checking.CASES.items()]
    told += [Case("read", name, "", run) for name, run in reading.UNREAD.items()]
    for entity in connector.mappings:
        for area, made in _OF_ENTITIES:
            told += [
                Case(area, name, entity.value, _of(run, entity))
                for name, (applies, run) in made.items()
                if applies(connector, entity)
            ]
    for (entity, operation), spec in connector.writes.items():
        about = f"{entity.value} {operation.value}"
        told += [
            Case("write", name, about, _to(run, entity, operation))
            for name, run in writing.CASES.items()
            if spec.reference_field or run is not writing.same_reference
        ]
    told += [Case("write", name, "", run) for name, run in writing.UNDECLARED.items()]
    for entity in connector.mappings:
        if (entity, Operation.UPDATE) in connector.writes and connector.writes[entity, Operation.UPDATE].transitions:
            told.append(Case("write", "transitions", entity.value, _of(writing.transitions, entity)))
    told += [Case("recorded", name, "", run) for name, run in recorded.REFUSALS.items()]
    told += [Case("fault", name, "read", run) for name, run in breaking.READS.items()]
    if connector.writes:
        told += [Case("fault", name, "write", run) for name, run in breaking.WRITES.items()]
    return told


def _of(run: Callable[[Bench, Entity], Awaitable[None]], entity: Entity) -> Run:
    return lambda bench: run(bench, entity)


def _to(run: Callable[[Bench, Entity, Operation], Awaitable[None]], entity: Entity, operation: Operation) -> Run:
    return lambda bench: run(bench, entity, operation)


_OF_ENTITIES: Final = (
    ("read", reading.CASES),
    ("names", published.CASES),
    ("recorded", recorded.CASES),
    ("change", changing.CASES),
    ("odd", odd.CASES),
)
AREAS: Final = ("check", "read", "names", "recorded", "change", "odd", "write", "fault")
