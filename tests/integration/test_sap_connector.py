"""Reading S/4HANA over HTTP: whole passes, page borders, increments, errors of the live check."""

import socket
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import SecretStr

from connectors.base import Window
from connectors.errors import (
    AuthError,
    BadResponse,
    ConfigError,
    ConnectorError,
    PermissionRefused,
    RateLimited,
    SourceFault,
    SourceUnavailable,
)
from connectors.kit.odata2 import follow
from connectors.sap_s4hana import services
from db.types import Entity
from sandbox.kit.faults import Fault
from tests.fixtures.sap_caller import NOW
from tests.fixtures.sap_source import Sap

pytest_plugins = ["tests.fixtures.sap_s4hana", "tests.fixtures.sap_connected"]

TABLES = {
    Entity.PURCHASE_ORDER: "A_PurchaseOrder",
    Entity.WORK_ORDER: "MaintenanceOrder",
    Entity.VENDOR: "A_Supplier",
    Entity.ITEM: "A_Product",
    Entity.INVENTORY_LEVEL: "A_MatlStkInAcctMod",
    Entity.LOCATION: "FunctionalLocation",
}


def _small_pages(monkeypatch: pytest.MonkeyPatch, entity: Entity, size: int) -> None:
    resource = services.RESOURCES[entity]
    changed = {name: getattr(resource, name) for name in resource.__slots__} | {"page_size": size}
    monkeypatch.setitem(services.RESOURCES, entity, services.Resource(**changed))


@pytest.mark.parametrize("entity", list(TABLES))
@pytest.mark.parametrize("page_size", [1, 7, 40, 1000])
async def test_a_first_pass_reads_everything_once_and_maps(
    s4: Sap, monkeypatch: pytest.MonkeyPatch, entity: Entity, page_size: int
) -> None:
    if page_size == 1 and entity is Entity.INVENTORY_LEVEL:
        page_size = 3  # pages end where the material changes
    _small_pages(monkeypatch, entity, page_size)

    pages = await s4.pages(entity)

    ids = [item.source_id for page in pages for item in page.items]
    assert len(ids) == len(set(ids)) == len(s4.wire.system.tables[TABLES[entity]])
    assert pages[-1].position is None
    assert all(page.position is not None and page.items for page in pages[:-1])
    assert pages[0].total == len(ids)
    assert all(len(page.items) <= page_size for page in pages) or entity is Entity.INVENTORY_LEVEL
    for page in pages:
        for item in page.items:
            s4.mapped(entity, item)


@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("server_page", [1, 3, 40])
async def test_server_pages_smaller_than_ours_lose_nothing(
    s4: Sap, monkeypatch: pytest.MonkeyPatch, absolute: bool, server_page: int
) -> None:
    _small_pages(monkeypatch, Entity.PURCHASE_ORDER, 16)
    s4.wire.system.options.page_size = server_page
    s4.wire.system.options.absolute_next = absolute

    pages = await s4.pages(Entity.PURCHASE_ORDER)

    ids = [item.source_id for page in pages for item in page.items]
    assert sorted(set(ids)) == ids
    assert len(ids) == 40
    assert any("skiptoken" in call.target for call in s4.wire.calls) is (server_page < 16)


async def test_a_pass_resumes_after_any_page(s4: Sap, monkeypatch: pytest.MonkeyPatch) -> None:
    _small_pages(monkeypatch, Entity.PURCHASE_ORDER, 15)
    pages = await s4.pages(Entity.PURCHASE_ORDER)

    again = await s4.pages(Entity.PURCHASE_ORDER, position=pages[0].position)

    assert [[item.source_id for item in page.items] for page in again] == [
        [item.source_id for item in page.items] for page in pages[1:]
    ]
    assert again[-1].total == 40


async def test_rows_that_change_during_a_pass_are_not_skipped(s4: Sap, monkeypatch: pytest.MonkeyPatch) -> None:
    _small_pages(monkeypatch, Entity.PURCHASE_ORDER, 10)
    seen: list[str] = []
    table = s4.wire.system.tables["A_PurchaseOrder"]

    async for page in s4.source.read(services.FEEDS[0], window=Window(), position=None):
        seen += [item.source_id for item in page.items]
        if len(seen) == 10:
            gone = table.get(seen[0])
            assert gone is not None
            table.remove(gone)  # an offset would now skip the eleventh order

    assert len(seen) == len(set(seen)) == 40


async def test_an_increment_reads_what_changed_since(s4: Sap) -> None:
    since = NOW - timedelta(minutes=1)
    before = await s4.items(Entity.PURCHASE_ORDER, Window(since=since))
    s4.edit("A_PurchaseOrder", "4500000003", LastChangeDateTime=NOW)

    found = await s4.items(Entity.PURCHASE_ORDER, Window(since=since))

    assert {item.source_id for item in found} - {item.source_id for item in before} == {"4500000003"}
    [item] = [item for item in found if item.source_id == "4500000003"]
    assert item.updated_at is not None
    assert abs(item.updated_at - NOW) < timedelta(milliseconds=1)
    assert item.body["to_PurchaseOrderItem"][0]["to_ScheduleLine"]


async def test_an_item_change_that_does_not_move_the_header_is_found_by_a_full_pass_only(s4: Sap) -> None:
    since = NOW - timedelta(minutes=1)
    before = await s4.items(Entity.PURCHASE_ORDER, Window(since=since))
    s4.edit("A_PurchaseOrderItem", "4500000003", "00010", OrderQuantity=Decimal("4711.000"))

    increment = await s4.items(Entity.PURCHASE_ORDER, Window(since=since))
    full = {item.source_id: item for item in await s4.items(Entity.PURCHASE_ORDER)}

    assert [one.source_id for one in increment] == [one.source_id for one in before]
    assert full["4500000003"].body["to_PurchaseOrderItem"][0]["OrderQuantity"] == "4711.000"


async def test_the_historical_period_is_cut_by_the_order_date(s4: Sap) -> None:
    start = date(2026, 8, 1)

    found = await s4.items(Entity.PURCHASE_ORDER, Window(period_start=start))

    rows = s4.wire.system.tables["A_PurchaseOrder"]
    wanted = {row["PurchaseOrder"] for row in rows if row["PurchaseOrderDate"].date() >= start}
    assert {item.source_id for item in found} == wanted
    assert 0 < len(wanted) < len(rows)


async def test_the_historical_period_of_work_orders_is_cut_by_their_start(s4: Sap) -> None:
    starts = [s4.mapped(Entity.WORK_ORDER, item).scheduled_start_at for item in await s4.items(Entity.WORK_ORDER)]
    cut = sorted(starts)[len(starts) // 2].date()

    found = await s4.items(Entity.WORK_ORDER, Window(period_start=cut))

    assert len(found) == sum(start.date() >= cut for start in starts)
    assert 0 < len(found) < len(starts)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (datetime(2026, 11, 20, 9, 0, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 20, 9, 0, 1, tzinfo=UTC), False),
        (datetime(2026, 11, 19, 23, 0, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 21, 0, 0, 0, tzinfo=UTC), False),
    ],
)
async def test_a_suppliers_split_stamp_is_compared_as_one(s4: Sap, since: datetime, expected: bool) -> None:
    partner = next(iter(s4.wire.system.tables["A_BusinessPartner"]))
    midnight = datetime(2026, 11, 20)  # noqa: DTZ001 - Edm.DateTime has no zone
    s4.edit("A_BusinessPartner", partner["BusinessPartner"], LastChangeDate=midnight, LastChangeTime="PT09H00M00S")

    found = await s4.items(Entity.VENDOR, Window(since=since))

    assert (partner["Supplier"] in {item.source_id for item in found}) is expected


async def test_items_are_fetched_by_key_and_missing_ones_left_out(s4: Sap) -> None:
    stock = [item.source_id for item in await s4.items(Entity.INVENTORY_LEVEL)][:25]

    orders = await s4.source.fetch(Entity.PURCHASE_ORDER, ["4500000002", "4599999999", "4500000001", "4500000001"])
    levels = await s4.source.fetch(Entity.INVENTORY_LEVEL, stock)

    assert sorted(item.source_id for item in orders) == ["4500000001", "4500000002"]
    assert sorted(item.source_id for item in levels) == sorted(stock)


async def test_relations_meet(s4: Sap) -> None:
    vendors = {item.source_id for item in await s4.items(Entity.VENDOR)}
    items = {item.source_id for item in await s4.items(Entity.ITEM)}
    orders = [s4.mapped(Entity.PURCHASE_ORDER, item) for item in await s4.items(Entity.PURCHASE_ORDER)]
    levels = [s4.mapped(Entity.INVENTORY_LEVEL, item) for item in await s4.items(Entity.INVENTORY_LEVEL)]

    assert {order.vendor_source_id for order in orders} <= vendors
    assert {line.item_source_id for order in orders for line in order.lines if line.item_source_id} <= items
    assert {level.item_source_id for level in levels} <= items


async def test_prices_are_kept_with_their_price_unit(s4: Sap) -> None:
    orders = [s4.mapped(Entity.PURCHASE_ORDER, item) for item in await s4.items(Entity.PURCHASE_ORDER)]
    lines = [line for order in orders for line in order.lines if line.price_base and line.price_base > 1]

    assert lines
    assert all(line.unit_price * line.price_base == line.source_price for line in lines)


async def test_all_states_of_the_seed_are_told(s4: Sap) -> None:
    states = {s4.mapped(Entity.PURCHASE_ORDER, item).status for item in await s4.items(Entity.PURCHASE_ORDER)}

    assert states == {"APPROVED", "PENDING_APPROVAL", "REJECTED", "DRAFT", "CANCELLED", "RECEIVED", "CLOSED"}


async def test_people_find_vendors_and_items_by_their_code(s4: Sap) -> None:
    assert await s4.source.resolve("vendor", "17300001") == ["17300001"]
    assert await s4.source.resolve("vendor", "0017300001") == ["17300001"]
    assert await s4.source.resolve("vendor", "O'Neil") == []
    assert await s4.source.resolve("item", "tg00001") == ["TG00001"]
    assert await s4.source.resolve("item", "nope") == []
    assert await s4.source.resolve("location", "1010/101a") == ["1010/101A"]
    assert await s4.source.resolve("location", "a/b/c") == []
    assert await s4.source.resolve("payment_terms", "NT30") == ["NT30"]


async def test_a_good_check_tells_facts_and_no_secret(s4: Sap) -> None:
    checked = await s4.source.check()

    assert checked.refused == {}
    assert checked.facts == {"client": "100", "user": "COMM_USER", "signIn": "BASIC"}
    assert await s4.source.clock() == NOW.replace(microsecond=0)


async def test_client_credentials_sign_in_too(s4: Sap) -> None:
    secret = SecretStr("sandbox-secret")
    async with s4.opened_as(
        auth_method="OAUTH2", username=None, password=None, client_id="sandbox-client", client_secret=secret
    ) as source:
        assert (await source.check()).refused == {}
        s4.wire.sessions.expire_all()  # tokens too: the next call asks for another
        assert (await source.check()).refused == {}


async def test_a_missing_right_is_told_by_entity(s4: Sap) -> None:
    async with s4.opened_as(username="COMM_BUYER", password=SecretStr("Sandbox-Buy-1")) as source:
        checked = await source.check()

        assert list(checked.refused) == [Entity.WORK_ORDER, Entity.ASSET, Entity.LOCATION]
        with pytest.raises(PermissionRefused):
            await source.fetch(Entity.WORK_ORDER, ["4000001"])


async def test_a_wrong_password_wants_new_credentials_and_no_json(s4: Sap) -> None:
    async with s4.opened_as(password=SecretStr("wrong")) as source:
        with pytest.raises(AuthError) as caught:
            await source.check()

    assert "<" not in (caught.value.source_message or "")


async def test_a_wrong_client_is_no_success(s4: Sap) -> None:
    async with s4.opened_as(client="999") as source:
        with pytest.raises((ConfigError, AuthError)) as caught:
            await source.check()

    assert not caught.value.transient


async def test_a_wrong_client_secret_wants_new_credentials(s4: Sap) -> None:
    async with s4.opened_as(
        auth_method="OAUTH2", client_id="sandbox-client", client_secret=SecretStr("wrong")
    ) as source:
        with pytest.raises(AuthError):
            await source.check()


async def test_a_host_that_is_no_gateway_is_a_wrong_address(s4: Sap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.sap_s4hana.client._ROOT", "/elsewhere")

    with pytest.raises(ConfigError, match="No SAP Gateway"):
        await s4.source.check()


async def test_a_host_that_does_not_answer_is_unreachable(s4: Sap) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with s4.opened_as(base_url=f"http://127.0.0.1:{taken.getsockname()[1]}") as source:
            with pytest.raises(SourceUnavailable) as caught:
                await source.check()

    assert (caught.value.reason, caught.value.sent) == ("CONNECT", False)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("rate_limit", retry_after=7), RateLimited),
        (Fault("unavailable", retry_after=7), RateLimited),
        (Fault("unavailable"), SourceFault),
        (Fault("unauthorized"), AuthError),
        (Fault("drop_before", count=None), SourceUnavailable),
        (Fault("cut_body"), SourceUnavailable),
    ],
)
async def test_faults_of_a_read_are_told_apart(s4: Sap, fault: Fault, error: type[ConnectorError]) -> None:
    s4.wire.faults.append(fault)

    with pytest.raises(error) as caught:
        await s4.items(Entity.PURCHASE_ORDER)

    assert caught.value.code is not None
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after_s == 7.0
    s4.wire.faults.clear()
    assert len(await s4.items(Entity.PURCHASE_ORDER)) == 40


async def test_a_next_link_to_another_host_is_not_followed(s4: Sap, monkeypatch: pytest.MonkeyPatch) -> None:
    # The simulated system never lies about its host, so its link is bent on the way.
    s4.wire.system.options.page_size = 3
    monkeypatch.setattr("connectors.sap_s4hana.client.follow", _moved)

    with pytest.raises(BadResponse, match="another host"):
        await s4.items(Entity.PURCHASE_ORDER)

    assert len(s4.wire.calls) == 1


def _moved(link: str, *, came_from: str) -> str:
    return follow(link.replace("127.0.0.1", "127.0.0.2"), came_from=came_from)
