"""The page itself: its files, and the policy under which browsers run it."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from starlette.responses import HTMLResponse, Response

FOLDER: Final = Path(__file__).resolve().parent
FILES: Final = {"page.js": "text/javascript", "page.css": "text/css"}
NONCE_MARK: Final = "__CSP_NONCE__"
_ALWAYS: Final = {
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_NOBODY: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def page(embeddable_in: Sequence[str] | None) -> Response:
    """Answer with the page.

    Args:
        embeddable_in: The origins that may embed it; None where there is no such session.
    """
    nonce = secrets.token_urlsafe(18)
    policy = {"Content-Security-Policy": content_security_policy(nonce, embeddable_in or ())}
    # A page that posts its code to its opener must not be cut off from it.
    framed = {"Cross-Origin-Opener-Policy": "unsafe-none"} if embeddable_in else _NOBODY
    text = (FOLDER / "page.html").read_text(encoding="utf-8").replace(NONCE_MARK, nonce)
    return HTMLResponse(text, status_code=404 if embeddable_in is None else 200, headers=_ALWAYS | framed | policy)


def content_security_policy(nonce: str, embeddable_in: Sequence[str]) -> str:
    """Give the policy: nothing runs, loads or frames that is not named here."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src 'nonce-{nonce}'",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {' '.join(embeddable_in) or chr(39) + 'none' + chr(39)}",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def asset(name: str) -> Response:
    """Answer with a script or a style sheet of the page."""
    if name not in FILES:
        return Response(status_code=404)
    headers = {**_ALWAYS, "Cache-Control": "no-cache", "Cross-Origin-Resource-Policy": "same-origin"}
    return Response((FOLDER / name).read_bytes(), media_type=FILES[name], headers=headers)
