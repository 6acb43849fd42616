"""Administration under /_sandbox that every simulated system has. No log-on; loopback only.

- `GET`, `DELETE /_sandbox/calls?after=n`: the log of calls; DELETE forgets it. 410 where some after n are kept no more.
- `GET /_sandbox/edits?after=n&limit=m`: every true change, oldest first.
- `POST /_sandbox/edits`: make some: count, seed, mix, late_seconds or late_calls (see driver).
- `POST`, `DELETE /_sandbox/edits/stream`: make them all the time: per_second, seed, mix.
- `POST /_sandbox/edits/commit`: let be seen what was to be seen later.
- `GET`, `POST`, `DELETE /_sandbox/faults`: fault scripts, fields of `faults.Fault`; POST adds one, DELETE takes all
  away; `DELETE /_sandbox/faults/{number}` takes away one.
- `GET`, `POST /_sandbox/clock`: offset_seconds, stamp_offset_seconds, frozen.
- `POST /_sandbox/offline`: refuse connections, for `seconds` or until `POST /_sandbox/online`. The
  administration's own port stays open.
- `GET /_sandbox/oracle/{entity}`: every document that can be seen, one JSON object a line: key, version, mappable,
  body.
- `GET /_sandbox/oracle`: what callers made, by their reference, and how many of their calls had an effect.
"""

import random
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.kit import oracle
from sandbox.kit.driver import MIX
from sandbox.kit.faults import read_fault
from sandbox.kit.system import ADMIN
from sandbox.kit.wire import Wire

_MAKING = frozenset({"count", "seed", "mix", "late_seconds", "late_calls"})
_STREAMING = frozenset({"per_second", "seed", "mix"})


class JsonBody(Response):
    """A response with a JSON body; takes fragments of JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode the content."""
        return orjson.dumps(content)


class KitAdmin:
    """The administration of one simulated system."""

    def __init__(self) -> None:
        self._wire: Wire | None = None

    def connect(self, wire: Wire) -> None:
        """Say what is administrated; its application holds these routes, so it is made after them."""
        self._wire = wire

    @property
    def wire(self) -> Wire:
        """What is administrated."""
        if self._wire is None:
            raise RuntimeError("the administration is not connected")
        return self._wire

    def kit_routes(self) -> list[Route]:
        """Give the routes to mount."""
        return [
            Route(f"{ADMIN}/calls", self.calls, methods=["GET", "DELETE"]),
            Route(f"{ADMIN}/edits", self.edits, methods=["GET", "POST"]),
            Route(f"{ADMIN}/edits/stream", self.stream, methods=["POST", "DELETE"]),
            Route(f"{ADMIN}/edits/commit", self.commit, methods=["POST"]),
            Route(f"{ADMIN}/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route(f"{ADMIN}/faults/{{number:int}}", self.fault, methods=["DELETE"]),
            Route(f"{ADMIN}/clock", self.clock, methods=["GET", "POST"]),
            Route(f"{ADMIN}/offline", self.offline, methods=["POST"]),
            Route(f"{ADMIN}/online", self.online, methods=["POST"]),
            Route(f"{ADMIN}/oracle", self.references, methods=["GET"]),
            Route(f"{ADMIN}/oracle/{{entity}}", self.oracle, methods=["GET"]),
        ]

    def reset_kit(self) -> None:
        """Forget faults, calls and edits, and set the clock right."""
        wire = self.wire
        wire.driver.stop()
        wire.faults.clear()
        wire.late.clear()
        wire.calls.clear()
        wire.simulated.edits.clear()
        wire.simulated.clock.reset()

    async def calls(self, request: Request) -> Response:
        """Show or forget the log of calls."""
        if request.method == "DELETE":
            self.wire.calls.clear()
            return Response(status_code=204)
        try:
            found = self.wire.calls.since(_number(request, "after"))
        except LookupError as error:
            return refused(error, 410)
        return JsonBody([call.as_dict() for call in found])

    async def edits(self, request: Request) -> Response:
        """Show the true changes, or make some."""
        if request.method == "GET":
            found = self.wire.simulated.edits.since(_number(request, "after"))
            limit = _number(request, "limit") or len(found)
            return JsonBody([edit.as_dict() for edit in found[:limit]])
        try:
            asked = await given(request, _MAKING)
            keys = self.wire.driver.make(
                asked.get("count", 1),
                rng=random.Random(asked.get("seed", 0)),
                mix=asked.get("mix", MIX),
                late_seconds=asked.get("late_seconds"),
                late_calls=asked.get("late_calls"),
            )
        except (ValueError, TypeError) as error:
            return refused(error)
        return JsonBody({"keys": keys, "late": len(self.wire.late)})

    async def stream(self, request: Request) -> Response:
        """Edit all the time, or no more."""
        if request.method == "DELETE":
            self.wire.driver.stop()
            return Response(status_code=204)
        try:
            asked = await given(request, _STREAMING)
            self.wire.driver.start(
                per_second=float(asked.get("per_second", 1)), seed=asked.get("seed", 0), mix=asked.get("mix", MIX)
            )
        except (ValueError, TypeError) as error:
            return refused(error)
        return Response(status_code=204)

    async def commit(self, _: Request) -> Response:
        """Let be seen what was to be seen later."""
        self.wire.late.commit_all()
        return Response(status_code=204)

    async def faults(self, request: Request) -> Response:
        """Show, add or take away fault scripts."""
        if request.method == "DELETE":
            self.wire.faults.clear()
            return Response(status_code=204)
        if request.method == "POST":
            try:
                self.wire.faults.add(read_fault(await given(request)))
            except ValueError as error:
                return refused(error)
        return JSONResponse([fault.as_dict() for fault in self.wire.faults])

    async def fault(self, request: Request) -> Response:
        """Take away one fault."""
        return Response(status_code=204 if self.wire.faults.remove(request.path_params["number"]) else 404)

    async def clock(self, request: Request) -> Response:
        """Show or set the clock."""
        clock = self.wire.simulated.clock
        if request.method == "POST":
            try:
                clock.apply(await given(request))
            except (KeyError, ValueError, TypeError) as error:
                return refused(error)
        return JSONResponse(clock.as_dict())

    async def offline(self, request: Request) -> Response:
        """Refuse connections from now on."""
        try:
            asked = await given(request, frozenset({"seconds"}))
        except ValueError as error:
            return refused(error)
        if self.wire.doors is not None:
            self.wire.doors.shut(seconds=asked.get("seconds"))
        return Response(status_code=204)

    async def online(self, _: Request) -> Response:
        """Take connections again."""
        if self.wire.doors is not None:
            await self.wire.doors.reopen()
        return Response(status_code=204)

    async def references(self, _: Request) -> Response:
        """Show what callers made, by their reference."""
        edits = list(self.wire.simulated.edits)
        told = {reference: [list(each) for each in keys] for reference, keys in oracle.made(edits).items()}
        return JSONResponse({"made": told, "effects": oracle.effects(edits)})

    async def oracle(self, request: Request) -> Response:
        """Show every document that can be seen."""
        try:
            documents = self.wire.simulated.documents(request.path_params["entity"])
        except KeyError as error:
            return refused(error, 404)
        # At once: what is edited while it is written would be neither the state before nor that after.
        return Response(b"".join(oracle.lines_of(documents)), media_type="application/x-ndjson")


async def given(request: Request, names: frozenset[str] | None = None) -> dict[str, Any]:
    """Read a JSON object; an empty body is an empty one.

    Raises:
        ValueError: It is none, or holds other names than these.
    """
    asked = orjson.loads(await request.body() or b"{}")
    if not isinstance(asked, Mapping):
        raise ValueError("a JSON object is expected")  # noqa: TRY004  (it is a value of the caller's)
    if names is not None and (unknown := set(asked) - names):
        raise ValueError(f"there is no {', '.join(sorted(unknown))}")
    return dict(asked)


def refused(error: Exception, status: int = 400) -> JSONResponse:
    """Answer what is wrong with a call of the administration."""
    return JSONResponse({"error": str(error)}, status)


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    return int(text) if text.isdigit() else 0
