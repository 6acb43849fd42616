"""What real systems answered, served again to a connector: see connectors.kit.conformance.rig.Recording.

A recording is a JSON file, `recorded/NAME.json` in a system's folder:

- `origin`: the system, its version, and how the answers were taken and cut down;
- `credentials`: what the connector is given, without the address;
- `expected`: entity → source id → field of the record → the value that a person read out of the answers;
- `refused`: name of an answer → what is done when it comes, and the error that it has to be;
- `answers`: the calls and what came, each with a name.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any

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


def read(path: Path) -> JsonObject:
    """Read a recording's file; numbers with a fraction are exact."""
    told: JsonObject = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    return told


def written(body: Any) -> bytes:
    """Write an answer as it was recorded: an exact number is a number of JSON again."""
    return json.dumps(body, default=float).encode()
