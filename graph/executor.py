"""Meets a `Read` in a resolver's answer and runs it as one statement.

graphql-core completes every field of every object in Python; a Fragment is
JSON that the database has completed, and passes as it is.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final
from uuid import UUID

import orjson
from graphql import GraphQLObjectType, GraphQLResolveInfo, get_named_type, introspection_types
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from db.selection import Root
from graph.aside import aside
from graph.context import Batch, Context, Read, answered
from graph.plans import Plan, Plans
from graph.selection import Builder, Size, no_connection

_ENTRIES: Final = frozenset(introspection_types[name] for name in ("__Schema", "__Type"))


@dataclass(frozen=True, slots=True)
class Planning:
    """Where an operation's plans are kept, and what they depend on."""

    plans: Plans
    operation: str | None
    variables: Mapping[str, Any]

    def key(self, read: Read, details: FieldDetailsList) -> Any:
        """Give what a read's plan is kept under."""
        of = (self.operation, read.type_name, read.paged, read.one is None, read.as_of is None)
        return self.plans.key(of, details, self.variables, arguments=read.one is None)

    def kept(self, read: Read, details: FieldDetailsList) -> Plan | None:
        """Give the plan of a read, if it is kept."""
        return None if read.arguments else self.plans.get(self.key(read, details))


class Executor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, with reads answered by the database."""

    planning: Planning | None = None
    """None plans anew each time: for each event of a subscription."""

    @cached_property
    def size(self) -> Size:
        """What this operation reads so far."""
        return Size()

    def complete_value(
        self,
        return_type: Any,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Complete a value; a Read becomes the coroutine that answers it."""
        if isinstance(result, Read):
            return self._answer(result, return_type, field_details_list, info)
        if isinstance(result, orjson.Fragment):
            return result
        if path.prev is None and return_type in _ENTRIES:
            return self._aside(return_type, field_details_list, info, path, result, position_context)
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)

    async def _aside(self, *completed: Any) -> Any:
        """Tell of the schema beside the loop: all of it takes a tenth of a second, and others would wait as long."""
        return await aside(partial(super().complete_value, *completed))

    def _answer(self, read: Read, return_type: Any, details: FieldDetailsList, info: GraphQLResolveInfo[Any]) -> Any:
        context: Context = self.context_value
        named = get_named_type(return_type)
        if not read.paged and not read.summary:
            named = self.schema.type_map[read.type_name]
        if not isinstance(named, GraphQLObjectType):
            raise TypeError(f"{named} cannot be read")
        if read.batch is not None and isinstance(read.one, UUID):
            return answered(self._together(read.batch, read.type_name, read.one, named, details), missing=read.missing)
        return read_by(self._plan(read, named, details, info), read, context)

    def _plan(
        self, read: Read, named: GraphQLObjectType, details: FieldDetailsList, info: GraphQLResolveInfo[Any]
    ) -> Plan:
        """Give the plan of a read, made now unless it is kept."""
        planning = None if read.arguments else self.planning
        if planning is None:
            return self._planned(read, named, details, info)
        key = planning.key(read, details)
        plan = planning.plans.get(key)
        if plan is None:
            plan = self._planned(read, named, details, info)
            planning.plans.keep(key, plan)
        else:
            self.size.add(plan.fields)
        return plan

    def _planned(
        self, read: Read, named: GraphQLObjectType, details: FieldDetailsList, info: GraphQLResolveInfo[Any]
    ) -> Plan:
        builder, before, connection_id = Builder(self, self.size), self.size.fields, None
        if read.paged:
            arguments = {**builder.arguments(info.parent_type, details), **read.arguments}
            connection_id = builder.connection_id(arguments)
            if read.numbered:
                page = builder.window(named, details, arguments)
            else:
                page = builder.page(read.type_name, named, details, arguments)
            root: Root = replace(page, named=connection_id is not None)
        elif read.summary:
            arguments = builder.arguments(info.parent_type, details)
            connection_id = builder.connection_id(arguments)
            root = replace(builder.summary(read.type_name, named, details, arguments), named=connection_id is not None)
        elif read.one is None:
            root = builder.all(named, details)
        else:
            root = builder.one(named, details, read.one, as_of=read.as_of)
        return Plan(root, tuple(builder.slots), self.size.fields - before, connection_id)

    def _together(
        self, batch: Batch, type_name: str, key: UUID, named: GraphQLObjectType, details: FieldDetailsList
    ) -> Awaitable[str | None]:
        """Read an object with all others of its type, when the first of them is met."""
        if type_name not in batch.found:
            builder = Builder(self, self.size)
            root = builder.one(named, details, key)
            context: Context = self.context_value
            found = context.reader.each(root, builder.slots, batch.keys[type_name])
            batch.found[type_name] = asyncio.ensure_future(found)
        return batch.one(type_name, key)


def read_by(plan: Plan, read: Read, context: Context) -> Awaitable[Any]:
    """Read by a plan."""
    scope = read.scope or context.who.scope
    if plan.connection_id is not None:
        scope = Builder.narrowed(scope, plan.connection_id)
    missing = read.missing if plan.connection_id is None else no_connection()
    return answered(context.reader.json(plan.root, _filled(plan.slots, read), scope=scope), missing=missing)


def _filled(slots: tuple[Any, ...], read: Read) -> list[Any]:
    """Give a plan's values with those of the read: one plan reads every object, as of any instant."""
    if read.one is None:
        return list(slots)
    own = [read.one] if read.as_of is None else [read.one, read.as_of]
    return [*own, *slots[len(own) :]]
