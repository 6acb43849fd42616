"""Signing JSON-RPC calls: the user's number is asked for on the first call, and goes with the key into each body."""

from collections.abc import Generator

import orjson
from pydantic import SecretStr

from connectors.egress import Request, Response
from connectors.errors import AuthError
from connectors.kit.auth import Flow
from connectors.odoo import faults, wire

_USER, _KEY = 1, 2  # places in the arguments of execute_kw


class RpcSession:
    """One user of one database, by login and API key."""

    def __init__(self, *, base_url: str, database: str, username: str, api_key: SecretStr) -> None:
        self._base_url = base_url
        self._database = database
        self._username = username
        self._api_key = api_key
        self._user: int | None = None

    def flow(self, request: Request) -> Flow:
        """Sign a request; log in before the first.

        Raises:
            AuthError: Odoo does not know the login, or the key is wrong or has expired. ConfigError: no such database.
        """
        if self._user is None:
            yield from self._login()
        yield self._signed(request)

    def _login(self) -> Generator[Request, Response, None]:
        told = [self._database, self._username, self._api_key.get_secret_value(), {}]
        response = yield wire.rpc(self._base_url, "common", "authenticate", told)
        user = faults.rpc_result(response)
        if not isinstance(user, int) or isinstance(user, bool):
            # A wrong login and a wrong key are both answered `false`, with status 200.
            raise AuthError("Odoo refused the user name or the API key.")
        self._user = user

    def _signed(self, request: Request) -> Request:
        body = orjson.loads(request.body or b"{}")
        arguments = body["params"]["args"]
        arguments[_USER], arguments[_KEY] = self._user, self._api_key.get_secret_value()
        return Request(request.method, request.url, request.headers, orjson.dumps(body), safe=request.safe)
