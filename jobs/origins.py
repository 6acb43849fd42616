"""Origins of web pages, as browsers tell them."""

from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_PORTS: Final = {"http": 80, "https": 443}


def origin_of(address: str) -> str:
    """Give the origin of an address as browsers serialize it (RFC 6454): scheme, host and port, in lower case.

    Raises:
        ValueError: It is no address of a page: not https (http on this machine only), with a user, or malformed.
    """
    parts = urlsplit(address.strip())
    host = (parts.hostname or "").encode("idna").decode("ascii").lower()
    host = f"[{host}]" if ":" in host else host
    if parts.scheme not in _PORTS or not host or parts.username is not None or parts.password is not None:
        raise ValueError("it is not the address of a web page")
    if any(sign in host for sign in "*,;'\"") or not address.isprintable() or " " in address.strip():
        raise ValueError("it names no single host")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise ValueError("it must begin with https:// (http:// is for pages on this machine)")
    port = parts.port
    return f"{parts.scheme}://{host}" + ("" if port in {None, _PORTS[parts.scheme]} else f":{port}")


def bare_origin_of(text: str) -> str:
    """Give an origin that stands by itself.

    Raises:
        ValueError: It is none, or something follows it.
    """
    parts = urlsplit(text.strip())
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError("an origin is scheme, host and port, and nothing after them")
    return origin_of(text)
