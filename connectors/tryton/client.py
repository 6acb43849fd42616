"""Calls to one Tryton database as one user."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from connectors.base import JsonObject
from connectors.egress import Egress, Request
from connectors.errors import BadResponse, ConfigError
from connectors.kit.session import SessionLogin
from connectors.tryton import faults, wire
from connectors.tryton.session import LANGUAGE

# Of the user's preferences only what changes answers: the rest is for graphical clients.
_CONTEXT: Final = ("company", "company_filter", "employee")
PAGE_SIZE: Final = 200
"""Records a page: an order with five lines is about 2 kB on the wire, so a page stays below 1 MB and 2 s."""


class Client:
    """One user's conversation; not for parallel first calls, which would log in twice."""

    def __init__(self, egress: Egress, auth: SessionLogin, *, base_url: str, database: str) -> None:
        self._egress = egress
        self._auth = auth
        self._server = wire.endpoint(base_url)
        self._url = wire.endpoint(base_url, database)
        self._context: JsonObject | None = None

    async def server(self) -> tuple[str, datetime]:
        """Ask the server, without logging in, for its version and its time (the Date header, UTC, to the second).

        Raises:
            ConfigError: Something else than Tryton answers at this address.
            SourceUnavailable: Nothing answers.
        """
        response = await self._egress.send(wire.request(self._server, "common.server.version"))
        if response.status == 401:
            # A path in the address is taken for a database, whose calls ask for a session.
            raise ConfigError("The address is not the root of a Tryton server; leave the database out of it.")
        version = faults.result(response)
        try:
            now = parsedate_to_datetime(response.headers["date"])
        except (KeyError, ValueError) as error:
            raise BadResponse("Tryton, or a proxy before it, sends no Date header.") from error
        return str(version), now.astimezone(UTC)

    async def context(self) -> JsonObject:
        """Give the user's company and language, which every call needs; read once.

        Raises:
            ConfigError: The user has no company, so Tryton would show and create nothing.
        """
        if self._context is None:
            preferences = await self.rpc("model.res.user.get_preferences", True, {"language": LANGUAGE})
            context = {key: preferences[key] for key in _CONTEXT if preferences.get(key) is not None}
            if "company" not in context:
                raise ConfigError(
                    "The user has no company in Tryton.",
                    remedy="Give the user a company in Tryton's user preferences and connect again.",
                )
            self._context = {**context, "language": LANGUAGE}
        return self._context

    async def call(
        self,
        model: str,
        method: str,
        *args: Any,
        extra: Mapping[str, Any] | None = None,
        purpose: faults.Purpose = "read",
    ) -> Any:
        """Call a method of a model.

        Args:
            model: E.g. `purchase.purchase`.
            method: One that Tryton exposes, e.g. `search_read`.
            args: Its arguments without the context, as Python values.
            extra: Further context, e.g. `_timestamp`.
            purpose: What it is for, which decides what its refusals mean.

        Returns:
            The result as plain JSON (see wire.plain).
        """
        context = {**await self.context(), **(extra or {})}
        return await self.rpc(f"model.{model}.{method}", *args, context, purpose=purpose)

    async def change(self, model: str, method: str, *args: Any, extra: Mapping[str, Any] | None = None) -> Request:
        """Make the request of a call that changes something; see `call`. Nothing is sent."""
        context = {**await self.context(), **(extra or {})}
        return wire.request(self._url, f"model.{model}.{method}", *args, context, safe=False)

    async def rpc(self, method: str, *params: Any, purpose: faults.Purpose = "read") -> Any:
        """Send one call, signed, and give its result as plain JSON."""
        return await self.carry(wire.request(self._url, method, *params), purpose=purpose)

    async def carry(self, request: Request, *, purpose: faults.Purpose = "write") -> Any:
        """Send a request, signed, and give its result as plain JSON."""
        response = await self._egress.send(request, auth=self._auth)
        return wire.plain(faults.result(response, purpose))

    async def find(
        self, model: str, domain: Sequence[Any], fields: Sequence[str], *, limit: int = PAGE_SIZE
    ) -> list[JsonObject]:
        """Search and read in one transaction, in the order of ids."""
        rows: list[JsonObject] = await self.call(
            model, "search_read", list(domain), 0, limit, [["id", "ASC"]], list(fields)
        )
        return rows

    async def close(self) -> None:
        """Close the session, if one was opened."""
        if self._auth.is_open:
            await self.rpc("common.db.logout")
