"""The GraphQL endpoint over graphql-transport-ws."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter as StrawberryWebSocketAdapter
from strawberry.asgi import GraphQL
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage, SubscribeMessage
from strawberry.types.unset import UNSET, UnsetType
from structlog.contextvars import bind_contextvars

from db.tokens import Dead
from db.types import ErrorCode
from graph.auth import Refused, authenticate, bearer
from graph.context import Context, Services
from graph.door.ends import FORBIDDEN
from graph.door.requests import Rejected, decoded, request_id_of
from graph.errors import UNAVAILABLE, ApiError, told
from graph.schema import ApiSchema
from graph.versions.catalogue import HEADER, NotServed, Version

MAX_OPERATIONS: Final = 100
INIT_SECONDS: Final = 3
TOO_SLOW: Final = 4490
"""Close code of our own: the caller took nothing for a time while something waited. It comes back with the last number
that it has."""
SLOW_SECONDS: Final = 30.0
PARTING_SECONDS: Final = 10.0
"""How long a caller that is too slow is given to take its leave."""


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
        """Send one message; a caller that takes nothing is cut, for what waits for it is held in memory."""
        try:
            async with asyncio.timeout(SLOW_SECONDS):
                await self.ws.send_text(orjson.dumps(message).decode())
        except WebSocketDisconnect as gone:
            raise WebSocketDisconnected from gone
        except TimeoutError as late:
            with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
                async with asyncio.timeout(PARTING_SECONDS):
                    await self.ws.close(TOO_SLOW, "You take nothing; come back with afterSequence.")
            raise WebSocketDisconnected from late


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


class _Handler(BaseGraphQLTransportWSHandler[Context, None]):
    """Ends with the caller's token, and tells a caller that has too many operations under way so with a code."""

    watching: asyncio.Task[None] | None = None

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Let a caller in, and watch its token from then on; the holder of a dead one is told why."""
        try:
            await super().handle_connection_init(message)
        except Refused as refused:
            await self.websocket.close(FORBIDDEN, refused.reason or "Forbidden")
            return
        if self.connection_acknowledged and self.watching is None:
            self.watching = asyncio.create_task(self._watch())
            self.watching.add_done_callback(self._task_done)

    async def _watch(self) -> None:
        who = self.context.who
        async with self.context.services.revocations.token(who.token_id, who.scope) as watch:
            await self._end(await watch.ended())

    async def _end(self, why: Dead) -> None:
        for operation_id in list(self.operations):
            await self.cleanup_operation(operation_id)
        with contextlib.suppress(RuntimeError, WebSocketDisconnected):  # it was closed meanwhile
            await self.websocket.close(FORBIDDEN, why.name)

    async def shutdown(self) -> None:
        """End all that was begun."""
        if self.watching is not None:
            self.watching.cancel()
        await super().shutdown()

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Begin an operation, unless the token has died or there are too many."""
        if self.connection_acknowledged:
            dead = await self.context.services.revocations.look(self.context.who.token_id)
            if dead is not None:
                await self._end(dead)
                return
        if (
            not self.connection_acknowledged
            or len(self.operations) < MAX_OPERATIONS
            or message["id"] in self.operations
        ):
            await super().handle_subscribe(message)
            return
        error = ApiError(
            ErrorCode.RATE_LIMITED, f"A socket carries {MAX_OPERATIONS} operations at a time; end one first."
        )
        payload = [told(error, request_id=self.context.request_id).formatted]
        await self.send_message({"id": message["id"], "type": "error", "payload": payload})


class Socket(GraphQL[Context, None]):
    """The WebSocket of /graphql."""

    websocket_adapter_class = _TextFrames
    graphql_transport_ws_handler_class = _Handler

    def __init__(self, schema: ApiSchema, services: Services) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=INIT_SECONDS),
            max_subscriptions_per_connection=None,
        )
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        socket = WebSocket(scope, receive, send)
        versions, now = self._services.versions, datetime.now(UTC)
        try:
            named = versions.asked(socket.path_params.get("version"), socket.headers.get(HEADER), now)
        except NotServed as problem:
            await socket.accept(GRAPHQL_TRANSPORT_WS_PROTOCOL)
            await socket.close(4400, problem.message)
            return
        scope.setdefault("state", {})["version"] = named or versions.newest(now)
        try:
            await super().__call__(scope, receive, send)
        except UNAVAILABLE:
            await send({"type": "websocket.close", "code": 1013, "reason": "The store is not available."})

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:  # noqa: ARG002
        """Make the context of a socket."""
        base_url = str(request.base_url).replace("ws", "http", 1)
        context = Context(self._services, request.state.request_id, fresh=True, base_url=lambda: base_url)
        bind_contextvars(request_id=context.request_id)
        return context

    async def create_websocket_response(self, request: WebSocket, subprotocol: str | None) -> WebSocket:
        """Accept the handshake."""
        request.state.request_id = request_id_of(request.headers)
        version: Version = request.state.version
        headers = {"x-request-id": request.state.request_id}
        headers |= {name.lower(): value for name, value in version.headers.items()}
        await request.accept(subprotocol, [(name.encode(), value.encode()) for name, value in headers.items()])
        return request

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """Take the token from the `authorization` of connection_init, with or without `Bearer`."""
        params = context.connection_params or {}
        given = next((str(v) for k, v in params.items() if k.lower() == "authorization"), None)
        context.principal = await authenticate(self._services.together, bearer(given) or given)
        return UNSET

    def decode_json(self, data: str | bytes) -> object:
        """Read a message as strictly as a body."""
        try:
            return decoded(data.encode() if isinstance(data, str) else data)
        except Rejected as rejected:
            raise json.JSONDecodeError(rejected.message, "", 0) from None
