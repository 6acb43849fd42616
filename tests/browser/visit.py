"""An open page of the product, and the record of everything it does."""

from dataclasses import dataclass, field
from typing import Final

from playwright.async_api import Browser, ConsoleMessage, Page, Request, WebSocket

REPORT_VIOLATIONS: Final = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP violation: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
# A busy machine needs a while to start the editor's workers.
PATIENCE_MS: Final = 30_000


@dataclass
class Record:
    """What a page did: addresses asked for, keys sent to the API, sockets opened, errors and warnings it logged."""

    requests: list[str] = field(default_factory=list)
    api_keys: list[str | None] = field(default_factory=list)
    sockets: list[WebSocket] = field(default_factory=list)
    sent_frames: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass
class Visit:
    """An open page and the record of what it does."""

    page: Page
    record: Record


async def open_visit(browser: Browser) -> Visit:
    """Return a blank page in a context of its own, recorded from its first request on; close `page.context` after."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(REPORT_VIOLATIONS)
    visit = Visit(await context.new_page(), Record())
    _observe(visit.page, visit.record)
    return visit


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
        opened.on("framesent", lambda frame: record.sent_frames.append(str(frame)))

    page.context.on("request", on_request)
    page.on("console", on_console)
    page.on("pageerror", lambda error: record.problems.append(str(error)))
    page.on("websocket", on_socket)
