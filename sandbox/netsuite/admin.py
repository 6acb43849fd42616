"""Administration of the simulated account: that of every simulated system (see sandbox.kit.admin), and its own.

- `GET /_sandbox`: counts of all tables, time, zone, options, what was wrong with the last failed log-ons.
- `GET /_sandbox/rows/{table}/{id}`, `PATCH` with `?bump=true`, `DELETE`: a row as it is stored, changed as a user of
  NetSuite would, or taken out without a trace; dates as `YYYY-MM-DD HH:MM:SS` in the account's zone.
- `POST /_sandbox/reset`: seed anew, fields of `seed.plan.Plan`, all optional; log, faults, tokens, clock and options go
  back to their beginning too.
- `POST /_sandbox/options`: fields of `config.Options`.
- `POST /_sandbox/tokens/expire`, `POST /_sandbox/tokens/revoke` with `{"id": …}`: end all access tokens; end a token of
  token-based authentication, or a certificate's mapping.
- `POST /_sandbox/certificates`: add a mapping of OAuth 2.0: clientId, certificateId, publicKey (PEM), role.
"""

import copy
from dataclasses import asdict, fields
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.kit.admin import KitAdmin, given, refused
from sandbox.kit.system import ADMIN
from sandbox.netsuite.config import Certificate, Options
from sandbox.netsuite.logins import Logins
from sandbox.netsuite.records.service import Records
from sandbox.netsuite.schema import TABLES
from sandbox.netsuite.seed.plan import Plan, seed
from sandbox.netsuite.system import NetSuite


class Admin(KitAdmin):
    """The administration of one simulated account."""

    def __init__(self, system: NetSuite, logins: Logins, records: Records, plan: Plan) -> None:
        super().__init__()
        self._system, self._logins, self._records, self._plan = system, logins, records, plan
        self._initial = copy.deepcopy(system.options)

    def routes(self) -> list[Route]:
        """Give the routes to mount."""
        return [
            *self.kit_routes(),
            Route(ADMIN, self.overview, methods=["GET"]),
            Route(f"{ADMIN}/rows/{{table}}/{{key:int}}", self.row, methods=["GET", "PATCH", "DELETE"]),
            Route(f"{ADMIN}/reset", self.reset, methods=["POST"]),
            Route(f"{ADMIN}/options", self.options, methods=["POST"]),
            Route(f"{ADMIN}/tokens/expire", self.expire, methods=["POST"]),
            Route(f"{ADMIN}/tokens/revoke", self.revoke, methods=["POST"]),
            Route(f"{ADMIN}/certificates", self.certificates, methods=["POST"]),
        ]

    async def overview(self, _: Request) -> Response:
        """Tell how much there is."""
        return JSONResponse(
            {
                "now": self._system.clock.now().isoformat(),
                "zone": self._system.config.zone,
                "counts": {table: self._system.store.count(table) for table in TABLES},
                "options": asdict(self._system.options),
                "failedLogins": list(self._logins.trail)[-20:],
            }
        )

    async def row(self, request: Request) -> Response:
        """Show, change or take out a row."""
        table, key = request.path_params["table"], {"id": request.path_params["key"]}
        store, entity = self._system.store, {"transaction": "purchaseOrder"}.get(request.path_params["table"], "")
        if table not in TABLES or store.one(table, key) is None:
            return refused(KeyError("no such row"), 404)
        if request.method == "DELETE":
            store.remove(table, key)
            if table == "transaction":
                store.remove("transactionline", {"transaction": key["id"]})
            self._system.edits.note(entity or table, str(key["id"]), "vanished", stamp=None)
            return Response(status_code=204)
        if request.method == "PATCH":
            values = await given(request, frozenset(TABLES[table]))
            if request.query_params.get("bump", "true") == "true" and "_modified" in TABLES[table]:
                stamped = self._system.stamped()
                values |= {name: value for name, value in stamped.items() if name in TABLES[table]}
            kinds = TABLES[table]
            store.change(table, key, {n: _stored(kinds[n], value) for n, value in values.items()})
            self._system.edits.note(entity or table, str(key["id"]), "changed", stamp=self._system.clock.stamp())
        row = store.one(table, key) or {}
        return JSONResponse({n: value.decode() if isinstance(value, bytes) else value for n, value in row.items()})

    async def reset(self, request: Request) -> Response:
        """Seed anew."""
        try:
            asked = await given(request, frozenset(field.name for field in fields(Plan)))
        except ValueError as error:
            return refused(error)
        if "today" in asked:
            asked["today"] = date.fromisoformat(asked["today"])
        self._system.clear()
        self._system.options = copy.deepcopy(self._initial)
        self._logins.forget()
        self._records.jobs.forget()
        self.reset_kit()
        seed(self._system, Plan(**{**asdict(self._plan), **asked}))
        return await self.overview(request)

    async def options(self, request: Request) -> Response:
        """Change options."""
        try:
            asked = await given(request, frozenset(field.name for field in fields(Options)))
        except ValueError as error:
            return refused(error)
        for name, value in asked.items():
            setattr(self._system.options, name, value)
        return await self.overview(request)

    async def expire(self, _: Request) -> Response:
        """End all access tokens."""
        self._logins.expire()
        return Response(status_code=204)

    async def revoke(self, request: Request) -> Response:
        """End a token, or a certificate's mapping."""
        self._logins.revoked.add(str((await given(request, frozenset({"id"})))["id"]))
        self._logins.expire()
        return Response(status_code=204)

    async def certificates(self, request: Request) -> Response:
        """Add a mapping of OAuth 2.0."""
        asked = await given(request, frozenset({"clientId", "certificateId", "publicKey", "role"}))
        role, key = asked.get("role", "integration"), str(asked["publicKey"]).encode()
        if role not in self._system.config.roles:
            return refused(KeyError(f"no role {role}"))
        added = Certificate(asked["clientId"], asked["certificateId"], key, role)
        self._system.config.certificates[added.certificate_id] = added
        return Response(status_code=204)


def _stored(kind: str, value: Any) -> Any:
    return value.encode() if kind in {"date", "stamp"} and isinstance(value, str) else value
