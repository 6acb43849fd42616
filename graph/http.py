"""The GraphQL endpoint over HTTP."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from db.types import RETRYABLE, ErrorCode, encode_id, new_id
from graph.auth import Refused, authenticate, bearer, challenge
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


class Endpoint(GraphQL[Context, None]):
    """POST /graphql."""

    def __init__(self, schema: ApiSchema, services: Services) -> None:
        super().__init__(schema, graphql_ide=None, allow_queries_via_get=False, subscription_protocols=())
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        context = Context(self._services, request_id_of(Headers(scope=scope)))
        scope.setdefault("state", {})["context"] = context
        try:
            response = await self._answer(Request(scope, receive), context)
            response.headers["X-Request-Id"] = context.request_id
            await response(scope, receive, send)
        except ClientDisconnect:
            return
        finally:
            await context.close()

    async def _answer(self, request: Request, context: Context) -> Response:
        if request.method != "POST":
            return _problem(405, "Send a POST request.", context, headers={"Allow": "POST"})
        token = bearer(request.headers.get("authorization"))
        try:
            context.principal = await authenticate(self._services.database, token)
        except Refused as refused:
            return _unauthenticated(refused, context, token=token)
        except UNAVAILABLE:
            return _unavailable(context)
        try:
            return await self.run(Request(request.scope, _replay(await _body(request))))
        except HTTPException as refused:
            return _problem(refused.status_code, refused.reason, context)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:  # noqa: ARG002
        """Give the context that the endpoint made."""
        return cast("Context", request.scope["state"]["context"])

    async def execute_single(
        self,
        request: Request,  # noqa: ARG002
        request_adapter: AsyncHTTPRequestAdapter,  # noqa: ARG002
        sub_response: Response,  # noqa: ARG002
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        """Run one query or mutation; a subscription needs the socket."""
        try:
            return await self.schema.execute(
                request_data.query,
                variable_values=request_data.variables,
                context_value=context,
                root_value=root_value,
                operation_name=request_data.operation_name,
                allowed_operation_types={OperationType.QUERY, OperationType.MUTATION},
                operation_extensions=request_data.extensions,
            )
        except MissingQueryError as error:
            raise HTTPException(400, "The body has no `query`.") from error
        except CannotGetOperationTypeError as error:
            raise HTTPException(400, error.as_http_error_reason()) from error
        except InvalidOperationTypeError as error:
            raise HTTPException(400, "A subscription needs the graphql-transport-ws protocol.") from error

    def decode_json(self, data: str | bytes) -> object:
        """Read a body: strict JSON, neither too long nor too deep."""
        if len(data) > MAX_BODY_BYTES:
            raise json.JSONDecodeError("too long", "", 0)
        return orjson.loads(data)

    def parse_json(self, data: str | bytes) -> Any:
        """Read a body: an object, or the list of a batch, which is refused as such."""
        parsed = super().parse_json(data)
        if not isinstance(parsed, dict | list):
            raise HTTPException(400, "The body is a JSON object with `query`.")
        if isinstance(parsed, dict) and not isinstance(parsed.get("operationName"), str | None):
            raise HTTPException(400, "`operationName` is text.")
        return parsed

    def encode_json(self, data: object) -> bytes:
        """Write an answer; what the database told as JSON passes untouched."""
        return orjson.dumps(data)

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        """Answer 503 where the store is down, 403 where the token may not, else as GraphQL over HTTP says."""
        response = super().create_response(response_data, sub_response)
        answers: Sequence[Any] = response_data if isinstance(response_data, list) else [response_data]
        told = [error for each in answers for error in each.get("errors") or ()]
        by_code = {error.get("extensions", {}).get("code"): error for error in told}
        forbidden = by_code.get(ErrorCode.FORBIDDEN.value)
        if ErrorCode.UNAVAILABLE.value in by_code:
            response.status_code = 503
        elif forbidden is not None and all(each.get("data") is None for each in answers):
            response.status_code = 403
            needed = forbidden["extensions"].get("requiredScope")
            response.headers["WWW-Authenticate"] = challenge("insufficient_scope", forbidden["message"], scope=needed)
        return response


async def _body(request: Request) -> bytes:
    """Read the body up to the limit, whatever length was announced."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"A request is at most {MAX_BODY_BYTES} bytes long.")
    return bytes(body)


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _problem(
    status: int,
    message: str,
    context: Context,
    *,
    code: ErrorCode = ErrorCode.BAD_USER_INPUT,
    headers: Mapping[str, str] | None = None,
    **details: Any,
) -> Response:
    extensions = {"code": code.value, "retryable": code in RETRYABLE, **details, "requestId": context.request_id}
    body = orjson.dumps({"errors": [{"message": message, "extensions": extensions}]})
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def _unauthenticated(refused: Refused, context: Context, *, token: str | None) -> Response:
    told = challenge("invalid_token", refused.message) if token is not None else challenge()
    headers = {"WWW-Authenticate": told}
    return _problem(401, refused.message, context, code=refused.code, headers=headers, **refused.details)


def _unavailable(context: Context) -> Response:
    message = "The store is not available; ask again soon."
    return _problem(
        503, message, context, code=ErrorCode.UNAVAILABLE, headers={"Retry-After": "2"}, retryAfterSeconds=2
    )
