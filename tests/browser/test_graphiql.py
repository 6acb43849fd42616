"""GraphiQL in a real browser: what it sends, to whom, with which key, and that it works under its own policy."""

import json
import re
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, WebSocket, expect

from tests.browser.visit import Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

REFUSAL_LOGGED_BY_CHROMIUM: Final = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"


async def test_nothing_is_asked_of_the_api_before_a_key_is_given(graphiql: Visit, api_url: str) -> None:
    page = graphiql.page

    await page.get_by_role("button", name="Execute query").click()

    await expect(page.locator(".graphiql-response")).to_contain_text("Paste an organization key")
    await expect(page.get_by_role("status")).to_have_text("Not connected")
    await expect(page.get_by_text("Paste an organization key or a connection token", exact=True)).to_be_visible()
    assert graphiql.record.api_keys == []
    _assert_clean(graphiql, api_url)


async def test_a_query_runs_with_the_key_as_bearer(graphiql: Visit, api_url: str, api_key: str) -> None:
    await _use_key(graphiql.page, api_key)

    await graphiql.page.get_by_role("button", name="Execute query").click()

    await expect(graphiql.page.locator(".graphiql-response")).to_contain_text('"totalCount"')
    assert graphiql.record.api_keys == [f"Bearer {api_key}"] * 2  # the schema, then the query
    _assert_clean(graphiql, api_url)


async def test_the_key_is_kept_in_this_tab_only(graphiql: Visit, api_url: str, api_key: str) -> None:
    page = graphiql.page
    await _use_key(page, api_key)
    await page.get_by_role("button", name="Execute query").click()
    await expect(page.locator(".graphiql-response")).to_contain_text('"totalCount"')

    lasting = await page.evaluate("JSON.stringify({...localStorage}) + document.cookie + location.href")
    of_tab = await page.evaluate(
        "(key) => Object.keys(sessionStorage).filter((name) => sessionStorage.getItem(name).includes(key))", api_key
    )
    await page.reload()

    assert api_key not in lasting
    assert of_tab == ["crosshead:key"]
    assert not [url for url in graphiql.record.requests if api_key in url]
    await expect(page.get_by_role("status")).to_have_text("Connected")
    await page.get_by_role("button", name="Forget key").click()
    await expect(page.get_by_role("status")).to_have_text("Not connected")
    assert await page.evaluate("sessionStorage.getItem('crosshead:key')") is None
    _assert_clean(graphiql, api_url)


async def test_the_key_is_hidden_until_shown(graphiql: Visit) -> None:
    field = graphiql.page.get_by_label("API key")
    await expect(field).to_have_attribute("type", "password")

    await graphiql.page.get_by_role("button", name="Show key").click()
    await expect(field).to_have_attribute("type", "text")

    await graphiql.page.get_by_role("button", name="Hide key").click()
    await expect(field).to_have_attribute("type", "password")


async def test_a_refused_key_is_said_once_and_not_retried(graphiql: Visit, api_url: str) -> None:
    await _submit_key(graphiql.page, "not-a-key")

    await expect(graphiql.page.get_by_role("status")).to_contain_text("The server refused this key")
    await graphiql.page.wait_for_timeout(1500)
    assert graphiql.record.api_keys == ["Bearer not-a-key"]
    assert graphiql.record.problems == [REFUSAL_LOGGED_BY_CHROMIUM]
    assert _hosts(graphiql) == {urlsplit(api_url).netloc}


async def test_a_key_with_a_blank_inside_is_refused_before_it_is_sent(graphiql: Visit, api_url: str) -> None:
    await _submit_key(graphiql.page, "two words")

    await expect(graphiql.page.get_by_role("status")).to_contain_text("A key holds no blanks")
    assert graphiql.record.api_keys == []
    _assert_clean(graphiql, api_url)


async def test_the_schema_feeds_completion_in_bundled_workers(graphiql: Visit, api_url: str, api_key: str) -> None:
    page = graphiql.page
    await _use_key(page, api_key)
    await _open_example(page, "Systems")

    await page.locator(".graphiql-query-editor .view-line", has_text="name").click()
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+Space")

    await expect(page.locator(".suggest-widget .monaco-list-row", has_text="__typename")).to_be_visible()
    await _wait_for_workers(page, {"editor", "graphql", "json"})
    _assert_clean(graphiql, api_url)


async def test_a_subscription_shows_progress_over_graphql_transport_ws(
    graphiql: Visit, api_url: str, api_key: str
) -> None:
    page = graphiql.page
    await _use_key(page, api_key)
    await _open_example(page, "Follow sync runs")

    await page.get_by_role("button", name="Execute query").click()

    response = page.locator(".graphiql-response")
    await expect(response).to_contain_text('"RUNNING"')
    await expect(response).to_contain_text('"SUCCEEDED"')
    assert [socket.url for socket in graphiql.record.sockets] == [f"{api_url.replace('http', 'ws', 1)}/graphql"]
    assert _bearers_sent(graphiql) == [f"Bearer {api_key}"]
    _assert_clean(graphiql, api_url)


async def test_a_new_key_closes_the_socket_of_the_old_one(
    graphiql: Visit, api_url: str, api_key: str, other_api_key: str
) -> None:
    page = graphiql.page
    await _use_key(page, api_key)
    await _open_example(page, "Follow record changes")
    await page.get_by_role("button", name="Execute query").click()
    await expect(page.locator(".graphiql-response")).to_contain_text("RecordChange")
    old = graphiql.record.sockets[0]

    await _use_key(page, other_api_key)
    await _wait_closed(page, old)
    await page.get_by_role("button", name="Execute query").click()
    await expect(page.locator(".graphiql-response")).to_contain_text("RecordChange")

    assert [socket.is_closed() for socket in graphiql.record.sockets] == [True, False]
    assert _bearers_sent(graphiql) == [f"Bearer {api_key}", f"Bearer {other_api_key}"]
    _assert_clean(graphiql, api_url)


async def test_an_example_opens_in_a_tab_of_its_own_once(graphiql: Visit) -> None:
    page = graphiql.page
    tabs = page.locator(".graphiql-tab")

    await _open_example(page, "Create a purchase order")
    await expect(page.locator(".graphiql-editor-tool")).to_contain_text("dryRun")
    await expect(tabs).to_have_count(2)
    await _open_example(page, "Orders with vendor and lines")
    await expect(page.locator(".graphiql-query-editor")).to_contain_text("query PurchaseOrders")

    await expect(tabs).to_have_count(2)


@pytest.mark.parametrize(("scheme", "background"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(23, 29, 43)")])
async def test_the_page_follows_the_systems_colours(graphiql: Visit, scheme: str, background: str) -> None:
    await graphiql.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    await expect(graphiql.page.locator(".page-bar")).to_have_css("background-color", background)


async def test_every_control_has_a_name(graphiql: Visit) -> None:
    nameless = await graphiql.page.evaluate(
        """[...document.querySelectorAll("button, input, a")].filter((control) => control.offsetParent &&
          !(control.ariaLabel || control.labels?.length || control.textContent.trim())).map((c) => c.outerHTML)"""
    )

    assert nameless == []


async def _submit_key(page: Page, key: str) -> None:
    await page.get_by_label("API key").fill(key)
    await page.get_by_role("button", name="Use key").click()


async def _use_key(page: Page, key: str) -> None:
    async with page.expect_response("**/graphql"):
        await _submit_key(page, key)
    await expect(page.get_by_role("status")).to_have_text("Connected")


async def _open_example(page: Page, title: str) -> None:
    heading = page.get_by_role("region", name="Example queries").get_by_text(title, exact=True)
    await heading.click()


async def _wait_for_workers(page: Page, expected: set[str]) -> None:
    names: set[str] = set()
    for _ in range(100):  # the editor starts each of them when it first needs it
        names = {re.sub(r".*/assets/(\w+)\.worker-[\w-]+\.js", r"\1", worker.url) for worker in page.workers}
        if names == expected:
            return
        await page.wait_for_timeout(100)
    pytest.fail(f"after 10 seconds the workers are {sorted(names)}")


async def _wait_closed(page: Page, socket: WebSocket) -> None:
    for _ in range(50):
        if socket.is_closed():
            return
        await page.wait_for_timeout(100)
    pytest.fail("the socket of the old key stayed open for 5 seconds")


def _bearers_sent(visit: Visit) -> list[str]:
    messages = [json.loads(frame) for frame in visit.record.sent_frames]
    return [message["payload"]["authorization"] for message in messages if message["type"] == "connection_init"]


def _hosts(visit: Visit) -> set[str]:
    addresses = [*visit.record.requests, *(socket.url for socket in visit.record.sockets)]
    return {urlsplit(address).netloc for address in addresses if not address.startswith("data:")}


def _assert_clean(visit: Visit, api_url: str) -> None:
    assert visit.record.problems == []
    assert _hosts(visit) == {urlsplit(api_url).netloc}
