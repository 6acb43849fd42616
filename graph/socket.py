"""The GraphQL endpoint over graphql-transport-ws."""

import json
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter as StrawberryWebSocketAdapter
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UNSET, UnsetType

from graph.auth import Refused, authenticate, bearer
from graph.context import Context, Services
from graph.errors import UNAVAILABLE
from graph.http import MAX_BODY_BYTES, request_id_of
from graph.schema import ApiSchema


class _TextFrames(StrawberryWebSocketAdapter):
    """Sends answers as text frames, as graphql-transport-ws asks, and takes only messages of its form."""

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        """Give the messages; one of another form closes the socket."""
        async for message in super().iter_json(ignore_parsing_errors=ignore_parsing_errors):
            if _is_message(message):
                yield message
            else:
                await self.close(4400, "This is no message of graphql-transport-ws.")

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Send one message."""
        try:
            await self.ws.send_text(orjson.dumps(message).decode())
        except WebSocketDisconnect as gone:
            raise WebSocketDisconnected from gone


def _is_message(message: object) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    if message["type"] not in {"subscribe", "complete"}:
        return True
    payload = message.get("payload")
    asks = (
        isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )
    return isinstance(message.get("id"), str) and (asks or message["type"] == "complete")


class Socket(GraphQL[Context, None]):
    """The WebSocket of /graphql."""

    websocket_adapter_class = _TextFrames

    def __init__(self, schema: ApiSchema, services: Services) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=3),
        )
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        try:
            await super().__call__(scope, receive, send)
        except UNAVAILABLE:
            await send({"type": "websocket.close", "code": 1013, "reason": "The store is not available."})

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:  # noqa: ARG002
        """Make the context of a socket."""
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
        """Read a message: strict JSON, not too long."""
        if len(data) > MAX_BODY_BYTES:
            raise json.JSONDecodeError("too long", "", 0)
        return orjson.loads(data)
