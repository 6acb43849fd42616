"""OAuth 1.0a as token-based authentication has it: HMAC-SHA256, query parameters signed, realm and JSON body not.

Source: RFC 5849 section 3.4; NetSuite help, "Token-based Authentication".
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

METHOD = "HMAC-SHA256"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Signed:
    """What an Authorization header of OAuth says."""

    realm: str
    consumer_key: str
    token_id: str
    method: str
    timestamp: str
    nonce: str
    version: str
    signature: str
    parameters: Mapping[str, str]


def read_header(header: str) -> Signed | None:
    """Read an Authorization header; None where it is not one of OAuth."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "oauth":
        return None
    found: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals:
            return None
        found[unquote(name)] = unquote(value.strip('"'))
    realm, signature = found.pop("realm", ""), found.pop("oauth_signature", "")
    return Signed(
        realm,
        found.get("oauth_consumer_key", ""),
        found.get("oauth_token", ""),
        found.get("oauth_signature_method", ""),
        found.get("oauth_timestamp", ""),
        found.get("oauth_nonce", ""),
        found.get("oauth_version", "1.0"),
        signature,
        found,
    )


def base_string(method: str, url: str, parameters: Mapping[str, str]) -> str:
    """Give what is signed: method, address without its query, and all parameters, sorted once they are encoded."""
    parts = urlsplit(url)
    host = (parts.hostname or "") + (f":{parts.port}" if parts.port not in {None, _PORTS.get(parts.scheme)} else "")
    pairs = [*parameters.items(), *parse_qsl(parts.query, keep_blank_values=True)]
    encoded = "&".join(f"{name}={value}" for name, value in sorted((_encoded(n), _encoded(v)) for n, v in pairs))
    address = f"{parts.scheme.lower()}://{host.lower()}{parts.path or '/'}"
    return "&".join((method.upper(), _encoded(address), _encoded(encoded)))


def signature(base: str, *, consumer_secret: str, token_secret: str) -> str:
    """Sign a base string."""
    key = f"{_encoded(consumer_secret)}&{_encoded(token_secret)}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()


def _encoded(text: str) -> str:
    return quote(text, safe="-._~")
