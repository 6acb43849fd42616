"""What real systems answered, served again to a connector: see connectors.kit.conformance.rig.Recording.

A recording is a JSON file, `recorded/NAME.json` in a system's folder:

- `origin`: the system, its version, and how the answers were taken and cut down;
- `credentials`: what the connector is given, without the address;
- `expected`: entity → source id → field of the record → the value that a person read out of the answers;
- `refused`: name of an answer → what is done when it comes, and the error that it has to be;
- `answers`: the calls and what came, each with a name.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.kit.server import Doors, serving

JsonObject = dict[str, Any]
Answer = Callable[[str, JsonObject, str | None], tuple[int, bytes]]
"""Path, body and the name of a refusal → status and body of the answer."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One system's answers; see above for the rest.

    Attributes:
        answer: How the system finds the answer to a call.
    """

    name: str
    origin: str
    given: Mapping[str, Any]
    expected: Mapping[str, Mapping[str, JsonObject]]
    refused: Mapping[str, JsonObject]
    answer: Answer

    @asynccontextmanager
    async def serving(self, refusal: str | None = None) -> AsyncIterator[Mapping[str, Any]]:
        """Serve the answers; gives the credentials.

        Args:
            refusal: Name of the answer that comes in place of the one that is due.
        """
        async with serving(_Served(lambda path, body: self.answer(path, body, refusal))) as running:
            yield {"base_url": running.url, **self.given}


class _Served:
    """An application that answers by a function."""

    def __init__(self, answer: Callable[[str, JsonObject], tuple[int, bytes]]) -> None:
        self.doors: Doors | None = None
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        request = Request(scope, receive)
        text = await request.body()
        status, body = self._answer(request.url.path, json.loads(text) if text else {})
        headers = {"Date": format_datetime(datetime.now(UTC), usegmt=True)}
        await Response(body, status, headers, "application/json")(scope, receive, send)


class Recorded(ABC):
    """One system's answers; each kind of system says how it finds the answer to a call.

    Attributes:
        folder: Where the recordings of this kind of system lie.
    """

    folder: ClassVar[Path]

    def __init__(self, name: str) -> None:
        self.name = name
        # Numbers with a fraction are exact.
        self.told: JsonObject = json.loads((self.folder / f"{name}.json").read_text("utf-8"), parse_float=Decimal)
        self.answers: list[JsonObject] = self.told["answers"]

    @classmethod
    @cache
    def recordings(cls) -> tuple[Recording, ...]:
        """Give all recordings of this kind of system."""
        return tuple(cls(path.stem).recording() for path in sorted(cls.folder.glob("*.json")))

    def recording(self) -> Recording:
        """Make it one to be served."""
        told = self.told
        return Recording(self.name, told["origin"], told["credentials"], told["expected"], told["refused"], self.answer)

    @abstractmethod
    def answer(self, path: str, body: JsonObject, refusal: str | None) -> tuple[int, bytes]:
        """Answer a call; one like that which was refused, by the refusal."""


def written(body: Any) -> bytes:
    """Write an answer as it was recorded: an exact number is a number of JSON again."""
    return json.dumps(body, default=float).encode()
