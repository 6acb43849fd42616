"""One answer for all who follow the same with the same document and rights: it is executed and encoded once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
from graphql import ExecutionResult

from graph.context import Principal

Answers = dict[Any, asyncio.Future[bytes | None]]
"""Who with which document, operation and variables → the answer's data as JSON; None where it is not to be shared."""


@dataclass(slots=True)
class Shared:
    """What a subscription yields: a value, and what was made of it by others that follow the same."""

    value: Any
    answers: Answers


class Sharing:
    """The answers of one operation.

    Args:
        query: Its document.
        name: The operation's name in it.
        variables: Its variables.
        who: Who asks; what is read is read within the scope, and told by the rights, that are the same for others.
    """

    def __init__(self, query: str, name: str | None, variables: Any, who: Principal) -> None:
        self._asked = query, name, variables, who

    @cached_property
    def _key(self) -> Any:
        query, name, variables, who = self._asked
        given = orjson.dumps(variables, option=orjson.OPT_SORT_KEYS)
        return (query, name, given, who.scope, who.kind, who.may)

    async def answered(
        self, value: Any, execute: Callable[[Any], Awaitable[ExecutionResult]]
    ) -> tuple[bytes, ExecutionResult | None]:
        """Give an answer's data: somebody else's, or else what executing it gives, with its errors."""
        if not isinstance(value, Shared):
            return await _executed(value, execute)
        held = value.answers.get(self._key)
        if held is not None:
            data = await asyncio.shield(held)  # whoever leaves takes it from nobody
            return (data, None) if data is not None else await _executed(value.value, execute)
        held = value.answers[self._key] = asyncio.get_running_loop().create_future()
        shared = None
        try:
            data, result = await _executed(value.value, execute)
            shared = None if result.errors else data
        finally:
            if shared is None:
                del value.answers[self._key]
            held.set_result(shared)
        return data, result


async def _executed(value: Any, execute: Callable[[Any], Awaitable[ExecutionResult]]) -> tuple[bytes, ExecutionResult]:
    result = await execute(value)
    return orjson.dumps(result.data), result
