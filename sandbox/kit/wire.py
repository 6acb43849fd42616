"""What stands between the network and a simulated system: the log of calls, and the faults that happen to them."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.kit import bodies
from sandbox.kit.bodies import Answer
from sandbox.kit.driver import Driver
from sandbox.kit.faults import Fault, Kind, Script
from sandbox.kit.late import Late
from sandbox.kit.log import Call, Calls, caused_by
from sandbox.kit.server import Doors
from sandbox.kit.system import ADMIN, NO_PAGE_FAULTS, PAGE, PageFaults, Simulated

_INSTEAD: Final[tuple[Kind, ...]] = ("unauthorized", "forbidden", "rate_limit", "unavailable", "status", "refuse")


class Wire:
    """ASGI middleware around a simulated system.

    Attributes:
        faults: What will happen; may be changed at any time.
        calls: What came in; the administration's calls are left out.
        late: What was changed and cannot be seen yet.
        driver: The system's own users.
        doors: The ports that it is served on; None while it is on none.
        entity_in: Tells what a call is about once its body was read, for systems with one address for everything.
    """

    def __init__(self, app: ASGIApp, system: Simulated) -> None:
        self.app = app
        self.simulated = system
        self.faults = Script()
        self.calls = Calls()
        self.late = Late()
        self.driver = Driver(system.editor, system.clock, self.late, self.calls)
        self.doors: Doors | None = None
        self.entity_in: Callable[[Call], str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one call."""
        if scope["type"] != "http" or scope["path"].startswith(ADMIN):
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        call = self._begin(scope)
        receive = await self._body(call, receive)
        if self.entity_in is not None:
            call.entity = self.entity_in(call)
        self.late.commit(now=self.simulated.clock.now(), call=call.number)
        struck = self.faults.strike(call.method, call.target, call.entity, call.content)
        call.faults = [fault.kind for fault in struck]
        scope.setdefault("state", {}).update({"call": call, PAGE: _page_faults(struck)})
        try:
            with caused_by("call", call):
                await self._through(_Noting(send, call, self), receive, scope, struck)
        finally:
            call.ms = round((time.perf_counter() - started) * 1000, 3)

    def date(self) -> bytes:
        """Give the Date header, by the system's clock."""
        return format_datetime(self.simulated.clock.now(), usegmt=True).encode()

    async def _through(self, send: "_Noting", receive: Receive, scope: Scope, struck: list[Fault]) -> None:
        by: dict[Kind, Fault] = {fault.kind: fault for fault in struck}
        if not struck:
            await self.app(scope, receive, send)
        elif "offline" in by:
            await self._offline(by["offline"], scope)
        elif "drop_before" in by:
            await bodies.drop(scope)
        elif "silent" in by:
            await _first(by["silent"].go.wait(), _gone(receive))
            await bodies.drop(scope)
        else:
            await asyncio.sleep(sum(fault.seconds for fault in struck if fault.kind == "delay"))
            answer = await self._answer(send.call, receive, scope, struck)
            await self._after(answer, by, send, scope)

    async def _answer(self, call: Call, receive: Receive, scope: Scope, struck: list[Fault]) -> Answer:
        """Let the system do what was asked, or refuse in its place."""
        instead = next((fault for fault in struck if fault.kind in _INSTEAD), None)
        app: ASGIApp = self.app if instead is None else self._refusal(instead, call)
        answer = await Answer.of(app, scope, receive)
        for fault in struck:
            if fault.kind == "edit_between":
                self.driver.make(fault.rows, rng=fault.rng)
        return answer

    async def _after(self, answer: Answer, by: dict[Kind, Fault], send: "_Noting", scope: Scope) -> None:
        """Send an answer, or what comes of it."""
        if "hold" in by:
            await by["hold"].go.wait()
        if "delay_after" in by:
            await asyncio.sleep(by["delay_after"].seconds)
        if "drop_after" in by:
            await bodies.drop(scope)
        elif "fail_after" in by:
            failing = self._refusal(by["fail_after"], send.call)
            await failing(scope, _nothing, send)
        elif "reset_body" in by:
            await bodies.reset(answer, scope, send)
        elif "cut_body" in by:
            await bodies.cut(answer, send)
        elif "slow_body" in by:
            await bodies.trickle(answer, send, seconds=by["slow_body"].seconds)
        else:
            await answer.send(send)

    def _refusal(self, fault: Fault, call: Call) -> ASGIApp:
        headers = {}
        if fault.retry_after is not None:
            wait, now = timedelta(seconds=fault.retry_after), self.simulated.clock.now()
            dated = fault.retry_after_as == "date"
            headers["retry-after"] = format_datetime(now + wait, usegmt=True) if dated else str(fault.retry_after)
        return self.simulated.refusal(fault, call, headers)

    async def _offline(self, fault: Fault, scope: Scope) -> None:
        if self.doors is None:
            raise RuntimeError("going offline needs the server of sandbox.kit.server")
        self.doors.shut(seconds=fault.seconds or None, until=fault.go)
        await bodies.drop(scope)

    def _begin(self, scope: Scope) -> Call:
        query = scope["query_string"].decode("ascii", "replace")
        path = scope["raw_path"].decode("ascii", "replace")
        return self.calls.begin(
            at=self.simulated.clock.now(),
            method=scope["method"],
            target=f"{path}?{query}" if query else path,
            entity=self.simulated.entity_of(path),
        )

    async def _body(self, call: Call, receive: Receive) -> Receive:
        """Read the body for the log; gives it once more to whoever receives."""
        if call.method in {"GET", "HEAD"}:
            return receive
        chunks, more = [], True
        while more:
            message = await receive()
            chunks.append(message.get("body", b""))
            more = message.get("more_body", False)
        content = b"".join(chunks)
        self.calls.keep(call, content)
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": content, "more_body": False}

        return again


class _Noting:
    """Notes the status of an answer on its way out, and dates it by the system's clock."""

    def __init__(self, send: Send, call: Call, wire: Wire) -> None:
        self.call = call
        self._send = send
        self._wire = wire

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.call.status = message["status"]
            message = {**message, "headers": [*message["headers"], (b"date", self._wire.date())]}
        await self._send(message)


def _page_faults(struck: list[Fault]) -> PageFaults:
    if not struck:
        return NO_PAGE_FAULTS
    shift = sum(fault.rows for fault in struck if fault.kind == "shift_page")
    return PageFaults(shift, any(fault.kind == "repeat_page" for fault in struck))


async def _gone(receive: Receive) -> None:
    """Wait until the caller hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _first(*waiting: Awaitable[Any]) -> None:
    tasks = [asyncio.ensure_future(each) for each in waiting]
    _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
