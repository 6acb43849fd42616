"""The pages beside the API: their headers, their nonce, and what is answered while they are not built."""

import asyncio
import re
from pathlib import Path
from typing import Final

import pytest
from starlette.applications import Starlette
from starlette.types import Message, Scope

from graph.pages import graphiql_routes

PAGE: Final = '<meta property="csp-nonce" nonce="__CSP_NONCE__" />'


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "graphiql").mkdir()
    (tmp_path / "graphiql" / "index.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "page-a1b2.js").write_text("export {};", encoding="utf-8")
    return tmp_path


async def test_the_page_allows_this_host_alone(built: Path) -> None:
    status, headers, body = await _get(built, "/graphiql")

    assert status == 200
    nonce = re.findall(r'nonce="([\w-]{24})"', body)[0]
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        f"style-src-elem 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; connect-src 'self'; "
        "worker-src 'self'; img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["permissions-policy"].startswith("camera=()")
    assert headers["cache-control"] == "no-store"


async def test_each_view_has_its_own_nonce(built: Path) -> None:
    views = [await _get(built, "/graphiql") for _ in range(3)]

    assert len({body for _, _, body in views}) == 3


async def test_hashed_files_are_kept_for_good(built: Path) -> None:
    status, headers, body = await _get(built, "/assets/page-a1b2.js")

    assert (status, body) == (200, "export {};")
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-type"].startswith("text/javascript")


async def test_files_outside_the_assets_are_not_served(built: Path) -> None:
    status, _, body = await _get(built, "/assets/../graphiql/index.html")

    assert status == 404
    assert "csp-nonce" not in body


@pytest.mark.parametrize(("path", "status"), [("/graphiql", 503), ("/assets/page-a1b2.js", 404)])
async def test_an_absent_build_is_said_and_not_a_crash(tmp_path: Path, path: str, status: int) -> None:
    answer, headers, body = await _get(tmp_path / "absent", path)

    assert answer == status
    assert headers["content-type"].startswith("text/plain")
    assert ("uv sync" in body) == (status == 503)


async def _get(static_dir: Path, path: str) -> tuple[int, dict[str, str], str]:
    sent: list[Message] = []

    async def receive() -> Message:
        # Nothing reads a body here, and a file response stops sending once the client is gone: this one stays.
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [],
    }
    await Starlette(routes=graphiql_routes(static_dir))(scope, receive, send)
    headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], headers, body.decode()
