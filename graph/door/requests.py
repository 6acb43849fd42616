"""What a request over HTTP asks for: its media types, its body, its parameters."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from db.types import ErrorCode, encode_id, new_ids
from graph.operations import Asked

MAX_BODY_BYTES: Final = 100_000
BODY_SECONDS: Final = 10.0
_REQUEST_ID_LENGTH: Final = 128
_NOT_JSON: Final = "The body is not JSON in UTF-8, each key once, its numbers within 64 bits."
_WHOLE: Final = range(-(2**63), 2**64)

Media = Literal["application/json", "application/graphql-response+json", "text/event-stream"]
JSON: Final[Media] = "application/json"
RESPONSE: Final[Media] = "application/graphql-response+json"
EVENTS: Final[Media] = "text/event-stream"
_OFFERED: Final[tuple[Media, ...]] = (JSON, RESPONSE, EVENTS)
_RANGES: Final = {each: ("*/*", each.split("/")[0] + "/*", each) for each in _OFFERED}
"""What names each type, the most specific last; that goes first, wherever it stands."""


class Rejected(Exception):
    """The request is refused before it is known what it asks for.

    Attributes:
        status: The HTTP status.
        message: One sentence for the caller.
        headers: What HTTP says beside.
    """

    code: ErrorCode = ErrorCode.BAD_USER_INPUT

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Asking:
    """A request as it comes in.

    Attributes:
        headers: By name, in small letters; of one that came twice, the first.
    """

    scope: Scope
    receive: Receive
    headers: Mapping[str, str]

    @classmethod
    def of(cls, scope: Scope, receive: Receive) -> "Asking":
        """Read the headers, which are looked at again and again, once."""
        told = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
        return cls(scope, receive, told)

    @property
    def method(self) -> str:
        """Its method."""
        method: str = self.scope["method"]
        return method


def request_id_of(headers: Mapping[str, str]) -> str:
    """Take the caller's X-Request-Id where it is short plain text, else make one."""
    given = headers.get("x-request-id", "")
    plain = 0 < len(given) <= _REQUEST_ID_LENGTH and given.isascii() and given.isprintable()
    return given if plain else encode_id("Request", *new_ids(1))


def media_of(accept: str | None) -> Sequence[Media]:
    """Give what the caller takes, best first (RFC 9110, 12.5.1); whatever it takes, JSON comes first.

    Raises:
        Rejected: 406, it takes nothing that is offered.
    """
    if accept is None or accept.strip() in {"", "*/*"}:
        return (JSON, RESPONSE, EVENTS)
    wanted: dict[Media, tuple[int, float, int]] = {}
    for place, part in enumerate(accept.split(",")):
        named, *parameters = (each.strip().lower() for each in part.split(";"))
        quality = _quality(parameters)
        for each, ranges in _RANGES.items():
            if named in ranges and (each not in wanted or ranges.index(named) > wanted[each][0]):
                wanted[each] = ranges.index(named), quality, -place
    taken = [each for each in _OFFERED if each in wanted and wanted[each][1] > 0]
    if not taken:
        raise Rejected(406, f"The answer is {', '.join(_OFFERED)}; Accept names none of them.")
    return sorted(taken, key=lambda each: wanted[each][1:], reverse=True)


def _quality(parameters: Iterable[str]) -> float:
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


async def asked_by(request: Asking, *, body_seconds: float = BODY_SECONDS) -> Asked:
    """Read what a request asks for; its body may take so many seconds.

    Raises:
        Rejected: It is too long, too slow, of another type, or no request of GraphQL.
    """
    if request.method == "GET":
        return _of_query(request.scope["query_string"])
    return asked(await _json(request.receive, request.headers, body_seconds))


async def json_of(request: Request, *, body_seconds: float = BODY_SECONDS) -> dict[str, Any]:
    """Read a body that is a JSON object, as strictly as one of GraphQL.

    Raises:
        Rejected: It is too long, too slow, of another type, or no object.
    """
    given = await _json(request.receive, request.headers, body_seconds)
    if not isinstance(given, dict):
        raise Rejected(400, "The body is a JSON object.")
    return given


async def _json(receive: Receive, headers: Mapping[str, str], body_seconds: float) -> Any:
    if not _is_json(headers.get("content-type")) or "content-encoding" in headers:
        raise Rejected(415, "Send the body as application/json in UTF-8, not encoded.", {"Accept-Post": JSON})
    try:
        async with asyncio.timeout(body_seconds):
            body = await _body(receive)
    except TimeoutError:
        message = f"The body took longer than {body_seconds:g} seconds to arrive."
        raise Rejected(408, message, {"Connection": "close"}) from None
    return decoded(body)


@lru_cache(maxsize=64)
def _is_json(content_type: str | None) -> bool:
    kind, *parameters = (each.strip().lower() for each in (content_type or "").split(";"))
    charsets = [each.partition("=")[2].strip('"') for each in parameters if each.startswith("charset=")]
    return kind == JSON and all(each in {"utf-8", "utf8"} for each in charsets)


async def _body(receive: Receive) -> bytes:
    """Read the body up to the limit, whatever length was announced."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY_BYTES:
            raise Rejected(413, f"A request is at most {MAX_BODY_BYTES} bytes long.")
    return bytes(body)


def _of_query(query: bytes) -> Asked:
    """Read the parameters of a GET request, where maps are JSON."""
    try:
        pairs = parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=20)
    except ValueError:
        raise Rejected(400, "The address holds no parameters of GraphQL in UTF-8.") from None
    given: dict[str, Any] = dict(pairs)
    if len(given) != len(pairs):
        raise Rejected(400, "The address holds a parameter twice.")
    for name in ("variables", "extensions"):
        if given.get(name):
            given[name] = decoded(given[name].encode())
    return asked(given)


def decoded(body: bytes) -> Any:
    """Read JSON strictly: what different readers would read differently is refused.

    Raises:
        Rejected: 400.
    """
    try:
        orjson.loads(body)  # refuses what is no UTF-8, half characters, and numbers that are none
        return _DECODER.decode(body.decode())
    except (ValueError, RecursionError):
        raise Rejected(400, _NOT_JSON) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


def _whole(digits: str) -> int:
    number = int(digits) if len(digits) <= 20 else 2**64
    if number not in _WHOLE:
        raise ValueError("the number takes more than 64 bits")
    return number


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_once, parse_int=_whole)


def asked(given: Any) -> Asked:
    """Read the parameters of a request.

    Raises:
        Rejected: 400.
    """
    if isinstance(given, list):
        raise Rejected(400, "Send one operation in a request; batches are not taken.")
    if not isinstance(given, dict):
        raise Rejected(400, "The body is a JSON object with `query`.")
    query, name = given.get("query"), given.get("operationName")
    if query is None or query == "":
        raise Rejected(400, "The request has no `query`.")
    if not isinstance(query, str):
        raise Rejected(400, "`query` is text.")
    if not isinstance(name, str | None):
        raise Rejected(400, "`operationName` is text.")
    for each in ("variables", "extensions"):
        if not isinstance(given.get(each), dict | None):
            raise Rejected(400, f"`{each}` is an object.")
    return Asked(query, given.get("variables") or {}, name or None)
