"""The ASGI application: gateway, token endpoint and administration behind the fault scripts."""

from collections.abc import Callable
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.kit.clock import wall_clock
from sandbox.kit.server import Running
from sandbox.kit.wire import Wire
from sandbox.sap_s4hana.admin import Admin
from sandbox.sap_s4hana.config import Config, Options
from sandbox.sap_s4hana.gateway import ROOT, Gateway
from sandbox.sap_s4hana.seed.plan import Plan, seed
from sandbox.sap_s4hana.sessions import Sessions
from sandbox.sap_s4hana.simulation import Simulation
from sandbox.sap_s4hana.system import S4System

TOKEN_PATH = "/sap/bc/sec/oauth2/token"  # noqa: S105 - a path
_NOT_FOUND = (
    "<html><head><title>Application Server Error</title></head><body><h1>404 Resource not found</h1></body></html>"
)


class SapWire(Wire):
    """The application, with direct access to its tables and log-ons for tests."""

    def __init__(self, app: ASGIApp, simulation: Simulation, sessions: Sessions) -> None:
        super().__init__(app, simulation)
        self.system = simulation.system
        self.sessions = sessions


RunningSap = Running[SapWire]


def create_app(
    *,
    plan: Plan | None = None,
    config: Config | None = None,
    options: Options | None = None,
    clock: Callable[[], datetime] = wall_clock,
) -> SapWire:
    """Build the application with seeded data.

    Args:
        plan: Sizes of the demo data; None is the default demo.
        config: Identity and users.
        options: Behaviour that differs from system to system.
        clock: Gives the time in UTC.

    Returns:
        The ASGI application; its `system` gives tests direct access to the tables.
    """
    plan = plan or Plan()
    system = S4System(config, options, clock)
    seed(system, plan)
    sessions = Sessions(system)
    simulation = Simulation(system, sessions)
    admin = Admin(simulation, sessions, plan)
    routes = [
        *admin.routes(),
        Route(TOKEN_PATH, sessions.issue_token, methods=["POST"]),
        Mount(ROOT, app=_endpoint(Gateway(system, sessions))),
    ]
    wire = SapWire(Starlette(routes=routes, exception_handlers={404: _not_found}), simulation, sessions)
    admin.connect(wire)
    return wire


def _endpoint(gateway: Gateway) -> ASGIApp:
    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        response = await gateway.answer(Request(scope, receive))
        await response(scope, receive, send)

    return endpoint


async def _not_found(_: Request, __: Exception) -> Response:
    return HTMLResponse(_NOT_FOUND, 404)
