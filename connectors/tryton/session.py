"""Signing in: one session per conversation, opened on the first call and once more when Tryton has forgotten it.

Source: trytond/protocols/dispatcher.py and wrappers.py of trytond 7.4. A wrong password and an expired session are
both 401, and a database that does not exist is 404 or, on PostgreSQL, an unexpected error in the login's envelope.
"""

from base64 import b64encode
from collections.abc import Generator

from pydantic import SecretStr

from connectors.egress import Request, Response
from connectors.errors import AuthError, ConfigError, ConnectorError, SourceFault
from connectors.kit.auth import Flow
from connectors.tryton import faults, wire

# Error texts, unit symbols and names of standard data then are the same on every server; customers' own names are not
# touched by it, for Tryton falls back to the text as it was entered.
LANGUAGE = "en"


class SessionAuth:
    """`Authorization: Session …` for one user of one database."""

    def __init__(self, *, base_url: str, database: str, username: str, password: SecretStr) -> None:
        self._base_url = base_url
        self._database = database
        self._username = username
        self._password = password
        self._header: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether a session is open that should be closed at the end."""
        return self._header is not None

    def flow(self, request: Request) -> Flow:
        """Sign a request; log in first where needed, and once more after a 401.

        A 401 comes before Tryton looks at the call, so sending it again is safe for writes too.

        Raises:
            AuthError: Wrong user or password. ConfigError: no such database. RateLimited: too many failed logins.
        """
        if self._header is None:
            yield from self._login()
            yield self._signed(request)
            return
        response = yield self._signed(request)
        if response.status == 401:
            yield from self._login()
            yield self._signed(request)

    def _signed(self, request: Request) -> Request:
        return request.with_headers({"Authorization": self._header or ""})

    def _login(self) -> Generator[Request, Response, None]:
        self._header = None
        secret = {"password": self._password.get_secret_value()}
        url = wire.endpoint(self._base_url, self._database)
        response = yield wire.request(url, "common.db.login", self._username, secret, LANGUAGE)
        if response.status == 401:
            raise AuthError("Tryton refused the user name or the password.")
        try:
            answer = faults.result(response)
        except SourceFault as error:
            raise (yield from self._database_fault(error)) from error
        if not isinstance(answer, list) or len(answer) < 2:
            raise ConfigError("What answers at this address is not Tryton.")
        token = f"{self._username}:{answer[0]}:{answer[1]}"
        self._header = f"Session {b64encode(token.encode()).decode()}"

    def _database_fault(self, error: SourceFault) -> Generator[Request, Response, ConnectorError]:
        """Tell a database that does not exist from one that fails: servers list theirs unless told not to."""
        response = yield wire.request(wire.endpoint(self._base_url), "common.db.list")
        answer = response.json() if response.status == 200 else None
        listed = answer.get("result") if isinstance(answer, dict) else None
        if isinstance(listed, list) and self._database not in listed:
            return ConfigError(
                f"This Tryton has no database named {self._database!r}.",
                remedy="Correct the name of the database and connect again.",
            )
        return error
