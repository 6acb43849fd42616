"""A running API, and a real browser that may reach nothing else and whose every step is recorded."""

import os
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, async_playwright, expect

from graph.pages import pages_dir
from tests.browser.miniature import KEYS, build_app
from tests.browser.visit import PATIENCE_MS, Visit, open_visit

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A second lock beside the recording: no name but this machine's resolves.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = shutil.which("chromium")
    if path:
        return path
    reason = "chromium is not installed (Debian: apt-get install chromium)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def built_pages() -> Path:
    folder = pages_dir()
    if (folder / "graphiql" / "index.html").is_file():
        return folder
    reason = "the pages are not built (uv sync builds them)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def api_url(built_pages: Path) -> Iterator[str]:  # noqa: ARG001 - the server serves them
    """Serve the API under test on a port of its own; `scheme://host:port`, no slash at the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(build_app(), log_level="warning", ws="websockets-sansio"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture(scope="session")
def api_key() -> str:
    """A key that the API under test takes."""
    return KEYS[0]


@pytest.fixture(scope="session")
def other_api_key() -> str:
    """Another key that the API under test takes."""
    return KEYS[1]


@pytest.fixture(scope="session")
async def browser(chromium_path: str) -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        # Playwright makes a fresh user-data-dir for each launch and removes it.
        browser = await playwright.chromium.launch(executable_path=chromium_path, headless=True, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def graphiql(browser: Browser, api_url: str) -> AsyncIterator[Visit]:
    """GraphiQL, just opened, without a key."""
    visit = await open_visit(browser)
    await visit.page.goto(f"{api_url}/graphiql")
    await visit.page.locator(".graphiql-query-editor .view-line").first.wait_for()
    yield visit
    await visit.page.context.close()
