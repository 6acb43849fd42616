"""Names: what a connector looks for in a document is what the system itself publishes, and so is what a sandbox shows.

A misspelt name would read as a field that is always empty, against a sandbox that misspells it alike.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from connectors.kit.conformance.bench import Bench, EntityCases, NotTried, always
from connectors.kit.conformance.expect import equal
from connectors.mapping import project
from db.types import Entity

Path = tuple[str, ...]
_SOME: Final = 40


class Watched(dict[str, Any]):
    """A document that notes which names it is asked for.

    Attributes:
        asked: (path, name) of all that was asked for, here and further in.
    """

    def __init__(self, told: Mapping[str, Any], path: Path, asked: set[tuple[Path, str]]) -> None:
        super().__init__({name: _watched(value, (*path, name), asked) for name, value in told.items()})
        self._path = path
        self._asked = asked

    def get(self, name: Any, default: Any = None) -> Any:
        """Note the name, and give its value."""
        self._asked.add((self._path, name))
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        """Note the name, and give its value."""
        self._asked.add((self._path, name))
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        """Note the name."""
        self._asked.add((self._path, str(name)))
        return super().__contains__(name)


def _watched(value: Any, path: Path, asked: set[tuple[Path, str]]) -> Any:
    if isinstance(value, dict):
        return Watched(value, path, asked)
    return [_watched(one, path, asked) for one in value] if isinstance(value, list) else value


async def read(bench: Bench, entity: Entity) -> None:
    """What the mapping looks for, the system publishes."""
    asked: set[tuple[Path, str]] = set()
    units = bench.connector.units(bench.defaults)
    for body in await _bodies(bench, entity):
        project(bench.connector.mappings[entity], Watched(body, (), asked), units=units)
    _known(bench, entity, asked, "looked for, and not published,")


async def shown(bench: Bench, entity: Entity) -> None:
    """What the sandbox shows, the system publishes."""
    told = {place for body in await _bodies(bench, entity) for place in _names(body, ())}
    _known(bench, entity, told, "shown, and not published,")


async def _bodies(bench: Bench, entity: Entity) -> list[Mapping[str, Any]]:
    bench.rig.published(entity.value, ())  # refuses before anything is read
    async with bench.open() as source:
        whole = await bench.whole(source, entity)
    if not whole:
        raise NotTried(f"the system holds no {entity}")
    return [item.body for item in list(whole.values())[:_SOME]]


def _names(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, list):
        for one in value:
            yield from _names(one, path)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield path, name
            yield from _names(inner, (*path, name))


def _known(bench: Bench, entity: Entity, told: set[tuple[Path, str]], what: str) -> None:
    """Hold names to be published where they stand.

    Those that the connector itself puts there begin with `_`; behind a dot follows what a reference leads to.
    """
    strange = set()
    for path, name in told:
        if any(step.startswith("_") for step in (*path, name)):
            continue
        names = bench.rig.published(entity.value, path)
        if names is not None and name.split(".")[0] not in names:
            strange.add("/".join((*path, name)))
    equal(sorted(strange), [], what)


CASES: Final[EntityCases] = {"names it looks for": (always, read), "names it is shown": (always, shown)}
