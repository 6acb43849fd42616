"""The ASGI application: the REST services and the administration behind the fault scripts."""

from collections.abc import Callable
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.kit.clock import wall_clock
from sandbox.kit.server import Running
from sandbox.kit.wire import Wire
from sandbox.netsuite.admin import Admin
from sandbox.netsuite.config import Config, Options
from sandbox.netsuite.gateway import Gateway
from sandbox.netsuite.logins import Logins
from sandbox.netsuite.seed.plan import Plan, seed
from sandbox.netsuite.simulation import Simulation
from sandbox.netsuite.system import NetSuite


class NetSuiteWire(Wire):
    """The application, with direct access to its tables and log-ons for tests."""

    def __init__(self, app: ASGIApp, simulation: Simulation, logins: Logins) -> None:
        super().__init__(app, simulation)
        self.entity_in = simulation.entity_in
        self.system = simulation.system
        self.logins = logins


RunningNetSuite = Running[NetSuiteWire]


def create_app(
    *,
    plan: Plan | None = None,
    config: Config | None = None,
    options: Options | None = None,
    clock: Callable[[], datetime] = wall_clock,
) -> NetSuiteWire:
    """Build the application with seeded data.

    Args:
        plan: Sizes of the demo data; None is the default demo.
        config: Identity and users.
        options: Behaviour that differs from account to account.
        clock: Gives the time in UTC.
    """
    plan = plan or Plan()
    system = NetSuite(config, options, clock)
    seed(system, plan)
    logins = Logins(system.config, lambda: system.options, system.clock.now)
    gateway = Gateway(system, logins)
    admin = Admin(system, logins, gateway.records, plan)
    routes = [*admin.routes(), Mount("/services/rest", app=_endpoint(gateway))]
    starlette = Starlette(routes=routes, exception_handlers={404: _not_found})
    wire = NetSuiteWire(starlette, Simulation(system, gateway), logins)
    admin.connect(wire)
    return wire


def _endpoint(gateway: Gateway) -> ASGIApp:
    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        # Addresses in answers and in signatures are whole, not those below the mount.
        own = {**scope, "root_path": "", "app_root_path": ""}
        response = await gateway.answer(Request(own, receive))
        await response(scope, receive, send)

    return endpoint


async def _not_found(_: Request, __: Exception) -> Response:
    return HTMLResponse("<html><body><h1>Page Not Found</h1></body></html>", 404)
