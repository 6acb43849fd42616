"""Log-on: Basic and bearer credentials, HTTP sessions with their cookies, and the CSRF token of each session."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox.sap_s4hana.config import User
from sandbox.sap_s4hana.system import S4System

_LOGON_FAILED = (
    "<html><head><title>Logon Error Message</title></head><body><h1>Logon failed</h1>"
    "<p>401 Unauthorized</p></body></html>"
)
CSRF_HEADER = "x-csrf-token"


@dataclass(slots=True)
class Session:
    """An HTTP session: whose it is, its CSRF token, and until when it lives without use."""

    user: str
    token: str
    expires: datetime


class Sessions:
    """Who is logged on; forgotten when the server stops."""

    def __init__(self, system: S4System) -> None:
        self.system = system
        self._sessions: dict[str, Session] = {}
        self._bearers: dict[str, tuple[str, datetime]] = {}

    @property
    def cookie(self) -> str:
        """Name of the session cookie."""
        config = self.system.config
        return f"SAP_SESSIONID_{config.sid}_{config.client}"

    def authenticate(self, headers: Mapping[str, str], client: str) -> User | None:
        """Find the user of a request; None for missing, wrong or expired credentials and for another client."""
        config = self.system.config
        if (client or headers.get("sap-client", "") or config.client) != config.client:
            return None
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            name, expires = self._bearers.get(value.strip(), ("", self.system.now()))
            return config.users.get(name) if expires > self.system.now() else None
        if scheme.lower() != "basic":
            return None
        name, password = split_basic(value)
        user = config.users.get(name.upper())
        return user if user and secrets.compare_digest(user.password.encode(), password.encode()) else None

    def open(self, user: User, cookies: Mapping[str, str]) -> tuple[str, str]:
        """Give the session of a caller, opening one if needed: its id and CSRF token."""
        session_id = cookies.get(self.cookie, "")
        session = self._alive(session_id, user)
        if session is None:
            session_id = secrets.token_urlsafe(24)
            session = Session(user.name, secrets.token_urlsafe(16) + "==", self._deadline())
            self._sessions[session_id] = session
        return session_id, session.token

    def token_valid(self, user: User, cookies: Mapping[str, str], token: str) -> bool:
        """Say whether a token is that of the session whose cookies came along."""
        session = self._alive(cookies.get(self.cookie, ""), user)
        return session is not None and secrets.compare_digest(session.token.encode(), token.encode())

    def expire_all(self) -> None:
        """End all sessions and access tokens."""
        self._sessions.clear()
        self._bearers.clear()

    def set_cookies(self, response: Response, session_id: str) -> None:
        """Write the cookies of a session as the server does."""
        client = self.system.config.client
        response.headers.append("set-cookie", f"sap-usercontext=sap-client={client}; path=/")
        response.headers.append("set-cookie", f"{self.cookie}={session_id}; path=/; HttpOnly")

    def logon_failed(self) -> Response:
        """Answer bad credentials: an HTML page, never OData."""
        config = self.system.config
        realm = f'Basic realm="SAP NetWeaver Application Server [{config.sid}/{config.client}]"'
        return HTMLResponse(_LOGON_FAILED, 401, {"www-authenticate": realm})

    async def issue_token(self, request: Request) -> Response:
        """Answer the OAuth 2.0 token endpoint: client credentials only, no refresh token."""
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        name, secret = split_basic(value) if scheme.lower() == "basic" else ("", "")
        client = self.system.config.oauth_clients.get(name)
        if client is None or not secrets.compare_digest(client.client_secret.encode(), secret.encode()):
            text = "Client authentication failed"
            return JSONResponse({"error": "invalid_client", "error_description": text}, 401)
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        token = secrets.token_urlsafe(32)
        lifetime = self.system.options.token_s
        self._bearers[token] = (client.user, self.system.now() + timedelta(seconds=lifetime))
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": lifetime})

    def _alive(self, session_id: str, user: User) -> Session | None:
        session = self._sessions.get(session_id)
        if session is None or session.user != user.name or session.expires <= self.system.now():
            return None
        session.expires = self._deadline()
        return session

    def _deadline(self) -> datetime:
        return self.system.now() + timedelta(seconds=self.system.options.session_s)


def split_basic(value: str) -> tuple[str, str]:
    """Read Basic credentials; two empty texts when they cannot be read."""
    try:
        text = base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    name, _, password = text.partition(":")
    return name, password
