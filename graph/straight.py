"""Queries of one field that is a read, which is most of them, without graphql-core's executor.

It would complete objects, of which there are none: the database does. What it takes to begin and end is a fifth of
what one object takes. Variables and arguments are graphql-core's all the same, and whatever is not as the last time is
executed, or refused, by its executor.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLField,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    is_non_null_type,
    located_error,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values

from graph.context import Context, Read
from graph.executor import Planning, read_by
from graph.limits.documents import MAX_ERRORS, DocumentRefused, Prepared
from graph.lists import STRAIGHT

Resolve = Callable[[Context, Mapping[str, Any]], Read]


class Straight:
    """A query whose one field is a read."""

    def __init__(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, node: FieldNode, field: GraphQLField
    ) -> None:
        self._schema = schema
        self._variables = operation.variable_definitions or ()
        self._node = node
        self._field = field
        self._details = [FieldDetails(node, None)]
        self._key = node.alias.value if node.alias else node.name.value
        self._resolve: Resolve = field.extensions[STRAIGHT]

    def coerced(self, variables: Mapping[str, Any]) -> VariableValues:
        """Read the variables as their types.

        Raises:
            DocumentRefused: They are none.
        """
        values = get_variable_values(self._schema, self._variables, dict(variables), max_errors=MAX_ERRORS)
        if isinstance(values, list):
            raise DocumentRefused(values)
        return values

    async def answer(self, context: Context, planning: Planning, values: VariableValues) -> ExecutionResult | None:
        """Read by the plan that is kept; None where there is none, or where something is to be refused before."""
        try:
            read = self._resolve(context, get_argument_values(self._field, self._node, values))
        except Exception:  # noqa: BLE001  (told by the executor, which comes to it again)
            return None
        plan = planning.kept(read, self._details)
        if plan is None:
            return None
        try:
            return ExecutionResult({self._key: await read_by(plan, read, context)}, None)
        except Exception as error:  # noqa: BLE001  (as the executor tells it)
            nothing = None if is_non_null_type(self._field.type) else {self._key: None}
            return ExecutionResult(nothing, [located_error(error, [self._node], [self._key])])


def straight(schema: GraphQLSchema, prepared: Prepared, name: str | None) -> Straight | None:
    """Give the way of an operation of a valid document; None where it has to be executed."""
    if name not in prepared.straight:
        prepared.straight[name] = _straight(schema, prepared.operations[name])
    found: Straight | None = prepared.straight[name]
    return found


def _straight(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Straight | None:
    if operation.operation is not OperationType.QUERY or operation.directives or schema.query_type is None:
        return None
    node, *others = operation.selection_set.selections
    if others or not isinstance(node, FieldNode) or node.directives:
        return None
    field = schema.query_type.fields.get(node.name.value)
    return Straight(schema, operation, node, field) if field is not None and STRAIGHT in field.extensions else None
