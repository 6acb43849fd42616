"""Administration of the simulated S/4HANA: that of every simulated system (see sandbox.kit.admin), and its own.

- `GET /_sandbox`: counts of all sets, time, options.
- `GET /_sandbox/documents/{set}/{key}`: an entity as stored with all that hangs on it; key parts joined by a comma.
- `PATCH /_sandbox/documents/{set}/{key}?bump=true`: change it as a user in SAP would, in OData JSON, read-only fields
  too; `bump=false` leaves the stamp of the order or business partner as it is.
- `DELETE /_sandbox/documents/{set}/{key}`: archive it; it and what hangs on it vanish without a trace.
- `POST /_sandbox/reset`: seed anew, fields of `seed.plan.Plan`, all optional; log, faults, sessions, clock and
  options go back to their beginning too.
- `POST /_sandbox/options`: fields of `config.Options`.
- `POST /_sandbox/sessions/expire`: end all HTTP sessions and access tokens.
"""

import copy
from dataclasses import asdict, fields
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.kit.admin import JsonBody, KitAdmin
from sandbox.kit.system import ADMIN
from sandbox.sap_s4hana.config import Options, User
from sandbox.sap_s4hana.edits import archive
from sandbox.sap_s4hana.odata.encode import Encoder
from sandbox.sap_s4hana.odata.errors import ODataError
from sandbox.sap_s4hana.odata.literals import parse_json_value
from sandbox.sap_s4hana.rules import partners, purchase_orders
from sandbox.sap_s4hana.seed.plan import Plan, seed
from sandbox.sap_s4hana.sessions import Sessions
from sandbox.sap_s4hana.simulation import Simulation
from sandbox.sap_s4hana.store import Row

_COLLEAGUE = User("COLLEAGUE", "")


class Admin(KitAdmin):
    """The administration of one simulated system."""

    def __init__(self, simulation: Simulation, sessions: Sessions, plan: Plan) -> None:
        super().__init__()
        self.simulation = simulation
        self.system = simulation.system
        self.sessions = sessions
        self.plan = plan
        self.initial = copy.deepcopy(self.system.options)

    def routes(self) -> list[Route]:
        """Give the routes to mount."""
        document = f"{ADMIN}/documents/{{set_name}}/{{key:path}}"
        return [
            *self.kit_routes(),
            Route(ADMIN, self.overview, methods=["GET"]),
            Route(document, self.document, methods=["GET", "PATCH", "DELETE"]),
            Route(f"{ADMIN}/reset", self.reset, methods=["POST"]),
            Route(f"{ADMIN}/options", self.options, methods=["POST"]),
            Route(f"{ADMIN}/sessions/expire", self.expire_sessions, methods=["POST"]),
        ]

    async def overview(self, _: Request) -> Response:
        """Tell how much there is."""
        counts = {name: len(table) for name, table in self.system.tables.items()}
        options = {name: str(v) if isinstance(v, Decimal) else v for name, v in asdict(self.system.options).items()}
        return JSONResponse({"now": self.system.now().isoformat(), "counts": counts, "options": options})

    async def document(self, request: Request) -> Response:
        """Show, change or archive one entity."""
        set_name = request.path_params["set_name"]
        table = self.system.tables.get(set_name)
        key = request.path_params["key"].split(",")
        row = table.get(*key) if table is not None and len(key) == len(table.type.key) else None
        if row is None:
            return JSONResponse({"error": f"no {set_name} {key}"}, 404)
        if request.method == "DELETE":
            archive(self.system, row)
            return Response(status_code=204)
        if request.method == "PATCH":
            try:
                self._edit(row, orjson.loads(await request.body()))
            except (ODataError, KeyError, orjson.JSONDecodeError) as error:
                return JSONResponse({"error": str(error)}, 400)
            if request.query_params.get("bump", "true") == "true":
                self._bump(row)
        return JsonBody(Encoder("", self.system.tables).entity(row, self.simulation.everything(row.type)))

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
        self.sessions.expire_all()
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
            setattr(self.system.options, name, Decimal(str(value)) if name == "release_threshold" else value)
        return await self.overview(request)

    async def expire_sessions(self, _: Request) -> Response:
        """End all sessions."""
        self.sessions.expire_all()
        return Response(status_code=204)

    def _edit(self, row: Row, values: dict[str, Any]) -> None:
        parsed = {name: parse_json_value(row.type.properties[name], value, 0) for name, value in values.items()}
        row.set(**{name: value for name, value in parsed.items() if name not in row.type.key})
        self.system.changed(row)

    def _bump(self, row: Row) -> None:
        """Stamp the change where the application would show it: on the order or business partner."""
        order = row if row.type.set_name == "A_PurchaseOrder" else None
        for name in ("PurchaseOrder", "PurchasingDocument"):
            if order is None and row.type.service == "API_PURCHASEORDER_PROCESS_SRV" and name in row.type.key:
                order = self.system.tables["A_PurchaseOrder"].get(row[name])
        if order is not None:
            purchase_orders.stamp(self.system, order)
        elif row.type.set_name == "A_BusinessPartner":
            partners.stamp_partner(self.system, row, _COLLEAGUE)
        elif "LastChangeDateTime" in row.type.properties:
            moment = self.system.stamp()
            exact = row.type.properties["LastChangeDateTime"].precision
            row["LastChangeDateTime"] = moment if exact else moment.replace(microsecond=0)
