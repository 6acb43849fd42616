"""Plans: what a field reads, kept beside its document, so that asking again plans nothing.

A plan is kept with the prepared document whose nodes it was made of and goes when that goes: positions in a text mean
something only beside the text. Its key holds all that can change it: the field's nodes (which of them there are hangs
on @skip and @include around them), the operation, whose variables have defaults, and the values of the variables
within. The id of a single object is no part of it, so one plan reads every order.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
from graphql import FragmentDefinitionNode, FragmentSpreadNode, Node, VariableNode, Visitor, visit
from graphql.execution.collect_fields import FieldDetailsList

from db.selection import Root

KEPT: Final = 64
"""Plans per document; a walk through pages makes one for each cursor."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a field reads.

    Attributes:
        slots: Its values; of a single object, the first is the id and stands for any, and so is the
            instant as of which it is read.
        fields: How many fields it reads.
        connection_id: The connection that a list is held to, if the caller named one.
    """

    root: Root
    slots: tuple[Any, ...]
    fields: int
    connection_id: UUID | None = None


@dataclass(slots=True)
class Plans:
    """The plans of one document."""

    fragments: Mapping[str, FragmentDefinitionNode]
    _kept: OrderedDict[Any, Plan] = field(default_factory=OrderedDict)
    _names: dict[Any, tuple[str, ...]] = field(default_factory=dict)

    def key(self, of: Any, details: FieldDetailsList, values: Mapping[str, Any], *, arguments: bool) -> Any:
        """Give what a plan is kept under.

        Args:
            of: What else it depends on: the operation, the type, the kind of read.
            details: The field's nodes.
            values: The variables as they came.
            arguments: The field's own arguments change it, too.
        """
        nodes = tuple(each.node.loc.start if each.node.loc else -1 for each in details)
        names = self._names.get((nodes, arguments))
        if names is None:
            roots: list[Node] = []
            for each in details:
                roots += [each.node.selection_set] if each.node.selection_set else []
                roots += (each.node.arguments or ()) if arguments else ()
            names = self._names[nodes, arguments] = tuple(sorted(_variables(roots, self.fragments)))
        told = orjson.dumps({name: values[name] for name in names if name in values}) if names else b""
        return (of, nodes, told)

    def get(self, key: Any) -> Plan | None:
        """Give a plan."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: Any, plan: Plan) -> None:
        """Keep a plan, and let the one go that was not used for longest."""
        self._kept[key] = plan
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)


class _Names(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()
        self.spreads: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.variables.add(node.name.value)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self.spreads.add(node.name.value)


def _variables(roots: Iterable[Node], fragments: Mapping[str, FragmentDefinitionNode]) -> set[str]:
    """Give the names of all variables under some nodes, those in fragments included."""
    names, seen = _Names(), set[str]()
    for root in roots:
        visit(root, names)
    while new := names.spreads - seen:
        seen |= new
        for spread in new:
            visit(fragments[spread], names)
    return names.variables
