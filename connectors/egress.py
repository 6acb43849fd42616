"""The only way out to a source: one client, limits on time and size, and one kind of error.

There is no retry here: runs and operations retry, so that one lost answer is
never multiplied. Redirects and proxies of the environment are not followed.
Every request passes the gate that its user was given, if any: there calls are
let out and counted.
"""

import asyncio
import gc
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp
import orjson

from connectors.addresses import Blocked, Guard, canonical, is_public
from connectors.errors import BadResponse, Reason, SourceUnavailable

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
TOTAL_SECONDS = 120.0
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        url: Absolute, with its query already encoded.
        body: Bytes to send; None sends none.
        safe: True when sending it twice does no harm.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    safe: bool = True

    def with_headers(self, headers: Mapping[str, str]) -> "Request":
        """Give the same request with headers added or replaced."""
        return replace(self, headers={**self.headers, **headers})


@dataclass(frozen=True, slots=True)
class Response:
    """One whole HTTP response; header names are in lower case, `cookies` are those it set."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """Read the body as JSON.

        Raises:
            BadResponse: It is not JSON.
        """
        # What is parsed holds no cycles: to look for some while it is being made takes a third of the time.
        collects = gc.isenabled()
        gc.disable()
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise BadResponse(
                f"The source answered {self.status} with something that is not JSON.", source_message=self.text(200)
            ) from error
        finally:
            if collects:
                gc.enable()

    def text(self, limit: int = 500) -> str:
        """Give the beginning of the body as text."""
        return self.body[: limit * 4].decode("utf-8", "replace")[:limit]


class SignsRequests(Protocol):
    """What `send` asks of an authentication: see connectors.kit.auth."""

    def flow(self, request: Request) -> Generator[Request, Response, None]:
        """Yield the requests to send."""
        ...


Gate = Callable[[], AbstractAsyncContextManager[None]]
"""Held around each request; it may wait, or refuse with an error of its own."""


class Egress:
    """Sends requests for all sources of a process, to addresses that its guard lets through."""

    def __init__(
        self,
        sessions: Mapping[str, aiohttp.ClientSession],
        gate: Gate = nullcontext,
        *,
        reads: bool = False,
        left: Callable[[], None] | None = None,
    ) -> None:
        self._sessions = sessions
        """By scheme."""
        self._gate = gate
        self._reads = reads
        self._left = left

    def through(self, gate: Gate, *, reads: bool = False, left: Callable[[], None] | None = None) -> "Egress":
        """Give the same way out with a gate.

        Args:
            gate: What each request passes.
            reads: Requests that are not safe to send twice do not go out.
            left: Called once the body of such a request is on its way, and its answer is not there yet.
        """
        return Egress(self._sessions, gate, reads=reads, left=left)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, *, guard: Guard, connections_per_host: int = 4, read_seconds: float = READ_SECONDS
    ) -> AsyncIterator["Egress"]:
        """Open the pools.

        Args:
            guard: Which addresses may be connected to.
            connections_per_host: How many calls to one source may be under way.
            read_seconds: How long nothing may come while an answer is awaited.
        """
        async with AsyncExitStack() as stack:
            sessions = {}
            for scheme in ("http", "https"):
                connector = aiohttp.TCPConnector(
                    limit=200,
                    limit_per_host=connections_per_host,
                    ttl_dns_cache=30,
                    socket_factory=guarded(guard, encrypted=scheme == "https"),
                )
                await stack.enter_async_context(connector)
                sessions[scheme] = await stack.enter_async_context(_session(connector, read_seconds))
            yield cls(sessions)

    async def send(self, request: Request, *, auth: SignsRequests | None = None) -> Response:
        """Send a request, signed by `auth`, and read the whole answer.

        Raises:
            SourceUnavailable: No whole answer came; `reason` and `sent` say how far it got.
            BadResponse: The answer is larger than 64 MiB.
        """
        if auth is None:
            return await self._send(request)
        flow = auth.flow(request)
        response = await self._send(next(flow))
        while True:
            try:
                request = flow.send(response)
            except StopIteration:
                return response
            response = await self._send(request)

    @staticmethod
    async def on_premise(url: str) -> bool:
        """Tell whether an address is none of the public internet; one that is not known counts as public."""
        parts = urlsplit(url)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return False
        return any(not is_public(canonical(str(address[0]))) for *_, address in found)

    def _session(self, request: Request) -> aiohttp.ClientSession:
        parts = urlsplit(request.url)
        if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not parts.hostname:
            raise _blocked("The address must be http or https, with a host and without a user name.")
        return self._sessions[parts.scheme]

    async def _send(self, request: Request) -> Response:
        """Send a request that is safe once more where the connection had been kept open, and the source closed it."""
        if self._reads and not request.safe:
            raise TypeError("This way out is for reading only.")
        kept = _Kept()
        try:
            async with self._gate():
                return await self._once(request, kept)
        except SourceUnavailable as error:
            if error.reason != "RESET" or not (request.safe and kept.open):
                raise
        async with self._gate():
            return await self._once(request, _Kept())

    async def _once(self, request: Request, kept: "_Kept") -> Response:
        kept.left = None if request.safe else self._left
        try:
            async with self._session(request).request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.body,
                allow_redirects=False,
                trace_request_ctx=kept,
            ) as answer:
                kept.open = False  # it answers: what fails from here on was not closed beforehand
                body = bytearray()
                async for chunk in answer.content.iter_chunked(1 << 16):
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise BadResponse("The source's answer is larger than 64 MiB.")
                return Response(
                    answer.status,
                    {name.lower(): value for name, value in answer.headers.items()},
                    bytes(body),
                    {name: morsel.value for name, morsel in answer.cookies.items()},
                )
        except (aiohttp.ClientError, TimeoutError, OSError, asyncio.IncompleteReadError, ValueError) as error:
            raise unavailable(error) from error


@dataclass(slots=True)
class _Kept:
    """One request on its way.

    Attributes:
        open: It went over a connection that had been kept open after another.
        left: Called once its body has left.
    """

    open: bool = False
    left: Callable[[], None] | None = None


async def _reused(_: aiohttp.ClientSession, context: Any, __: aiohttp.TraceConnectionReuseconnParams) -> None:
    context.trace_request_ctx.open = True


async def _chunk_sent(_: aiohttp.ClientSession, context: Any, __: aiohttp.TraceRequestChunkSentParams) -> None:
    if context.trace_request_ctx.left is not None:
        asyncio.get_running_loop().call_soon(context.trace_request_ctx.left)  # aiohttp tells just before it writes


def _session(connector: aiohttp.TCPConnector, read_seconds: float) -> aiohttp.ClientSession:
    trace = aiohttp.TraceConfig()
    trace.on_connection_reuseconn.append(_reused)
    trace.on_request_chunk_sent.append(_chunk_sent)
    session = aiohttp.ClientSession(
        connector=connector,
        connector_owner=False,
        timeout=aiohttp.ClientTimeout(total=TOTAL_SECONDS, connect=CONNECT_SECONDS, sock_read=read_seconds),
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[trace],
    )
    # aiohttp sends GET, PUT and DELETE once more where the connection broke, old or new: a write may then take effect
    # twice, and a read is a call that nobody counted.
    session._retry_connection = False  # noqa: SLF001  (there is no public switch; a test holds it)
    return session


def guarded(guard: Guard, *, encrypted: bool) -> Callable[[aiohttp.AddrInfoType], socket.socket]:
    """Make sockets only for addresses that the guard lets through: it sees what is connected to, not what was asked."""

    def make(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        guard.check(str(address[0]), int(address[1]), encrypted=encrypted)
        return socket.socket(family=family, type=kind, proto=protocol)

    return make


def _blocked(message: str) -> SourceUnavailable:
    return SourceUnavailable(message, reason="BLOCKED", sent=False)


def unavailable(error: Exception) -> SourceUnavailable:
    """Tell why no whole answer came."""
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, Blocked) or Blocked.mark in str(cause):
        return _blocked("The source's address may not be connected to from here: by https to public addresses only.")
    sent = not isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL))
    reason, message = _reason(error, cause, sent=sent)
    return SourceUnavailable(message, reason=reason, sent=sent)


def _reason(error: Exception, cause: object, *, sent: bool) -> tuple[Reason, str]:
    if isinstance(error, TimeoutError):
        return "TIMEOUT", "The source did not answer in time." if sent else "The source could not be reached in time."
    if isinstance(error, aiohttp.ClientConnectorDNSError) or isinstance(cause, socket.gaierror):
        return "DNS", "The source's host name is not known."
    if isinstance(error, aiohttp.ClientSSLError) or isinstance(cause, ssl.SSLError):
        return "TLS", "No trusted TLS connection to the source could be made."
    if sent:
        return "RESET", "The source closed the connection."
    return "CONNECT", "The source refuses connections."
