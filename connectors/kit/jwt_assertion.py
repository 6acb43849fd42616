"""OAuth 2.0 client credentials, proved by a signed JWT (RFC 7523, section 2.2) in place of a secret."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import SecretStr

from connectors.egress import Request
from connectors.kit.oauth2 import ClientCredentials

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_LIFETIME_S: Final = 300
"""Of an assertion: long enough for clocks that differ, far below any source's limit."""


def private_key(pem: str) -> RSAPrivateKey | EllipticCurvePrivateKey:
    """Read a private key.

    Raises:
        ValueError: It is none, is encrypted, or is of a kind that no algorithm here signs with.
    """
    try:
        key = load_pem_private_key(pem.strip().encode(), None)
    except (ValueError, TypeError) as error:
        raise ValueError("the private key is no PEM without a passphrase") from error
    if isinstance(key, RSAPrivateKey) or (isinstance(key, EllipticCurvePrivateKey) and key.curve.name in _CURVES):
        return key
    raise ValueError("the private key must be RSA, or elliptic on P-256, P-384 or P-521")


def algorithm(key: RSAPrivateKey | EllipticCurvePrivateKey) -> str:
    """Give the algorithm for a key: RSA-PSS, or ECDSA by the curve."""
    return "PS256" if isinstance(key, RSAPrivateKey) else _CURVES[key.curve.name]


class JwtAssertion(ClientCredentials):
    """Gets access tokens for assertions that it signs.

    Args:
        token_url: Where tokens are given; also the assertion's audience.
        client_id: Who we are.
        certificate_id: Which certificate, known to the source, fits the key.
        pem: The private key.
        scope: What we ask for, as the source writes it.
        now: A clock that only grows, in seconds.
        wall: The wall clock, in seconds.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        certificate_id: str,
        pem: SecretStr,
        *,
        scope: str,
        now: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        super().__init__(token_url, client_id, SecretStr(""), scope=scope, now=now)
        self._certificate_id = certificate_id
        self._pem = pem
        self._wall = wall

    def assertion(self) -> str:
        """Sign a fresh assertion."""
        key, issued = private_key(self._pem.get_secret_value()), int(self._wall())
        claims = {
            "iss": self._client_id,
            "scope": self._scope,
            "aud": self._token_url,
            "iat": issued,
            "exp": issued + _LIFETIME_S,
        }
        return jwt.encode(claims, key, algorithm=algorithm(key), headers={"kid": self._certificate_id})

    def _token_request(self) -> Request:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return Request("POST", self._token_url, headers, urlencode(form).encode())
