"""Who calls: signatures, bearer tokens, and the audit trail that tells administrators what was wrong."""

import hmac
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

from sandbox.netsuite import signatures
from sandbox.netsuite.assertions import BadAssertionError, read_assertion, verify
from sandbox.netsuite.config import Certificate, Config, Options, Role
from sandbox.netsuite.errors import login_refused

TOKEN_PATH: Final = "/services/rest/auth/oauth2/v1/token"  # noqa: S105  (a path)
_SKEW_S: Final = 300
_NONCES: Final = 100_000
_TRAIL: Final = 1000
_LIFE_S: Final = 3600
_SCOPES: Final = frozenset({"restlets", "rest_webservices", "suite_analytics"})
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class _RefusedError(ValueError):
    """A log-on that fails; the reason goes to the audit trail only."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """An access token: whose, for what, until when."""

    role: str
    scopes: frozenset[str]
    expires: datetime


class Logins:
    """The log-ons of an account.

    Attributes:
        trail: What was wrong with the last failed ones, newest last, as the Login Audit Trail shows.
    """

    def __init__(self, config: Config, options: Callable[[], Options], now: Callable[[], datetime]) -> None:
        self._config, self._options, self._now = config, options, now
        self._bearers: dict[str, Bearer] = {}
        self._nonces: deque[tuple[str, str]] = deque(maxlen=_NONCES)
        self._seen: set[tuple[str, str]] = set()
        self.revoked: set[str] = set()
        self.trail: deque[str] = deque(maxlen=_TRAIL)

    def authenticate(self, request: Request) -> Role:
        """Find the role of a caller.

        Raises:
            RestError: 401; what was wrong stands in the trail.
        """
        header = request.headers.get("authorization", "")
        try:
            role = self._bearer(header) if header.lower().startswith("bearer ") else self._signed(request, header)
            _may_use_rest(role)
        except _RefusedError as error:
            self.trail.append(str(error))
            raise login_refused() from error
        return role

    def forget(self) -> None:
        """Begin anew."""
        self._bearers.clear()
        self._nonces.clear()
        self._seen.clear()
        self.revoked.clear()
        self.trail.clear()

    def expire(self) -> None:
        """End all access tokens."""
        self._bearers.clear()

    async def issue_token(self, request: Request) -> Response:
        """Answer the token endpoint: client credentials with a signed assertion; no refresh token."""
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        if form.get("grant_type") != "client_credentials":
            return _oauth_error(400, "unsupported_grant_type", "grant_type")
        try:
            bearer = self._granted(form, str(request.url.replace(query="")))
        except (_RefusedError, BadAssertionError) as error:
            self.trail.append(str(error))
            return _oauth_error(400, "invalid_grant" if "scope" not in str(error) else "invalid_scope", "assertion")
        token = secrets.token_urlsafe(48)
        self._bearers[token] = bearer
        life = str(self._options().token_s)
        body = {"access_token": token, "expires_in": life, "token_type": "Bearer"}
        return Response(orjson.dumps(body), 200, {"cache-control": "no-store"}, "application/json")

    def _granted(self, form: dict[str, str], url: str) -> Bearer:
        if form.get("client_assertion_type") != _ASSERTION:
            raise _RefusedError("client_assertion_type is not that of a JWT")
        assertion = read_assertion(form.get("client_assertion", ""))
        certificate = self._certificate(str(assertion.header.get("kid", "")))
        if assertion.header.get("typ") != "JWT":
            raise _RefusedError("typ is not JWT")
        verify(assertion, certificate.public_key)
        claims, now = assertion.claims, self._now().timestamp()
        if claims.get("iss") != certificate.client_id:
            raise _RefusedError("iss is not the client id of the mapping")
        if claims.get("aud") != url:
            raise _RefusedError("aud is not the address of the token endpoint")
        issued, expires = claims.get("iat"), claims.get("exp")
        if not isinstance(issued, int) or not isinstance(expires, int) or not 0 < expires - issued <= _LIFE_S:
            raise _RefusedError("exp is not within 60 minutes after iat")
        if expires <= now or issued > now + _SKEW_S:
            raise _RefusedError("the assertion is not valid now")
        told = claims.get("scope", "")
        scopes = frozenset(told if isinstance(told, list) else str(told).replace(",", " ").split())
        if not scopes or scopes - _SCOPES:
            raise _RefusedError("scope is unknown")
        return Bearer(certificate.role, scopes, self._now() + timedelta(seconds=self._options().token_s))

    def _certificate(self, key: str) -> Certificate:
        if key not in self._config.certificates or key in self.revoked:
            raise _RefusedError(f"kid {key!r} names no certificate of a mapping")
        return self._config.certificates[key]

    def _bearer(self, header: str) -> Role:
        bearer = self._bearers.get(header.partition(" ")[2].strip())
        if bearer is None or bearer.expires <= self._now():
            raise _RefusedError("the access token is unknown or has expired")
        if "rest_webservices" not in bearer.scopes:
            raise _RefusedError("the access token is not for rest_webservices")
        return self._config.roles[bearer.role]

    def _signed(self, request: Request, header: str) -> Role:
        signed = signatures.read_header(header)
        if signed is None:
            raise _RefusedError("no OAuth 1.0a and no bearer credentials")
        if signed.realm != self._config.account:
            raise _RefusedError(f"realm {signed.realm!r} is not {self._config.account!r}")
        token = self._config.tokens.get(signed.token_id)
        if token is None or token.token_id in self.revoked or token.consumer_key != signed.consumer_key:
            raise _RefusedError("consumer key or token is unknown")
        if signed.method != signatures.METHOD or signed.version != "1.0":
            raise _RefusedError(f"signature method {signed.method} is not {signatures.METHOD}")
        base = signatures.base_string(request.method, str(request.url), signed.parameters)
        right = signatures.signature(base, consumer_secret=token.consumer_secret, token_secret=token.token_secret)
        if not hmac.compare_digest(right, signed.signature):
            raise _RefusedError("InvalidSignature")
        self._once(signed)
        return self._config.roles[token.role]

    def _once(self, signed: signatures.Signed) -> None:
        if not signed.timestamp.isdigit() or abs(int(signed.timestamp) - self._now().timestamp()) > _SKEW_S:
            raise _RefusedError("InvalidTimestamp")
        used = (signed.nonce, signed.timestamp)
        if len(signed.nonce) < 6 or used in self._seen:
            raise _RefusedError("NonceUsed")
        if len(self._nonces) == _NONCES:
            self._seen.discard(self._nonces[0])
        self._nonces.append(used)
        self._seen.add(used)


def _may_use_rest(role: Role) -> None:
    if not role.rest:
        raise _RefusedError(f"role {role.name} lacks REST Web Services or SuiteAnalytics Workbook")


def _oauth_error(status: int, error: str, what: str) -> Response:
    body = {"error": error, "error_description": f"Invalid {what}"}
    return Response(orjson.dumps(body), status, media_type="application/json")
