"""CSRF tokens of SAP Gateway: one token and one set of cookies per service, no I/O.

A token belongs to the session that the cookies of its answer name, so both are replayed together; the
cookies' names are not relied on. A token that died with its session shows as a 403 whose header
`x-csrf-token` says `Required`; a 403 without that header is a matter of rights.
"""

from connectors.egress import Request, Response

_HEADER = "x-csrf-token"


class CsrfSession:
    """The token and cookies of one service."""

    def __init__(self, service_url: str) -> None:
        self._service_url = service_url
        self._token: str | None = None
        self._cookies: dict[str, str] = {}

    @property
    def ready(self) -> bool:
        """True once a token is held."""
        return self._token is not None

    def fetch_request(self) -> Request:
        """Ask for a token: GET, for some handlers refuse HEAD, on the service's root."""
        headers = {_HEADER: "Fetch", "Accept": "application/json"}
        return Request("GET", self._service_url, self._with_cookies(headers))

    def learn(self, response: Response) -> None:
        """Keep token and cookies of an answer; an error's token counts too."""
        self._cookies.update(response.cookies)
        token = response.headers.get(_HEADER)
        if token and token.lower() not in {"required", "fetch"}:
            self._token = token

    def sign(self, request: Request) -> Request:
        """Add token and cookies to a modifying request."""
        headers = {_HEADER: self._token} if self._token else {}
        return request.with_headers(self._with_cookies(headers))

    def refused(self, response: Response) -> bool:
        """Tell whether the token, and nothing else, was refused."""
        return response.status == 403 and response.headers.get(_HEADER, "").lower() == "required"

    def forget(self) -> None:
        """Drop a dead session."""
        self._token = None
        self._cookies = {}

    def _with_cookies(self, headers: dict[str, str]) -> dict[str, str]:
        if not self._cookies:
            return headers
        return {**headers, "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
