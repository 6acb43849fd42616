"""A proxy before a real Tryton, so that faults can strike what goes to it and its calls are logged."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import aiohttp
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.kit.clock import Clock
from sandbox.kit.faults import Fault
from sandbox.kit.log import Call, Edits
from sandbox.kit.system import Document
from sandbox.kit.wire import Wire

_PASSED_ON: Final = ("content-type", "authorization", "accept")
_STATUSES: Final[Mapping[str, int]] = {"unauthorized": 401, "forbidden": 403, "rate_limit": 429, "unavailable": 503}
_PAGE: Final = (
    "<!doctype html>\n<html lang=en>\n<title>{0}</title>\n<h1>{0}</h1>\n<p>The server could not carry out the call.</p>"
)


class Proxied:
    """A real Tryton as the kit sees it: its calls go on to it, and its edits are its own."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.edits = Edits(self.clock.now)
        self.editor = Nobody()

    def entity_of(self, path: str) -> str:
        """Say nothing: what a call is about stands in its body."""
        del path
        return ""

    def refusal(self, fault: Fault, call: Call, headers: Mapping[str, str]) -> Response:
        """Word a refusal as Tryton does: statuses as werkzeug's pages, its own exceptions in an envelope."""
        if fault.kind in {"refuse", "forbidden"}:
            access = 'You are not allowed to access "Purchase".'
            arguments = [access if fault.kind == "forbidden" else fault.text, "", None]
            told = {"id": _number(call), "error": ["UserError", arguments]}
            return Response(orjson.dumps(told), 200, headers, "application/json")
        status = _STATUSES.get(fault.kind, fault.status)
        return Response(_PAGE.format(status), status, headers, "text/html")

    def documents(self, entity: str) -> Iterator[Document]:
        """Refuse: what is there, Tryton tells itself."""
        raise KeyError(entity)


class Nobody:
    """No users of its own; see sandbox.kit.system.Editor. Tests edit a real Tryton through its own client."""

    entity = ""

    def keys(self) -> Sequence[str]:
        """Give none."""
        return ()

    def reserve(self) -> str:
        """Give none."""
        return ""

    def create(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Do nothing."""

    change = change_part = create

    def spoil(self, key: str, stamp: datetime) -> None:
        """Do nothing."""

    mend = spoil

    def vanish(self, key: str) -> None:
        """Do nothing."""


def create_proxy(target: str, session: aiohttp.ClientSession) -> Wire:
    """Build the application before the Tryton that answers at `target`."""

    async def forward(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        headers = {name: value for name in _PASSED_ON if (value := request.headers.get(name))}
        url = f"{target}{scope['raw_path'].decode()}"
        async with session.request(request.method, url, data=await request.body(), headers=headers) as answer:
            body = await answer.read()
            kind = answer.headers.get("content-type", "application/json")
            await Response(body, answer.status, {"content-type": kind})(scope, receive, send)

    return Wire(forward, Proxied())


def _number(call: Call) -> Any:
    body = call.body
    return body.get("id") if isinstance(body, dict) else None
