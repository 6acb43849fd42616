"""Administration of the simulated Odoo: that of every simulated system (see sandbox.kit.admin), and its own.

- `GET /_sandbox`: counts of all models, time, version, options.
- `GET /_sandbox/documents/{model}/{id}`: a record as it is read.
- `PATCH /_sandbox/documents/{model}/{id}?bump=true`: change it as a user in Odoo would, in the values of `write`,
  read-only fields too; `bump=false` leaves its write_date, and that of its order.
- `DELETE /_sandbox/documents/{model}/{id}`: delete it; it vanishes without a trace.
- `POST /_sandbox/receive/{order}`: let goods arrive: `share` of what was ordered, 1 by default.
- `POST /_sandbox/reset`: seed anew, fields of `seed.plan.Plan`, all optional; log, faults, sessions, clock and
  options go back to their beginning too.
- `POST /_sandbox/options`: fields of `config.Options`.
- `POST /_sandbox/sessions/expire`: end all sessions of the web client. `POST /_sandbox/keys/expire`: API keys are no
  longer valid, until the next reset.
"""

import copy
from dataclasses import asdict, fields
from datetime import date

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.kit.admin import JsonBody, KitAdmin
from sandbox.kit.system import ADMIN
from sandbox.odoo import calls
from sandbox.odoo.config import DEMO_USERS, Options
from sandbox.odoo.doors import Doors
from sandbox.odoo.errors import OdooError
from sandbox.odoo.rules.lines import MODEL as LINES
from sandbox.odoo.rules.orders import receive
from sandbox.odoo.seed.plan import Plan, seed
from sandbox.odoo.simulation import Simulation
from sandbox.odoo.values import cleaned


class Admin(KitAdmin):
    """The administration of one simulated system."""

    def __init__(self, simulation: Simulation, doors: Doors, plan: Plan) -> None:
        super().__init__()
        self.simulation = simulation
        self.system = simulation.system
        self.doors = doors
        self.plan = plan
        self.initial = copy.deepcopy(self.system.options)

    def routes(self) -> list[Route]:
        """Give the routes to mount."""
        return [
            *self.kit_routes(),
            Route(ADMIN, self.overview, methods=["GET"]),
            Route(f"{ADMIN}/documents/{{model}}/{{number:int}}", self.document, methods=["GET", "PATCH", "DELETE"]),
            Route(f"{ADMIN}/receive/{{number:int}}", self.receive, methods=["POST"]),
            Route(f"{ADMIN}/reset", self.reset, methods=["POST"]),
            Route(f"{ADMIN}/options", self.options, methods=["POST"]),
            Route(f"{ADMIN}/sessions/expire", self.expire_sessions, methods=["POST"]),
            Route(f"{ADMIN}/keys/expire", self.expire_keys, methods=["POST"]),
        ]

    async def overview(self, _: Request) -> Response:
        """Tell how much there is."""
        system = self.system
        counts = {name: len(table) for name, table in system.tables.items()}
        told = {"now": system.clock.now().isoformat(), "version": system.version, "counts": counts}
        return JSONResponse(told | {"options": asdict(system.options)})

    async def document(self, request: Request) -> Response:
        """Show, change or delete one record."""
        model, number = request.path_params["model"], request.path_params["number"]
        if number not in self.system.tables.get(model, ()):
            return JSONResponse({"error": f"no {model} {number}"}, 404)
        if request.method == "DELETE":
            self.system.remove(model, number)
            return Response(status_code=204)
        env = calls.environment(self.system, DEMO_USERS[0], {})
        if request.method == "PATCH":
            try:
                values = cleaned(env, self.system.models[model], orjson.loads(await request.body()))
            except (OdooError, orjson.JSONDecodeError) as error:
                return JSONResponse({"error": str(error)}, 400)
            bump = request.query_params.get("bump", "true") == "true"
            stamp = env.now if bump else self.system.tables[model][number]["write_date"]
            row = self.system.change(model, number, values, stamp=stamp)
            if model == LINES and bump:
                self.system.change("purchase.order", row["order_id"], {}, stamp=stamp)
        return JsonBody(env.shown(model, [self.system.tables[model][number]], None)[0])

    async def receive(self, request: Request) -> Response:
        """Let goods arrive."""
        number = request.path_params["number"]
        if number not in self.system.tables["purchase.order"]:
            return JSONResponse({"error": f"no order {number}"}, 404)
        asked = orjson.loads(await request.body() or b"{}")
        receive(calls.environment(self.system, DEMO_USERS[0], {}), number, float(asked.get("share", 1)))
        return Response(status_code=204)

    async def reset(self, request: Request) -> Response:
        """Seed anew."""
        asked = orjson.loads(await request.body() or b"{}")
        if "today" in asked:
            asked["today"] = date.fromisoformat(asked["today"])
        try:
            plan = Plan(**{**asdict(self.plan), **asked})
        except TypeError as error:
            return JSONResponse({"error": str(error)}, 400)
        self.system.clear()
        self.system.options = copy.deepcopy(self.initial)
        self.doors.expire_sessions()
        self.doors.expired = False
        self.reset_kit()
        seed(self.system, plan)
        return await self.overview(request)

    async def options(self, request: Request) -> Response:
        """Change options."""
        asked = orjson.loads(await request.body())
        unknown = set(asked) - {one.name for one in fields(Options)}
        if unknown:
            return JSONResponse({"error": f"no option {', '.join(sorted(unknown))}"}, 400)
        for name, value in asked.items():
            setattr(self.system.options, name, value)
        return await self.overview(request)

    async def expire_sessions(self, _: Request) -> Response:
        """End all sessions."""
        self.doors.expire_sessions()
        return Response(status_code=204)

    async def expire_keys(self, _: Request) -> Response:
        """Let API keys be no longer valid."""
        self.doors.expired = True
        return Response(status_code=204)
