"""What an operation costs, told before anything is read.

    1 point     for each object that may be told, and for each ten fields of it; for each JSON value
    25 points   for each read of the store: an object or a list that is asked for by itself, not inside another
    25 points   for each change
    10 points   for each count
    100 points  for a summary, which counts as 50 rows
    A list costs its page size times one row; a short list that is told whole counts as five rows.
    Introspection costs a quarter of a point for each field that is told, and all `types` 1,000 points beside: once is
    what tools ask for.

The price is an upper bound: parts that @skip leaves out count, too. What was not told is given back afterwards.
Each fragment is priced once, however often it is spread. Beside the points, what makes a statement long to plan is
counted as it stands in the document: lists, relations, conditions; and how many statements there are.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from graphql import (
    ArgumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

from db.models.registry import ENTITIES
from db.shapes import SHAPES
from graph.errors import too_complex
from graph.limits.documents import MAX_LISTED, MAX_NESTED, Prepared, in_order
from graph.limits.price import NOTHING, Counted, Price, Told
from graph.selection import DEFAULT_PAGE, MAX_PAGE

WHOLE_LIST: Final = 5
READ: Final = 25
CHANGE: Final = 25
COUNT: Final = 10
SUMMARY: Final = 100
INTROSPECTED: Final = 0.25
SCHEMA: Final = 1_000
_TOGETHER: Final = 10
"""Objects by their ids are read together, those of one type in one statement: ten count as one read."""
_KEPT_PRICES: Final = 64
_ABSENT: Final = "absent"
"""Unlike null, a variable that is not given takes its own default."""
_LEAF: Final = Price(leaves=1)
"""Most fields; a level's are counted first and added once."""


def price(schema: GraphQLSchema, prepared: Prepared, name: str | None, variables: Mapping[str, Any]) -> Price:
    """Give the price of an operation of a valid document.

    Raises:
        ApiError: QUERY_TOO_COMPLEX, with what was counted and the limit.
    """
    sizes = {variable: size_of(value) for variable, value in variables.items()}
    key = (name, tuple(sizes.get(each, _ABSENT) for each in prepared.sized[name]))
    found: Price | None = prepared.prices.get(key)
    if found is None:
        found = _Pricer(schema, prepared, prepared.operations[name], sizes).whole()
        prepared.prices[key] = found
        if len(prepared.prices) > _KEPT_PRICES:
            prepared.prices.popitem(last=False)
    found.check()
    return found


def size_of(value: Any) -> int | None:
    """Give what of a variable's value decides about the cost: a number itself, a list's length, an object's values.

    Raises:
        ApiError: It holds a list that is too long, or too many levels.
    """
    if isinstance(value, bool) or not isinstance(value, (int, list, dict)):
        return None
    if isinstance(value, int):
        return value
    values, stack = 0, [(value, 1)]
    while stack:
        each, level = stack.pop()
        if level > MAX_NESTED:
            raise too_complex("levels of a value", level, MAX_NESTED)
        if isinstance(each, list) and len(each) > MAX_LISTED:
            raise too_complex("values in a list", len(each), MAX_LISTED)
        for inner in each.values() if isinstance(each, dict) else each:
            if isinstance(inner, (list, dict)):
                stack.append((inner, level + 1))
            values += isinstance(each, dict) and not _holds_conditions(inner)
    return len(value) if isinstance(value, list) else values


def _holds_conditions(value: Any) -> bool:
    """Tell what holds conditions from what is one: a list of plain values is one."""
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict) for each in value))


class _Pricer:
    """Prices one operation for one set of sizes."""

    def __init__(
        self,
        schema: GraphQLSchema,
        prepared: Prepared,
        operation: OperationDefinitionNode,
        sizes: Mapping[str, int | None],
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._sizes: dict[str, int | None] = {}
        for each in operation.variable_definitions or ():
            name = each.variable.name.value
            self._sizes[name] = sizes[name] if name in sizes else self._size(each.default_value)
        self._fragments: dict[str, Price] = {}
        for name in in_order(prepared.fragments):
            fragment = prepared.fragments[name]
            within = schema.type_map[fragment.type_condition.name.value]
            self._fragments[name] = self._selected(fragment.selection_set, within)

    def whole(self) -> Price:
        """Give the price of the operation."""
        root = self._schema.get_root_type(self._operation.operation)
        return self._selected(self._operation.selection_set, root) if root else NOTHING

    def _selected(self, of: SelectionSetNode | None, within: GraphQLNamedType) -> Price:
        told, leaves = NOTHING, 0
        for node in of.selections if of else ():
            if isinstance(node, FragmentSpreadNode):
                told += self._fragments[node.name.value]
            elif isinstance(node, InlineFragmentNode):
                inner = self._schema.type_map[node.type_condition.name.value] if node.type_condition else within
                told += self._selected(node.selection_set, inner)
            elif isinstance(node, FieldNode):
                one = self._field(node, within)
                if one is _LEAF:
                    leaves += 1
                else:
                    told += one
        return told + Price(leaves=leaves)

    def _field(self, node: FieldNode, within: GraphQLNamedType) -> Price:
        name = node.name.value
        if within.name.startswith("__") or name.startswith("__"):
            return self._introspected(node, within)
        field = within.fields[name]  # type: ignore[attr-defined]
        target = get_named_type(field.type)
        if is_leaf_type(target):
            if name == "totalCount":
                return Price(leaves=1, own=Told(fixed=COUNT))
            return Price(leaves=1, own=Told(1, 1)) if target.name == "JSON" else _LEAF
        selected = self._selected(node.selection_set, target)
        listed = isinstance(get_nullable_type(field.type), GraphQLList)
        if listed and within.name.endswith("Connection"):
            return selected.as_rows()
        arguments = node.arguments or ()
        count = self._listed(arguments) if listed else 1
        summary = listed and target.name.endswith("Summary")
        count = DEFAULT_PAGE if summary else count
        told = selected.as_page(self._page(arguments)) if "first" in field.args else selected.as_objects(count)
        told += self._work(node, field, within, count=count, listed=listed)
        return told + Price(own=Told(fixed=SUMMARY)) if summary else told

    def _work(
        self, node: FieldNode, field: GraphQLField, within: GraphQLNamedType, *, count: int, listed: bool
    ) -> Price:
        """Give the price of finding what a field tells."""
        target = get_named_type(field.type)
        conditions = self._conditions(node.arguments or ())
        lists, relations = int("first" in field.args), int(target.name in SHAPES)
        if within.name in SHAPES and target.name == "Node":
            relations = len(ENTITIES)  # a record of any kind is looked for in each of their tables
        if within.name == "SyncRun" and lists:
            lists = len(ENTITIES)  # as are the versions that a run brought
        if within is self._schema.mutation_type:
            return Price(own=Told(fixed=CHANGE), counted=Counted(1, lists, relations, conditions))
        at_top = within is self._schema.query_type
        if not _reads(within, target, listed=listed and at_top):
            return Price(counted=Counted(0, lists, relations, conditions))
        reads = math.ceil(count / _TOGETHER) if "ids" in field.args else 1
        return Price(own=Told(fixed=READ * reads), counted=Counted(reads, lists, relations, conditions))

    def _introspected(self, node: FieldNode, within: GraphQLNamedType) -> Price:
        name = node.name.value
        if name == "__typename":
            return _LEAF
        entry = {"__schema": "__Schema", "__type": "__Type"}.get(name)
        field: GraphQLField | None = None if entry else within.fields[name]  # type: ignore[attr-defined]
        target = get_named_type(field.type) if field else self._schema.type_map[entry or ""]
        inner = self._selected(node.selection_set, target).own.fixed
        count = _fan_out(self._schema).get((within.name, name), 1)
        beside = SCHEMA if (within.name, name) == ("__Schema", "types") else 0
        return Price(own=Told(fixed=count * (INTROSPECTED + inner) + beside))

    def _size(self, value: ValueNode | None) -> int | None:
        """Give the size of what is written in the document, as `size_of` gives that of a variable."""
        if isinstance(value, VariableNode):
            return self._sizes.get(value.name.value)
        if isinstance(value, IntValueNode):
            return int(value.value) if len(value.value) < 12 else MAX_LISTED
        if isinstance(value, ListValueNode):
            return len(value.values)
        if isinstance(value, ObjectValueNode):
            return _written(value, self._sizes)
        return None

    def _page(self, arguments: Iterable[ArgumentNode]) -> int:
        given = [self._size(each.value) for each in arguments if each.name.value in {"first", "last"}]
        known = [min(max(size, 0), MAX_PAGE) for size in given if size is not None]
        return max(known, default=DEFAULT_PAGE)

    def _listed(self, arguments: Iterable[ArgumentNode]) -> int:
        given = (self._size(each.value) for each in arguments if each.name.value == "ids")
        return next((max(size or 0, 1) for size in given), WHOLE_LIST)

    def _conditions(self, arguments: Iterable[ArgumentNode]) -> int:
        return sum(self._size(each.value) or 0 for each in arguments if each.name.value == "filter")


def _written(value: ValueNode, sizes: Mapping[str, int | None]) -> int:
    """Count the values in a written filter."""
    if isinstance(value, ObjectValueNode):
        return sum(_written(each.value, sizes) for each in value.fields)
    if isinstance(value, ListValueNode):
        inner = [_written(each, sizes) for each in value.values if isinstance(each, ObjectValueNode)]
        return sum(inner) if inner else 1
    return (sizes.get(value.name.value) or 1) if isinstance(value, VariableNode) else 1


def _reads(within: GraphQLNamedType, target: GraphQLNamedType, *, listed: bool) -> bool:
    """Tell whether a field is a read of its own, and no part of the statement around it."""
    if within.name in SHAPES or within.name.endswith(("Connection", "Edge", "Summary")):
        return False
    if listed or target.name in SHAPES or target.name == "Node" or target.name.endswith("Connection"):
        return True
    return isinstance(target, GraphQLObjectType) and any(each.name == "Node" for each in target.interfaces)


@cache
def _fan_out(schema: GraphQLSchema) -> dict[tuple[str, str], float]:
    """Give how many a field of introspection tells on average over all types; 1 where nothing is said."""
    types = list(schema.type_map.values())
    fields = [each.fields for each in types if isinstance(each, (GraphQLObjectType, GraphQLInterfaceType))]
    inputs = [each.fields for each in types if isinstance(each, GraphQLInputObjectType)]
    values = [each.values for each in types if isinstance(each, GraphQLEnumType)]
    arguments = [field.args for each in fields for field in each.values()]

    def average(of: Sequence[Any], among: int) -> float:
        return sum(map(len, of)) / max(1, among)

    return {
        ("__Schema", "types"): len(types),
        ("__Schema", "directives"): len(schema.directives),
        ("__Type", "fields"): average(fields, len(types)),
        ("__Type", "inputFields"): average(inputs, len(types)),
        ("__Type", "enumValues"): average(values, len(types)),
        ("__Type", "possibleTypes"): 1,
        ("__Type", "ofType"): 0.5,
        ("__Field", "args"): average(arguments, len(arguments)),
        ("__Directive", "args"): 2,
    }
