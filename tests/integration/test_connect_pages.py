"""The connect page's door: who may embed it, under which policy it runs, who may call it, and what is logged."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from crosshead import compose
from crosshead.settings import Settings
from jobs.queue import Queue
from tests.fixtures.connect_page import ALLOW, ORIGIN, REDIRECT, allow, made, opened
from tests.fixtures.front import credentials
from tests.fixtures.ledger import Ledger
from tests.fixtures.product import Product


@pytest.fixture(autouse=True)
async def rested(settings: Settings) -> None:
    """Give the address of all tests its whole budget of calls."""
    queue = Queue.open(compose.redis_settings(settings))
    await queue.redis.flushdb()
    await queue.close()


ORIGINS = {
    "https://App.Example.com": "https://app.example.com",
    "https://app.example.com:443/": "https://app.example.com",
    "https://app.example.com:8443": "https://app.example.com:8443",
    "http://localhost:3000": "http://localhost:3000",
    "http://127.0.0.1:5173": "http://127.0.0.1:5173",
    "https://bücher.example": "https://xn--bcher-kva.example",
}
NONE = (
    *("http://app.example.com", "https://app.example.com/path", "https://*.example.com", "*", "null", "", "https://"),
    *(
        "https://a.example;script-src *",
        "https://a.example https://b.example",
        "https://u:p@a.example",
        "data:text/html,x",
    ),
    *("https://a.example:99999", "https://a.example\nhttps://b.example", "https://" + "a" * 64 + ".example"),
)


async def test_allowed_origins_are_kept_as_browsers_tell_them(front: Product) -> None:
    told = (await front.gql(ALLOW, origins=[*ORIGINS, *ORIGINS]))["updateOrganization"]

    assert told["organization"]["allowedOrigins"] == list(dict.fromkeys(ORIGINS.values()))


@pytest.mark.parametrize("text", NONE)
async def test_what_is_no_single_origin_is_not_allowed(front: Product, text: str) -> None:
    await allow(front)

    told = (await front.gql(ALLOW, origins=[ORIGIN, text]))["updateOrganization"]

    assert [(each["code"], each["path"]) for each in told["userErrors"]] == [
        ("BAD_USER_INPUT", ["allowedOrigins", "1"])
    ]
    kept = (await front.gql("{ organization { allowedOrigins } }"))["organization"]["allowedOrigins"]
    assert kept == [ORIGIN]


async def policy(front: Product, path: str) -> tuple[int, Mapping[str, str]]:
    async with front.http.get(f"{front.url}{path}") as answer:
        await answer.read()
        return answer.status, answer.headers


async def test_a_page_is_embeddable_by_the_origins_that_are_allowed_now_and_by_nobody_else(front: Product) -> None:
    other = "https://other.example"
    await allow(front, ORIGIN, other)
    embedded, redirected = await made(front), await made(front, origin=None, redirectUri=REDIRECT)

    status, headers = await policy(front, embedded.path)
    assert status == 200
    assert f"frame-ancestors {ORIGIN} {other};" in headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in headers
    assert headers["Referrer-Policy"] == "no-referrer"
    for path, wanted in ((redirected.path, 200), ("/connect/ses_" + "0" * 32, 404), ("/connect/x", 404)):
        status, headers = await policy(front, path)
        assert (status, headers["X-Frame-Options"]) == (wanted, "DENY")
        assert "frame-ancestors 'none';" in headers["Content-Security-Policy"]
    await allow(front, other)
    assert (await policy(front, embedded.path))[1]["X-Frame-Options"] == "DENY"


async def test_the_policy_of_the_page_names_a_fresh_nonce_and_allows_nothing_inline(front: Product) -> None:
    await allow(front)
    page = await made(front)
    policies = [(await policy(front, page.path))[1]["Content-Security-Policy"] for _ in range(2)]

    assert policies[0] != policies[1]
    for each in policies:
        assert "unsafe" not in each
        assert each.startswith("default-src 'none'; script-src 'nonce-")
    async with front.http.get(f"{front.url}{page.path}") as answer:
        text = await answer.text()
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:|__CSP_NONCE__", text) == []


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
async def test_another_page_cannot_make_the_calls(front: Product, headers: dict[str, str]) -> None:
    await allow(front)
    page = await made(front)

    status, body, _ = await page.call("open", {"secret": page.secret}, headers=headers)

    assert (status, body["error"]["code"]) == (403, "FORBIDDEN")
    assert (await page.open())[0] == 200


async def test_live_checks_are_limited_by_session_and_address(front: Product, ledger: Ledger) -> None:
    """Off: `_charge` in graph/portal/routes.py."""
    page = await opened(front)
    other = await opened(front)

    statuses = [(await page.check("ledger", {"base_url": ledger.url, "key": "wrong"}))[0] for _ in range(14)]
    refused = await other.check("ledger", credentials(ledger))

    assert statuses[:10] == [422] * 10
    assert 429 in statuses[10:]
    assert (refused[0], refused[1]["error"]["code"]) == (429, "RATE_LIMITED"), "the address is the same"


async def test_one_link_allows_twenty_live_checks(front: Product, behind: asyncpg.Connection, ledger: Ledger) -> None:
    """Off: MAX_CHECKS in jobs/portal.py."""
    page = await opened(front)
    await behind.execute("UPDATE connect_session SET checks = 19")

    statuses = [(await page.check("ledger", {"base_url": ledger.url, "key": "wrong"}))[0] for _ in range(2)]

    assert statuses == [422, 429]


async def test_what_the_page_met_is_found_in_the_request_log_by_its_id(front: Product, ledger: Ledger) -> None:
    page = await opened(front)
    wrong = {"base_url": ledger.url, "key": "wrong"}
    calls = {
        "p-1": ("check", {"system": "ledger", "credentials": wrong}),
        "p-2": ("complete", {}),
        "p-3": ("check", {"system": "ledger", "credentials": 1}),
        "p-4": ("nothing", {}),
    }
    for request_id, (action, body) in calls.items():
        _, told, headers = await page.call(action, body, headers={"X-Request-Id": request_id})
        assert (told["requestId"], headers["X-Request-Id"]) == (request_id, request_id)

    query = "query ($f: RequestLogFilter) { requestLog(filter: $f) { nodes { requestId tokenId operationName code } } }"
    found: list[Any] = []
    async with asyncio.timeout(20):
        while len(found) < len(calls):
            found = (await front.gql(query, f={"requestId": {"in": list(calls)}}))["requestLog"]["nodes"]
    assert {(each["requestId"], each["operationName"], each["code"]) for each in found} == {
        ("p-1", "connect.check", "REAUTHORIZATION_REQUIRED"),
        ("p-2", "connect.complete", "CONFLICT"),
        ("p-3", "connect.check", "BAD_USER_INPUT"),
        ("p-4", "connect.nothing", "NOT_FOUND"),
    }
    assert {each["tokenId"] for each in found} == {page.session_id}
