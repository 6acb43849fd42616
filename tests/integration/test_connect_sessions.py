"""Connect sessions from the front door: links that open once, checks by the page, codes that are traded once."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from crosshead import compose
from crosshead.settings import Settings
from db import tokens
from db.engine import Database
from db.models.organization import TokenKind, TokenScope
from db.scope import Scope
from db.types import new_id
from jobs.queue import Queue
from jobs.retention import Retention, prune
from tests.fixtures.connect_page import (
    CREATE,
    CUSTOMER,
    EXCHANGE,
    ORIGIN,
    REDIRECT,
    Page,
    allow,
    exchanged,
    made,
    opened,
)
from tests.fixtures.front import CREATE_KEY, DISCONNECT, SYSTEMS, asked, credentials, standing, work
from tests.fixtures.ledger import KEY, Ledger
from tests.fixtures.many_secrets import NEW_KEY, rotate
from tests.fixtures.product import Product, listening

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


@pytest.fixture(autouse=True)
async def rested(settings: Settings) -> None:
    """Give the address of all tests its whole budget of calls."""
    queue = Queue.open(compose.redis_settings(settings))
    await queue.redis.flushdb()
    await queue.close()


async def completed(front: Product, ledger: Ledger, **given: Any) -> str:
    """Go through a page; gives its code."""
    page = await opened(front, **given)
    status, body = await page.check("ledger", credentials(ledger))
    assert status == 200, body
    return str((await page.complete())["code"])


async def test_a_customer_connects_by_a_link_and_the_backend_gets_the_token(front: Product, ledger: Ledger) -> None:
    ledger.add()
    settings = {"tags": ["a"], "metadata": {"plan": "x"}, "historicalPeriodDays": 30}
    await allow(front)
    page = await made(front, redirectUri=REDIRECT, **settings)

    status, shown = await page.open()
    checked = await page.check("ledger", credentials(ledger))
    done = await page.complete()
    payload = await exchanged(front, done["code"])

    assert status == 200
    assert {name: shown[name] for name in ("organization", "customer", "known")} == {
        "organization": "Test organization",
        "customer": "Customer 7",
        "known": None,
    }
    (system,) = shown["systems"]
    assert (system["slug"], list(system["form"]["properties"]), system["reads"]) == (
        "ledger",
        ["base_url", "key"],
        ["PURCHASE_ORDER", "VENDOR"],
    )
    assert checked[0] == 200
    assert checked[1]["checked"]["refused"] == {}
    assert done["redirect"] == f"{REDIRECT}&code={done['code']}&connect_session_id={page.session_id}"
    assert (done["origin"], done["connectSessionId"]) == (ORIGIN, page.session_id)
    assert payload["userErrors"] == []
    assert payload["connection"] | {"id": None} == {"id": None, "status": "ACTIVE", "customer": CUSTOMER, **settings}
    await work(front)
    orders = (await front.gql("{ purchaseOrders { totalCount } }", key=payload["token"]))["purchaseOrders"]
    assert orders == {"totalCount": 1}


async def test_nothing_is_connected_before_the_code_is_traded(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    code = await completed(front, ledger)

    for table in ("connection", "connection_secret", "credit_entry", "sync_run"):
        assert await behind.fetchval(f"SELECT count(*) FROM {table}") == 0
    assert (await exchanged(front, code))["userErrors"] == []
    assert await behind.fetchval("SELECT count(*) FROM connection_secret") == 1
    assert await behind.fetchval("SELECT count(*) FROM connect_session WHERE sealed IS NOT NULL") == 0


async def test_the_answers_of_the_page_hold_no_token_and_the_store_no_secret(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    """Off: `hash_of` in jobs/links.py or jobs/portal.py."""
    await allow(front)
    page = await made(front)
    answers = [await page.open(), await page.check("ledger", credentials(ledger)), done := await page.complete()]

    dump = ""
    for name in [row["tablename"] for row in await behind.fetch(TABLES)]:
        for row in await behind.fetch(f"SELECT * FROM {name}"):
            dump += " ".join(v.decode("latin-1") if isinstance(v, bytes) else str(v) for v in row.values())
    assert page.session_id.removeprefix("ses_") in dump.replace("-", "")  # the dump does hold the session
    assert [text for text in (page.secret, page.ticket, done["code"], KEY) if text in dump] == []
    token = (await exchanged(front, done["code"]))["token"]
    assert [text for text in (token, "chd_conn_", "chd_org_", KEY) if text in str(answers)] == []


async def test_a_code_works_once_whoever_asks_at_the_same_time(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    """Off: `first=claim` in jobs/portal.py `exchange`."""
    code = await completed(front, ledger)

    payloads = await asyncio.gather(*(exchanged(front, code) for _ in range(8)))
    late = await exchanged(front, code)

    assert sorted(bool(each["token"]) for each in payloads) == [False] * 7 + [True]
    used = [{"code": "CONFLICT", "path": ["code"], "message": "The code was used before; it works once."}]
    assert [each["userErrors"] for each in payloads if not each["token"]] == [used] * 7
    assert (late["token"], late["userErrors"]) == (None, used)
    assert await behind.fetchval("SELECT count(*) FROM connection") == 1


async def test_a_code_ends_after_five_minutes_and_is_of_its_organization_only(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    code = await completed(front, ledger)
    stranger = await _stranger(behind)

    theirs = await exchanged(front, code, key=stranger)
    unknown = await exchanged(front, "chd_code_nonsense")
    left = await behind.fetchval("SELECT code_expires_at - now() FROM connect_session")
    await behind.execute("UPDATE connect_session SET code_expires_at = now()")
    late = await exchanged(front, code)

    assert timedelta(minutes=4, seconds=30) < left <= timedelta(minutes=5)
    assert [each["userErrors"][0]["code"] for each in (theirs, unknown, late)] == ["NOT_FOUND", "NOT_FOUND", "CONFLICT"]
    assert await behind.fetchval("SELECT count(*) FROM connection") == 0


async def _stranger(behind: asyncpg.Connection) -> str:
    """Give a key of another organization."""
    scope = Scope(new_id())
    await behind.execute(
        "INSERT INTO organization (id, name, credits_pool, credits_used, created_at, allowed_origins)"
        " VALUES ($1, 'Another', 10, 0, now(), '{}')",
        scope.organization_id,
    )
    now = datetime.now(UTC)
    key, row = tokens.issue(TokenKind.ORGANIZATION, scope=scope, may=TokenScope.ADMIN, name="Key", now=now)
    await behind.execute(
        "INSERT INTO api_token (organization_id, id, kind, name, scope, token_hash, last_four, created_at)"
        " VALUES ($1, $2, 'ORGANIZATION', 'Key', 'ADMIN', $3, $4, now())",
        scope.organization_id,
        row.id,
        row.token_hash,
        row.last_four,
    )
    return key


async def test_a_link_opens_once_within_thirty_minutes_and_only_with_its_secret(
    front: Product, behind: asyncpg.Connection
) -> None:
    """Off: the conditions in jobs/portal.py `open` and `_live`."""
    await allow(front)
    page, late = await made(front), await made(front)
    left = await behind.fetchval("SELECT min(expires_at) - now() FROM connect_session")
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)

    guessed = await page.open(f"chd_link_{'x' * 43}")
    first = await page.open()
    again = await Page(front, page.path, page.secret).open()
    await behind.execute("UPDATE connect_session SET expires_at = now()")
    ended = await late.open()
    afterwards = await page.check("ledger", {})
    nowhere = await Page(front, "/connect/ses_" + "0" * 32, page.secret).open()
    malformed = await Page(front, "/connect/conn_" + "0" * 32, page.secret).open()

    statuses = [each[0] for each in (guessed, first, again, ended, afterwards, nowhere, malformed)]
    assert statuses == [404, 200, 410, 410, 410, 404, 404]
    assert again[1]["error"]["message"] == "This link was opened before. Ask for a new one."
    assert ended[1]["error"]["message"] == "This link has expired. Ask for a new one."


async def test_wrong_sign_in_missing_permission_and_wrong_address_are_told_apart_with_what_to_do(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    page = await opened(front)

    wrong_key = await page.check("ledger", {"base_url": ledger.url, "key": "wrong"})
    ledger.closed.add("/rights")
    no_right = await page.check("ledger", credentials(ledger))
    ledger.closed.clear()
    nobody = await page.check("ledger", {"base_url": "http://127.0.0.1:1", "key": KEY})
    blocked = await page.check("ledger", {"base_url": "http://169.254.169.254", "key": KEY})
    form = await page.check("ledger", {"base_url": "nonsense", "extra": 1})

    told = [each[1]["failure"] for each in (wrong_key, no_right, nobody, blocked, form)]
    assert [each[0] for each in (wrong_key, no_right, nobody, blocked, form)] == [422] * 5
    assert [(each["kind"], each["code"]) for each in told] == [
        ("CREDENTIALS", "REAUTHORIZATION_REQUIRED"),
        ("PERMISSION", "SOURCE_PERMISSION"),
        ("ADDRESS", "SOURCE_UNREACHABLE"),
        ("ADDRESS", "SOURCE_UNREACHABLE"),
        ("FORM", "BAD_USER_INPUT"),
    ]
    assert [each["remedy"].split(" ")[0] for each in told] == ["Correct", "Ask", "Correct", "Correct", "Correct"]
    assert told[0]["sourceMessage"] == "unknown key"
    assert sorted(told[4]["fields"]) == ["base_url", "extra", "key"]
    status, body, _ = await page.call("complete", {})
    assert (status, body["error"]["message"]) == (409, "Nothing was checked yet.")
    assert await behind.fetchval("SELECT count(*) FROM connection") == 0


async def test_an_entity_that_may_not_be_read_is_told_and_stays_degraded(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    ledger.closed.add("/vendors")
    page = await opened(front)

    _, body = await page.check("ledger", credentials(ledger))
    await exchanged(front, (await page.complete())["code"])

    assert list(body["checked"]["refused"]) == ["VENDOR"]
    states = await behind.fetch("SELECT entity, state FROM connected_entity ORDER BY entity")
    assert [tuple(row) for row in states] == [("PURCHASE_ORDER", "ACTIVE"), ("VENDOR", "DEGRADED")]


async def test_refused_credentials_are_renewed_by_a_link_and_everything_else_stays(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    ledger.add()
    connection, old = await front.connect("ledger", credentials(ledger), customer=CUSTOMER)
    await work(front)
    ledger.key = "newer"
    await behind.execute("UPDATE connection SET status = 'REAUTHORIZATION_REQUIRED'")
    await allow(front)
    page = await made(front, customer=None, connectionId=connection)

    _, shown = await page.open()
    elsewhere = await page.check("ledger", {"base_url": "http://127.0.0.1:9", "key": "newer"})
    stale = await page.check("ledger", {"key": KEY})
    checked = await page.check("ledger", {"key": "newer"})
    assert await standing(front, old) == "REAUTHORIZATION_REQUIRED"
    payload = await exchanged(front, (await page.complete())["code"])

    assert (shown["known"], [each["slug"] for each in shown["systems"]]) == ({"base_url": ledger.url}, ["ledger"])
    assert [elsewhere[1]["failure"]["kind"], stale[1]["failure"]["kind"], checked[0]] == ["FORM", "CREDENTIALS", 200]
    assert (payload["connection"]["id"], payload["connection"]["status"]) == (connection, "ACTIVE")
    assert (await standing(front, old), await standing(front, payload["token"])) == ("ROTATED", "LIVE")
    seen = await front.gql("{ purchaseOrders { totalCount } connections { totalCount } }", key=payload["token"])
    assert seen == {"purchaseOrders": {"totalCount": 1}, "connections": {"totalCount": 1}}


async def test_a_connection_that_ended_meanwhile_is_not_renewed(front: Product, ledger: Ledger) -> None:
    connection, _ = await front.connect("ledger", credentials(ledger))
    page = await opened(front, customer=None, connectionId=connection)
    assert (await page.check("ledger", credentials(ledger)))[0] == 200
    code = (await page.complete())["code"]
    await asked(front, DISCONNECT, connectionId=connection)

    payload = await exchanged(front, code)
    again = (await front.gql(CREATE, input={"connectionId": connection, "origin": ORIGIN}))["createConnectSession"]

    assert [each["code"] for each in payload["userErrors"]] == ["CONFLICT"]
    assert [(each["code"], each["path"]) for each in again["userErrors"]] == [("CONFLICT", ["connectionId"])]


WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no customer": ({"customer": None}, ["customer"]),
    "a customer too long": ({"customer": {"ref": "x" * 256, "name": "x"}}, ["customer"]),
    "no system": ({"systems": ["nothing"]}, ["systems"]),
    "nowhere to go": ({"origin": None}, ["origin"]),
    "a foreign origin": ({"origin": "https://evil.example"}, ["origin"]),
    "a foreign redirect": ({"redirectUri": "https://evil.example/x"}, ["redirectUri"]),
    "a redirect that looks alike": ({"redirectUri": "https://app.example.com@evil.example/"}, ["redirectUri"]),
    "a script": ({"redirectUri": "javascript:alert(1)"}, ["redirectUri"]),
    "a fragment": ({"redirectUri": "https://app.example.com/#x"}, ["redirectUri"]),
    "no period": ({"historicalPeriodDays": 0}, ["historicalPeriodDays"]),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_session_that_makes_no_sense_is_not_made(front: Product, behind: asyncpg.Connection, name: str) -> None:
    given, path = WRONG[name]
    await allow(front)
    wanted = {"customer": CUSTOMER, "origin": ORIGIN, **given}

    payload = (await front.gql(CREATE, input={k: v for k, v in wanted.items() if v is not None}))[
        "createConnectSession"
    ]

    assert payload["url"] is None
    assert [(each["code"], each["path"]) for each in payload["userErrors"]] == [("BAD_USER_INPUT", path)]
    assert await behind.fetchval("SELECT count(*) FROM connect_session") == 0


@pytest.mark.parametrize("scope", ["READ", "WRITE"])
async def test_sessions_and_codes_are_for_keys_with_all_rights(front: Product, ledger: Ledger, scope: str) -> None:
    weak = (await asked(front, CREATE_KEY, name="Weak", scope=scope))["token"]
    _, token = await front.connect("ledger", credentials(ledger))

    for key in (weak, token):
        for document, given in ((CREATE, {"customer": CUSTOMER}), (EXCHANGE, {"code": "x"})):
            status, body = await front.post(document, key=key, input=given)
            assert (status, body["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


async def test_too_few_credits_are_told_to_the_customer_and_to_the_backend(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    code = await completed(front, ledger)
    page = await opened(front)
    await behind.execute("UPDATE organization SET credits_pool = 1")

    failure = (await page.check("ledger", credentials(ledger)))[1]["failure"]
    payload = await exchanged(front, code)

    assert (failure["kind"], failure["code"]) == ("ORGANIZATION", "CREDITS_EXHAUSTED")
    assert [each["code"] for each in payload["userErrors"]] == ["CREDITS_EXHAUSTED"]
    await behind.execute("UPDATE organization SET credits_pool = 100")
    assert (await exchanged(front, code))["userErrors"] == [], "the code was not used up"


async def test_a_code_works_when_the_master_key_was_changed_meanwhile(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    """Off: the second loop of `rotate` in crosshead/keys.py."""
    code = await completed(front, ledger)
    before = await behind.fetchval("SELECT wrapped_key FROM connect_session")
    told, _ = await rotate(front.settings)
    after = await behind.fetchrow("SELECT key_id, wrapped_key FROM connect_session")
    new = front.settings.model_copy(update={"master_keys": type(front.settings.master_keys)(NEW_KEY)})

    async with listening(compose.api(new, connectors=SYSTEMS)) as url:
        payload = await exchanged(replace(front, url=url), code)

    assert told.startswith("1 data keys were wrapped under newer")
    assert (after["key_id"], after["wrapped_key"] != before) == ("newer", True)
    assert (payload["userErrors"], payload["connection"]["status"]) == ([], "ACTIVE")


async def test_an_ended_session_goes_with_what_it_sealed(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    await completed(front, ledger)
    database = Database.open(str(front.settings.database_url), pool_size=2)
    counted = "SELECT count(*) FROM connect_session"

    await prune(database, Retention())
    assert await behind.fetchval(counted) == 1
    await behind.execute("UPDATE connect_session SET expires_at = now() - interval '11 minutes'")
    await prune(database, Retention())
    assert await behind.fetchval(counted) == 1, "its code still works"
    await behind.execute("UPDATE connect_session SET code_expires_at = now() - interval '11 minutes'")
    await prune(database, Retention())

    assert await behind.fetchval(counted) == 0
    await database.close()
