"""Documents: parsed, measured and validated once, and kept while they are in use.

What is measured needs no schema and takes each fragment once, however often it is spread: a document of 800 bytes
whose fragments write out to 10^12 fields is refused in milliseconds.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    ListTypeNode,
    ListValueNode,
    NonNullTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeNode,
    ValueNode,
)

from graph.errors import ApiError, too_complex
from graph.limits.language import MAX_DEPTH, parsed, wrong_in
from graph.plans import Plans

MAX_FIELDS: Final = 2_000
MAX_ROOT_FIELDS: Final = 50
MAX_FRAGMENTS: Final = 50
MAX_OPERATIONS: Final = 20
MAX_DIRECTIVES: Final = 100
MAX_LISTED: Final = 250
MAX_NESTED: Final = 32
MAX_ERRORS: Final = 20
KEPT_CHARACTERS: Final = 150_000
"""How much text the kept documents may have together; parsed, a character takes some 70 bytes."""


@dataclass(slots=True)
class Prepared:
    """A document that may be executed.

    Attributes:
        operations: By name; None is the name of one that has none.
        sized: Operation → variables whose number or length decides about its cost.
        plans: What its fields read, filled by `graph.executor`.
        prices: What is known of the cost, filled by `graph.limits.cost`.
        straight: Operation → its way without an executor, if it has one; filled by `graph.straight`.
    """

    document: DocumentNode
    operations: dict[str | None, OperationDefinitionNode]
    fragments: dict[str, FragmentDefinitionNode]
    sized: dict[str | None, tuple[str, ...]]
    plans: Plans
    prices: OrderedDict[Any, Any] = field(default_factory=OrderedDict)
    straight: dict[str | None, Any] = field(default_factory=dict)


class Documents:
    """Prepares documents for one schema, and keeps the ones last used."""

    def __init__(self, schema: GraphQLSchema, *, kept_characters: int = KEPT_CHARACTERS) -> None:
        self._schema = schema
        self._kept: OrderedDict[str, Prepared] = OrderedDict()
        self._room = kept_characters

    def kept(self, text: str) -> Prepared | None:
        """Give a document that is kept."""
        found = self._kept.get(text)
        if found is not None:
            self._kept.move_to_end(text)
        return found

    def keep(self, text: str, made: Prepared) -> Prepared:
        """Keep a document that is not too long, and give it; where another was kept meanwhile, that one."""
        found = self.kept(text)
        if found is not None:
            return found
        if len(text) <= self._room + sum(map(len, self._kept)):
            self._kept[text] = made
            self._room -= len(text)
            while self._room < 0:
                dropped, _ = self._kept.popitem(last=False)
                self._room += len(dropped)
        return made

    def made(self, text: str) -> Prepared:
        """Parse, measure and validate a document; touches nothing that is kept, so it may be done in a thread.

        Raises:
            DocumentRefused: What is wrong with it.
        """
        try:
            document = parsed(text)
        except GraphQLError as error:
            raise DocumentRefused([error]) from None
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
        try:
            _limited(document, fragments, operations)
        except ApiError as error:
            raise DocumentRefused([error]) from None
        errors = wrong_in(document, self._schema, max_errors=MAX_ERRORS)
        if errors:
            raise DocumentRefused(errors)
        named = {each.name.value if each.name else None: each for each in operations}
        sized = {name: _sized(each) for name, each in named.items()}
        return Prepared(document, named, fragments, sized, Plans(fragments))


class DocumentRefused(Exception):
    """The document cannot be executed, or not with these variables: whatever failed, it is the caller's to mend."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__("the document is refused")
        self.errors = [each if isinstance(each, ApiError) else _plain(each) for each in errors]


def _plain(error: GraphQLError) -> GraphQLError:
    """Leave out what failed while a value was read: a number of 5,000 digits fails in Python, not in the language."""
    return GraphQLError(error.message, nodes=error.nodes, source=error.source, positions=error.positions)


def _limited(
    document: DocumentNode, fragments: dict[str, FragmentDefinitionNode], operations: list[OperationDefinitionNode]
) -> None:
    counted = (
        ("fragments", sum(isinstance(d, FragmentDefinitionNode) for d in document.definitions), MAX_FRAGMENTS),
        ("operations", len(operations), MAX_OPERATIONS),
    )
    for what, found, limit in counted:
        if found > limit:
            raise too_complex(what, found, limit)
    measures: dict[str, _Measure] = {}
    for name in in_order(fragments):
        measures[name] = _measured(fragments[name].selection_set, measures)
    whole = [_measured(each.selection_set, measures) for each in operations]
    directives = sum(len(each.directives or ()) for each in (*operations, *fragments.values()))
    directives += sum(each.directives for each in (*whole, *measures.values()))
    worst = (
        ("fields", max((m.fields for m in (*whole, *measures.values())), default=0), MAX_FIELDS),
        ("levels", max((m.depth for m in whole), default=0), MAX_DEPTH),
        ("directives", directives, MAX_DIRECTIVES),
        ("fields at the top", max((m.own for m in whole), default=0), MAX_ROOT_FIELDS),
        ("values in a list", max((m.listed for m in (*whole, *measures.values())), default=0), MAX_LISTED),
        ("levels of a value", max((m.nested for m in (*whole, *measures.values())), default=0), MAX_NESTED),
    )
    for what, found, limit in worst:
        if found > limit:
            raise too_complex(what, found, limit)


@dataclass(slots=True)
class _Measure:
    """A selection set with its fragments written out.

    Attributes:
        own: Fields of its own level.
        fields: Fields of all levels.
        depth: Levels.
        directives: Directives that stand in it; those of fragments are counted where they are defined.
        listed: The longest list of values.
        nested: The deepest value.
    """

    own: int = 0
    fields: int = 0
    depth: int = 1
    directives: int = 0
    listed: int = 0
    nested: int = 0


def _measured(of: SelectionSetNode, known: dict[str, _Measure]) -> _Measure:
    told = _Measure()
    for node in of.selections:
        told.directives += len(node.directives or ())
        if isinstance(node, FragmentSpreadNode):
            inner = known.get(node.name.value, _Measure())
            told.own += inner.own
        elif isinstance(node, InlineFragmentNode):
            inner = _measured(node.selection_set, known)
            told.own += inner.own
            told.directives += inner.directives
        elif isinstance(node, FieldNode):
            inner = _measured(node.selection_set, known) if node.selection_set else _Measure(depth=0)
            told.own += 1
            told.fields += 1
            told.directives += inner.directives
            told.depth = max(told.depth, 1 + inner.depth)
            for argument in node.arguments or ():
                listed, nested = _extent(argument.value)
                told.listed, told.nested = max(told.listed, listed), max(told.nested, nested)
        else:
            raise TypeError(f"{node.kind} is no selection")
        told.fields += inner.fields
        told.depth = max(told.depth, inner.depth)
        told.listed, told.nested = max(told.listed, inner.listed), max(told.nested, inner.nested)
    return told


def _extent(value: ValueNode) -> tuple[int, int]:
    """Give the length of the longest list in a value and the number of its levels; the parser has limited these."""
    if isinstance(value, ListValueNode):
        inner, length = value.values, len(value.values)
    elif isinstance(value, ObjectValueNode):
        inner, length = tuple(each.value for each in value.fields), 0
    else:
        return 0, 0
    extents = [_extent(each) for each in inner]
    return max([length, *(each[0] for each in extents)]), 1 + max((each[1] for each in extents), default=0)


def in_order(fragments: dict[str, FragmentDefinitionNode]) -> list[str]:
    """Give the fragments so that each follows those that it spreads; where they go in circles, somehow."""
    ordered: dict[str, None] = {}
    begun: set[str] = set()
    for name, fragment in fragments.items():
        stack = [(name, iter(_spreads(fragment.selection_set)))] if name not in begun else []
        begun.add(name)
        while stack:
            current, inner = stack[-1]
            following = next((each for each in inner if each in fragments and each not in begun), None)
            if following is None:
                ordered[current] = None
                stack.pop()
            else:
                begun.add(following)
                stack.append((following, iter(_spreads(fragments[following].selection_set))))
    return list(ordered)


def _spreads(of: SelectionSetNode) -> Iterator[str]:
    stack = [of]
    while stack:
        for node in stack.pop().selections:
            if isinstance(node, FragmentSpreadNode):
                yield node.name.value
            elif isinstance(node, (FieldNode, InlineFragmentNode)) and node.selection_set:
                stack.append(node.selection_set)


def _sized(operation: OperationDefinitionNode) -> tuple[str, ...]:
    """Name the variables that hold page sizes, lists and filters."""
    return tuple(each.variable.name.value for each in operation.variable_definitions or () if _decides(each.type))


def _decides(of: TypeNode) -> bool:
    if isinstance(of, NonNullTypeNode):
        return _decides(of.type)
    if isinstance(of, ListTypeNode):
        return True
    name: str = of.name.value  # type: ignore[attr-defined]
    return name == "Int" or name.endswith("Filter")
