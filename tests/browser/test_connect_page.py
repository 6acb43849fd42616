"""The connect page in a real browser: a customer's way to a working token, and what no other page can do with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, FrameLocator, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from crosshead import compose
from crosshead.organizations import make_organization
from db.engine import Database
from jobs.queue import Queue
from sandbox.kit.server import serve
from sandbox.sap_s4hana import config
from sandbox.sap_s4hana.app import RunningSap, create_app
from sandbox.sap_s4hana.config import Config, User
from sandbox.sap_s4hana.seed.plan import Plan
from tests.browser.stage import Stage
from tests.browser.visit import PATIENCE_MS, REPORT_VIOLATIONS
from tests.fixtures.connect_page import ALLOW, CREATE, EXCHANGE
from tests.fixtures.product import listening

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

METADATA: Final = Path(config.__file__).parent / "metadata"
SERVICES: Final = frozenset(each.stem for each in METADATA.glob("API_*.json"))
USERS: Final = {
    user.name: user
    for user in (
        User("COMM_USER", "Sandbox-Full-1"),
        User("COMM_NOBODY", "Sandbox-None-1", denied=SERVICES),
        User("COMM_BUYER", "Sandbox-Buy-1", denied=frozenset({"API_MAINTENANCEORDER"})),
    )
}
EMBEDDING: Final = """<!doctype html><title>A vendor's page</title><body><script>
  window.told = [];
  addEventListener("message", (event) => window.told.push([event.origin, event.data]));
</script><iframe title="Connect" src="{url}" width="700" height="900"></iframe>"""
OPENING: Final = """<!doctype html><title>A vendor's page</title><body><script>
  window.told = [];
  addEventListener("message", (event) => window.told.push([event.origin, event.data]));
</script><button onclick="window.open('{url}', 'connect', 'width=700,height=900')">Connect</button>"""


@dataclass
class Vendor:
    """A web page of somebody's, on an origin of its own."""

    origin: str
    page: str = "<!doctype html><title>Back at the vendor</title><h1>Back at the vendor</h1>"
    asked: list[str] = field(default_factory=list)


@asynccontextmanager
async def vendor_site() -> AsyncIterator[Vendor]:
    """Serve a page on a free port, which makes an origin of its own."""
    vendor = Vendor("")

    async def show(request: Request) -> HTMLResponse:
        vendor.asked.append(str(request.url))
        return HTMLResponse(vendor.page)

    async with listening(Starlette(routes=[Route("/{path:path}", show)])) as address:
        vendor.origin = address
        yield vendor


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with vendor_site() as site:
        yield site


@pytest.fixture
async def foreign() -> AsyncIterator[Vendor]:
    async with vendor_site() as site:
        yield site


@pytest.fixture(scope="module")
async def stage(stage: Stage) -> Stage:
    """The stage with an organization of its own, so that what is connected here shows in no other test."""
    database = Database.open(str(stage.product.settings.database_url), pool_size=2, application="tests")
    scope, key = await make_organization(database, name="A vendor's organization", credits_pool=100)
    await database.close()
    return replace(stage, product=replace(stage.product, scope=scope, key=key))


@pytest.fixture(autouse=True)
async def rested(stage: Stage) -> None:
    """Fill what an address may ask of the page: all of these tests come from one."""
    queue = Queue.open(compose.redis_settings(stage.product.settings))
    await queue.redis.flushdb()
    await queue.close()


@pytest.fixture(scope="module")
def sap() -> Any:
    with serve(create_app(plan=Plan(orders=12), config=Config(users=USERS))) as running:
        yield running


@dataclass
class Tab:
    """A browser's tab, with all that went wrong in it and all that it sent and was sent."""

    page: Page
    problems: list[str] = field(default_factory=list)
    traffic: list[str] = field(default_factory=list)


@asynccontextmanager
async def tab(browser: Browser, **more: Any) -> AsyncIterator[Tab]:
    context = await browser.new_context(viewport={"width": 800, "height": 1000}, **more)
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(REPORT_VIOLATIONS)
    opened = Tab(await context.new_page())
    pending: list[asyncio.Task[None]] = []

    async def note(response: Any) -> None:
        sent = response.request
        opened.traffic.append(f"{sent.url} {await sent.all_headers()} {sent.post_data} {await response.all_headers()}")
        if response.status < 300:
            opened.traffic.append(await response.text())

    context.on("response", lambda response: pending.append(asyncio.ensure_future(note(response))))
    context.on("console", lambda told: opened.problems.append(told.text) if told.type in {"error", "warning"} else None)
    opened.page.on("pageerror", lambda error: opened.problems.append(str(error)))
    yield opened
    await asyncio.gather(*pending, return_exceptions=True)
    await context.close()


async def link(stage: Stage, **given: Any) -> str:
    """Make a session; gives its link."""
    payload = (await stage.product.gql(CREATE, input={"customer": {"ref": "c-9", "name": "Harbour Works"}, **given}))[
        "createConnectSession"
    ]
    assert payload["userErrors"] == []
    return str(payload["url"])


async def allow(stage: Stage, *origins: str) -> None:
    await stage.product.gql(ALLOW, origins=list(origins))


async def exchange(stage: Stage, code: str) -> dict[str, Any]:
    payload: dict[str, Any] = (await stage.product.gql(EXCHANGE, input={"code": code}))["exchangeConnectCode"]
    return payload


async def sign_in(page: Page | FrameLocator, sap: RunningSap, user: str, password: str) -> None:
    """Fill the form of SAP, and check."""
    await page.get_by_label("Address", exact=True).fill(sap.url)
    await page.get_by_label("User", exact=True).fill(user)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Check connection").click()


async def test_a_customer_mends_sign_in_and_permission_and_the_backend_gets_a_working_token(
    browser: Browser, stage: Stage, sap: RunningSap, vendor: Vendor
) -> None:
    await allow(stage, vendor.origin)
    url = await link(stage, redirectUri=f"{vendor.origin}/back?keep=1")
    async with tab(browser) as opened:
        page, alert = opened.page, opened.page.get_by_role("alert")
        await page.goto(url)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Connect your system")
        await page.get_by_role("button", name="SAP S/4HANA").click()
        await expect(page.get_by_label("Client id")).to_be_hidden()

        await sign_in(page, sap, "COMM_USER", "wrong")
        await expect(alert).to_contain_text("The system refused the sign-in")
        await expect(alert).to_contain_text("Correct the user and password")
        await sign_in(page, sap, "COMM_NOBODY", "Sandbox-None-1")
        await expect(alert).to_contain_text("The sign-in works, but a permission is missing")
        await expect(alert).to_contain_text("Ask the SAP administrator")
        await sign_in(page, sap, "COMM_BUYER", "Sandbox-Buy-1")
        await expect(page.get_by_role("heading", level=1)).to_have_text("SAP S/4HANA answers")
        await expect(page.get_by_text("Work orders: the user may not read them")).to_be_visible()
        await page.get_by_role("button", name="Change").click()
        await sign_in(page, sap, "COMM_USER", "Sandbox-Full-1")
        await expect(page.get_by_text("Work orders", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Connect", exact=True).click()
        await page.wait_for_url(f"{vendor.origin}/**")
        landed = page.url
    query = parse_qs(urlsplit(landed).query)
    payload, again = [await exchange(stage, query["code"][0]) for _ in range(2)]

    assert query["keep"] == ["1"]
    assert query["connect_session_id"] == [urlsplit(url).path.rsplit("/", 1)[1]]
    assert (payload["userErrors"], payload["connection"]["status"]) == ([], "ACTIVE")
    assert (again["token"], again["userErrors"][0]["message"]) == (None, "The code was used before; it works once.")
    await stage.product.work()
    counted = await stage.product.gql("{ purchaseOrders { totalCount } }", key=payload["token"])
    assert counted["purchaseOrders"]["totalCount"] > 0
    whole = "\n".join(opened.traffic)
    assert "Sandbox-Full-1" in whole  # the record does hold what the browser sent
    assert [word for word in (payload["token"], "chd_conn_", "chd_org_", "Bearer") if word in whole] == []
    refusals = "the server responded with a status of 422"
    assert [each for each in opened.problems if refusals not in each] == []


async def test_an_allowed_page_embeds_it_and_is_told_the_code(
    browser: Browser, stage: Stage, sap: RunningSap, vendor: Vendor
) -> None:
    await allow(stage, vendor.origin)
    url = await link(stage, origin=vendor.origin, systems=["sap_s4hana"])
    vendor.page = EMBEDDING.format(url=url)
    async with tab(browser) as opened:
        await opened.page.goto(vendor.origin)
        frame = opened.page.frame_locator("iframe")
        await sign_in(frame, sap, "COMM_USER", "Sandbox-Full-1")
        await frame.get_by_role("button", name="Connect", exact=True).click()
        await opened.page.wait_for_function("window.told.length")
        ((origin, message),) = await opened.page.evaluate("window.told")
        assert opened.problems == []

    assert (origin, message["type"]) == (stage.product.url, "crosshead.connect")
    assert message["connectSessionId"] == urlsplit(url).path.rsplit("/", 1)[1]
    assert (await exchange(stage, message["code"]))["userErrors"] == []


async def test_a_foreign_page_can_neither_embed_it_nor_receive_the_code(
    browser: Browser, stage: Stage, sap: RunningSap, vendor: Vendor, foreign: Vendor
) -> None:
    """Off: frame-ancestors in graph/portal/page.py; or `"*"` for the origin that page.js posts to."""
    await allow(stage, vendor.origin)
    url = await link(stage, origin=vendor.origin, systems=["sap_s4hana"])
    foreign.page = EMBEDDING.format(url=url)
    async with tab(browser) as opened:
        await opened.page.goto(foreign.origin)
        await opened.page.wait_for_function("document.querySelector('iframe')")
        await expect(opened.page.frame_locator("iframe").get_by_label("Address", exact=True)).to_have_count(0)
        assert [each for each in opened.problems if "frame-ancestors" in each] != []

    foreign.page = OPENING.format(url=url)
    async with tab(browser) as opened:
        await opened.page.goto(foreign.origin)
        async with opened.page.expect_popup() as popping:
            await opened.page.get_by_role("button").click()
        popup = await popping.value
        await sign_in(popup, sap, "COMM_USER", "Sandbox-Full-1")
        await popup.get_by_role("button", name="Connect", exact=True).click()
        await expect(popup.get_by_role("heading", level=1)).to_have_text("Done")
        await opened.page.evaluate("new Promise((done) => setTimeout(done))")
        assert await opened.page.evaluate("window.told") == []
        assert [each for each in opened.problems if "postMessage" in each] != []


async def test_a_popup_of_an_allowed_page_tells_it_the_code(
    browser: Browser, stage: Stage, sap: RunningSap, vendor: Vendor
) -> None:
    await allow(stage, vendor.origin)
    vendor.page = OPENING.format(url=await link(stage, origin=vendor.origin, systems=["sap_s4hana"]))
    async with tab(browser) as opened:
        await opened.page.goto(vendor.origin)
        async with opened.page.expect_popup() as popping:
            await opened.page.get_by_role("button").click()
        popup = await popping.value
        await sign_in(popup, sap, "COMM_USER", "Sandbox-Full-1")
        await popup.get_by_role("button", name="Connect", exact=True).click()
        await opened.page.wait_for_function("window.told.length")
        ((_, message),) = await opened.page.evaluate("window.told")

    assert (await exchange(stage, message["code"]))["userErrors"] == []


async def test_a_reload_goes_on_and_another_browser_finds_the_link_used(
    browser: Browser, stage: Stage, vendor: Vendor
) -> None:
    await allow(stage, vendor.origin)
    url = await link(stage, origin=vendor.origin, systems=["sap_s4hana"])
    async with tab(browser) as opened, tab(browser) as other:
        await opened.page.goto(url)
        await expect(opened.page.get_by_label("Address", exact=True)).to_be_visible()
        assert "#" not in opened.page.url
        await opened.page.reload()
        await expect(opened.page.get_by_label("Address", exact=True)).to_be_visible()
        await other.page.goto(url)
        await expect(other.page.get_by_role("alert")).to_contain_text("This link was opened before. Ask for a new one.")


async def test_a_wrong_address_and_wrong_values_are_told_at_their_fields_and_by_keyboard(
    browser: Browser, stage: Stage, sap: RunningSap, vendor: Vendor
) -> None:
    await allow(stage, vendor.origin)
    async with tab(browser, color_scheme="dark") as opened:
        page = opened.page
        await page.goto(await link(stage, origin=vendor.origin, systems=["sap_s4hana"]))
        await page.get_by_label("Address", exact=True).press("Enter")
        await expect(page.get_by_label("Address", exact=True)).to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_label("Address", exact=True)).to_be_focused()
        await expect(page.get_by_text("This is needed.")).to_be_visible()
        await page.keyboard.type("http://127.0.0.1:1")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("User and password are needed to sign in by BASIC")
        await page.get_by_label("Sign-in").select_option("OAUTH2")
        await expect(page.get_by_label("Client id")).to_be_visible()
        await expect(page.get_by_label("Password", exact=True)).to_be_hidden()
        await page.get_by_label("Sign-in").select_option("BASIC")
        await sign_in(page, sap, "COMM_USER", "Sandbox-Full-1")
        await expect(page.get_by_role("heading", level=1)).to_be_focused()
        await page.get_by_role("button", name="Change").click()
        await page.get_by_label("Address", exact=True).fill("http://127.0.0.1:1")
        await page.get_by_label("Password", exact=True).fill("x")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("No answer from this address")


async def test_a_connection_is_renewed_by_the_same_page(
    browser: Browser, stage: Stage, sap: RunningSap, vendor: Vendor
) -> None:
    credentials = {"base_url": sap.url, "username": "COMM_USER", "password": "Sandbox-Full-1"}
    connection, old = await stage.product.connect("sap_s4hana", credentials)
    await allow(stage, vendor.origin)
    asked = {"connectionId": connection, "redirectUri": f"{vendor.origin}/back"}
    payload = (await stage.product.gql(CREATE, input=asked))["createConnectSession"]
    async with tab(browser) as opened:
        page = opened.page
        await page.goto(payload["url"])
        await expect(page.get_by_role("heading", level=1)).to_have_text("Renew the sign-in to SAP S/4HANA")
        await expect(page.get_by_label("Address", exact=True)).not_to_be_editable()
        await page.get_by_label("User", exact=True).fill("COMM_USER")
        await page.get_by_label("Password", exact=True).fill("Sandbox-Full-1")
        await page.get_by_role("button", name="Check connection").click()
        await page.get_by_role("button", name="Renew").click()
        await page.wait_for_url(f"{vendor.origin}/**")
        code = parse_qs(urlsplit(page.url).query)["code"][0]

    renewed = await exchange(stage, code)
    assert (renewed["connection"]["id"], renewed["userErrors"]) == (connection, [])
    assert renewed["token"] != old
    status, _ = await stage.product.post("{ viewer { kind } }", key=old)
    assert status == 401
