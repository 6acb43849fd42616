"""OAuth 2.0 client credentials (RFC 6749, section 4.4) as a conversation."""

from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote, urlencode

from pydantic import SecretStr

from connectors.egress import Request, Response
from connectors.errors import AuthError, BadResponse
from connectors.kit.auth import Flow

_EARLY_SECONDS = 60.0
_DEFAULT_LIFETIME_SECONDS = 600.0


class ClientCredentials:
    """Gets an access token when it needs one, and once more when the source refuses it.

    Args:
        token_url: Where tokens are given.
        client_id: Who we are.
        client_secret: What proves it.
        scope: What we ask for; empty asks for what the source gives.
        now: A clock that only grows, in seconds.
    """

    def __init__(
        self, token_url: str, client_id: str, client_secret: SecretStr, *, scope: str = "", now: Callable[[], float]
    ) -> None:
        self._token_url = token_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._scope = scope
        self._now = now
        self._token: SecretStr | None = None
        self._expires_at = 0.0

    def flow(self, request: Request) -> Flow:
        """Sign the request with a live token.

        Raises:
            AuthError: The token endpoint refused the client.
            BadResponse: It answered with something else.
        """
        fresh = False
        if self._token is None or self._now() >= self._expires_at:
            self._learn((yield self._token_request()))
            fresh = True
        response = yield self._signed(request)
        if response.status == 401 and not fresh:
            self._learn((yield self._token_request()))
            yield self._signed(request)

    def _signed(self, request: Request) -> Request:
        token = self._token.get_secret_value() if self._token else ""
        return request.with_headers({"Authorization": f"Bearer {token}"})

    def _token_request(self) -> Request:
        # RFC 6749, 2.3.1: id and secret are form-encoded before they are joined.
        pair = f"{quote(self._client_id, safe='')}:{quote(self._client_secret.get_secret_value(), safe='')}"
        form = {"grant_type": "client_credentials", **({"scope": self._scope} if self._scope else {})}
        return Request(
            "POST",
            self._token_url,
            {
                "Authorization": f"Basic {b64encode(pair.encode()).decode()}",
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            urlencode(form).encode(),
        )

    def _learn(self, response: Response) -> None:
        if response.status in {400, 401, 403}:
            self._token = None
            raise AuthError("The source gave no access token to this client.", source_message=response.text(200))
        body = response.json() if response.status == 200 else None
        if not isinstance(body, dict) or not isinstance(body.get("access_token"), str):
            raise BadResponse(f"The token endpoint answered {response.status} without a token.")
        self._token = SecretStr(body["access_token"])
        lifetime = float(body.get("expires_in") or _DEFAULT_LIFETIME_SECONDS)
        self._expires_at = self._now() + max(lifetime - _EARLY_SECONDS, 0.0)
