"""The one way of every operation, over HTTP, SSE and sockets alike: prepare, price, charge, execute, tell.

Nothing is read and no source is called before the operation is known to be valid, small enough and paid for.
"""

import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from inspect import isawaitable
from typing import Any, Final

import orjson
import structlog
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationType
from graphql.execution import Executor as GraphQLExecutor
from graphql.execution import create_source_event_stream, execute_subscription_event

from db.audit import act_as
from db.types import ErrorCode
from graph.aside import aside
from graph.context import Context
from graph.errors import ApiError, bad_input, code_of, is_unexpected, told
from graph.executor import Executor, Planning
from graph.limits.cost import price
from graph.limits.documents import MAX_ERRORS, DocumentRefused, Documents, Prepared
from graph.limits.price import Price
from graph.shared import Sharing
from graph.straight import straight

log = structlog.get_logger(__name__)

QUERIES: Final = frozenset({OperationType.QUERY})
ONCE: Final = frozenset({OperationType.QUERY, OperationType.MUTATION})
ANY: Final = frozenset(OperationType)
SHORT: Final = 300
"""Up to how many characters a new document is prepared in place: beside the loop it would take a quarter longer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for."""

    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation_name: str | None = None


@dataclass(slots=True)
class Answer:
    """What a request is answered; each event of a subscription is one.

    Attributes:
        refused: Nothing was executed, so there is no `data`.
        data: What was told, as JSON text.
        errors: Ready to leave the process.
        cost: What the operation cost, once it has a price.
        notices: What else its extensions say.
    """

    errors: list[GraphQLError] = field(default_factory=list)
    refused: bool = False
    data: bytes = b"null"
    cost: dict[str, Any] | None = None
    notices: Mapping[str, Any] = field(default_factory=dict)

    @property
    def codes(self) -> set[str]:
        """The codes of its errors."""
        return {code_of(error) for error in self.errors}

    @property
    def empty(self) -> bool:
        """Nothing was told but errors."""
        return self.data == b"null"

    def body(self) -> dict[str, Any]:
        """Give it as it is sent."""
        made: dict[str, Any] = {} if self.refused else {"data": orjson.Fragment(self.data)}
        if self.errors:
            made["errors"] = [error.formatted for error in self.errors]
        if self.cost is not None:
            made["extensions"] = {"cost": self.cost, **self.notices}
        return made


class WrongKind(Exception):
    """The operation is of a kind that this way does not carry."""

    def __init__(self, kind: OperationType) -> None:
        super().__init__(kind.value)
        self.kind = kind


@dataclass(slots=True)
class Begun:
    """An operation that is valid, small enough and paid for.

    Attributes:
        executor: Gives what executes it.
        straight: Answers it without, where that can be; gives None where it has to be executed.
    """

    context: Context
    kind: OperationType
    executor: Callable[[], GraphQLExecutor[Any]]
    straight: Callable[[], Awaitable[ExecutionResult | None]] | None
    price: Price
    cost: dict[str, Any]
    sharing: Sharing

    async def told_of(self, value: Any) -> ExecutionResult:
        """Execute the operation for one event of a subscription."""
        result: Any = execute_subscription_event(self.executor().build_per_event_executor(value))
        told: ExecutionResult = await result if isawaitable(result) else result
        return told


class Operations:
    """Runs operations on one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._documents = Documents(schema)

    async def begin(self, asked: Asked, context: Context, *, kinds: Collection[OperationType]) -> Begun | Answer:
        """Do all that comes before execution; an answer says why there is none.

        Raises:
            WrongKind: The operation is of none of `kinds`.
        """
        try:
            return await self._begun(asked, context, kinds)
        except DocumentRefused as refused:
            return _refusal(refused.errors, context)
        except ApiError as error:
            return _refusal([error], context)

    async def answer(self, begun: Begun) -> Answer:
        """Run a query or a mutation."""
        told = await begun.straight() if begun.straight is not None else None
        if told is None:
            result: Any = begun.executor().execute_operation()
            told = await result if isawaitable(result) else result
        return _told(orjson.dumps(told.data), told.errors or [], begun)

    async def answers(self, begun: Begun) -> AsyncGenerator[Answer, None]:
        """Run any operation; a subscription gives an answer for each event, others one."""
        if begun.kind is not OperationType.SUBSCRIPTION:
            yield await self.answer(begun)
            return
        source: Any = create_source_event_stream(begun.executor())
        if isawaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            yield _refusal(source.errors or [], begun.context)
            return
        async with aclosing(source) as events:
            try:
                async for value in events:
                    data, result = await begun.sharing.answered(value, begun.told_of)
                    yield _told(data, result.errors or [] if result is not None else [], begun)
            except Exception as error:  # noqa: BLE001  (told and logged like any failure of a resolver)
                yield _refusal([GraphQLError(str(error), original_error=error)], begun.context)

    async def _begun(self, asked: Asked, context: Context, kinds: Collection[OperationType]) -> Begun:
        prepared = self._documents.kept(asked.query)
        if prepared is None:
            made = self._made(asked) if len(asked.query) <= SHORT else await aside(partial(self._made, asked))
            prepared = self._documents.keep(asked.query, made)
        name = _named(asked, prepared)
        operation = prepared.operations.get(name)
        if operation is None:
            raise bad_input(_which(name, among=len(prepared.operations)))
        context.operation_name, context.operation_type = name, operation.operation.value.upper()
        if operation.operation is not OperationType.QUERY:
            act_as(context.who.actor)
        if operation.operation not in kinds:
            raise WrongKind(operation.operation)
        wanted = price(self._schema, prepared, name, asked.variables)
        context.fresh = context.fresh or operation.operation is not OperationType.QUERY
        context.reads = wanted.reads
        planning = Planning(prepared.plans, name, asked.variables)
        executor, answer = cache(partial(self._executor, prepared, planning, context)), None
        way = straight(self._schema, prepared, name)
        if way is None:
            executor()  # refuses wrong variables before anything is charged
        else:
            answer = partial(way.answer, context, planning, way.coerced(asked.variables))
        sharing = Sharing(asked.query, name, asked.variables, context.who)
        cost = await _charged(context, wanted)
        return Begun(context, operation.operation, executor, answer, wanted, cost, sharing)

    def _made(self, asked: Asked) -> Prepared:
        """Prepare and price what is new here; a long document takes as long as a hundred requests."""
        prepared = self._documents.made(asked.query)
        name = _named(asked, prepared)
        if name in prepared.operations:
            with suppress(ApiError):  # told when the price is asked for
                price(self._schema, prepared, name, asked.variables)
        return prepared

    def _executor(self, prepared: Prepared, planning: Planning, context: Context) -> GraphQLExecutor[Any]:
        """Build what executes an operation.

        Raises:
            DocumentRefused: Its variables are not of their types.
        """
        executor = Executor.build(
            self._schema,
            prepared.document,
            context_value=context,
            raw_variable_values=dict(planning.variables),
            operation_name=planning.operation,
            max_coercion_errors=MAX_ERRORS,
            operation_extensions=None,
        )
        if isinstance(executor, list):
            raise DocumentRefused(executor)
        if isinstance(executor, Executor):
            executor.planning = planning
        return executor


def _named(asked: Asked, prepared: Prepared) -> str | None:
    """Give the name of the operation to run: of the only one, if the request names none."""
    if asked.operation_name is None and len(prepared.operations) == 1:
        return next(iter(prepared.operations))
    return asked.operation_name


def _which(name: str | None, *, among: int) -> str:
    if name is not None:
        return f'Unknown operation named "{name}".'
    return "Say in `operationName` which of the operations to run." if among else "The document has no operation."


async def _charged(context: Context, wanted: Price) -> dict[str, Any]:
    """Take the points of an operation.

    Raises:
        ApiError: RATE_LIMITED.
    """
    points, requested = context.services.points, wanted.points
    charge = await points.charge(context.who.token_id, requested)
    context.cost = {
        "requested": requested,
        "actual": 0,
        "available": charge.available,
        "capacity": points.limit.capacity,
        "restoreRate": points.limit.per_second,
    }
    if not charge.spent:
        raise ApiError(
            ErrorCode.RATE_LIMITED,
            f"The token has {charge.available:,} points left; this request may cost {requested:,}.",
            retryAfterSeconds=math.ceil(charge.wait_seconds),
        )
    return context.cost


def _told(data: bytes, errors: Sequence[GraphQLError], begun: Begun) -> Answer:
    """Make the answer of an execution, and give back what it did not use."""
    context, cost = begun.context, begun.cost
    if cost["actual"] == 0:
        # Each brace but the outermost begins an object; those in texts only cost their own caller, up to the price.
        # Without them it is made at the speed of memory; count() looks at each byte, which takes four times as long.
        braces = len(data) - len(data.replace(b"{", b""))
        cost["actual"] = min(cost["requested"], begun.price.actual(braces - 1))
        unused = cost["requested"] - cost["actual"]
        cost["available"] = min(cost["capacity"], cost["available"] + unused)
        context.services.points.give_back(context.who.token_id, unused)
    answer = Answer(_errors(errors, context), data=data, cost=cost, notices=_notices(context))
    return _answered(answer, context)


def _notices(context: Context) -> Mapping[str, Any]:
    """Say that the source cannot be reached; a socket's token was looked up too long ago to tell."""
    return (context.who.unreachable or {}) if context.connection_params is None else {}


def _refusal(errors: Sequence[GraphQLError], context: Context) -> Answer:
    return _answered(Answer(_errors(errors, context), refused=True, cost=context.cost), context)


def _answered(answer: Answer, context: Context) -> Answer:
    context.codes = answer.codes
    return answer


def _errors(errors: Sequence[GraphQLError], context: Context) -> list[GraphQLError]:
    for error in errors:
        if is_unexpected(error):
            log.error("operation_failed", path=error.path, exc_info=error.original_error)
    return [told(error, request_id=context.request_id) for error in errors]
