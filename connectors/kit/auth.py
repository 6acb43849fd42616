"""Authentication as a conversation: yield a request, receive its response, no I/O inside."""

from base64 import b64encode
from collections.abc import Generator
from typing import Protocol

from pydantic import SecretStr

from connectors.egress import Request, Response

Flow = Generator[Request, Response, None]


class Auth(Protocol):
    """Signs requests; may ask for tokens first and once more after a refusal."""

    def flow(self, request: Request) -> Flow:
        """Yield the requests to send; the response to the last one is the caller's."""
        ...


class Basic:
    """HTTP Basic (RFC 7617), UTF-8."""

    def __init__(self, username: str, password: SecretStr) -> None:
        self._username = username
        self._password = password

    def flow(self, request: Request) -> Flow:
        """Add the header and send once."""
        pair = f"{self._username}:{self._password.get_secret_value()}".encode()
        yield request.with_headers({"Authorization": f"Basic {b64encode(pair).decode()}"})


class Bearer:
    """A token or API key that is the caller's own, in the Authorization header (RFC 6750)."""

    def __init__(self, key: SecretStr, *, scheme: str = "Bearer") -> None:
        self._key = key
        self._scheme = scheme

    def flow(self, request: Request) -> Flow:
        """Add the header and send once."""
        yield request.with_headers({"Authorization": f"{self._scheme} {self._key.get_secret_value()}"})
