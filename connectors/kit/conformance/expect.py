"""What a case says when a connector does not do as it must."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from connectors.errors import ConnectorError

E = TypeVar("E", bound=ConnectorError)


class Failed(AssertionError):
    """The connector does not do as it must; the message says what it did."""


def equal(found: Any, expected: Any, what: str) -> None:
    """Hold two values to be equal.

    Raises:
        Failed: They are not.
    """
    if found != expected:
        raise Failed(f"{what}: {_short(found)} instead of {_short(expected)}")


def true(condition: object, what: str) -> None:
    """Hold something to be so.

    Raises:
        Failed: It is not.
    """
    if not condition:
        raise Failed(what)


class Caught(Generic[E]):
    """The error that came."""

    error: E


@asynccontextmanager
async def raises(*kinds: type[E], told: list[str] | None = None) -> AsyncIterator[Caught[E]]:
    """Hold a block to raise an error of one of these very kinds.

    Raises:
        Failed: It raises none, or another.
    """
    caught: Caught[E] = Caught()
    names = " or ".join(kind.__name__ for kind in kinds)
    try:
        yield caught
    except kinds as error:
        caught.error = error
        if told is not None:
            told.append(f"{error.message} {error.source_message} {error.remedy} {error.problems}")
    except ConnectorError as error:
        raise Failed(f"{type(error).__name__} instead of {names}: {error.message} ({error.source_message})") from error
    else:
        raise Failed(f"no error instead of {names}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]} …"
