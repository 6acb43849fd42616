"""The account's REST services behind one door: log-on, concurrency, then SuiteQL, records, jobs or limits."""

import asyncio
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from sandbox.kit.log import Call
from sandbox.netsuite.config import Role
from sandbox.netsuite.errors import BUSY, LOGIN, RestError
from sandbox.netsuite.logins import TOKEN_PATH, Logins
from sandbox.netsuite.records.jobs import JOBS
from sandbox.netsuite.records.service import Records
from sandbox.netsuite.records.shapes import RECORDS
from sandbox.netsuite.suiteql.endpoint import PATH, SuiteQL
from sandbox.netsuite.system import NetSuite

LIMITS: Final = "/services/rest/system/v1/governanceLimits"


class Gateway:
    """Answers every call under /services/rest."""

    def __init__(self, system: NetSuite, logins: Logins) -> None:
        self._system = system
        self._logins = logins
        self.records = Records(system)
        self.suiteql = SuiteQL(system)
        self._busy = 0

    async def answer(self, request: Request) -> Response:
        """Answer a call."""
        if request.url.path == TOKEN_PATH:
            return await self._logins.issue_token(request)
        options = self._system.options
        if self._busy >= options.concurrency:
            return too_many(options.concurrency_status).response()
        self._busy += 1
        try:
            if options.service_ms:
                await asyncio.sleep(options.service_ms / 1000)
            return await self._answer(request)
        except RestError as error:
            return error.response()
        finally:
            self._busy -= 1

    async def _answer(self, request: Request) -> Response:
        role = self._logins.authenticate(request)
        call: Call | None = request.scope.get("state", {}).get("call")
        if call is not None:
            call.caller = role.name
        path = request.url.path
        if path == PATH and request.method == "POST":
            return await self.suiteql.answer(request, role)
        if path.startswith(RECORDS):
            return await self.records.answer(request, role)
        if path.startswith(JOBS):
            return self.records.jobs.answer(path, str(request.base_url).rstrip("/"))
        if path == LIMITS:
            return self._limits(role)
        raise RestError(404, "INVALID_URL", f"Invalid URL {path}.")

    def _limits(self, role: Role) -> Response:
        if role.name != "integration":
            raise RestError(403, "INSUFFICIENT_PERMISSION", "Only administrators may see governance limits.")
        limit = self._system.options.concurrency
        body = {"accountConcurrencyLimit": limit, "accountUnallocatedConcurrencyLimit": limit}
        return Response(orjson.dumps(body), media_type="application/json")


def too_many(status: int) -> RestError:
    """Refuse a call beyond the account's concurrency: by its code, under whatever status."""
    if status == 401:
        return RestError(401, "INVALID_LOGIN", LOGIN)
    return RestError(status, "CONCURRENCY_LIMIT_EXCEEDED", BUSY)
