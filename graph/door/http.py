"""The GraphQL endpoint over HTTP: who asks, what for, and which answer suits the caller."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Final

from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from db.types import ErrorCode
from graph.auth import Refused, authenticate, bearer
from graph.context import Context, Principal, Services
from graph.door.ends import until_ended
from graph.door.requests import EVENTS, JSON, Asking, Media, Rejected, asked_by, media_of, request_id_of
from graph.door.responses import EventStream, answered, failed, own_headers, rejected, unauthenticated
from graph.errors import UNAVAILABLE, unavailable
from graph.operations import ANY, ONCE, QUERIES, Answer, Asked, Begun, Operations, WrongKind
from graph.versions.catalogue import HEADER, NotServed, Version

_AT_ONCE: Final = {ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE}
"""Codes that no stream is begun for: its caller should come back later."""
_STREAMED: Final = "A subscription is answered as text/event-stream, or over a socket; Accept names no such type."


class Endpoint:
    """POST and GET /graphql."""

    def __init__(self, operations: Operations, services: Services) -> None:
        self._operations = operations
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Asking.of(scope, receive)
        context = Context(self._services, request_id_of(request.headers), base_url=lambda: str(Request(scope).base_url))
        bind_contextvars(request_id=context.request_id)
        try:
            response = await self._respond(request, context)
            context.status = response.status_code
            response.raw_headers += own_headers(context)
            await response(scope, receive, send)
        except ClientDisconnect:
            return
        finally:
            await context.close()

    async def _respond(self, request: Asking, context: Context) -> Response:
        media, unsuited = _suited(request)
        token = bearer(request.headers.get("authorization"))
        try:
            context.principal = await authenticate(self._services.together, token)
            if unsuited is not None:
                raise unsuited  # only now, so that the request log tells it to those whose token it was
            context.version = self._version(request, context.principal)
            asked = await asked_by(request)
            if media == EVENTS:
                return await self._stream(asked, context, by_get=request.method == "GET")
            return await self._answer(asked, context, media, request)
        except Rejected as refusal:
            return rejected(refusal.status, refusal.message, context, media, refusal.headers)
        except Refused as refused:
            context.holder = refused.holder
            return unauthenticated(refused, context, media, given=token is not None)
        except UNAVAILABLE:
            return failed(unavailable(), context, media)

    def _version(self, request: Asking, principal: Principal) -> Version:
        """Give the version that the request names by path or header, else its key, else the newest stable one."""
        versions, now = self._services.versions, datetime.now(UTC)
        try:
            named = versions.asked(request.scope["path_params"].get("version"), request.headers.get(HEADER), now)
            if named is None and principal.api_version is not None:
                named = versions.named(principal.api_version, now)
        except NotServed as problem:
            raise Rejected(problem.status, problem.message) from None
        return named or versions.newest(now)

    async def _answer(self, asked: Asked, context: Context, media: Media, request: Asking) -> Response:
        by_get = request.method == "GET"
        try:
            begun = await self._operations.begin(asked, context, kinds=QUERIES if by_get else ONCE)
        except WrongKind as wrong:
            if wrong.kind is OperationType.SUBSCRIPTION:
                if EVENTS in media_of(request.headers.get("accept")):
                    return await self._stream(asked, context, by_get=by_get)
                raise Rejected(406, _STREAMED) from None
            raise Rejected(405, "Send a mutation by POST.", {"Allow": "POST"}) from None
        return answered(begun if isinstance(begun, Answer) else await self._operations.answer(begun), media)

    async def _stream(self, asked: Asked, context: Context, *, by_get: bool) -> Response:
        try:
            begun = await self._operations.begin(
                asked, context, kinds=ANY - {OperationType.MUTATION} if by_get else ANY
            )
        except WrongKind:
            raise Rejected(405, "Send a mutation by POST.", {"Allow": "POST"}) from None
        if isinstance(begun, Begun):
            return EventStream(until_ended(context, self._operations.answers(begun)))
        return answered(begun, JSON) if begun.codes & _AT_ONCE else EventStream(_only(begun))


def _suited(request: Asking) -> tuple[Media, Rejected | None]:
    """Give the type of the answer, and why there is none to such a method, or of no type that the caller takes."""
    if request.method not in {"GET", "POST"}:
        return JSON, Rejected(405, "Send a POST request, or a query by GET.", {"Allow": "GET, POST"})
    try:
        return media_of(request.headers.get("accept"))[0], None
    except Rejected as rejection:
        return JSON, rejection


async def _only(answer: Answer) -> AsyncGenerator[Answer, None]:
    yield answer
