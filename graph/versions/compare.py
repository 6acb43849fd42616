"""What changed in the schema since a version was released: what breaks callers, and what the changelog must name."""

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)
from graphql.utilities import find_breaking_changes

FOLDER: Final = Path(__file__).resolve().parent


def released(version: str) -> str:
    """Give the schema of a version as it was last released."""
    return (FOLDER / f"{version}.graphql").read_text(encoding="utf-8")


def breaking(old: str, new: str) -> list[str]:
    """Give what would break callers of the old schema."""
    return [change.description for change in find_breaking_changes(build_schema(old), build_schema(new))]


def changed(old: str, new: str) -> list[str]:
    """Give the coordinates of what was added to, deprecated in or taken away from what the old schema has.

    What is inside a new type is not told apart: the field that leads to it is.
    """
    before, after = ({*_coordinates(build_schema(text))} for text in (old, new))
    types = set(build_schema(old).type_map)
    return sorted(each for each in before ^ after if re.split(r"[.(]", each)[0] in types)


def _coordinates(schema: GraphQLSchema) -> Iterator[str]:
    for name, of in schema.type_map.items():
        if name.startswith("__"):
            continue
        if isinstance(of, GraphQLEnumType):
            yield from (f"{name}.{value}{_ending(each)}" for value, each in of.values.items())
        elif isinstance(of, GraphQLInputObjectType):
            yield from (f"{name}.{field}{_ending(each)}" for field, each in of.fields.items())
        elif isinstance(of, (GraphQLObjectType, GraphQLInterfaceType)):
            for field, each in of.fields.items():
                yield f"{name}.{field}{_ending(each)}"
                yield from (f"{name}.{field}({argument}:)" for argument in each.args)


def _ending(of: object) -> str:
    return " (deprecated)" if getattr(of, "deprecation_reason", None) else ""


def unnamed(coordinates: Iterable[str], changelog: str) -> list[str]:
    """Give those of the coordinates whose name the changelog's section `Unreleased` does not say, in code marks.

    A mark may hold a star for what is alike: `*Summary`.
    """
    section = re.search(r"^## Unreleased\n(.*?)(?=^## |\Z)", changelog, flags=re.MULTILINE | re.DOTALL)
    marks = re.findall(r"`([^`]+)`", section[1] if section else "")
    words = {word for mark in marks for word in re.findall(r"[\w*]+", mark)}
    return [each for each in coordinates if not any(fnmatchcase(_name(each), word) for word in words)]


def _name(coordinate: str) -> str:
    argument = re.search(r"\((\w+):\)", coordinate)
    return argument[1] if argument else coordinate.partition(".")[2].split(" ")[0]
