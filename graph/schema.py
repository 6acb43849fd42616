"""The schema, put together and printed."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import MaxTokensLimiter, ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionContext
from strawberry.utils.logging import StrawberryLogger

from db.types import InvalidId
from graph.context import FreshReads
from graph.errors import TellErrors
from graph.executor import Executor
from graph.mutations.access import AccessMutations
from graph.mutations.connections import ConnectionMutations
from graph.mutations.endings import EndingMutations
from graph.mutations.purchasing import PurchasingMutations
from graph.mutations.runs import RunMutations
from graph.query import Query
from graph.subscription import Subscription
from graph.types.inventory import InventoryLevel
from graph.types.items import Item
from graph.types.maintenance import WorkOrder
from graph.types.parties import Vendor
from graph.types.purchasing import PurchaseOrder

MAX_TOKENS = 2000


@strawberry.type(description="Changes. Failures that the caller can mend are `userErrors` of the payload.")
class Mutation(ConnectionMutations, EndingMutations, AccessMutations, RunMutations, PurchasingMutations):
    """The root of changes."""


class ApiSchema(strawberry.Schema):
    """The schema; only what nobody expected is logged as an error."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log unexpected errors with their trace; told ones are the caller's."""
        for error in errors:
            original = error.original_error
            if original is not None and not isinstance(original, (GraphQLError, InvalidId)):
                StrawberryLogger.error(error, execution_context)


class Documents(ParserCache):
    """Keeps parsed documents; what does not parse is left to the schema, which tells why on every road."""

    def on_parse(self) -> Iterator[None]:
        """Take the document from the cache, or parse it into the cache."""
        with suppress(GraphQLError):
            next(super().on_parse())
        yield


def make_schema() -> ApiSchema:
    """Build the schema."""
    extensions: list[Any] = [
        TellErrors,
        FreshReads,
        lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
        lambda: Documents(maxsize=1024),
        lambda: ValidationCache(maxsize=1024),
    ]
    return ApiSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[PurchaseOrder, WorkOrder, Vendor, Item, InventoryLevel],
        extensions=extensions,
        execution_context_class=Executor,
        config=StrawberryConfig(auto_camel_case=True),
    )


def sdl() -> str:
    """Print the schema in the schema definition language."""
    return make_schema().as_str().rstrip() + "\n"
