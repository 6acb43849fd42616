"""The product with SAP connected, and a real browser that may reach nothing else and whose every step is recorded."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis
from graph.pages import pages_dir
from tests.browser.stage import Stage, open_stage
from tests.browser.visit import Visit, launched, visiting


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
async def stage(postgres_server: EmbeddedPostgres, redis_server: EmbeddedRedis) -> AsyncIterator[Stage]:
    """One product for all browser tests; a test may add records and changes, and counts on no exact number of them."""
    async with open_stage(postgres_server, redis_server) as opened:
        yield opened


@pytest.fixture(scope="session")
def api_url(built_pages: Path, stage: Stage) -> str:  # noqa: ARG001 - the product serves them
    """Where the product answers; `scheme://host:port`, no slash at the end."""
    return stage.product.url


@pytest.fixture(scope="session")
def api_key(stage: Stage) -> str:
    """The organization's key."""
    return stage.product.key


@pytest.fixture(scope="session")
async def browser(chromium_path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright, launched(playwright, chromium_path) as browser:
        yield browser


@pytest.fixture
async def graphiql(browser: Browser, api_url: str) -> AsyncIterator[Visit]:
    """GraphiQL, just opened, without a key."""
    async with visiting(browser, api_url) as visit:
        yield visit


@pytest.fixture(scope="module")
async def untouched(browser: Browser, api_url: str) -> AsyncIterator[Visit]:
    """GraphiQL without a key, for the tests that look at it and leave it as it was."""
    async with visiting(browser, api_url) as visit:
        yield visit
