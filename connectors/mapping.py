"""Mapping as data: target field, source path, converter, and the way back.

Paths are keys joined by `/`, from the item's root (`party./code` reads
`body["party."]["code"]`). A field may read several paths; its converter then
takes as many arguments. A missing path reads as None.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from connectors.errors import MappingError
from db.models.base import Fields

Converter = Callable[..., Any]


def as_is(value: Any) -> Any:
    """Keep the value; empty text becomes None."""
    return None if value == "" else value


def unit(value: Any) -> Any:
    """Mark a native unit; `project` looks it up in the connection's unit map."""
    return value or None


def every(_element: Mapping[str, Any]) -> bool:
    """Let each element of a list through."""
    return True


@dataclass(frozen=True, slots=True)
class To:
    """One field of the record.

    Attributes:
        target: Field of the record, in our name.
        source: Path or paths in the item.
        read: Makes the target's value from the paths' values; ValueError quarantines the item.
        back: The source's field that takes the value on writes; None is read-only.
        write: Makes the source's value; None reuses the value as it is.
    """

    target: str
    source: str | tuple[str, ...]
    read: Converter = as_is
    back: str | None = None
    write: Converter | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths it reads."""
        return (self.source,) if isinstance(self.source, str) else self.source


@dataclass(frozen=True, slots=True)
class Each:
    """A list of the record: one entry for every element of the source's list that `when` lets through."""

    target: str
    source: str
    fields: tuple[To, ...]
    when: Callable[[Mapping[str, Any]], bool] = every


@dataclass(frozen=True, slots=True)
class EntityMapping:
    """How one entity of one system is read and written.

    Attributes:
        record: The class that validates the record.
        fields: All of its fields and lists.
        absent: Fields of the record that the system does not have at all; the other unmapped ones it may have.
        revision: Grows when what a converter or a `when` does changes, so that stored items are mapped anew.
        version: Short hash of everything that decides a record's values: part of each item's hash.
        cache: What is derived from it once (see connectors.compiled).
    """

    record: type[Fields]
    fields: tuple[To | Each, ...]
    revision: int = 1
    absent: frozenset[str] = frozenset()
    version: bytes = field(init=False, repr=False, compare=False)
    cache: dict[str, Any] = field(init=False, repr=False, compare=False, hash=False, default_factory=dict)
    _index: dict[str, "To | Each"] = field(init=False, repr=False, compare=False, hash=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse targets that the record does not have, or that are mapped twice."""
        for part in self.fields:
            if part.target not in self.record.model_fields or part.target in self._index:
                raise TypeError(f"{self.record.__name__}.{part.target} is unknown or mapped twice")
            self._index[part.target] = part
        for name in self.absent:
            if name not in self.record.model_fields or name in self._index:
                raise TypeError(f"{self.record.__name__}.{name} is unknown or mapped, and so not absent")
        object.__setattr__(self, "version", self._version())

    def part(self, target: str) -> "To | Each | None":
        """Give the mapping of one target field."""
        return self._index.get(target)

    def _version(self) -> bytes:
        told = [str(self.revision), self.record.__name__]
        for part in self.fields:
            fields = part.fields if isinstance(part, Each) else (part,)
            told += [f"{part.target}<{part.source}", *(f"{f.target}<{f.paths}:{f.read.__qualname__}" for f in fields)]
        return hashlib.sha256("\n".join(told).encode()).digest()[:8]


def at(body: Mapping[str, Any], path: str) -> Any:
    """Read a path of an item; None where any step is missing."""
    value: Any = body
    for key in path.split("/"):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def _values(fields: Sequence[To], body: Mapping[str, Any], units: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for part in fields:
        try:
            value = part.read(*(at(body, path) for path in part.paths))
            if part.read is unit:
                value = units.get(value, value)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise MappingError(f"{part.target} from {', '.join(part.paths)}: {error}") from error
        if value is not None:
            values[part.target] = value
    return values


def _elements(part: Each, body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    elements = at(body, part.source)
    if elements is None:
        return []
    if not isinstance(elements, list) or not all(isinstance(element, Mapping) for element in elements):
        raise MappingError(f"{part.target} from {part.source}: not a list of objects")
    return elements


def project(mapping: EntityMapping, body: Mapping[str, Any], *, units: Mapping[str, str]) -> Fields:
    """Make the validated record of an item.

    Args:
        mapping: The entity's mapping.
        body: The raw item.
        units: Native unit → UN/ECE Rec 20 code.

    Raises:
        MappingError: A converter refused, or the record does not validate; the message names the field.
    """
    plain = [part for part in mapping.fields if isinstance(part, To)]
    values = _values(plain, body, units)
    for part in mapping.fields:
        if isinstance(part, Each):
            elements = _elements(part, body)
            values[part.target] = [_values(part.fields, element, units) for element in elements if part.when(element)]
    try:
        return mapping.record.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise MappingError(f"{where}: {first['msg']} (got {str(first['input'])[:80]!r})") from error


def written(fields: Sequence[To], values: Mapping[str, Any]) -> dict[str, Any]:
    """Make the source's fields from ours, by the fields' way back; fields without one are left out."""
    return {
        part.back: part.write(values[part.target]) if part.write else values[part.target]
        for part in fields
        if part.back is not None and part.target in values
    }
