"""The web application: the endpoint, the pages, and whether it is well."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from graph.context import Services
from graph.door.http import Endpoint
from graph.door.socket import Socket
from graph.pages import graphiql_routes
from graph.portal.routes import Portal
from graph.schema import make_schema

PATHS: Final = ("/graphql", "/graphql/{version}")


class Api(Starlette):
    """Starlette with the endpoint before its routes: most requests are for it, and the way there was a twentieth.

    The endpoint answers whatever happens; what it did not foresee, uvicorn answers with 500 as Starlette does.
    """

    endpoint: Endpoint | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["path"] == PATHS[0] and self.endpoint and not scope.get("root_path"):
            scope["path_params"] = {}
            await self.endpoint(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def make_app(build: Callable[[], AbstractAsyncContextManager[Services]], *, pages: Path) -> Starlette:
    """Build the application.

    Args:
        build: Opens the parts it works with; entered at start-up and left at shutdown.
        pages: The built web pages.
    """
    opened: list[Services] = []

    @asynccontextmanager
    async def lifespan(app: Api) -> AsyncIterator[None]:
        async with build() as services:
            opened.append(services)
            schema = make_schema()
            endpoint, socket = Endpoint(schema.operations, services), Socket(schema, services)
            app.router.routes[:0] = [
                *(Route(path, endpoint) for path in PATHS),
                *(WebSocketRoute(path, socket) for path in PATHS),
                *Portal(services).routes(),
            ]
            app.endpoint = endpoint
            yield

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        well = bool(opened) and await opened[0].database.reachable()
        return JSONResponse({"status": "ok" if well else "unavailable"}, status_code=200 if well else 503)

    routes = [Route("/healthz", alive), Route("/readyz", ready), *graphiql_routes(pages)]
    return Api(routes=routes, lifespan=lifespan)
