"""The Odoo connector on a simulated Odoo of each version, where versions and warts show."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.base import Change, Item, Window, Wire, Written
from connectors.egress import Egress
from connectors.errors import AuthError, ConfigError, VersionConflict, WriteRejected
from connectors.mapping import project
from connectors.odoo.connector import ODOO
from connectors.odoo.forms import OdooCredentials, OdooWriteDefaults
from connectors.odoo.source import OdooSource
from db.types import Entity, Operation
from tests.fixtures.egress import LOOPBACK
from tests.fixtures.odoo_caller import NOW, OdooCaller

pytest_plugins = ["tests.fixtures.odoo"]
FEEDS = {feed.name: feed for feed in ODOO.feeds}
ORDER, WORK, VENDOR, STOCK = Entity.PURCHASE_ORDER, Entity.WORK_ORDER, Entity.VENDOR, Entity.INVENTORY_LEVEL
LINE = {"item_source_id": "1", "quantity": Decimal(5), "unit_price": Decimal("2.50")}


@dataclass(frozen=True)
class Opened:
    source: OdooSource
    caller: OdooCaller
    egress: Egress

    @property
    def system(self) -> Any:
        return self.caller.running.app.system

    async def read(self, feed: str, since: Any = None) -> dict[str, Item]:
        pages = self.source.read(FEEDS[feed], window=Window(since), position=None)
        return {item.source_id: item async for page in pages for item in page.items}

    async def write(self, entity: Entity, operation: Operation, *, wire: Wire | None = None, **more: Any) -> Written:
        defaults = more.pop("defaults", OdooWriteDefaults())
        change = Change(entity, operation, more.pop("reference", "CHD000000001"), **more)
        return await self.source.write(change, defaults=defaults, wire=wire or Wire())

    async def record(self, entity: Entity, source_id: str) -> Any:
        [item] = await self.source.fetch(entity, [source_id])
        return project(ODOO.mappings[entity], item.body, units=ODOO.units(OdooWriteDefaults()))

    async def vendor(self) -> str:
        return next(key for key, item in sorted((await self.read("vendors")).items()) if item.body["active"])

    async def order(self, reference: str = "CHD000000001", **values: Any) -> str:
        told = {"vendor_source_id": await self.vendor(), "lines": [LINE], **values}
        return (await self.write(ORDER, Operation.CREATE, values=told, reference=reference)).source_id


def credentials(url: str, **changes: Any) -> OdooCredentials:
    told = {"database": "odoo", "username": "admin", "api_key": SecretStr("5a0d" * 10), **changes}
    return OdooCredentials(**{"base_url": url, **told})


@pytest.fixture
async def opened(odoo: OdooCaller) -> AsyncIterator[Opened]:
    async with (
        Egress.open(guard=LOOPBACK) as egress,
        ODOO.open(credentials(odoo.running.url), egress=egress) as source,
    ):
        yield Opened(source, odoo, egress)


async def test_a_line_changed_behind_its_orders_back_is_found_by_its_own_feed(opened: Opened) -> None:
    line = next(line for line in opened.system.lines(5) if not line["display_type"])
    opened.system.change("purchase.order.line", line["id"], {"name": "new text"}, stamp=NOW)
    since = NOW - timedelta(minutes=1)

    assert await opened.read("orders", since) == {}
    found = await opened.read("lines", since)
    assert list(found) == ["5"]
    assert found["5"].updated_at == NOW.replace(microsecond=0)


async def test_a_stamp_shown_in_seconds_is_found_since_that_second(opened: Opened) -> None:
    await opened.caller.admin("PATCH", "/documents/purchase.order/7", {"partner_ref": "NEW"})
    [item] = (await opened.read("orders", NOW - timedelta(minutes=1))).values()

    assert item.updated_at == NOW.replace(microsecond=0)
    assert list(await opened.read("orders", item.updated_at)) == ["7"]


async def test_what_is_archived_is_read_and_says_so(opened: Opened) -> None:
    vendors, products = await opened.read("vendors"), await opened.read("products")

    assert {item.body["active"] for item in vendors.values()} == {True, False}
    assert {item.body["active"] for item in products.values()} == {True, False}


async def test_custom_fields_are_found_read_and_written(opened: Opened) -> None:
    key = await opened.order(custom_fields={"x_studio_project_code": "P-9"})

    assert (await opened.record(ORDER, key)).custom_fields["x_studio_project_code"] == "P-9"
    with pytest.raises(WriteRejected) as caught:
        await opened.order("CHD000000002", custom_fields={"x_nothing": 1})
    assert caught.value.problems[0].path == ("purchaseOrder", "customFields", "x_nothing")


async def test_a_price_that_odoo_would_round_in_silence_is_refused_before_it_is_sent(opened: Opened) -> None:
    before = len(opened.system.tables["purchase.order"])
    with pytest.raises(WriteRejected, match="keeps 2 decimal places of a price") as caught:
        await opened.order(lines=[{**LINE, "unit_price": Decimal("0.195")}])
    await opened.caller.admin("POST", "/options", {"price_digits": 4})
    accuracy = opened.system.tables["decimal.precision"]
    price = next(number for number in accuracy.ids() if accuracy[number]["name"] == "Product Price")
    opened.system.change("decimal.precision", price, {"digits": 4}, stamp=NOW)
    key = await opened.order(lines=[{**LINE, "unit_price": Decimal("0.195")}])

    assert caught.value.problems[0].path == ("purchaseOrder", "lines", "0", "unitPrice")
    assert len(opened.system.tables["purchase.order"]) == before + 1
    assert (await opened.record(ORDER, key)).lines[0].unit_price == Decimal("0.195")


async def test_a_button_that_answers_nothing_is_looked_after(opened: Opened) -> None:
    """JSON-RPC answers `button_cancel` without a result: what came of it is read."""
    key = await opened.order()
    wire = Wire()
    await opened.write(ORDER, Operation.CANCEL, source_id=key, wire=wire)

    assert wire.answers == [None]
    assert (await opened.record(ORDER, key)).status == "CANCELLED"


async def test_a_large_order_waits_for_approval_and_is_approved_by_the_same_step(opened: Opened) -> None:
    await opened.caller.admin("POST", "/options", {"approval_limit": 1.0})
    key = await opened.order()
    statuses = []
    for _ in range(2):
        await opened.write(ORDER, Operation.UPDATE, source_id=key, transition="APPROVE")
        statuses.append(str((await opened.record(ORDER, key)).status))

    assert statuses == ["PENDING_APPROVAL", "APPROVED"]


async def test_a_confirmed_order_keeps_what_odoos_screens_would_keep(opened: Opened) -> None:
    """Odoo's own interface takes all of these."""
    key = await opened.order()
    await opened.write(ORDER, Operation.UPDATE, source_id=key, transition="APPROVE")
    await opened.caller.admin("POST", f"/receive/{key}", {"share": 1})
    line = (await opened.record(ORDER, key)).lines[0].source_line_id
    less = {"source_line_id": line, "quantity": Decimal(1)}
    refused: list[dict[str, Any]] = [
        {"values": {"order_date": NOW.date()}},
        {"change_lines": (less,)},
        {"remove_lines": (line,)},
    ]
    paths = []
    for change in refused:
        with pytest.raises(WriteRejected) as caught:
            await opened.write(ORDER, Operation.UPDATE, source_id=key, **change)
        paths += [problem.path for problem in caught.value.problems]
    await opened.write(ORDER, Operation.UPDATE, source_id=key, values={"vendor_reference": "Q-9"})

    assert paths == [
        ("changes", "order_date"), ("changes", "changeLines", "0", "quantity"), ("changes", "removeLines", "0"),
    ]  # fmt: skip
    assert (await opened.record(ORDER, key)).vendor_reference == "Q-9"


async def test_odoos_own_refusal_reaches_the_caller_in_its_words(opened: Opened) -> None:
    key = await opened.order()
    with pytest.raises(WriteRejected, match="cancelled orders only"):
        await opened.write(ORDER, Operation.DELETE, source_id=key)
    with pytest.raises(WriteRejected) as caught:
        await opened.write(WORK, Operation.CREATE, values={"title": "x", "asset_source_id": "99999"})

    assert caught.value.source_message


async def test_a_lost_answer_is_found_by_our_reference_and_nothing_is_made_twice(opened: Opened) -> None:
    change = Change(ORDER, Operation.CREATE, "CHD00000000X")
    first = await opened.order()
    again = await opened.write(ORDER, Operation.CREATE, values={"vendor_source_id": "1", "lines": [LINE]})

    assert again.source_id == first
    assert await opened.source.find(change, defaults=OdooWriteDefaults()) == []
    for entity, values in ((VENDOR, {"name": "A"}), (WORK, {"title": "B"})):
        made = [(await opened.write(entity, Operation.CREATE, values=values)).source_id for _ in range(2)]
        assert made[0] == made[1]


async def test_a_stale_version_is_a_conflict(opened: Opened) -> None:
    key = await opened.order()
    [item] = await opened.source.fetch(ORDER, [key])
    expected = ODOO.stamp(ORDER, item.body)
    await opened.write(ORDER, Operation.UPDATE, source_id=key, expected=expected, values={"notes": "one"})
    with pytest.raises(VersionConflict):
        await opened.write(
            ORDER, Operation.UPDATE, source_id=key, expected="2020-01-01 00:00:00", values={"notes": "two"}
        )

    assert (await opened.record(ORDER, key)).notes == "one"


async def test_a_count_at_a_place_without_stock_makes_a_level_of_its_own(opened: Opened) -> None:
    [item] = [key for key, item in (await opened.read("products")).items() if item.body["default_code"] == "DP-0001"]
    shelf = (await opened.source.resolve("location", "WH/Stock/Shelf A"))[0]
    values = {"item_source_id": item, "location_source_id": shelf, "quantity": Decimal(7), "unit": "EA"}
    wire = Wire()
    done = await opened.write(STOCK, Operation.ADJUST, values=values, wire=wire)

    assert done.source_id == f"{shelf}:{item}:0"
    assert (await opened.record(STOCK, done.source_id)).on_hand == Decimal(7)
    assert [request["url"].rpartition("/")[2] for request in wire.requests] in (
        ["jsonrpc", "jsonrpc"],
        ["create", "action_apply_inventory"],
        ["write", "action_apply_inventory"],
    )
    with pytest.raises(WriteRejected, match="counts this product in 'Units' only"):
        await opened.write(STOCK, Operation.ADJUST, values={**values, "unit": "KGM"})


async def test_no_wire_holds_the_key(opened: Opened) -> None:
    """JSON-RPC takes the key in each body: it goes in behind what is kept."""
    wire, dry = Wire(), Wire(dry=True)
    await opened.write(VENDOR, Operation.CREATE, values={"name": "A"}, wire=wire)
    await opened.write(VENDOR, Operation.CREATE, values={"name": "B"}, reference="CHD2", wire=dry)

    assert "5a0d" not in str(wire.requests) + str(wire.answers) + str(dry.requests)
    assert len(wire.requests) == len(dry.requests) == 1
    assert dry.answers == []


@pytest.mark.parametrize(
    "changes", [{"api_key": SecretStr("0" * 40)}, {"username": "nobody", "api_key": SecretStr("x")}]
)
async def test_a_wrong_key_is_an_authentication_error_in_each_version(opened: Opened, changes: dict[str, Any]) -> None:
    async with ODOO.open(credentials(opened.caller.running.url, **changes), egress=opened.egress) as source:
        with pytest.raises(AuthError):
            await source.check()


async def test_a_key_that_ended_meanwhile_is_an_authentication_error(opened: Opened) -> None:
    await opened.source.check()
    await opened.caller.admin("POST", "/keys/expire")

    with pytest.raises(AuthError):
        await opened.read("orders")


async def test_an_older_odoo_asks_for_a_user_name_and_tells_another_database(opened: Opened) -> None:
    url = opened.caller.running.url
    async with ODOO.open(credentials(url, username=None), egress=opened.egress) as source:
        if opened.system.version >= 19:
            await source.check()
            return
        with pytest.raises(ConfigError, match="asks for a user name"):
            await source.check()
    async with ODOO.open(credentials(url, database="nothing"), egress=opened.egress) as source:
        with pytest.raises(ConfigError, match="no database of this name"):
            await source.check()


async def test_what_a_user_may_not_do_is_told_by_the_check(opened: Opened) -> None:
    told = {"username": "buyer", "api_key": SecretStr("b1e7" * 10)}
    async with ODOO.open(credentials(opened.caller.running.url, **told), egress=opened.egress) as source:
        checked = await source.check()

    assert set(checked.refused) == {Entity.WORK_ORDER, Entity.ASSET}
    reader = {"username": "reader", "api_key": SecretStr("7ead" * 10)}
    async with ODOO.open(credentials(opened.caller.running.url, **reader), egress=opened.egress) as source:
        assert set((await source.check()).unwritable) == set(ODOO.writes)
