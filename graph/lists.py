"""List types derived from an entity: connection, edge, filter, order, and the field that takes them."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from enum import Enum
from functools import cache, partial
from inspect import Parameter, Signature
from typing import Annotated, Any, Final

import strawberry
from graphql import GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema
from sqlmodel import SQLModel
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from db.models import columns as c
from db.models.base import Findable, Many, One
from db.models.custom import LONGEST_VALUE
from db.models.organization import TokenScope
from db.models.records import IncompleteReason
from db.models.registry import READABLE
from db.shapes import SHAPES
from db.types import PREFIXES, Entity
from graph.context import Context, Read
from graph.entity import SCALARS, described, enumeration, made

STRAIGHT: Final = "straight"
"""Under this, a field's extensions hold what resolves it without a source or an info."""
TABLES: Final[dict[str, type[SQLModel]]] = {table.__name__: table for table in READABLE}


@enumeration
class OrderDirection(Enum):
    """Which way a list is ordered."""

    ASC = "ASC"
    """The least first; nulls last."""
    DESC = "DESC"
    """The most first; nulls first."""


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's page information."""

    has_next_page: bool = strawberry.field(description="More follow.")
    has_previous_page: bool = strawberry.field(description="More came before.")
    start_cursor: str | None = strawberry.field(description="Cursor of the page's first row.")
    end_cursor: str | None = strawberry.field(description="Cursor of the page's last row.")


@strawberry.type(description="A connection of which a list may lack something.")
class Incomplete:
    """A connection of which a list may lack something."""

    connection_id: strawberry.ID = strawberry.field(description="The connection.")
    entity: enumeration(Entity) = strawberry.field(description="What the list holds.")  # type: ignore[valid-type]
    reason: enumeration(IncompleteReason) = strawberry.field(  # type: ignore[valid-type]
        description="Its status where it does not sync; DEGRADED: this entity fails; NOT_SYNCED: its first sync has not"
        " ended."
    )
    since: datetime | None = strawberry.field(
        description="Every change that the source made before is stored, UTC; null before the first sync has ended."
    )


def _input(name: str, fields: dict[str, tuple[Any, str]], description: str, *, required: Collection[str] = ()) -> type:
    namespace: dict[str, Any] = {
        "__annotations__": {
            n: of if isinstance(of, str) or n in required else of | None for n, (of, _) in fields.items()
        }
    }
    names = {"in_": "in", "and_": "and", "or_": "or", "not_": "not"}
    namespace.update(
        {
            n: strawberry.field(
                description=told, name=names.get(n), **({} if n in required else {"default": strawberry.UNSET})
            )
            for n, (_, told) in fields.items()
        }
    )
    return strawberry.input(type(name, (), namespace), description=description)


@cache
def _comparison(kind: str, plain: Any, *, nullable: bool) -> type:
    told = enumeration(plain) if kind == "enum" else SCALARS[plain]
    name = {"enum": getattr(told, "__name__", ""), "id": "ID", "text": "String", "instant": "DateTime"}.get(
        kind, kind.capitalize()
    )
    fields: dict[str, tuple[Any, str]] = {
        "eq": (told, "Is this value."),
        "in_": (list[told], "Is one of these, at most 100."),  # type: ignore[valid-type]
    }
    if kind in {"decimal", "date", "instant", "integer"}:
        fields |= {
            "gt": (told, "Is more than, or after."),
            "gte": (told, "Is at least, or from."),
            "lt": (told, "Is less than, or before."),
            "lte": (told, "Is at most, or until."),
        }
    if kind == "text":
        fields["prefix"] = (str, "Begins with this text, case and accents as they stand.")
    if nullable:
        fields["is_null"] = (bool, "True: has no value. False: has one.")
    return _input(f"{'Nullable' if nullable else ''}{name}Filter", fields, "Conditions on one value; all must hold.")


@cache
def _custom_field(name: str = "CustomFieldFilter", what: str = "custom field") -> type:
    text = f"at most {LONGEST_VALUE} characters"
    fields: dict[str, tuple[Any, str]] = {
        "name": (str, f"Name of the {what}, at the top."),
        "eq": (str, f"Is this value, as text: `true`, `12.50`, {text}."),
        "in_": (list[str], "Is one of these, at most 100."),
        "prefix": (str, f"Begins with this text, {text}."),
        "is_null": (bool, "True: the field is missing, null, or holds more than one value. False: it has one value."),
    }
    return _input(name, fields, f"Conditions on one {what}.", required={"name"})


def _found_by(type_name: str, name: str, way: Findable) -> tuple[Any, str]:
    """Give the input of a field that lists are filtered by in a way of its own."""
    if way.kind == "keys":
        keys = _custom_field("MetadataFilter", "value of the metadata")
        return list[keys], "Conditions on its values; all must hold."  # type: ignore[valid-type]
    if way.kind == "labels":
        fields: dict[str, tuple[Any, str]] = {
            "has": (str, "This is one of them."),
            "has_any": (list[str], "One of these is one of them, at most 100."),
        }
        return _input("LabelsFilter", fields, "Conditions on a list of labels; all must hold."), "Its labels."
    value = SHAPES[type_name].columns[name].value
    texts = {inside: (_comparison("text", str, nullable=False), f"Its {inside}.") for inside in way.columns}
    title = getattr(value, "__name__", name.capitalize())
    return _input(
        f"{title}Filter", texts, "Conditions on what is inside; all must hold."
    ), "What is inside fulfils this."


@cache
def filter_type(type_name: str) -> Any:
    """Give the filter input of a type, from its filterable columns and whole-list relations."""
    shape = SHAPES[type_name]
    annotations = {name: info.annotation for name, info in TABLES[type_name].model_fields.items()}
    fields: dict[str, tuple[Any, str]] = {}
    for name, column in shape.columns.items():
        if not column.filterable and column.name != "id":
            continue
        plain = c.plain_type(annotations[column.name])
        kind = "id" if column.kind == "id" else str(c.filter_kind(plain))
        comparison = _comparison(kind, plain, nullable=column.nullable)
        fields[name] = (comparison, TABLES[type_name].model_fields[column.name].description or name)
    for name, relation in shape.relations.items():
        if isinstance(relation, One) and relation.filterable:
            fields[name] = (filter_type(relation.target), "It is known, and fulfils this.")
        if isinstance(relation, Many) and not relation.paged and any(_filterable(relation.target)):
            fields[name] = (filter_type(relation.target), "One of them at least fulfils this.")
    for name, way in shape.findable.items():
        fields[name] = _found_by(type_name, name, way)
    if shape.custom:
        fields["custom_fields"] = (list[_custom_field()], "Conditions on custom fields; all must hold.")  # type: ignore[misc]
    own = f"{type_name}Filter"
    fields["and_"] = (f"list[{own}] | None", "All of these hold.")
    fields["or_"] = (f"list[{own}] | None", "One of these holds at least.")
    fields["not_"] = (f"{own} | None", "This does not hold.")
    # Strawberry looks forward references up in this module when it builds the schema.
    globals()[own] = _input(own, fields, f"Which of the {type_name} list; all given conditions must hold.")
    return globals()[own]


def _filterable(type_name: str) -> list[str]:
    return [name for name, column in SHAPES[type_name].columns.items() if column.filterable]


@cache
def order_type(type_name: str) -> Any:
    """Give the order input of a type, from its filterable columns."""
    names = [*_filterable(type_name), "id"] if type_name in PREFIXES else _filterable(type_name)
    members: Any = Enum(f"{type_name}OrderField", {name.upper(): name for name in names})  # type: ignore[misc]
    table = TABLES[type_name].model_fields
    of_field = described(
        strawberry.enum(members, description=f"What a {type_name} list can be ordered by."),
        {name.upper(): table[SHAPES[type_name].columns[name].name].description or name for name in names},
    )
    namespace = {
        "__annotations__": {"field": of_field, "direction": OrderDirection},
        "field": strawberry.field(description="What to order by."),
        "direction": strawberry.field(default=OrderDirection.ASC, description="Nulls are last up, first down."),
    }
    return strawberry.input(type(f"{type_name}Order", (), namespace), description="One sort key.")


@cache
def relay(type_name: str, node: Any) -> Any:
    """Give the connection type of a Relay list."""
    edge = made(
        f"{type_name}Edge",
        {"cursor": (str, "Its place in the list."), "node": (node, "The row.")},
        f"One {type_name} of a list.",
    )
    fields: dict[str, tuple[Any, str | None]] = {
        "edges": (list[edge], "Rows with their cursors."),  # type: ignore[valid-type]
        "nodes": (list[node], "Rows."),
        "page_info": (PageInfo, "Where the page stands."),
        "total_count": (int, "Rows of the whole list; counted only when selected."),
    }
    if SHAPES[type_name].entity is not None:
        fields["incomplete"] = (list[Incomplete], "Connections of which it may lack something, and why.")
    return made(f"{type_name}Connection", fields, f"A page of a {type_name} list.")


OF_CONNECTION: Final = (
    strawberry.ID | None,
    "Only rows of this connection, NOT_FOUND if there is none; a connection token implies it.",
)
AS_OF: Final = (
    "As of this instant: own fields and lines as they were then, relations as they are now. Filters and order are of"
    " then, too. Records that were not known yet are left out, those deleted since are there."
)
_ARGUMENTS: Final[dict[str, tuple[Any, str]]] = {
    "first": (int | None, "The first n rows, 0 to 250; 50 by default."),
    "after": (str | None, "Begin after this cursor."),
    "last": (int | None, "The last n rows, 0 to 250."),
    "before": (str | None, "End before this cursor."),
}


def list_field(
    type_name: str, returns: Any, description: str, *, of_connection: bool = False, only: TokenScope | None = None
) -> Any:
    """Make a field that is a Relay list; its arguments are read by `graph.selection`.

    Args:
        type_name: What the list holds.
        returns: The connection type, or a lazy annotation of it.
        description: One sentence for the documentation.
        of_connection: The list can be held to one connection (root fields).
        only: For organization keys with this right alone.
    """

    def resolve(context: Context, _: Mapping[str, Any]) -> Read:
        if only is not None:
            context.who.require_organization(only)
        return Read(type_name, paged=True)

    arguments: dict[str, tuple[Any, str]] = {"connection_id": OF_CONNECTION} if of_connection else {}
    if of_connection and SHAPES[type_name].entity is not None:
        arguments["as_of"] = (datetime | None, AS_OF)
    if _filterable(type_name):
        arguments |= {
            "filter": (filter_type(type_name) | None, "Which rows; all of them by default."),
            "order_by": (list[order_type(type_name)] | None, "Sort keys, the first one first; ties go by id."),  # type: ignore[misc]
        }
    arguments |= _ARGUMENTS
    return argued(resolve, arguments, returns, description)


def argued(
    resolve: Callable[[Context, Mapping[str, Any]], Read],
    arguments: dict[str, tuple[Any, str]],
    returns: Any,
    description: str,
    *,
    required: Collection[str] = (),
) -> Any:
    """Make a field that answers with a read.

    Args:
        resolve: Takes the context and the arguments by their GraphQL names, with values of graphql-core;
            `graph.selection` reads those of lists.
        arguments: Name → type and description.
        returns: What it tells.
        description: One sentence for the documentation.
        required: Names of arguments that must be given.
    """

    def declared(**_: Any) -> Any:
        raise TypeError("`answer_straight` has not been called")

    declared.straight = resolve  # type: ignore[attr-defined]
    annotations: dict[str, Any] = {
        name: Annotated[annotation, strawberry.argument(description=told)]
        for name, (annotation, told) in arguments.items()
    }
    declared.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Parameter(
                name,
                Parameter.KEYWORD_ONLY,
                default=Parameter.empty if name in required else None,
                annotation=annotation,
            )
            for name, annotation in annotations.items()
        ],
        return_annotation=returns,
    )
    declared.__annotations__ = {**annotations, "return": returns}
    return strawberry.field(resolver=declared, description=description)


def answer_straight(schema: GraphQLSchema) -> None:
    """Let the fields that `argued` makes be resolved as they are.

    Strawberry converts each argument of a field, null or not, at each call, and here nothing is left to convert: it
    took a tenth of a page's time.
    """
    for of in schema.type_map.values():
        for field in of.fields.values() if isinstance(of, GraphQLObjectType) else ():
            made = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            resolver = made.base_resolver if isinstance(made, StrawberryField) else None
            straight: Any = getattr(resolver.wrapped_func, "straight", None) if resolver is not None else None
            if straight is not None:
                field.extensions[STRAIGHT] = straight
                field.resolve = partial(_resolved, straight)


def _resolved(
    resolve: Callable[[Context, Mapping[str, Any]], Read], _: Any, info: GraphQLResolveInfo[Context], **given: Any
) -> Read:
    return resolve(info.context, given)
