"""The web application: the endpoint, the pages, and whether it is well."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from graph.context import Services
from graph.door.http import Endpoint
from graph.door.socket import Socket
from graph.pages import graphiql_routes
from graph.portal.routes import Portal
from graph.schema import make_schema

PATHS: Final = ("/graphql", "/graphql/{version}")


def make_app(build: Callable[[], AbstractAsyncContextManager[Services]], *, pages: Path) -> Starlette:
    """Build the application.

    Args:
        build: Opens the parts it works with; entered at start-up and left at shutdown.
        pages: The built web pages.
    """
    opened: list[Services] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with build() as services:
            opened.append(services)
            app.router.routes[:0] = _endpoint_routes(services)  # the one most asked for is looked at first
            yield

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        well = bool(opened) and await opened[0].database.reachable()
        return JSONResponse({"status": "ok" if well else "unavailable"}, status_code=200 if well else 503)

    routes = [Route("/healthz", alive), Route("/readyz", ready), *graphiql_routes(pages)]
    return Starlette(routes=routes, lifespan=lifespan)


def _endpoint_routes(services: Services) -> list[BaseRoute]:
    schema = make_schema()
    endpoint, socket = Endpoint(schema.operations, services), Socket(schema, services)
    return [
        *(Route(path, endpoint) for path in PATHS),
        *(WebSocketRoute(path, socket) for path in PATHS),
        *Portal(services).routes(),
    ]
