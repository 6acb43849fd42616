"""Types derived from the stored classes: what is declared once there is told here.

`entity` completes a class statement that holds only the relations.
"""

import ast
import inspect
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin
from uuid import UUID

import strawberry
from sqlmodel import SQLModel
from strawberry.scalars import JSON

from db.models import columns as c
from db.models.base import EntityRow
from db.shapes import SHAPES, kind_of, public_name

T = TypeVar("T")
_OF_RECORDS: Final[dict[str, tuple[Any, str]]] = {
    "raw_item": (
        Annotated["RawItem", strawberry.lazy("graph.types.sync")] | None,  # noqa: F821  (looked up there)
        "The raw document it was made of, with when and by which run it was fetched.",
    ),
}
"""Relations that every record has, beside those of its class."""
SCALARS: dict[Any, Any] = {
    str: str,
    bool: bool,
    int: int,
    Decimal: Decimal,
    date: date,
    datetime: datetime,
    UUID: strawberry.ID,
}


def summary(of: type) -> str:
    """Give a class's description: its docstring's first paragraph."""
    return " ".join((of.__doc__ or "").strip().split("\n\n")[0].split())


@cache
def enumeration(of: type[Enum]) -> Any:
    """Give the GraphQL enum of a vocabulary, its values described by the text below each."""
    return described(strawberry.enum(of, description=summary(of)), value_texts(of))


def described(of: Any, texts: Mapping[str, str]) -> Any:
    """Complete the values of a GraphQL enum with what they mean."""
    for value in of.__strawberry_definition__.values:
        value.description = texts[value.name]
    return of


def value_texts(of: type[Enum]) -> dict[str, str]:
    """Give the text that stands below each value in the class statement."""
    (statement,) = ast.parse(inspect.getsource(of)).body
    if not isinstance(statement, ast.ClassDef):
        raise TypeError(f"{of} is no class")
    texts: dict[str, str] = {}
    for value, below in pairwise(statement.body):
        if isinstance(value, ast.Assign) and isinstance(value.targets[0], ast.Name) and isinstance(below, ast.Expr):
            texts[value.targets[0].id] = " ".join(str(ast.literal_eval(below.value)).split())
    return texts


@cache
def value_type(of: type[SQLModel]) -> type:
    """Give the GraphQL type of a JSON value inside a record."""
    fields = {name: (graphql_type(info.annotation), info.description) for name, info in of.model_fields.items()}
    return made(of.__name__, fields, summary(of))


def graphql_type(annotation: Any) -> Any:
    """Give the GraphQL type of a field's annotation."""
    plain = c.plain_type(annotation)
    kind, value = kind_of(annotation)
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        told: Any = enumeration(plain)
    elif kind == "value" and value is not None:
        told = value_type(value)
    elif kind == "values" and value is not None:
        told = list[value_type(value)]  # type: ignore[misc]
    elif get_origin(plain) is list and get_args(plain)[0] is str:
        told = list[str]
    else:
        told = SCALARS.get(plain, JSON)
    return told | None if c.is_optional(annotation) else told


def made(name: str, fields: dict[str, tuple[Any, str | None]], description: str) -> type:
    """Make an output type from name → (type, description)."""
    namespace: dict[str, Any] = {"__annotations__": {n: annotation for n, (annotation, _) in fields.items()}}
    namespace.update({n: strawberry.field(description=told) for n, (_, told) in fields.items()})
    return strawberry.type(type(name, (), namespace), description=description)


def _history() -> tuple[Any, Any]:
    from graph.lists import list_field  # lists are made of what stands here

    told: Any = Annotated["RecordVersionConnection", strawberry.lazy("graph.types.history")]  # noqa: F821  (as above)
    return told, list_field("RecordVersion", told, "Its versions, the newest first: what changed, when and why.")


def entity(table: type[SQLModel]) -> Callable[[type[T]], type[T]]:
    """Complete a type with the public fields of its table.

    The class statement holds the relations, each of which the table joins; a
    field that it states itself is left as it is.
    """

    def complete(of: type[T]) -> type[T]:
        shape = SHAPES[table.__name__]
        stated = inspect.get_annotations(of)
        if issubclass(table, EntityRow):
            for name, (annotation, description) in _OF_RECORDS.items():
                stated[name] = annotation
                setattr(of, name, strawberry.field(description=description))
            stated["history"], history = _history()
            setattr(of, "history", history)  # noqa: B010  (the class does not know it)
        missing = set(shape.relations) - set(stated)
        if of.__name__ != table.__name__ or missing:
            raise TypeError(f"{of.__name__} does not state the relations {sorted(missing)} of {table.__name__}")
        derived: dict[str, Any] = {
            public_name(name): info
            for name, info in table.model_fields.items()
            if public_name(name) in shape.columns and public_name(name) not in stated
        }
        derived |= {name: told for name, told in getattr(table, "computed", {}).items() if name not in stated}
        of.__annotations__ = {n: graphql_type(i.annotation) for n, i in derived.items()} | stated
        for name, info in derived.items():
            setattr(of, name, strawberry.field(description=info.description))
        described = summary(of) or summary(table.__mro__[1])
        return strawberry.type(of, description=described)

    return complete
