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
