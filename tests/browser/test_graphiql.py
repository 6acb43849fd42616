"""GraphiQL in a real browser: what it sends, to whom, with which key, and that it works under its own policy."""

import re
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from crosshead.compose import now
from db import tokens
from db.models.organization import TokenKind, TokenScope
from tests.browser.stage import Stage
from tests.browser.visit import Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

REFUSAL_LOGGED_BY_CHROMIUM: Final = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"


async def test_nothing_is_asked_of_the_api_before_a_key_is_given(graphiql: Visit, api_url: str) -> None:
    await graphiql.press_run()

    await expect(graphiql.response).to_contain_text("Paste an organization key")
    await expect(graphiql.status).to_have_text("Not connected")
    await expect(
        graphiql.page.get_by_text("Paste an organization key or a connection token", exact=True)
    ).to_be_visible()
    assert graphiql.record.api_keys == []
    graphiql.assert_clean(api_url)


async def test_the_key_is_kept_in_this_tab_only(graphiql: Visit, api_url: str, api_key: str) -> None:
    page = graphiql.page
    await graphiql.use_key(api_key)
    await graphiql.run()

    lasting = await page.evaluate("JSON.stringify({...localStorage}) + document.cookie + location.href")
    of_tab = await page.evaluate(
        "(key) => Object.keys(sessionStorage).filter((name) => sessionStorage.getItem(name).includes(key))", api_key
    )
    await page.reload()

    assert api_key not in lasting
    assert of_tab == ["crosshead:key"]
    assert not [url for url in graphiql.record.requests if api_key in url]
    await expect(graphiql.status).to_have_text("Connected")
    await page.get_by_role("button", name="Forget key").click()
    await expect(graphiql.status).to_have_text("Not connected")
    assert await page.evaluate("sessionStorage.getItem('crosshead:key')") is None
    graphiql.assert_clean(api_url)


async def test_the_key_is_hidden_until_shown(untouched: Visit) -> None:
    field = untouched.page.get_by_label("API key")
    await expect(field).to_have_attribute("type", "password")

    await untouched.page.get_by_role("button", name="Show key").click()
    await expect(field).to_have_attribute("type", "text")

    await untouched.page.get_by_role("button", name="Hide key").click()
    await expect(field).to_have_attribute("type", "password")


@pytest.mark.parametrize("well_formed", [False, True], ids=["no key at all", "never issued"])
async def test_a_refused_key_is_said_once_and_not_retried(
    graphiql: Visit, stage: Stage, api_url: str, well_formed: bool
) -> None:
    made, _ = tokens.issue(
        TokenKind.ORGANIZATION, scope=stage.product.scope, may=TokenScope.READ, name="Never stored", now=now()
    )
    key = made if well_formed else "not-a-key"

    await graphiql.submit_key(key)

    await expect(graphiql.status).to_have_text("The server refused this key: The token is not one of this API.")
    await graphiql.page.wait_for_timeout(1000)
    await expect(graphiql.page.get_by_text("not one of this API")).to_have_count(1)
    await expect(graphiql.response).to_have_text("")
    assert graphiql.record.api_keys == [f"Bearer {key}"]
    assert graphiql.record.problems == [REFUSAL_LOGGED_BY_CHROMIUM]
    assert graphiql.hosts() == {urlsplit(api_url).netloc}


async def test_a_key_with_a_blank_inside_is_refused_before_it_is_sent(graphiql: Visit, api_url: str) -> None:
    await graphiql.submit_key("two words")

    await expect(graphiql.status).to_contain_text("A key holds no blanks")
    assert graphiql.record.api_keys == []
    graphiql.assert_clean(api_url)


async def test_the_schema_feeds_completion_in_bundled_workers(graphiql: Visit, api_url: str, api_key: str) -> None:
    page = graphiql.page
    await graphiql.use_key(api_key)
    await graphiql.open_example("Systems")

    await page.locator(".graphiql-query-editor .view-line", has_text="slug").click()
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+Space")

    await expect(page.locator(".suggest-widget .monaco-list-row", has_text="credits")).to_be_visible()
    await _wait_for_workers(page, {"editor", "graphql", "json"})
    graphiql.assert_clean(api_url)


async def test_a_new_key_closes_the_socket_of_the_old_one(
    graphiql: Visit, stage: Stage, api_url: str, api_key: str
) -> None:
    await graphiql.use_key(api_key)
    await graphiql.open_example("Follow record changes")
    await graphiql.follow()
    old = graphiql.record.sockets[0]

    await graphiql.use_key(stage.token)
    await graphiql.until(old.is_closed, "the socket of the old key stayed open")
    await graphiql.follow()

    assert [socket.is_closed() for socket in graphiql.record.sockets] == [True, False]
    assert graphiql.bearers_of_sockets() == [f"Bearer {api_key}", f"Bearer {stage.token}"]
    graphiql.assert_clean(api_url)


async def test_an_example_opens_in_a_tab_of_its_own_once(graphiql: Visit) -> None:
    page = graphiql.page
    tabs = page.locator(".graphiql-tab")

    await graphiql.open_example("Create a purchase order")
    await expect(page.locator(".graphiql-editor-tool")).to_contain_text("idempotencyKey")
    await expect(tabs).to_have_count(2)
    await graphiql.open_example("Orders with vendor and lines")
    await expect(page.locator(".graphiql-query-editor")).to_contain_text("query PurchaseOrders")

    await expect(tabs).to_have_count(2)


@pytest.mark.parametrize(("scheme", "background"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(23, 29, 43)")])
async def test_the_page_follows_the_systems_colours(untouched: Visit, scheme: str, background: str) -> None:
    await untouched.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    await expect(untouched.page.locator(".page-bar")).to_have_css("background-color", background)


async def test_every_control_has_a_name(untouched: Visit) -> None:
    nameless = await untouched.page.evaluate(
        """[...document.querySelectorAll("button, input, a")].filter((control) => control.offsetParent &&
          !(control.ariaLabel || control.labels?.length || control.textContent.trim())).map((c) => c.outerHTML)"""
    )

    assert nameless == []


async def _wait_for_workers(page: Page, expected: set[str]) -> None:
    names: set[str] = set()
    for _ in range(100):  # the editor starts each of them when it first needs it
        names = {re.sub(r".*/assets/(\w+)\.worker-[\w-]+\.js", r"\1", worker.url) for worker in page.workers}
        if names == expected:
            return
        await page.wait_for_timeout(100)
    pytest.fail(f"after 10 seconds the workers are {sorted(names)}")
