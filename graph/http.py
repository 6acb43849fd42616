"""The GraphQL endpoint over HTTP and graphql-transport-ws."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, cast

import orjson
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter as StrawberryWebSocketAdapter
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLHTTPResponse
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UNSET, UnsetType

from db.types import encode_id, new_id
from graph.auth import Refused, authenticate, bearer
from graph.context import Context, Services
from graph.errors import UNAVAILABLE
from graph.schema import ApiSchema

MAX_BODY_BYTES: Final = 100_000
_REQUEST_ID_LENGTH: Final = 128


def request_id_of(headers: Headers) -> str:
    """Take the caller's X-Request-Id where it is short plain text, else make one."""
    given = headers.get("x-request-id", "")
    plain = 0 < len(given) <= _REQUEST_ID_LENGTH and given.isascii() and given.isprintable()
    return given if plain else encode_id("Request", new_id())


class _TextFrames(StrawberryWebSocketAdapter):
    """Sends answers as text frames, as graphql-transport-ws asks."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Send one message."""
        try:
            await self.ws.send_text(orjson.dumps(message).decode())
        except WebSocketDisconnect as gone:
            raise WebSocketDisconnected from gone


class Endpoint(GraphQL[Context, None]):
    """POST /graphql, and its WebSocket."""

    websocket_adapter_class = _TextFrames

    def __init__(self, schema: ApiSchema, services: Services) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=3),
        )
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or socket."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        headers = Headers(scope=scope)
        context = Context(self._services, request_id_of(headers))
        scope.setdefault("state", {})["context"] = context
        try:
            context.principal = await authenticate(self._services.database, bearer(headers.get("authorization")))
        except Refused as refused:
            await _unauthenticated(refused, context.request_id)(scope, receive, send)
            return
        except UNAVAILABLE:
            await _unavailable(context.request_id)(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, _tagged(send, context.request_id))
        finally:
            await context.close()

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:  # noqa: ARG002
        """Give the context that the endpoint made, or a fresh one for a socket."""
        if request.scope["type"] == "http":
            return cast("Context", request.scope["state"]["context"])
        return Context(self._services, request_id_of(request.headers), fresh=True)

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """Take the token from the `authorization` of connection_init, with or without `Bearer`."""
        params = context.connection_params or {}
        given = next((str(v) for k, v in params.items() if k.lower() == "authorization"), None)
        try:
            context.principal = await authenticate(self._services.database, bearer(given) or given)
        except Refused as refused:
            raise ConnectionRejectionError from refused
        return UNSET

    def decode_json(self, data: str | bytes) -> object:
        """Read a body; one that is too deep to read is not JSON to us."""
        try:
            return json.loads(data)
        except (RecursionError, UnicodeDecodeError) as error:
            raise json.JSONDecodeError(str(error), "", 0) from error

    def encode_json(self, data: object) -> bytes:
        """Write an answer; what the database told as JSON passes untouched."""
        return orjson.dumps(data)

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        """Answer 503 where the store is down, else as GraphQL over HTTP says."""
        response = super().create_response(response_data, sub_response)
        answers: Sequence[Any] = response_data if isinstance(response_data, list) else [response_data]
        codes = {error.get("extensions", {}).get("code") for each in answers for error in each.get("errors") or ()}
        if "UNAVAILABLE" in codes:
            response.status_code = 503
        return response


def _tagged(send: Send, request_id: str) -> Send:
    async def tag(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
        await send(message)

    return tag


def _problem(status: int, message: str, extensions: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    body = orjson.dumps({"errors": [{"message": message, "extensions": dict(extensions)}]})
    return Response(body, status_code=status, media_type="application/json", headers=dict(headers))


def _unauthenticated(refused: Refused, request_id: str) -> Response:
    extensions = {"code": refused.code.value, "retryable": False, "requestId": request_id}
    if refused.connection_status is not None:
        extensions["connectionStatus"] = refused.connection_status
    challenge = 'Bearer realm="crosshead", error="invalid_token"'
    return _problem(401, refused.message, extensions, {"WWW-Authenticate": challenge, "X-Request-Id": request_id})


def _unavailable(request_id: str) -> Response:
    extensions = {"code": "UNAVAILABLE", "retryable": True, "retryAfterSeconds": 2, "requestId": request_id}
    message = "The store is not available; ask again soon."
    return _problem(503, message, extensions, {"Retry-After": "2", "X-Request-Id": request_id})
