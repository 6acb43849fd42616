"""The web pages that are served beside the API, built from dashboard/ by hatch_build.py.

A page may load scripts, styles, fonts and data from this host only, and says so in its Content-Security-Policy.
"""

import secrets
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

# Where a fresh nonce goes in a built page: dashboard/graphiql/index.html, read by dashboard/src/graphiql/nonce.ts.
NONCE_MARK: Final = "__CSP_NONCE__"

HOW_TO_BUILD: Final = """\
GraphiQL has not been built on this server. The API itself works, at /graphql.

From a source checkout, build it with:   uv sync --reinstall-package crosshead
(CROSSHEAD_SKIP_DASHBOARD_BUILD must not be set; Node comes with the build, none need be installed.)
"""

_PAGE_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def pages_dir() -> Path:
    """Return the folder of the built pages, whether or not it exists.

    A wheel carries it inside this package; an editable install reads what the build left in the checkout.
    """
    package = Path(__file__).resolve().parent
    shipped = package / "static" / "dashboard"
    return shipped if shipped.is_dir() else package.parent / "dashboard" / "dist"


def graphiql_routes(static_dir: Path) -> list[BaseRoute]:
    """Return the routes of GraphiQL: the page at /graphiql and its hashed files below /assets.

    Args:
        static_dir: The built pages, from `pages_dir()`. Looked at on each request, so a rebuild needs no restart;
            while a page is absent it answers 503 with the way to build it.
    """

    def graphiql(_request: Request) -> Response:
        try:
            page = (static_dir / "graphiql" / "index.html").read_text(encoding="utf-8")
        except FileNotFoundError:
            return PlainTextResponse(HOW_TO_BUILD, status_code=503, headers=_PAGE_HEADERS)
        nonce = secrets.token_urlsafe(18)
        headers = _PAGE_HEADERS | {"Content-Security-Policy": content_security_policy(nonce)}
        return HTMLResponse(page.replace(NONCE_MARK, nonce), headers=headers)

    assets = _HashedFiles(directory=static_dir / "assets", check_dir=False)
    return [Route("/graphiql", graphiql, methods=["GET"], name="graphiql"), Mount("/assets", assets, name="assets")]


def content_security_policy(nonce: str) -> str:
    """Return the policy of a page whose run-time style elements carry `nonce`.

    Styles need two allowances, both for Monaco, GraphiQL's editor. It writes its theme into <style> elements: these
    carry the nonce. It draws each line of text by innerHTML with style="top:…" attributes, which no nonce or hash can
    cover: hence 'unsafe-inline' for attributes, and for attributes alone. Browsers without style-src-elem and
    style-src-attr (Safari before 15.4) fall back to style-src. 'self' in connect-src includes ws: and wss: to this host
    (W3C CSP Level 3, "scheme-part matches").
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            f"style-src-elem 'self' 'nonce-{nonce}'",
            "style-src-attr 'unsafe-inline'",
            "connect-src 'self'",
            "worker-src 'self'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


class _HashedFiles(StaticFiles):
    """Files whose names change with their contents, so that a browser need never ask for one twice."""

    async def check_config(self) -> None:
        """Accept an absent folder: before the pages are built, each file below it is answered with 404."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
