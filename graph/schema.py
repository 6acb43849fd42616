"""The schema, put together and printed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from functools import cache, cached_property
from typing import Any, Final

import orjson
import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.schema.types.base_scalars import DateTimeDefinition
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.utils.str_converters import to_camel_case

from db.types import tell_instant
from graph.context import Context
from graph.executor import Executor
from graph.lists import answer_straight
from graph.mutations.access import AccessMutations
from graph.mutations.connections import ConnectionMutations
from graph.mutations.endings import EndingMutations
from graph.mutations.inventory import InventoryMutations
from graph.mutations.maintenance import MaintenanceMutations
from graph.mutations.organization import OrganizationMutations
from graph.mutations.parties import PartyMutations
from graph.mutations.purchasing import PurchasingMutations
from graph.mutations.runs import RunMutations
from graph.mutations.sessions import SessionMutations
from graph.mutations.webhooks import WebhookMutations
from graph.operations import ANY, Answer, Asked, Operations
from graph.query import Query
from graph.subscription import Subscription
from graph.types.inventory import InventoryLevel, Location
from graph.types.items import Item
from graph.types.maintenance import Asset, WorkOrder
from graph.types.parties import Vendor
from graph.types.purchasing import PurchaseOrder

_INSTANT: Final = replace(
    DateTimeDefinition, serialize=tell_instant, description="An instant, UTC, e.g. 2026-11-21T09:30:00.000000Z."
)
"""What Python tells has the form of what SQL tells."""


@strawberry.type(description="Changes. Failures that the caller can mend are `userErrors` of the payload.")
class Mutation(
    ConnectionMutations,
    EndingMutations,
    AccessMutations,
    SessionMutations,
    OrganizationMutations,
    RunMutations,
    PurchasingMutations,
    MaintenanceMutations,
    PartyMutations,
    InventoryMutations,
    WebhookMutations,
):
    """The root of changes."""


class ApiSchema(strawberry.Schema):
    """The schema, and the one way of its operations."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        answer_straight(self._schema)

    @cached_property
    def operations(self) -> Operations:
        """What runs them."""
        return Operations(self._schema)

    async def stream(  # type: ignore[override]
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,  # noqa: ARG002
        operation_name: str | None = None,
        **_: Any,
    ) -> AsyncGenerator[ExecutionResult, None]:
        """Run an operation of a socket; strawberry's handler of the protocol asks for it so."""
        return self._streamed(Asked(query or "", variable_values or {}, operation_name or None), context_value)

    async def _streamed(self, asked: Asked, socket: Context) -> AsyncGenerator[ExecutionResult, None]:
        context = socket.of_operation()
        try:
            begun = await self.operations.begin(asked, context, kinds=ANY)
            if isinstance(begun, Answer):
                yield PreExecutionError(data=None, errors=begun.errors)
                return
            async with aclosing(self.operations.answers(begun)) as answers:
                async for answer in answers:
                    yield _result(answer)
        finally:
            await context.close()


def _result(answer: Answer) -> ExecutionResult:
    if answer.refused:
        return PreExecutionError(data=None, errors=answer.errors)
    data: Any = orjson.Fragment(answer.data)
    return ExecutionResult(data=data, errors=answer.errors or None, extensions={"cost": answer.cost})


class _Names(NameConverter):
    """The names of the API, each made once: strawberry asks for those of a field's arguments at each call."""

    def apply_naming_config(self, name: str) -> str:
        """Give the GraphQL name of one of ours."""
        return _camel_case(name)


_camel_case = cache(to_camel_case)


def make_schema() -> ApiSchema:
    """Build the schema."""
    return ApiSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[PurchaseOrder, WorkOrder, Vendor, Item, InventoryLevel, Asset, Location],
        execution_context_class=Executor,
        config=StrawberryConfig(name_converter=_Names(), scalar_map={datetime: _INSTANT}),
    )


def sdl() -> str:
    """Print the schema in the schema definition language."""
    return make_schema().as_str().rstrip() + "\n"
