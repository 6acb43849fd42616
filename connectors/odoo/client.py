"""Calls to one Odoo database as one user, in whichever way this server takes them."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import orjson

from connectors.base import JsonObject
from connectors.egress import Egress, Request, Response
from connectors.errors import BadResponse, ConfigError
from connectors.kit.auth import Auth, Bearer
from connectors.odoo import faults, wire
from connectors.odoo.forms import OdooCredentials
from connectors.odoo.session import RpcSession

FIRST_JSON2: Final = 19
OLDEST: Final = 16
LANGUAGE: Final = "en_US"
"""Names of units, countries and stages are translated: in English they are the same on every server."""
_ATTRIBUTES: Final = ("type", "relation", "string")


class Client:
    """One user's conversation.

    Attributes:
        major: The server's version; 0 until it was asked.
    """

    def __init__(self, egress: Egress, credentials: OdooCredentials) -> None:
        self._egress = egress
        self._credentials = credentials
        self._base = credentials.base_url.rstrip("/")
        self._dialect: wire.Dialect | None = None
        self._auth: Auth | None = None
        self._context: JsonObject | None = None
        self._fields: dict[str, dict[str, JsonObject]] = {}
        self.version = ""
        self.major = 0

    async def server(self) -> datetime:
        """Ask the server, without logging in, for its version; gives its time (the Date header, UTC, to the second).

        Raises:
            ConfigError: Something else than Odoo answers, or an Odoo older than 16. SourceUnavailable: nothing does.
        """
        response = await self._egress.send(Request("GET", f"{self._base}/web/version", wire.JSON))
        told = _version(response)
        if told is None:
            response = await self._egress.send(wire.rpc(self._base, "common", "version", []))
            found = faults.rpc_result(response)
            told = found.get("server_version_info") if isinstance(found, dict) else None
        number = re.search(r"\d+", str(told[0])) if isinstance(told, list) and told else None
        if number is None or told is None:
            raise ConfigError("What answers at this address is not Odoo.")
        self.major = int(number[0])
        self.version = ".".join(str(part) for part in told[:2])
        if self.major < OLDEST:
            raise ConfigError(f"This is Odoo {self.version}; the connector speaks 16 and newer.")
        return _date(response)

    async def user(self) -> JsonObject:
        """Give the user's own context: lang, tz, uid."""
        told = await self.bare(wire.Call("res.users", "context_get"))
        if not isinstance(told, dict) or not isinstance(told.get("uid"), int):
            raise BadResponse("Odoo does not tell who the user is.")
        return told

    async def context(self) -> JsonObject:
        """Give what every call is made with: English, and all companies of the user, whose records are hidden else."""
        if self._context is None:
            context: JsonObject = {"lang": LANGUAGE, "tz": "UTC"}
            uid = (await self.user())["uid"]
            call = wire.Call("res.users", "read", (uid,), {"fields": ["company_ids"]})
            rows = await self.bare(call)
            companies = rows[0].get("company_ids") if isinstance(rows, list) and rows else None
            self._context = context | ({"allowed_company_ids": companies} if companies else {})
        return self._context

    async def fields(self, model: str) -> Mapping[str, JsonObject]:
        """Give the fields that this server, and this user, has of a model: type, relation, string."""
        if model not in self._fields:
            self._fields[model] = await self.call(model, "fields_get", attributes=list(_ATTRIBUTES))
        return self._fields[model]

    async def find(
        self,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        *,
        limit: int | None = None,
        order: str = "id asc",
        archived: bool = False,
    ) -> list[JsonObject]:
        """Search and read in one transaction."""
        told: JsonObject = {"domain": list(domain), "fields": list(fields), "order": order}
        if limit is not None:
            told["limit"] = limit
        extra = {"active_test": False} if archived else {}
        rows: list[JsonObject] = await self.call(model, "search_read", extra=extra, **told)
        return rows

    async def count(self, model: str, domain: Sequence[Any], *, archived: bool = False) -> int:
        """Count what a search finds."""
        extra = {"active_test": False} if archived else {}
        return int(await self.call(model, "search_count", extra=extra, domain=list(domain)))

    async def call(
        self,
        model: str,
        method: str,
        ids: Sequence[int] | None = None,
        *,
        extra: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Any:
        """Call a method that changes nothing."""
        context = {**await self.context(), **(extra or {})}
        return await self.bare(wire.Call(model, method, None if ids is None else tuple(ids), named, context))

    async def change(
        self,
        model: str,
        method: str,
        ids: Sequence[int] | None = None,
        *,
        extra: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Request:
        """Make the request of a call that changes something; nothing is sent."""
        context = {**await self.context(), **(extra or {})}
        call = wire.Call(model, method, None if ids is None else tuple(ids), named, context, safe=False)
        return (await self._spoken()).request(call)

    async def bare(self, call: wire.Call) -> Any:
        """Make a call that changes nothing, with no more context than it brings."""
        return await self.carry((await self._spoken()).request(call), purpose="read")

    async def carry(self, request: Request, *, purpose: faults.Purpose = "write") -> Any:
        """Send a request, signed, and give its result."""
        response = await self._egress.send(request, auth=self._auth)
        read = faults.json2_result if isinstance(self._dialect, wire.Json2) else faults.rpc_result
        return read(response, purpose)

    async def _spoken(self) -> wire.Dialect:
        """Choose how to call this server."""
        if self._dialect is None:
            if not self.major:
                await self.server()
            told = self._credentials
            if self.major >= FIRST_JSON2:
                self._auth = Bearer(told.api_key, scheme="bearer")
                self._dialect = wire.Json2(self._base, told.database)
            elif not told.username:
                raise ConfigError(
                    f"Odoo {self.version} asks for a user name beside the API key.",
                    remedy="Enter the login of the user whose key it is and connect again.",
                )
            else:
                self._auth = RpcSession(
                    base_url=self._base, database=told.database, username=told.username, api_key=told.api_key
                )
                self._dialect = wire.JsonRpc(self._base, told.database)
        return self._dialect


def _version(response: Response) -> list[Any] | None:
    """Read /web/version, which older servers do not have."""
    if response.status != 200:
        return None
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return None
    told = body.get("version_info") if isinstance(body, dict) else None
    return told if isinstance(told, list) else None


def _date(response: Response) -> datetime:
    try:
        return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError) as error:
        raise BadResponse("Odoo, or a proxy before it, sends no Date header.") from error
