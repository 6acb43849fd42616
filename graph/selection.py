"""From the fields that graphql-core collected to a Selection: shape here, values in slots."""

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

import orjson
from graphql import GraphQLObjectType, get_named_type, is_leaf_type
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.values import get_argument_values
from strawberry.utils.str_converters import to_camel_case

from db.keysets import key_columns, signature
from db.models.base import AnyRecord, Many
from db.models.registry import ENTITIES
from db.scope import Scope
from db.selection import (
    All,
    Compare,
    Inside,
    Keyset,
    Leaf,
    OneById,
    PagePart,
    PageSelection,
    Part,
    Related,
    RelatedPage,
    RelatedRecord,
    Selection,
    Slots,
    Sort,
    SummaryOf,
)
from db.shapes import SHAPES, Column, Shape, value_fields
from db.types import Entity, ErrorCode, decode_id
from graph.errors import ApiError, bad_input
from graph.filters import MAX_LISTED, Filters, attributes
from graph.values import of_cursor, text, utc

DEFAULT_PAGE: Final = 50
MAX_PAGE: Final = 250
MAX_SORTS: Final = 5
MAX_FIELDS: Final = 2_000
_LONGEST_NUMBER: Final = 19


@dataclass(slots=True)
class Size:
    """Counts the fields that one operation reads, with every fragment written out where it is spread.

    A fragment spread twice doubles what it holds, and so do those inside it: thirteen of them made a statement that
    took a minute to plan. No document without such fragments comes near the limit.
    """

    fields: int = 0

    def add(self, fields: int) -> None:
        """Count fields, and refuse the operation that has too many."""
        self.fields += fields
        if self.fields > MAX_FIELDS:
            raise ApiError(
                ErrorCode.QUERY_TOO_COMPLEX,
                f"The document reads more than {MAX_FIELDS} fields, its fragments written out; ask for less at once.",
            )


class Builder:
    """Builds one read of one operation; `slots` fills up with its values."""

    def __init__(self, executor: Executor[Any], size: Size) -> None:
        self._executor = executor
        self._size = size
        self._kind: Entity | None = None
        self.slots: Slots = []

    def _slot(self, value: Any) -> int:
        self.slots.append(value)
        return len(self.slots) - 1

    def _collected(self, of: GraphQLObjectType, details: FieldDetailsList) -> dict[str, FieldDetailsList]:
        found = self._executor.collect_subfields(of, details).grouped_field_set
        self._size.add(len(found))
        return found

    def arguments(self, parent: GraphQLObjectType, details: FieldDetailsList) -> dict[str, Any]:
        """Give a field's coerced arguments, in GraphQL names."""
        node = details[0].node
        return get_argument_values(
            parent.fields[node.name.value], node, self._executor.variable_values, details[0].fragment_variable_values
        )

    @staticmethod
    def connection_id(arguments: dict[str, Any]) -> UUID | None:
        """Give the connection that a list is held to, if the caller named one."""
        named = arguments.get("connectionId")
        return decode_id(named, type_name="ConnectedSystem")[1] if named else None

    @staticmethod
    def narrowed(scope: Scope, connection_id: UUID) -> Scope:
        """Hold a scope to one connection; to a connection token, others do not exist."""
        try:
            return scope.narrowed(connection_id)
        except PermissionError as error:
            raise no_connection() from error

    def one(
        self, of: GraphQLObjectType, details: FieldDetailsList, key: UUID | str, *, as_of: datetime | None = None
    ) -> OneById:
        """Read one object by its key, as of an instant where one is given; these are its first slots."""
        slot = self._slot(key)
        as_of_slot = None if as_of is None else self._slot(as_of)
        return OneById(self.selection(of, details), slot, as_of_slot)

    def all(self, of: GraphQLObjectType, details: FieldDetailsList) -> All:
        """Read a short list whole."""
        return All(self.selection(of, details))

    def selection(self, of: GraphQLObjectType, details: FieldDetailsList) -> Selection:
        """Give the parts of one object."""
        shape = SHAPES[of.name]
        parts = tuple(self._part(shape, of, key, group) for key, group in self._collected(of, details).items())
        return Selection(of.name, parts)

    def _part(self, shape: Shape, of: GraphQLObjectType, key: str, details: FieldDetailsList) -> Part:
        graphql_name = details[0].node.name.value
        if graphql_name == "__typename":
            return Leaf(key, graphql_name)
        name = attributes(of.name)[graphql_name]
        target = get_named_type(of.fields[graphql_name].type)
        relation = shape.relations.get(name)
        if relation is None:
            if not isinstance(target, GraphQLObjectType):
                return Leaf(key, name)
            return Inside(key, name, target.name, self._inside(shape.columns[name], target, details))
        if isinstance(relation, AnyRecord):
            return RelatedRecord(key, name, self._records(details))
        if not isinstance(target, GraphQLObjectType):
            raise TypeError(f"{of.name}.{graphql_name} has no fields")
        if isinstance(relation, Many) and relation.paged:
            with self._of_kind(shape.entity if relation.target == "RecordVersion" else None):
                page = self.page(relation.target, target, details, self.arguments(of, details), order=relation.order)
            return RelatedPage(key, name, page)
        return Related(key, name, self.selection(target, details))

    def _records(self, details: FieldDetailsList) -> tuple[Selection, ...]:
        types = self._executor.schema.type_map
        told = []
        kinds = [spec.type_name for spec in ENTITIES if self._kind in (None, spec.entity)]
        with self._of_kind(None):
            for kind in kinds:
                of = types[kind]
                if not isinstance(of, GraphQLObjectType):
                    raise TypeError(f"{of} has no fields")
                told.append(self.selection(of, details))
        return tuple(told)

    @contextmanager
    def _of_kind(self, kind: Entity | None) -> Iterator[None]:
        """Say that the rows inside are about records of one kind; None: of any."""
        before, self._kind = self._kind, kind
        yield
        self._kind = before

    def _inside(self, column: Column, of: GraphQLObjectType, details: FieldDetailsList) -> tuple[Leaf, ...]:
        if column.value is None:
            raise TypeError(f"{column.name} has no fields")
        names = {to_camel_case(name): name for name in value_fields(column.value)}
        return tuple(
            Leaf(key, names.get(group[0].node.name.value, group[0].node.name.value))
            for key, group in self._collected(of, details).items()
        )

    def page(
        self,
        type_name: str,
        of: GraphQLObjectType,
        details: FieldDetailsList,
        arguments: dict[str, Any],
        *,
        order: tuple[str, ...] = (),
    ) -> PageSelection:
        """Give a Relay list from its field's arguments; `order` is that of lists whose caller gives none."""
        backward, limit, cursor = _direction(arguments)
        shape = SHAPES[type_name]
        given = tuple(Sort(name.lstrip("-"), descending=name.startswith("-")) for name in order)
        sorts = _sorts(shape, arguments.get("orderBy")) or given
        limit_slot = self._slot(limit)
        condition = Filters(self._slot).condition(shape, arguments["filter"]) if arguments.get("filter") else None
        bare = PageSelection(type_name, (), limit_slot, backward=backward, sorts=sorts, condition=condition)
        keyset = self._keyset(bare, cursor) if cursor is not None else None
        as_of = arguments.get("asOf")
        as_of_slot = None if as_of is None else self._slot(instant(as_of))
        return PageSelection(
            type_name,
            self._page_parts(of, details),
            limit_slot,
            backward,
            sorts,
            condition,
            keyset,
            as_of_slot=as_of_slot,
        )

    def window(self, of: GraphQLObjectType, details: FieldDetailsList, arguments: dict[str, Any]) -> PageSelection:
        """Give a window of a connection's events from its field's arguments."""
        _, limit, _ = _direction({"first": arguments.get("first")})
        limit_slot, types, after = self._slot(limit), arguments.get("types"), arguments.get("afterSequence")
        if types is not None and len(types) > MAX_LISTED:
            raise bad_input(f"types takes at most {MAX_LISTED} values.")
        return PageSelection(
            "Event",
            self._page_parts(of, details),
            limit_slot,
            sorts=(Sort("sequence"),),
            condition=None if types is None else Compare("type", "in", self._slot([text(each) for each in types])),
            keyset=None if after is None else Keyset((self._slot(_sequence(after)),)),
            numbered=True,
        )

    def summary(
        self, type_name: str, of: GraphQLObjectType, details: FieldDetailsList, arguments: dict[str, Any]
    ) -> SummaryOf:
        """Give a summary from its field's arguments."""
        shape = SHAPES[type_name]
        named = [str(getattr(each, "value", each)).lower() for each in arguments["groupBy"]]
        condition = Filters(self._slot).condition(shape, arguments["filter"]) if arguments.get("filter") else None
        parts: list[Part] = []
        for key, group in self._collected(of, details).items():
            asked = group[0].node.name.value
            name = summary_names(type_name).get(asked, asked)
            target = get_named_type(of.fields[asked].type) if asked != "__typename" else None
            if not isinstance(target, GraphQLObjectType) or (name in shape.relations and name not in named):
                parts.append(Leaf(key, name))  # what the groups do not go by is null, whatever is selected of it
            elif name in shape.relations:
                parts.append(Related(key, name, self.selection(target, group)))
            else:
                leaves = self._collected(target, group).items()
                told = ((k, g[0].node.name.value) for k, g in leaves)
                inside = tuple(Leaf(k, summary_names(type_name).get(n, n)) for k, n in told)
                parts.append(Inside(key, name, target.name, inside))
        return SummaryOf(type_name, tuple(parts), tuple(dict.fromkeys(named)), condition)

    def _page_parts(self, of: GraphQLObjectType, details: FieldDetailsList) -> tuple[PagePart, ...]:
        return tuple(self._page_part(of, key, group) for key, group in self._collected(of, details).items())

    def _page_part(self, of: GraphQLObjectType, key: str, details: FieldDetailsList) -> PagePart:
        name = details[0].node.name.value
        target = get_named_type(of.fields[name].type) if name != "__typename" else None
        if target is None or is_leaf_type(target):
            return PagePart(key, name)
        if not isinstance(target, GraphQLObjectType):
            raise TypeError(f"{of.name}.{name} has no fields")
        if name in {"nodes", "node"}:
            return PagePart(key, name, node=self.selection(target, details))
        inner = self._collected(target, details).items()
        return PagePart(key, name, parts=tuple(self._page_part(target, k, group) for k, group in inner))

    def _keyset(self, page: PageSelection, cursor: str) -> Keyset:
        values = _decoded(cursor, page)
        columns = key_columns(page)
        slots = []
        for column, told in zip(columns, values, strict=True):
            try:
                value = of_cursor(told, column)
            except (ValueError, TypeError) as error:
                raise bad_input("The cursor is not one of this API.") from error
            slots.append(None if value is None else self._slot(value))
        return Keyset(tuple(slots))


@cache
def summary_names(type_name: str) -> dict[str, str]:
    """Give GraphQL name → our name of what a summary tells."""
    summary = SHAPES[type_name].summary
    names = (*summary.groups, *summary.sums) if summary else ()
    return {to_camel_case(name): name for name in names}


def no_connection() -> ApiError:
    """Tell that a connection is not there, or not the caller's to see."""
    return ApiError(ErrorCode.NOT_FOUND, "There is no such connection.")


def instant(value: datetime) -> datetime:
    """Give an instant of the caller's in UTC."""
    try:
        return utc(value)
    except ValueError as error:
        raise bad_input(f"asOf takes no such value: {error}.") from error


def _sequence(told: str) -> int:
    if not (told.isascii() and told.isdigit() and len(told) < _LONGEST_NUMBER):
        raise bad_input("afterSequence is a number of the sequence, as text.")
    return int(told)


def _direction(arguments: dict[str, Any]) -> tuple[bool, int, str | None]:
    first, last = arguments.get("first"), arguments.get("last")
    after, before = arguments.get("after"), arguments.get("before")
    if first is not None and last is not None:
        raise bad_input("Give first or last, not both.")
    if after is not None and before is not None:
        raise bad_input("Give after or before, not both.")
    backward = last is not None or before is not None
    if (backward and (first is not None or after is not None)) or (not backward and last is not None):
        raise bad_input("first goes with after, last goes with before.")
    limit = last if backward else first
    limit = DEFAULT_PAGE if limit is None else limit
    if not 0 <= limit <= MAX_PAGE:
        raise bad_input(f"{'last' if backward else 'first'} must be 0 to {MAX_PAGE}.")
    return backward, limit, before if backward else after


def _sorts(shape: Shape, given: list[dict[str, Any]] | None) -> tuple[Sort, ...]:
    if given is not None and len(given) > MAX_SORTS:
        raise bad_input(f"orderBy takes at most {MAX_SORTS} keys.")
    sorts: list[Sort] = []
    for key in given or ():
        column = str(getattr(key["field"], "value", key["field"])).lower()
        if column not in shape.columns or any(sort.column == column for sort in sorts):
            raise bad_input(f"orderBy names {column.upper()} twice, or a field that lists cannot be ordered by.")
        direction = str(getattr(key.get("direction"), "value", key.get("direction")))
        sorts.append(Sort(column, descending=direction == "DESC"))
    return tuple(sorts)


def _decoded(cursor: str, page: PageSelection) -> list[Any]:
    try:
        told = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise bad_input("The cursor is not one of this API.") from error
    if not isinstance(told, list) or len(told) != len(key_columns(page)) + 1 or told[0] != signature(page):
        raise bad_input("The cursor belongs to another list or order; use cursors of the same list and orderBy.")
    return told[1:]
