"""OAuth 1.0a (RFC 5849) with tokens that do not end: each request is signed, nothing is asked for first."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import SecretStr

from connectors.egress import Request
from connectors.kit.auth import Flow

Pairs = Iterable[tuple[str, str]]
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_METHODS: Final = {"sha256": "HMAC-SHA256", "sha1": "HMAC-SHA1"}


def escaped(text: str) -> str:
    """Percent-encode all but unreserved characters (RFC 5849, 3.6)."""
    return quote(text, safe="~")


def base_string(method: str, url: str, pairs: Pairs) -> str:
    """Give what is signed (3.4.1).

    Args:
        url: With its query, whose pairs are signed too; the body is not, unless its pairs are given.
        pairs: The protocol's own pairs, without realm and signature.
    """
    parts = urlsplit(url)
    port = "" if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    address = f"{parts.scheme}://{parts.hostname}{port}{parts.path or '/'}"
    told = [*parse_qsl(parts.query, keep_blank_values=True), *pairs]
    joined = "&".join(f"{name}={value}" for name, value in sorted((escaped(n), escaped(v)) for n, v in told))
    return "&".join((method.upper(), escaped(address), escaped(joined)))


def signature(base: str, consumer_secret: str, token_secret: str, *, digest: str = "sha256") -> str:
    """Sign a base string (3.4.2)."""
    key = f"{escaped(consumer_secret)}&{escaped(token_secret)}"
    return b64encode(hmac.new(key.encode(), base.encode(), getattr(hashlib, digest)).digest()).decode()


class OAuth1:
    """Signs with a consumer and a token.

    Args:
        realm: Told and not signed.
        now: The wall clock, in seconds.
        nonce: Gives a text that is never given twice.
        digest: sha256, or sha1 for sources of the old kind.
    """

    def __init__(
        self,
        *,
        consumer_key: str,
        consumer_secret: SecretStr,
        token: str,
        token_secret: SecretStr,
        realm: str,
        now: Callable[[], float],
        nonce: Callable[[], str],
        digest: str = "sha256",
    ) -> None:
        self._consumer_key = consumer_key
        self._consumer_secret = consumer_secret
        self._token = token
        self._token_secret = token_secret
        self._realm = realm
        self._now = now
        self._nonce = nonce
        self._digest = digest

    def flow(self, request: Request) -> Flow:
        """Add the header and send once."""
        yield request.with_headers({"Authorization": self.header(request.method, request.url)})

    def header(self, method: str, url: str) -> str:
        """Give the Authorization header of a request."""
        pairs = {
            "oauth_consumer_key": self._consumer_key,
            "oauth_token": self._token,
            "oauth_signature_method": _METHODS[self._digest],
            "oauth_timestamp": str(int(self._now())),
            "oauth_nonce": self._nonce(),
            "oauth_version": "1.0",
        }
        secrets = self._consumer_secret.get_secret_value(), self._token_secret.get_secret_value()
        signed = signature(base_string(method, url, pairs.items()), *secrets, digest=self._digest)
        told = {**pairs, "oauth_signature": signed}
        return f'OAuth realm="{self._realm}", ' + ", ".join(f'{name}="{escaped(told[name])}"' for name in told)
