"""Edits, faults and sessions of the simulated Odoo, its orders in their thousands, and its command."""

from typing import Any

import aiohttp
import pytest

from sandbox.kit.process import started
from sandbox.odoo.app import create_app
from sandbox.odoo.config import DEMO_USERS, Config
from sandbox.odoo.seed.plan import Plan
from tests.fixtures.odoo_caller import NOW, OdooCaller, OdooFailed

pytest_plugins = ["tests.fixtures.odoo"]
ORDERS = "purchase.order"


def documents(app: Any) -> dict[str, Any]:
    return {each.key: each for each in app.simulated.documents(ORDERS)}


async def test_edits_are_told_with_what_a_reader_sees(odoo: OdooCaller) -> None:
    app = odoo.running.app
    before = documents(app)
    made = await odoo.admin("POST", "/edits", {"count": 12, "seed": 3, "mix": {"create": 1, "change": 2, "part": 2}})
    [spoiled] = (await odoo.admin("POST", "/edits", {"count": 1, "seed": 5, "mix": {"spoil": 1}}))["keys"]
    [gone] = (await odoo.admin("POST", "/edits", {"count": 1, "seed": 9, "mix": {"vanish": 1}}))["keys"]
    after = documents(app)
    edited = {edit.key for edit in app.system.edits}

    assert edited == {*made["keys"], spoiled, gone}
    assert gone not in after
    assert after[spoiled].body["currency_id"] == [9, "?????"]
    assert not after[spoiled].mappable
    untouched = before.keys() - edited
    assert {key: before[key].body for key in untouched} == {key: after[key].body for key in untouched}


async def test_a_late_order_appears_behind_the_cursor(odoo: OdooCaller) -> None:
    await odoo.admin("POST", "/clock", {"offset_seconds": -3600})
    late = await odoo.admin("POST", "/edits", {"count": 1, "mix": {"create": 1}, "late_seconds": 9999})
    await odoo.admin("POST", "/clock", {"offset_seconds": 0})
    await odoo.kw(ORDERS, "write", [1], {"origin": "later"})
    seen = await odoo.kw(ORDERS, "search", [["write_date", ">=", "2026-01-31 00:00:00"]])
    await odoo.admin("POST", "/edits/commit")
    then = await odoo.kw(ORDERS, "search_read", [["write_date", ">=", "2026-01-31 00:00:00"]], fields=["write_date"])

    assert seen == [1]
    assert {row["id"]: row["write_date"] for row in then} == {
        1: "2026-01-31 12:00:00",
        int(late["keys"][0]): "2026-01-31 11:00:00",
    }


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ({"kind": "unauthorized"}, "odoo.exceptions.AccessDenied"),
        ({"kind": "forbidden", "entity": ORDERS}, "odoo.exceptions.AccessError"),
        ({"kind": "refuse", "text": "Locked by a colleague"}, "odoo.exceptions.UserError"),
    ],
)
async def test_faults_speak_as_odoo_does(odoo: OdooCaller, fault: dict[str, Any], name: str) -> None:
    await odoo.admin("POST", "/faults", fault)
    await odoo.rpc("common", "version") if "entity" in fault else None
    with pytest.raises(OdooFailed) as failed:
        await odoo.kw(ORDERS, "search", [])

    assert failed.value.data["name"] == name
    assert await odoo.kw(ORDERS, "search_count", []) == 40


async def test_a_proxy_answers_where_odoo_does_not(odoo: OdooCaller) -> None:
    await odoo.admin("POST", "/faults", {"kind": "rate_limit", "retry_after": 7})
    url = f"{odoo.running.url}/jsonrpc"
    async with aiohttp.ClientSession() as session, session.post(url, json={}) as answer:
        assert (answer.status, answer.headers["Retry-After"], answer.content_type) == (429, "7", "text/html")


async def test_keys_and_sessions_expire(odoo: OdooCaller) -> None:
    call = {"params": {"model": ORDERS, "method": "search_count", "args": [[]], "kwargs": {}}}
    login = {"params": {"db": "odoo", "login": "admin", "password": "admin"}}
    url = odoo.running.url
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        told = await (await session.post(f"{url}/web/session/authenticate", json=login)).json()
        counted = await (await session.post(f"{url}/web/dataset/call_kw", json=call)).json()
        await odoo.admin("POST", "/sessions/expire")
        expired = await (await session.post(f"{url}/web/dataset/call_kw", json=call)).json()
    await odoo.admin("POST", "/keys/expire")
    by_key = await odoo.rpc("common", "authenticate", "odoo", "admin", odoo.user.key, {})

    assert (told["result"]["uid"], counted["result"]) == (2, 40)
    assert (expired["error"]["code"], expired["error"]["data"]["name"]) == (100, "odoo.http.SessionExpiredException")
    assert by_key["result"] is False
    assert (await odoo.rpc("common", "authenticate", "odoo", "admin", "admin", {}))["result"] == 2


def test_the_same_seed_makes_the_same_orders() -> None:
    first, second = (documents(create_app(plan=Plan(orders=30), clock=lambda: NOW)) for _ in range(2))
    assert [each.body for each in first.values()] == [each.body for each in second.values()]
    assert {each.body["state"] for each in first.values()} == {
        "draft", "sent", "to approve", "purchase", "done", "cancel",
    }  # fmt: skip


def test_a_hundred_thousand_orders_take_no_room() -> None:
    app = create_app(plan=Plan(orders=100_000), config=Config(version=19), clock=lambda: NOW)
    table = app.system.tables[ORDERS]
    lines = app.system.tables["purchase.order.line"]

    assert len(table) == 100_000
    assert table.light(77_777) == {name: table[77_777][name] for name in table.light(77_777) or {}}
    assert lines.light(77_777) == {name: lines[77_777][name] for name in lines.light(77_777) or {}}
    assert table[100_000]["name"] == "P100000"
    assert lines[len(lines)]["order_id"] == 100_000
    assert sum(1 for _ in zip(range(1000), table.by_stamp(), strict=False)) == 1000
    assert not table._rows


async def test_its_command_serves() -> None:
    async with started("odoo", version=19, orders=5) as source, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {DEMO_USERS[0].key}"}
        answer = await session.post(f"{source.url}/json/2/{ORDERS}/search_count", json={"domain": []}, headers=headers)
        assert await answer.json() == 5
        assert (await source.admin.overview())["version"] == 19
        assert [call["entity"] for call in await source.admin.calls()] == [ORDERS]
