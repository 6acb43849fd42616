"""Reading NetSuite over HTTP: whole passes, page borders, local time, rights, features that an account lacks."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from connectors.base import Window
from connectors.errors import AuthError, ConfigError, PermissionRefused, RateLimited
from connectors.netsuite import tables
from connectors.netsuite.tables import TABLES, Column, Table
from db.types import Entity
from sandbox.kit.faults import Fault
from sandbox.netsuite.assertions import new_key_pair
from sandbox.netsuite.config import CLIENT_ID, Certificate
from tests.fixtures.netsuite_source import DELETIONS, FEEDS, NetSuite, credentials, mapped

pytest_plugins = ["tests.fixtures.netsuite", "tests.fixtures.netsuite_connected"]
ROWS = {
    Entity.PURCHASE_ORDER: 40,
    Entity.VENDOR: 12,
    Entity.ITEM: 9,
    Entity.LOCATION: 3,
}


def pages_of(ns: NetSuite, rows: int) -> None:
    """Ask for small pages: NetSuite cuts what it gives by what is asked for."""
    ns.source._client.page_rows = rows


def queries(ns: NetSuite) -> list[str]:
    return [call.body["q"] for call in ns.running.app.calls if call.path.endswith("/suiteql")]


@pytest.mark.parametrize("entity", list(TABLES))
@pytest.mark.parametrize("page", [4, 1000])
async def test_a_first_pass_reads_everything_once_and_maps(ns: NetSuite, entity: Entity, page: int) -> None:
    pages_of(ns, page)

    pages = await ns.pages(FEEDS[entity])

    ids = [item.source_id for each in pages for item in each.items]
    assert len(ids) == len(set(ids)) == ROWS.get(entity, len(ids)) > 0
    assert pages[-1].position is None
    assert all(each.position is not None and each.items for each in pages[:-1])
    assert pages[0].total == len(ids)
    for each in pages:
        for item in each.items:
            mapped(entity, item)


@pytest.mark.parametrize("page", [3, 16])
async def test_lines_are_whole_wherever_pages_end(ns: NetSuite, page: int) -> None:
    whole = {item.source_id: item.body for item in await ns.items(Entity.PURCHASE_ORDER)}
    pages_of(ns, page)

    again = {item.source_id: item.body for item in await ns.items(Entity.PURCHASE_ORDER)}

    assert again == whole
    assert max(len(body["lines"]) for body in whole.values()) > 2


async def test_a_pass_goes_on_behind_any_page(ns: NetSuite) -> None:
    pages_of(ns, 16)
    pages = await ns.pages(FEEDS[Entity.PURCHASE_ORDER])

    rest = await ns.pages(FEEDS[Entity.PURCHASE_ORDER], position=pages[0].position)

    assert [page.items for page in rest] == [page.items for page in pages[1:]]
    assert rest[0].total == 40


async def test_pages_are_cut_by_key_and_never_by_offset(ns: NetSuite) -> None:
    """Rows that are put in before a page shift an offset; they do not shift a key."""
    pages_of(ns, 16)
    ns.running.app.faults.add(Fault("edit_between", path="suiteql", rows=3, count=None))

    ids = [item.source_id for item in await ns.items(Entity.PURCHASE_ORDER)]

    assert set(ids) >= {str(number) for number in range(1, 41)}
    assert len(ids) == len(set(ids))
    assert all("offset=0" in call.target for call in ns.running.app.calls if "suiteql" in call.path)


async def test_no_pass_comes_near_the_rows_that_one_query_gives_at_most(ns: NetSuite) -> None:
    """With pages by offset, what is behind the cap is never told."""
    pages_of(ns, 8)
    ns.running.app.system.options.row_cap = 16

    ids = [item.source_id for item in await ns.items(Entity.PURCHASE_ORDER)]

    assert len(set(ids)) == len(ids) == 40


async def test_what_stands_in_tables_beside_comes_with_the_record(ns: NetSuite) -> None:
    orders = [mapped(Entity.PURCHASE_ORDER, item) for item in await ns.items(Entity.PURCHASE_ORDER)]
    vendors = [mapped(Entity.VENDOR, item) for item in await ns.items(Entity.VENDOR)]
    levels = [mapped(Entity.INVENTORY_LEVEL, item) for item in await ns.items(Entity.INVENTORY_LEVEL)]

    assert {order.ship_to.city for order in orders if order.ship_to} >= {"Oakland"}
    assert all(vendor.addresses and vendor.addresses[0].country for vendor in vendors)
    assert {level.unit for level in levels} >= {"EA", "KGM"}


async def test_changes_are_found_in_the_accounts_local_time(ns: NetSuite) -> None:
    """Los Angeles is eight hours behind: with the cursor in UTC the change is not found."""
    app = ns.running.app
    app.driver.editor.change("7", Random(1), ns.now)

    found = await ns.items(Entity.PURCHASE_ORDER, Window(since=ns.now - timedelta(seconds=30)))
    later = await ns.items(Entity.PURCHASE_ORDER, Window(since=ns.now + timedelta(seconds=30)))
    async with ns.opened_as(time_zone=None) as source:
        [page] = [
            page async for page in source.read(FEEDS[Entity.PURCHASE_ORDER], window=Window(since=ns.now), position=None)
        ]

    assert [(item.source_id, item.updated_at) for item in found] == [("7", ns.now)]
    assert later == []
    assert {item.source_id: item.updated_at for item in page.items}["7"] is None


async def test_a_period_is_cut_by_the_orders_date(ns: NetSuite) -> None:
    start = (ns.now - timedelta(days=90)).date()
    recent = await ns.items(Entity.PURCHASE_ORDER, Window(period_start=start))
    every = await ns.items(Entity.PURCHASE_ORDER)

    assert {item.source_id for item in recent} == {i.source_id for i in every if i.dated_on and i.dated_on >= start}
    assert 0 < len(recent) < 40


async def test_deleted_orders_are_told(ns: NetSuite) -> None:
    ns.running.app.driver.editor.vanish("9")
    [page] = await ns.pages(DELETIONS, Window(since=ns.now - timedelta(hours=1)))
    [nothing] = await ns.pages(DELETIONS, Window(since=ns.now + timedelta(hours=1)))
    ns.running.app.system.options.deleted_records = False
    [unseen] = await ns.pages(DELETIONS, Window(since=ns.now - timedelta(hours=1)))

    assert (page.gone, nothing.gone, unseen.gone) == (("9",), (), ())
    assert await ns.source.fetch(Entity.PURCHASE_ORDER, ["9", "8", "8", "x"]) == await ns.source.fetch(
        Entity.PURCHASE_ORDER, ["8"]
    )


async def test_columns_that_an_account_lacks_are_left_out_from_then_on(
    ns: NetSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {name: getattr(tables.VENDORS, name) for name in tables.VENDORS.__slots__}
    lacking = (Column("shoesize", "shoesize"), Column("hatsize", "hatsize"))
    table = Table(**{**told, "columns": (*tables.VENDORS.columns, *lacking)})
    monkeypatch.setattr("connectors.netsuite.source.TABLES", {**TABLES, Entity.VENDOR: table})
    pages_of(ns, 5)

    items = await ns.items(Entity.VENDOR)

    asked = [sql for sql in queries(ns) if "FROM vendor" in sql]
    assert len(items) == 12
    assert [("shoesize" in sql, "hatsize" in sql) for sql in asked] == [
        (True, True),
        (False, True),
        (False, False),
        (False, False),
        (False, False),
    ]


async def test_custom_fields_are_read_as_the_accounts_metadata_names_them(ns: NetSuite) -> None:
    items = await ns.items(Entity.PURCHASE_ORDER)
    names = {name for item in items for name in mapped(Entity.PURCHASE_ORDER, item).custom_fields}
    of_lines = {
        name for item in items for line in mapped(Entity.PURCHASE_ORDER, item).lines for name in line.custom_fields
    }

    assert names == {"custbody_project_code", "custbody_confirmed", "custbody_need_by"}
    assert of_lines <= {"custcol_grade", "custcol_weight"}
    assert of_lines


async def test_the_check_tells_what_the_role_may_not_see(ns: NetSuite) -> None:
    right = await ns.source.check()
    async with ns.opened_as(role="storekeeper") as source:
        refused = (await source.check()).refused
        with pytest.raises(PermissionRefused):
            [page async for page in source.read(FEEDS[Entity.PURCHASE_ORDER], window=Window(), position=None)]

    assert right.refused == {}
    assert right.facts == {"account": "1234567_SB1", "signIn": "TOKEN", "timeZone": "America/Los_Angeles"}
    assert set(refused) == {Entity.PURCHASE_ORDER}


@pytest.mark.parametrize("wrong", [{"token_secret": "x"}, {"consumer_key": "x"}, {"role": "no_rest"}])
async def test_a_refused_login_is_told_with_both_remedies(ns: NetSuite, wrong: dict[str, Any]) -> None:
    async with ns.opened_as(**wrong) as source:
        with pytest.raises(AuthError) as refused:
            await source.check()
    assert "REST Web Services" in refused.value.remedy


async def test_a_401_of_one_call_alone_is_no_dead_login(ns: NetSuite) -> None:
    """NetSuite answers 401 for a missing permission, too: it is the login where a query without rights is refused."""
    ns.running.app.faults.add(Fault("unauthorized", entity="vendor", count=None))
    with pytest.raises(PermissionRefused):
        await ns.items(Entity.VENDOR)
    ns.running.app.faults.clear()
    ns.running.app.faults.add(Fault("unauthorized", entity="vendor", count=1))

    assert len(await ns.items(Entity.VENDOR)) == 12


@pytest.mark.parametrize("status", [429, 400, 401])
async def test_too_many_calls_at_once_are_told_by_the_code(ns: NetSuite, status: int) -> None:
    ns.running.app.system.options.concurrency_status = status
    ns.running.app.faults.add(Fault("rate_limit", path="suiteql", count=None))
    with pytest.raises(RateLimited if status != 401 else (RateLimited, AuthError)):
        await ns.items(Entity.VENDOR)


async def test_a_time_zone_that_is_not_the_accounts_is_refused(ns: NetSuite) -> None:
    async with ns.opened_as(time_zone="Europe/Berlin") as source:
        with pytest.raises(ConfigError, match=r"9\.0 h off"):
            await source.check()


async def test_oauth_2_signs_in_with_a_certificate(ns: NetSuite) -> None:
    private, public = new_key_pair()
    certificates = ns.running.app.system.config.certificates
    certificates["cert-test"] = Certificate(CLIENT_ID, "cert-test", public, "integration")
    told = {"auth_method": "OAUTH2", "client_id": CLIENT_ID, "certificate_id": "cert-test"}
    async with ns.opened_as(**told, private_key=private.decode()) as source:
        assert (await source.check()).refused == {}
        ns.running.app.logins.expire()
        assert (await source.check()).refused == {}
    del certificates["cert-test"]


async def test_codes_are_resolved_whatever_their_case(ns: NetSuite) -> None:
    source = ns.source
    assert await source.resolve("vendor", "v00005") == ["5"]
    assert await source.resolve("item", " ITM-00004 ") == ["4"]
    assert await source.resolve("payment_terms", "net 60") == ["2"]
    assert await source.resolve("location", "main warehouse") == ["1"]
    assert await source.resolve("item", "O'Neil") == []


async def test_the_clock_is_netsuites(ns: NetSuite) -> None:
    assert await ns.source.clock() == ns.now


def test_credentials_hide_their_secrets() -> None:
    assert "cs-demo" not in repr(credentials("http://127.0.0.1:1"))
