"""References of writes: `{id | sourceId | code}` becomes the source's own key, or a problem."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import SQLModel

from connectors.base import Referable, Source
from db import writes
from db.engine import Database
from db.models.inventory.location import Location
from db.models.items.item import Item
from db.models.maintenance.asset import Asset
from db.models.partial import camel
from db.models.parties.vendor import Vendor
from db.scope import Scope
from db.types import Entity, ErrorCode, Problem, Reference


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a reference may be to; `table` and `code_column` where it is stored here."""

    name: Referable
    table: type[SQLModel] | None = None
    code_column: str | None = None


_KINDS: Final[Mapping[str, _Kind]] = {
    "vendor": _Kind("vendor", Vendor, "number"),
    "item": _Kind("item", Item, "code"),
    "payment_terms": _Kind("payment_terms"),
    "location": _Kind("location", Location, "code"),
    "asset": _Kind("asset", Asset, "number"),
}
_OF_WORK: Final = _Kind("work_location", Location, "code")


def kind_of(entity: Entity, name: str) -> _Kind | None:
    """Tell what a field of an entity's input refers to; None where it is no reference."""
    return _OF_WORK if entity is Entity.WORK_ORDER and name == "location" else _KINDS.get(name)


class Resolver:
    """Resolves the references of one write, each of them once; what is stored here needs no call to the source."""

    def __init__(self, database: Database, scope: Scope, source: Source) -> None:
        self._database = database
        self._scope = scope
        self._source = source
        self._seen: dict[tuple[str, Reference], list[str]] = {}

    async def values(
        self, entity: Entity, given: Mapping[str, Reference | None], *, path: tuple[str, ...]
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Replace each reference by `<name>_source_id`; None, which clears a field, stays."""
        told: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, value in given.items():
            kind = kind_of(entity, name)
            if kind is None:
                raise TypeError(f"{name} of {entity} is no reference")
            found = [] if value is None else await self._found(kind, value)
            if value is None or len(found) == 1:
                told[f"{name}_source_id"] = found[0] if found else None
            else:
                problems.append(_unclear(name, value, found, (*path, camel(name))))
        return told, problems

    async def _found(self, kind: _Kind, reference: Reference) -> list[str]:
        key = (kind.name, reference)
        if key not in self._seen:
            self._seen[key] = await self._look(kind, reference)
        return self._seen[key]

    async def _look(self, kind: _Kind, reference: Reference) -> list[str]:
        if reference.source_id is not None:
            return [reference.source_id]
        if kind.table is not None:
            column, value = ("id", reference.id) if reference.id is not None else (kind.code_column, reference.code)
            if column is not None and value is not None:
                async with self._database.read(self._scope) as session:  # ended before the source is asked
                    stored = await writes.sources_of(session, self._scope, kind.table, column=column, value=value)
                if len(stored) == 1 or reference.id is not None:
                    return stored
        # What is not stored here, or not surely one thing, the source itself decides.
        return await self._source.resolve(kind.name, reference.code) if reference.code is not None else []


def _unclear(name: str, reference: Reference, found: list[str], path: tuple[str, ...]) -> Problem:
    asked = reference.code or reference.source_id or "this id"
    noun = name.replace("_", " ")
    if found:
        message = f"More than one {noun} of the connection is called {asked!r}; name it by id or sourceId."
    else:
        message = f"The connection has no {noun} {asked!r}."
    return Problem(ErrorCode.BAD_USER_INPUT, message, path)
