"""Signing in: one session per conversation, opened on the first call and once more when Tryton has forgotten it.

Source: trytond/protocols/dispatcher.py and wrappers.py of trytond 7.4. A wrong password and an expired session are
both 401, and a database that does not exist is 404 or, on PostgreSQL, an unexpected error in the login's envelope.
"""

from base64 import b64encode
from collections.abc import Generator, Mapping

from pydantic import SecretStr

from connectors.egress import Request, Response
from connectors.errors import AuthError, ConfigError, ConnectorError, SourceFault
from connectors.kit.session import SessionLogin
from connectors.tryton import faults, wire

# Error texts, unit symbols and names of standard data then are the same on every server; customers' own names are not
# touched by it, for Tryton falls back to the text as it was entered.
LANGUAGE = "en"


def session_login(*, base_url: str, database: str, username: str, password: SecretStr) -> SessionLogin:
    """Sign as one user of one database: `Authorization: Session …`.

    Tryton's 401 comes before it looks at the call, so sending it again is safe for writes too. Signing in raises
    AuthError where user or password are wrong, ConfigError where there is no such database, RateLimited after too many
    failed logins.
    """
    return SessionLogin(lambda: _login(base_url, database, username, password))


def _login(
    base_url: str, database: str, username: str, password: SecretStr
) -> Generator[Request, Response, Mapping[str, str]]:
    url = wire.endpoint(base_url, database)
    secret = {"password": password.get_secret_value()}
    response = yield wire.request(url, "common.db.login", username, secret, LANGUAGE)
    if response.status == 401:
        raise AuthError("Tryton refused the user name or the password.")
    try:
        answer = faults.result(response)
    except SourceFault as error:
        raise (yield from _database_fault(base_url, database, error)) from error
    if not isinstance(answer, list) or len(answer) < 2:
        raise ConfigError("What answers at this address is not Tryton.")
    token = f"{username}:{answer[0]}:{answer[1]}"
    return {"Authorization": f"Session {b64encode(token.encode()).decode()}"}


def _database_fault(base_url: str, database: str, error: SourceFault) -> Generator[Request, Response, ConnectorError]:
    """Tell a database that does not exist from one that fails: servers list theirs unless told not to."""
    response = yield wire.request(wire.endpoint(base_url), "common.db.list")
    answer = response.json() if response.status == 200 else None
    listed = answer.get("result") if isinstance(answer, dict) else None
    if isinstance(listed, list) and database not in listed:
        return ConfigError(
            f"This Tryton has no database named {database!r}.",
            remedy="Correct the name of the database and connect again.",
        )
    return error
