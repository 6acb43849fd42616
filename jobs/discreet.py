"""Sources whose errors hold no secrets: some systems repeat in a refusal what they refuse."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any, Final, cast

from pydantic import SecretStr

from connectors.base import Form, Source
from connectors.errors import ConnectorError

_SHORTEST: Final = 4
"""Shorter secrets are left in texts: taking them out would take out what is none."""


@contextmanager
def without_secrets(credentials: Form) -> Iterator[None]:
    """Take these credentials' secrets out of the errors of their source."""
    try:
        yield
    except ConnectorError as error:
        values = (getattr(credentials, name) for name in type(credentials).model_fields)
        _take_out(error, [value.get_secret_value() for value in values if isinstance(value, SecretStr)])
        raise


def discreet(source: Source, credentials: Form) -> Source:
    """Give the same source, none of whose errors holds a secret of its credentials."""
    return cast("Source", _Discreet(source, credentials))


class _Discreet:
    def __init__(self, source: Source, credentials: Form) -> None:
        self._source = source
        self._credentials = credentials

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._source, name)
        if not callable(found):
            return found

        @wraps(found)
        def call(*given: Any, **named: Any) -> Any:
            answer = found(*given, **named)
            if inspect.isasyncgen(answer):
                return self._pages(answer)
            return self._awaited(answer) if inspect.isawaitable(answer) else answer

        return call

    async def _awaited(self, pending: Awaitable[Any]) -> Any:
        with without_secrets(self._credentials):
            return await pending

    async def _pages(self, pages: Any) -> AsyncIterator[Any]:
        async with aclosing(pages):
            with without_secrets(self._credentials):
                async for page in pages:
                    yield page


def _take_out(error: ConnectorError, secrets: list[str]) -> None:
    def plain(text: str | None) -> str | None:
        for secret in secrets:
            text = text.replace(secret, "***") if text and len(secret) >= _SHORTEST else text
        return text

    error.message = plain(error.message) or ""
    error.source_message = plain(error.source_message)
    error.problems = tuple(
        replace(each, message=plain(each.message) or "", source_message=plain(each.source_message))
        for each in error.problems
    )
    error.args = (error.message,)
