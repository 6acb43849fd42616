"""What is sent over HTTP: answers, refusals and streams, with the status and headers that belong to them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import orjson
from graphql import GraphQLError
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from db.types import ErrorCode
from graph.auth import Refused, challenge
from graph.context import Context
from graph.door.requests import EVENTS, RESPONSE, Media
from graph.errors import MEANINGS, ApiError, bad_input, code_of
from graph.operations import Answer
from graph.versions.catalogue import Version

BEAT_SECONDS: Final = 12.0
"""How often a quiet stream says that it lives, so that nothing between here and the caller closes it."""


_HEADERS: Final = [
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept, Authorization, Crosshead-Version"),
    (b"x-content-type-options", b"nosniff"),
]


def own_headers(context: Context) -> list[tuple[bytes, bytes]]:
    """Give the headers of every response of the endpoint, as they are sent."""
    version = context.version or context.services.versions.newest(datetime.now(UTC))
    return [(b"x-request-id", context.request_id.encode()), *_of_version(version)]


@lru_cache(maxsize=32)
def _of_version(version: Version) -> list[tuple[bytes, bytes]]:
    return [*((name.lower().encode(), value.encode()) for name, value in version.headers.items()), *_HEADERS]


def answered(answer: Answer, media: Media) -> Response:
    """Send an answer."""
    status = status_of(answer, media)
    headers = _retry_after(answer.errors) if status in {429, 503} else {}
    if status == MEANINGS[ErrorCode.FORBIDDEN].status:
        refusal = next(each for each in answer.errors if code_of(each) == ErrorCode.FORBIDDEN)
        needed = (refusal.extensions or {}).get("requiredScope")
        headers["WWW-Authenticate"] = challenge("insufficient_scope", refusal.message, scope=needed)
    return Response(orjson.dumps(answer.body()), status_code=status, media_type=media, headers=headers)


def status_of(answer: Answer, media: Media) -> int:
    """Give the HTTP status of an answer (GraphQL over HTTP, and the audits of graphql-http).

    What refuses a whole request is 200 to those who take application/json only, as it always was, and the code's own
    status to others. A store that is down, a token that may not and one that has spent its points are told to all.
    """
    codes = answer.codes
    if ErrorCode.UNAVAILABLE in codes:
        return MEANINGS[ErrorCode.UNAVAILABLE].status
    if answer.refused:
        (code, *_) = sorted(codes, key=lambda each: -MEANINGS[ErrorCode(each)].status)
        return MEANINGS[ErrorCode(code)].status if media == RESPONSE or code == ErrorCode.RATE_LIMITED else 200
    return 403 if answer.empty and ErrorCode.FORBIDDEN in codes else 200


def rejected(status: int, message: str, context: Context, media: Media, headers: Mapping[str, str]) -> Response:
    """Send why a request is refused before it is known what it asks for."""
    return failed(bad_input(message), context, media, status=status, headers=headers)


def unauthenticated(refused: Refused, context: Context, media: Media, *, given: bool) -> Response:
    """Send why a token does not open the door (RFC 6750, which names no error where no token was sent)."""
    headers = {"WWW-Authenticate": challenge("invalid_token", refused.message) if given else challenge()}
    return failed(ApiError(refused.code, refused.message, **refused.details), context, media, headers=headers)


def failed(
    error: ApiError,
    context: Context,
    media: Media,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Send an error that ends a request before anything was prepared."""
    extensions = {**(error.extensions or {}), "requestId": context.request_id}
    context.codes = {str(extensions["code"])}
    body = orjson.dumps({"errors": [{"message": error.message, "extensions": extensions}]})
    sent = {**_retry_after([error]), **(headers or {})}
    media_type = RESPONSE if media == RESPONSE else "application/json"
    return Response(body, status_code=status or MEANINGS[error.code].status, media_type=media_type, headers=sent)


def _retry_after(errors: list[GraphQLError] | list[ApiError]) -> dict[str, str]:
    seconds = [(error.extensions or {}).get("retryAfterSeconds") for error in errors]
    known = [each for each in seconds if each is not None]
    return {"Retry-After": str(max(known))} if known else {}


class EventStream(StreamingResponse):
    """Answers as server-sent events, in the distinct connections mode of graphql-sse."""

    media_type = EVENTS

    def __init__(self, answers: AsyncGenerator[Answer, None], *, beat_seconds: float = BEAT_SECONDS) -> None:
        self._events = _events(answers, beat_seconds)
        super().__init__(self._events, headers={"X-Accel-Buffering": "no"})

    async def stream_response(self, send: Send) -> None:
        """Send until the answers end; where the caller is gone, end what gives them."""
        async with contextlib.aclosing(self._events):
            await super().stream_response(send)


async def _events(answers: AsyncGenerator[Answer, None], beat_seconds: float) -> AsyncGenerator[bytes, None]:
    async with contextlib.aclosing(answers):
        pending: asyncio.Task[Answer] = asyncio.create_task(anext(answers))
        try:
            while True:
                await asyncio.wait({pending}, timeout=beat_seconds)
                if not pending.done():
                    yield b":\n\n"
                    continue
                try:
                    told = pending.result()
                except StopAsyncIteration:
                    break
                yield b"event: next\ndata: " + orjson.dumps(told.body()) + b"\n\n"
                pending = asyncio.create_task(anext(answers))
        finally:
            if not pending.done():
                pending.cancel()
                with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                    await pending
    yield b"event: complete\ndata: \n\n"
