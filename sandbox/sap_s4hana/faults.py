"""Fault scripts and the log of calls: what stands between the network and the gateway."""

import asyncio
import re
import time
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.sap_s4hana.odata.errors import Message as SapMessage
from sandbox.sap_s4hana.odata.errors import refused
from sandbox.sap_s4hana.sessions import Sessions
from sandbox.sap_s4hana.system import S4System

Kind = Literal["delay", "rate_limit", "unauthorized", "unavailable", "refuse", "drop_before", "drop_after", "cut_body"]
ADMIN = "/_sandbox"
TRANSPORT = "sandbox.transport"
_LOG_LIMIT = 100_000
_UNAVAILABLE = (
    "<html><head><title>Application Server Error</title></head><body><h1>503 Service Unavailable</h1>"
    "<p>The request could not be dispatched: no free work process.</p></body></html>"
)
_TOO_MANY = '{"error":{"code":"429","message":{"lang":"en","value":"Quota violation"}}}'


@dataclass(slots=True)
class Fault:
    """One fault to come.

    Attributes:
        kind: What happens.
        method: HTTP method that it strikes, "*" for any.
        path: Regular expression searched in the path with its query, undecoded.
        after: How many matching calls pass before it strikes.
        count: How often it strikes; None is for ever.
        seconds: For `delay`.
        retry_after: Value of Retry-After for `rate_limit` and `unavailable`; None sends none.
        code, text: The message of `refuse`, e.g. ME/006 and a text about a lock.
    """

    kind: Kind
    method: str = "*"
    path: str = ""
    after: int = 0
    count: int | None = 1
    seconds: float = 0.0
    retry_after: int | None = None
    code: str = "ME/006"
    text: str = "User COLLEAGUE is already processing the document"
    struck: int = field(default=0)

    def strikes(self, method: str, path: str) -> bool:
        """Decide on a call, and count it."""
        if self.count is not None and self.struck >= self.count:
            return False
        if self.method not in {"*", method} or not re.search(self.path, path):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.struck += 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """Show the fault with its counters."""
        return asdict(self)


class Wire:
    """ASGI middleware: logs each call and lets the faults that were asked for happen to it."""

    def __init__(self, app: ASGIApp, system: S4System, sessions: Sessions) -> None:
        self.app = app
        self.system = system
        self.sessions = sessions
        self.faults: list[Fault] = []
        self.calls: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one call."""
        if scope["type"] != "http" or scope["path"].startswith(ADMIN):
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        call = self._log(scope)
        scope.setdefault("state", {})["call"] = call

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                call["status"] = message["status"]
            await send(message)

        try:
            await self._through(scope, receive, noting, call)
        finally:
            call["ms"] = round((time.perf_counter() - started) * 1000, 3)

    async def _through(self, scope: Scope, receive: Receive, send: Send, call: dict[str, Any]) -> None:
        struck = [fault for fault in self.faults if fault.strikes(call["method"], call["path"])]
        call["faults"] = [fault.kind for fault in struck]
        for fault in struck:
            if fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
            elif fault.kind == "drop_before":
                await _drop(scope)
                return
            elif (response := self._instead(fault, scope)) is not None:
                await response(scope, receive, send)
                return
        kinds = {fault.kind for fault in struck}
        if "drop_after" in kinds:
            await self.app(scope, receive, _swallow)
            await _drop(scope)
        elif "cut_body" in kinds:
            await self.app(scope, receive, _Cutting(send))
        else:
            await self.app(scope, receive, send)

    def _instead(self, fault: Fault, scope: Scope) -> Response | None:
        after = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
        if fault.kind == "rate_limit":
            return Response(_TOO_MANY, 429, after, "application/json")
        if fault.kind == "unauthorized":
            return self.sessions.logon_failed()
        if fault.kind == "unavailable":
            return HTMLResponse(_UNAVAILABLE, 503, after)
        if fault.kind == "refuse":
            error = refused([SapMessage(fault.code, fault.text)])
            service = Request(scope).url.path.split("/")[5:6]
            body = error.as_json(service="".join(service), now=self.system.now())
            return JsonBody(body, error.status)
        return None

    def _log(self, scope: Scope) -> dict[str, Any]:
        query = scope["query_string"].decode("ascii", "replace")
        path = scope["raw_path"].decode("ascii", "replace")
        call = {
            "at": self.system.now().isoformat(),
            "method": scope["method"],
            "path": f"{path}?{query}" if query else path,
            "status": None,
            "ms": None,
            "user": None,
            "faults": [],
        }
        if len(self.calls) >= _LOG_LIMIT:
            del self.calls[0]
        self.calls.append(call)
        return call


class JsonBody(Response):
    """A response with a JSON body."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode the content."""
        return orjson.dumps(content)


class _Cutting:
    """Sends half of a body as if it were the whole one."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.start: MutableMapping[str, Any] | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            return
        body = message.get("body", b"")
        half = body[: len(body) // 2]
        if self.start is not None:
            kept = [(name, value) for name, value in self.start["headers"] if name.lower() != b"content-length"]
            self.start["headers"] = [*kept, (b"content-length", str(len(half)).encode())]
            await self.send(self.start)
            self.start = None
        await self.send({**message, "body": half})


async def _swallow(_: Message) -> None:
    """Take what would be sent, and send nothing."""


async def _drop(scope: Scope) -> None:
    """Break the connection; the server puts the transport into the scope (see server.py)."""
    transport = scope.get("extensions", {}).get(TRANSPORT)
    if transport is None:
        raise RuntimeError("dropping connections needs the server of sandbox.sap_s4hana.server")
    transport.abort()
    # The server must notice the loss before the call ends, or it reports a missing answer.
    await asyncio.sleep(0.01)
