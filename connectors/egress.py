"""The only way out to a source: one client, limits on time and size, and one kind of error.

There is no retry here: runs and operations retry, so that one lost answer is
never multiplied. Redirects and proxies of the environment are not followed.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import aiohttp
import orjson

from connectors.errors import BadResponse, SourceUnavailable

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
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise BadResponse(
                f"The source answered {self.status} with something that is not JSON.", source_message=self.text(200)
            ) from error

    def text(self, limit: int = 500) -> str:
        """Give the beginning of the body as text."""
        return self.body[: limit * 4].decode("utf-8", "replace")[:limit]


class SignsRequests(Protocol):
    """What `send` asks of an authentication: see connectors.kit.auth."""

    def flow(self, request: Request) -> Generator[Request, Response, None]:
        """Yield the requests to send."""
        ...


class Egress:
    """Sends requests for all sources of a process over one connection pool."""

    def __init__(self, reading: aiohttp.ClientSession, writing: aiohttp.ClientSession) -> None:
        self._reading = reading
        self._writing = writing

    @classmethod
    @asynccontextmanager
    async def open(cls, *, connections_per_host: int = 4) -> AsyncIterator["Egress"]:
        """Open the pool.

        Args:
            connections_per_host: How many calls to one source may be under way.
        """
        connector = aiohttp.TCPConnector(limit=200, limit_per_host=connections_per_host, ttl_dns_cache=30)
        timeout = aiohttp.ClientTimeout(total=TOTAL_SECONDS, connect=CONNECT_SECONDS, sock_read=READ_SECONDS)

        def session() -> aiohttp.ClientSession:
            jar = aiohttp.DummyCookieJar()
            return aiohttp.ClientSession(
                connector=connector, connector_owner=False, timeout=timeout, trust_env=False, cookie_jar=jar
            )

        async with connector, session() as reading, session() as writing:
            # aiohttp sends PUT and DELETE once more where the connection broke: a write may then take effect twice.
            writing._retry_connection = False  # noqa: SLF001  (there is no public switch; a test holds it)
            yield cls(reading, writing)

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

    async def _send(self, request: Request) -> Response:
        try:
            session = self._reading if request.safe else self._writing
            async with session.request(
                request.method, request.url, headers=request.headers, data=request.body, allow_redirects=False
            ) as answer:
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
            raise _unavailable(error) from error


def _unavailable(error: Exception) -> SourceUnavailable:
    cause = getattr(error, "os_error", None) or error
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return SourceUnavailable("The source could not be reached in time.", reason="TIMEOUT", sent=False)
    if isinstance(error, TimeoutError):
        return SourceUnavailable("The source did not answer in time.", reason="TIMEOUT", sent=True)
    if isinstance(error, aiohttp.ClientConnectorDNSError) or isinstance(cause, socket.gaierror):
        return SourceUnavailable("The source's host name is not known.", reason="DNS", sent=False)
    if isinstance(error, aiohttp.ClientSSLError) or isinstance(cause, ssl.SSLError):
        return SourceUnavailable("No trusted TLS connection to the source could be made.", reason="TLS", sent=False)
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.InvalidURL)):
        return SourceUnavailable("The source refuses connections.", reason="CONNECT", sent=False)
    return SourceUnavailable("The source closed the connection.", reason="RESET", sent=True)
