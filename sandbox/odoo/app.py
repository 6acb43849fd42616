"""The ASGI application: Odoo's doors and the administration behind the fault scripts."""

from collections.abc import Callable
from datetime import datetime

from starlette.applications import Starlette

from sandbox.kit.clock import wall_clock
from sandbox.kit.server import Running
from sandbox.kit.wire import Wire
from sandbox.odoo.admin import Admin
from sandbox.odoo.config import Config, Options
from sandbox.odoo.doors import Doors
from sandbox.odoo.seed.plan import Plan, seed
from sandbox.odoo.simulation import Simulation
from sandbox.odoo.system import OdooSystem


class OdooWire(Wire):
    """The application, with direct access to its tables for tests."""

    def __init__(self, app: Starlette, simulation: Simulation, doors: Doors) -> None:
        super().__init__(app, simulation)
        self.system = simulation.system
        self.sessions = doors
        self.entity_in = simulation.entity_in


RunningOdoo = Running[OdooWire]


def create_app(
    *,
    plan: Plan | None = None,
    config: Config | None = None,
    options: Options | None = None,
    clock: Callable[[], datetime] = wall_clock,
) -> OdooWire:
    """Build the application with seeded data.

    Args:
        plan: Sizes of the demo data; None is the default demo.
        config: Version, database and users.
        options: Behaviour that differs from one installation to the next.
        clock: Gives the time in UTC.

    Returns:
        The ASGI application; its `system` gives tests direct access to the tables.
    """
    plan = plan or Plan()
    system = OdooSystem(config, options, clock)
    seed(system, plan)
    doors = Doors(system)
    simulation = Simulation(system, doors)
    admin = Admin(simulation, doors, plan)
    wire = OdooWire(Starlette(routes=[*admin.routes(), *doors.routes()]), simulation, doors)
    admin.connect(wire)
    return wire
