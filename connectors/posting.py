"""The way out for webhooks: one POST to an address that a caller chose, past the same guard as the way to sources.

Whatever comes back is a value, for the sender decides what it means. Redirects, proxies of the environment and cookies
are not followed; the answer is read to 64 kB and no further.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from connectors.addresses import Blocked, Guard
from connectors.egress import guarded, unavailable
from connectors.errors import Reason

TOTAL_SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 3.0
MAX_BYTES: Final = 64 * 1024
HEAD_BYTES: Final = 4096
_tried: ContextVar[list[str] | None] = ContextVar("tried", default=None)


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of one POST.

    Attributes:
        status: The HTTP status; None where no whole answer came.
        failure: Why none came.
        address: The network address that was connected to, or tried last.
        head: The beginning of the answer's body.
        retry_after: The header of that name, as it came.
    """

    duration_ms: int
    status: int | None = None
    failure: Reason | None = None
    address: str | None = None
    head: bytes = b""
    retry_after: str | None = None


class _Answer(aiohttp.ClientResponse):
    """Notes whom it came from before the connection is given back."""

    peer: str | None = None

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Begin to read it."""
        name = connection.transport.get_extra_info("peername") if connection.transport is not None else None
        self.peer = str(name[0]) if name else None
        return await super().start(connection)


class Poster:
    """Posts for all endpoints of a process, to addresses that its guard lets through."""

    def __init__(self, sessions: Mapping[str, aiohttp.ClientSession], guard: Guard) -> None:
        self._sessions = sessions
        """By scheme."""
        self._guard = guard

    @classmethod
    @asynccontextmanager
    async def open(cls, *, guard: Guard, total_seconds: float = TOTAL_SECONDS) -> AsyncIterator["Poster"]:
        """Open the pools; how many posts are under way at once is up to the caller.

        Args:
            guard: Which addresses may be connected to.
            total_seconds: How long one POST may take, its answer included.
        """
        timeout = aiohttp.ClientTimeout(total=total_seconds, sock_connect=CONNECT_SECONDS)
        async with AsyncExitStack() as stack:
            sessions = {}
            for scheme in ("http", "https"):
                connector = aiohttp.TCPConnector(
                    limit=0,
                    ttl_dns_cache=30,
                    keepalive_timeout=4,  # shorter than servers keep theirs: a post over one just closed would fail
                    socket_factory=_noted(guarded(guard, encrypted=scheme == "https")),
                )
                await stack.enter_async_context(connector)
                session = aiohttp.ClientSession(
                    connector=connector,
                    connector_owner=False,
                    timeout=timeout,
                    trust_env=False,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    response_class=_Answer,
                    auto_decompress=False,
                )
                sessions[scheme] = await stack.enter_async_context(session)
            yield cls(sessions, guard)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """Post a body, and read the beginning of the answer."""
        began = time.monotonic()
        tried: list[str] = []
        token = _tried.set(tried)
        try:
            return await self._post(url, body, headers, began)
        except (aiohttp.ClientError, TimeoutError, OSError, asyncio.IncompleteReadError, ValueError) as error:
            failure = unavailable(error).reason
            return Posted(_ms(began), failure=failure, address=tried[-1] if tried else None)
        finally:
            _tried.reset(token)

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str], began: float) -> Posted:
        parts = urlsplit(url)
        if parts.scheme not in self._sessions or "@" in parts.netloc or not parts.hostname:
            return Posted(_ms(began), failure="BLOCKED")
        posting = self._sessions[parts.scheme].post(url, data=body, headers=headers, allow_redirects=False)
        async with posting as answer:
            head, size = bytearray(), 0
            async for chunk in answer.content.iter_any():
                head += chunk[: HEAD_BYTES - len(head)]
                size += len(chunk)
                if size > MAX_BYTES:
                    answer.close()  # the rest is not read, and the connection not used again
                    break
            peer = answer.peer if isinstance(answer, _Answer) else None
            retry_after = answer.headers.get("Retry-After")
            return Posted(_ms(began), answer.status, address=peer, head=bytes(head), retry_after=retry_after)

    async def objection(self, url: str) -> str | None:
        """Tell what is wrong with an address, as far as it can be told now; None where nothing is."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return "is no address"
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return "must begin with https:// and name a host"
        if "@" in parts.netloc or parts.fragment or any(ord(each) <= 32 for each in url):
            return "must have no user name, no fragment and no blanks"
        encrypted = parts.scheme == "https"
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                loop = asyncio.get_running_loop()
                found = await loop.getaddrinfo(parts.hostname, port or (443 if encrypted else 80))
        except (OSError, UnicodeError, TimeoutError):
            return "names a host that is not known"
        try:
            for *_, address in found:
                self._guard.check(str(address[0]), int(address[1]), encrypted=encrypted)
        except Blocked:
            return "is not allowed: https to public addresses, and others only where the operator allows the network"
        return None


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _noted(make: Any) -> Any:
    def noting(info: aiohttp.AddrInfoType) -> Any:
        tried = _tried.get()
        if tried is not None:
            tried.append(str(info[4][0]))
        return make(info)

    return noting
