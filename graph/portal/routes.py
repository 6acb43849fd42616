"""The page's calls over HTTP: from its own origin only, limited by session and address, noted in the request log."""

import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from structlog.contextvars import bind_contextvars

from db.scope import Scope
from db.types import ErrorCode, InvalidId, decode_id
from graph.context import Services
from graph.door.requests import Rejected, json_of, request_id_of
from graph.errors import MEANINGS, RETRY_SECONDS, UNAVAILABLE
from graph.portal import page
from graph.portal.told import told_check, told_completed, told_opened
from jobs.portal import Refused

log = structlog.get_logger(__name__)

TICKET: Final = "crosshead-connect-ticket"
"""The header by which the opened page names itself. Browsers let no page of another origin send it unasked."""
PRICES: Final = {"page": 1, "open": 1, "check": 5, "complete": 1}
_LONGEST_SECRET: Final = 200


class Portal:
    """Serves the connect page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[BaseRoute]:
        """Give its routes."""
        return [
            Route("/connect/assets/{name}", self.asset, methods=["GET"]),
            Route("/connect/{session}", self.page, methods=["GET"]),
            Route("/connect/{session}/{action}", self.call, methods=["POST"]),
        ]

    async def asset(self, request: Request) -> Response:
        """Answer with a file of the page."""
        return await run_in_threadpool(page.asset, request.path_params["name"])

    async def page(self, request: Request) -> Response:
        """Answer with the page of a session; one that is not there looks the same, and nobody may embed it."""
        try:
            await self._charge(_address(request), PRICES["page"])
            key = _session_of(request)
            embeddable = await self._services.portal.embeddable_in(key) if key is not None else None
        except Refused as refused:
            return JSONResponse({"error": {"message": refused.message}}, refused.status)
        except UNAVAILABLE:
            return JSONResponse({"error": {"message": "Try again soon."}}, 503, {"Retry-After": str(RETRY_SECONDS)})
        return await run_in_threadpool(page.page, embeddable)

    async def call(self, request: Request) -> Response:
        """Answer a call of the page."""
        begun, request_id = time.monotonic(), request_id_of(request.headers)
        bind_contextvars(request_id=request_id)
        key, scope = _session_of(request), None
        try:
            scope = await self._let_in(request, key)
            answer = await self._answer(request, scope, key) if scope is not None and key is not None else _no_link()
        except (Refused, Rejected) as refused:
            answer = _error(refused.status, refused.code, refused.message)
        except UNAVAILABLE:
            answer = _error(503, ErrorCode.UNAVAILABLE, "The store is not available; try again soon.")
            answer["headers"] = {"Retry-After": str(RETRY_SECONDS)}
        except Exception:
            log.exception("connect_page_failed", action=request.path_params["action"])
            answer = _error(500, ErrorCode.INTERNAL, "Something failed on our side.")
        status, body, code = answer["status"], answer["body"], answer.get("code")
        if code is not None:
            body = {**body, "requestId": request_id}
        if scope is not None and key is not None:
            self._services.recorder.note(
                organization_id=scope.organization_id,
                connection_id=None,
                token_id=request.path_params["session"],
                request_id=request_id,
                operation_name=f"connect.{request.path_params['action']}",
                operation_type=None,
                cost=0,
                duration_ms=round((time.monotonic() - begun) * 1000),
                status=status,
                code=code,
            )
        headers = {"X-Request-Id": request_id, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return JSONResponse(body, status, {**headers, **answer.get("headers", {})})

    async def _let_in(self, request: Request, key: UUID | None) -> Scope | None:
        """Give the organization of a session that exists, unless its caller's address asks too much."""
        await self._charge(_address(request), PRICES.get(request.path_params["action"], 1))
        return await self._services.portal.organization_of(key) if key is not None else None

    async def _charge(self, whom: str, price: int) -> None:
        charge = await self._services.portal_points.charge(uuid5(NAMESPACE_URL, whom), price)
        if not charge.spent:
            raise Refused(429, ErrorCode.RATE_LIMITED, "Too many attempts. Wait a minute and try again.")

    async def _answer(self, request: Request, scope: Scope, key: UUID) -> dict[str, Any]:
        door, action = self._services.portal, request.path_params["action"]
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
        if site != "same-origin" or (origin is not None and origin.partition("://")[2] != request.headers.get("host")):
            raise Refused(403, ErrorCode.FORBIDDEN, "Only the connect page itself may ask this.")
        await self._charge(f"session {key}", PRICES.get(action, 1))
        if action == "open":
            secret = _text(await json_of(request), "secret")
            return {"status": 200, "body": told_opened(await door.open(scope, key, secret))}
        ticket = request.headers.get(TICKET, "")
        if action == "complete":
            return {"status": 200, "body": told_completed(await door.complete(scope, key, ticket), key)}
        if action != "check":
            raise Refused(404, ErrorCode.NOT_FOUND, "There is no such call.")
        given = await json_of(request)
        credentials = given.get("credentials")
        if not isinstance(credentials, dict):
            raise Rejected(400, "`credentials` is an object.")
        return told_check(await door.check(scope, key, ticket, system=_text(given, "system"), credentials=credentials))


def _session_of(request: Request) -> UUID | None:
    try:
        return decode_id(request.path_params["session"], type_name="ConnectSession")[1]
    except InvalidId:
        return None


def _address(request: Request) -> str:
    return f"address {request.client.host if request.client else 'unknown'}"


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_SECRET:
        raise Rejected(400, f"`{name}` is text of at most {_LONGEST_SECRET} characters.")
    return value


def _no_link() -> dict[str, Any]:
    return _error(404, ErrorCode.NOT_FOUND, "There is no such link.")


def _error(status: int, code: ErrorCode, message: str) -> dict[str, Any]:
    told = {"code": code.value, "message": message, "remedy": MEANINGS[code].remedy}
    return {"status": status, "code": code.value, "body": {"error": told}}
