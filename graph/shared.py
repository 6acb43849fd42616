"""One answer for all who follow the same stream with the same document: it is executed and encoded once."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson
from graphql import ExecutionResult

_READS: Final = re.compile(r"\b(?:connection|record)\b")
"""Fields of an event that are read anew for each caller, within its scope."""


@dataclass(slots=True)
class Shared:
    """What a subscription yields: a value, and what was made of it by others that follow the same.

    Attributes:
        answers: Document, operation and variables → the answer's data as JSON.
    """

    value: Any
    answers: dict[Any, bytes]


class Sharing:
    """The answers of one operation.

    Args:
        query: Its document.
        name: The operation's name in it.
        variables: Its variables.
    """

    def __init__(self, query: str, name: str | None, variables: Any) -> None:
        alike = _READS.search(query) is None
        self._key = (query, name, orjson.dumps(variables, option=orjson.OPT_SORT_KEYS)) if alike else None

    async def answered(
        self, value: Any, execute: Callable[[Any], Awaitable[ExecutionResult]]
    ) -> tuple[bytes, ExecutionResult | None]:
        """Give an answer's data: somebody else's, or else what executing it gives, with its errors."""
        shared = isinstance(value, Shared)
        if shared and self._key is not None and self._key in value.answers:
            return value.answers[self._key], None
        result = await execute(value.value if shared else value)
        data = orjson.dumps(result.data)
        if shared and self._key is not None and not result.errors:
            value.answers[self._key] = data
        return data, result
