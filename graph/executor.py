"""Meets a `Read` in a resolver's answer and runs it as one statement.

graphql-core completes every field of every object in Python; a Fragment is
JSON that the database has completed, and passes as it is.
"""

import asyncio
from collections.abc import Awaitable
from functools import cached_property
from typing import Any
from uuid import UUID

import orjson
from graphql import GraphQLObjectType, GraphQLResolveInfo, get_named_type
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from db.selection import Root
from graph.context import Batch, Context, Read, answered
from graph.selection import Builder, Size


class Executor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, with reads answered by the database."""

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
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)

    def _answer(self, read: Read, return_type: Any, details: FieldDetailsList, info: GraphQLResolveInfo[Any]) -> Any:
        context: Context = self.context_value
        builder = Builder(self, self.size)
        named = get_named_type(return_type)
        if not read.paged:
            named = self.schema.type_map[read.type_name]
        if not isinstance(named, GraphQLObjectType):
            raise TypeError(f"{named} cannot be read")
        if read.batch is not None and isinstance(read.one, UUID):
            return answered(self._together(read.batch, read.type_name, read.one, named, details), missing=read.missing)
        scope = read.scope or context.who.scope
        if read.paged:
            arguments = {**builder.arguments(info.parent_type, details), **read.arguments}
            connection_id = builder.connection_id(arguments)
            if connection_id is not None:
                scope = builder.narrowed(scope, connection_id)
            root: Root = builder.page(read.type_name, named, details, arguments)
        elif read.one is None:
            root = builder.all(named, details)
        else:
            root = builder.one(named, details, read.one)
        return answered(context.reader.json(root, builder.slots, scope=scope), missing=read.missing)

    def _together(
        self, batch: Batch, type_name: str, key: UUID, named: GraphQLObjectType, details: FieldDetailsList
    ) -> Awaitable[str | None]:
        """Read an object with all others of its type, when the first of them is met."""
        if type_name not in batch.found:
            builder = Builder(self, self.size)
            root = builder.many(named, details, batch.keys[type_name])
            context: Context = self.context_value
            batch.found[type_name] = asyncio.ensure_future(context.reader.many(root, builder.slots))
        return batch.one(type_name, key)
