"""An open page of the product: what a person does there, and the record of all that the page does."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Playwright, Request, WebSocket, expect

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A second lock beside the recording: no name but this machine's resolves.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
REPORT_VIOLATIONS: Final = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP violation: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
# Typed text would have its brackets closed by the editor.
PASTE: Final = """
(text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}
"""
# A busy machine needs a while to start the editor's workers.
PATIENCE_MS: Final = 30_000


@dataclass
class Record:
    """What a page did: addresses asked for, keys sent to the API, sockets and their messages, errors and warnings."""

    requests: list[str] = field(default_factory=list)
    api_keys: list[str | None] = field(default_factory=list)
    sockets: list[WebSocket] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass
class Visit:
    """An open page and the record of what it does."""

    page: Page
    record: Record

    @property
    def status(self) -> Locator:
        """Where the page says whether the key works."""
        return self.page.get_by_role("status")

    @property
    def response(self) -> Locator:
        """Where GraphiQL shows answers; lines out of sight are not there."""
        return self.page.locator(".graphiql-response")

    async def submit_key(self, key: str) -> None:
        """Paste a key and press the button."""
        await self.page.get_by_label("API key").fill(key)
        await self.page.get_by_role("button", name="Use key").click()

    async def use_key(self, key: str) -> None:
        """Sign in, and wait for the schema."""
        async with self.page.expect_response("**/graphql"):
            await self.submit_key(key)
        await expect(self.status).to_have_text("Connected")

    async def open_example(self, title: str) -> None:
        """Open a shipped example."""
        await self.page.get_by_role("region", name="Example queries").get_by_text(title, exact=True).click()

    async def set_variables(self, variables: dict[str, Any]) -> None:
        """Replace the text of the variables editor."""
        await self._paste(".graphiql-editor-tool", json.dumps(variables))

    async def set_query(self, query: str) -> None:
        """Replace the text of the query editor."""
        await self._paste(".graphiql-query-editor", query)

    async def press_run(self) -> None:
        """Press the button that runs the query, or begins the subscription."""
        await self.page.get_by_role("button", name="Execute query").click()

    async def run(self) -> dict[str, Any]:
        """Run the query and give what the server answered."""
        async with self.page.expect_response("**/graphql") as answered:
            await self.press_run()
        answer: dict[str, Any] = await (await answered.value).json()
        return answer

    async def follow(self) -> None:
        """Begin the subscription, and wait until it was asked of the server."""
        before = len(self._sent("subscribe"))
        await self.press_run()
        await self.until(lambda: len(self._sent("subscribe")) > before, "the subscription was not sent")

    async def until(self, condition: Any, problem: str) -> None:
        """Wait until a condition on the record holds."""
        for _ in range(PATIENCE_MS // 50):
            if condition():
                return
            await self.page.wait_for_timeout(50)
        raise AssertionError(f"{problem}: {self.record}")

    def results(self, name: str) -> list[dict[str, Any]]:
        """Give what the subscription field `name` has told so far."""
        told = [message["payload"] for message in self.record.received if message["type"] == "next"]
        return [payload["data"][name] for payload in told if name in (payload.get("data") or {})]

    def bearers_of_sockets(self) -> list[str]:
        """Give the authorization with which each socket was opened."""
        return [message["payload"]["authorization"] for message in self._sent("connection_init")]

    def hosts(self) -> set[str]:
        """Give every host that was asked for anything."""
        addresses = [*self.record.requests, *(socket.url for socket in self.record.sockets)]
        return {urlsplit(address).netloc for address in addresses if not address.startswith("data:")}

    def assert_clean(self, api_url: str) -> None:
        """Assert that only the product was asked for anything, and nothing went wrong, violations included."""
        assert self.record.problems == []
        assert self.hosts() == {urlsplit(api_url).netloc}

    def _sent(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.record.sent if message["type"] == kind]

    async def _paste(self, editor: str, text: str) -> None:
        await self.page.locator(f"{editor} .view-lines").first.click()
        await self.page.keyboard.press("Control+A")
        await self.page.evaluate(PASTE, text)


@asynccontextmanager
async def launched(playwright: Playwright, chromium_path: str) -> AsyncIterator[Browser]:
    """Run Chromium; Playwright makes a fresh user-data-dir for each launch and removes it."""
    expect.set_options(timeout=PATIENCE_MS)
    browser = await playwright.chromium.launch(executable_path=chromium_path, headless=True, args=list(FLAGS))
    try:
        yield browser
    finally:
        await browser.close()


@asynccontextmanager
async def visiting(browser: Browser, api_url: str) -> AsyncIterator[Visit]:
    """Open GraphiQL without a key in a context of its own, recorded from its first request on."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(REPORT_VIOLATIONS)
    visit = Visit(await context.new_page(), Record())
    _observe(visit.page, visit.record)
    await visit.page.goto(f"{api_url}/graphiql")
    await visit.page.locator(".graphiql-query-editor .view-line").first.wait_for()
    yield visit
    await context.close()


def _observe(page: Page, record: Record) -> None:
    def on_request(request: Request) -> None:
        record.requests.append(request.url)
        if request.url.endswith("/graphql"):
            record.api_keys.append(request.headers.get("authorization"))

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            record.problems.append(message.text)

    def on_socket(opened: WebSocket) -> None:
        record.sockets.append(opened)
        opened.on("framesent", lambda frame: record.sent.append(json.loads(frame)))
        opened.on("framereceived", lambda frame: record.received.append(json.loads(frame)))

    page.context.on("request", on_request)
    page.on("console", on_console)
    page.on("pageerror", lambda error: record.problems.append(str(error)))
    page.on("websocket", on_socket)
