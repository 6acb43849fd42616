"""Writing work orders, suppliers and stock to S/4HANA over HTTP."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import Unsupported, VersionConflict, WriteRejected
from connectors.sap_s4hana.forms import WriteDefaults
from db.types import Entity, Operation
from tests.fixtures.sap_source import REFERENCE, Sap

pytest_plugins = ["tests.fixtures.sap_s4hana", "tests.fixtures.sap_connected"]

WO, VENDOR, STOCK = Entity.WORK_ORDER, Entity.VENDOR, Entity.INVENTORY_LEVEL
CREATE, UPDATE, ADJUST = Operation.CREATE, Operation.UPDATE, Operation.ADJUST


async def test_a_work_order_lives_its_life(s4: Sap) -> None:
    values = {
        "title": "Pump leaks",
        "priority": 2,
        "tasks": [{"description": "Look"}, {"description": "Seal"}],
        "scheduled_start_at": datetime(2026, 12, 1, 8, tzinfo=UTC),
        "scheduled_end_at": datetime(2026, 12, 2, 8, tzinfo=UTC),
        "due_at": datetime(2026, 12, 5, 17, tzinfo=UTC),
    }
    number = (await s4.write(WO, CREATE, values=values)).source_id
    await s4.write(WO, UPDATE, source_id=number, values={"title": "Pump leaks badly"})
    order = await s4.record(WO, number)
    assert (order.title, order.priority, order.status) == ("Pump leaks badly", 2, "DRAFT")
    assert [task.description for task in order.tasks] == ["Look", "Seal"]
    assert (order.scheduled_start_at, order.due_at) == (
        datetime(2026, 12, 1, 8, tzinfo=UTC),
        datetime(2026, 12, 5, tzinfo=UTC),
    )

    states = []
    for transition in ("SUBMIT", "APPROVE", "RELEASE", "READY", "SCHEDULE", "FINISH", "COMPLETE", "REOPEN", "COMPLETE"):
        await s4.write(WO, UPDATE, source_id=number, transition=transition)
        states.append((await s4.record(WO, number)).status)
    await s4.write(WO, UPDATE, source_id=number, transition="CLOSE")

    assert states == [
        "WAITING_APPROVAL",
        "APPROVED",
        "APPROVED",
        "SCHEDULED",
        "IN_PROGRESS",
        "COMPLETED",
        "COMPLETED",
        "IN_PROGRESS",
        "COMPLETED",
    ]
    assert (await s4.record(WO, number)).status == "CLOSED"


async def test_a_work_order_is_cancelled_and_knows_what_it_cannot(s4: Sap) -> None:
    number = (await s4.write(WO, CREATE, values={"title": "Pump leaks"})).source_id

    with pytest.raises(Unsupported, match="cannot FLY"):
        await s4.write(WO, UPDATE, source_id=number, transition="FLY")
    with pytest.raises(WriteRejected):
        await s4.write(WO, UPDATE, source_id=number, transition="APPROVE")
    await s4.write(WO, UPDATE, source_id=number, transition="CANCEL")

    assert (await s4.record(WO, number)).status == "CANCELLED"


async def test_a_supplier_is_created_changed_and_found_again(s4: Sap) -> None:
    address = {"country": "DE", "city": "Berlin", "postal_code": "10115", "lines": ["Allee 1"]}
    values = {"name": "Demo Vendor X", "email": "x@demo.example", "tax_id": "DE123456789", "currency": "EUR"}
    number = (await s4.write(VENDOR, CREATE, values={**values, "addresses": [address]})).source_id
    again = await s4.write(VENDOR, CREATE, values={**values, "addresses": [address]})

    await s4.write(VENDOR, UPDATE, source_id=number, values={"name": "Demo Vendor Y", "blocked_for_purchasing": True})

    vendor = await s4.record(VENDOR, number)
    assert (again.source_id, again.facts) == (number, {"foundByReference": REFERENCE})
    assert (vendor.name, vendor.email, vendor.tax_id) == ("Demo Vendor Y", "x@demo.example", "DE123456789")
    assert (vendor.currency, vendor.active, vendor.blocked_for_purchasing) == ("EUR", True, True)
    assert vendor.addresses[0].city == "Berlin"


async def test_a_suppliers_etag_is_the_expected_version(s4: Sap) -> None:
    [item] = await s4.source.fetch(VENDOR, ["17300002"])

    with pytest.raises(VersionConflict):
        await s4.write(VENDOR, UPDATE, source_id="17300002", values={"name": "Other"}, expected="20200101000000")
    assert s4.writes() == []
    await s4.write(VENDOR, UPDATE, source_id="17300002", values={"name": "Other"}, expected=item.body["ETag"])

    assert (await s4.record(VENDOR, "17300002")).name == "Other"


@pytest.mark.parametrize(
    ("values", "difference"),
    [({"quantity": "100"}, None), ({"delta": "-3"}, Decimal(-3)), ({"delta": "2.5", "unit": "EA"}, Decimal("2.5"))],
)
async def test_stock_is_adjusted_by_a_goods_movement(s4: Sap, values: Any, difference: Decimal | None) -> None:
    levels = [(item, s4.mapped(STOCK, item)) for item in await s4.items(STOCK)]
    item, before = next(
        (item, level) for item, level in levels if level.location == "1010/101A" and level.stock_class == "UNRESTRICTED"
    )
    values = {name: Decimal(value) if name != "unit" else value for name, value in values.items()}

    asked = {"item_source_id": before.item_source_id, "location_source_id": "1010/101A", **values}
    written = await s4.write(STOCK, ADJUST, values=asked)
    again = await s4.write(STOCK, ADJUST, values=asked)

    after = (await s4.record(STOCK, item.source_id)).on_hand
    assert written.source_id == item.source_id
    assert after == (Decimal(100) if difference is None else before.on_hand + difference)
    assert written.facts["onHand"] == str(before.on_hand)
    assert again.facts == {"foundByReference": REFERENCE}


async def test_a_level_that_is_right_already_and_one_that_cannot_be_posted_send_nothing(s4: Sap) -> None:
    [first, *_] = await s4.items(STOCK)
    held = s4.mapped(STOCK, first).on_hand

    same = await s4.write(STOCK, ADJUST, source_id=first.source_id, values={"quantity": held})
    with pytest.raises(WriteRejected, match="GoodsMovementType"):
        await s4.write(STOCK, ADJUST, source_id=first.source_id, values={"delta": Decimal(1)}, defaults=WriteDefaults())

    assert same.facts["difference"] == "0"
    assert s4.writes() == []


async def test_taking_more_than_there_is_is_saps_refusal(s4: Sap) -> None:
    asked = {"item_source_id": "TG00001", "location_source_id": "1010/101A", "delta": Decimal(-99_999_999)}

    with pytest.raises(WriteRejected) as caught:
        await s4.write(STOCK, ADJUST, values=asked)

    assert caught.value.problems[0].path == ("quantity",)
    assert "Deficit" in (caught.value.source_message or "")


async def test_equipment_is_read_where_it_stands_now(s4: Sap) -> None:
    pump = await s4.record(Entity.ASSET, "10000001")
    assets = {item.source_id: s4.mapped(Entity.ASSET, item) for item in await s4.items(Entity.ASSET)}
    places = {item.source_id: s4.mapped(Entity.LOCATION, item) for item in await s4.items(Entity.LOCATION)}

    assert (pump.number, pump.name, pump.location_source_id) == ("10000001", "Demo pump 1", "DEMO-LINE-2")
    assert (pump.manufacturer, pump.model, pump.serial_number) == ("Exemple Moteurs", "P-101", "SN-7001")
    assert len(assets) == 9  # two of them stood elsewhere before
    assert {asset.location_source_id for asset in assets.values()} <= set(places)
    assert {asset.parent_source_id for asset in assets.values()} == {None, "10000000"}
    assert [key for key, asset in assets.items() if not asset.active] == ["10000008"]
    assert (places["DEMO-LINE-1"].parent_source_id, places["DEMO-LINE-1"].type) == ("DEMO", "TECHNICAL")
    assert places["DEMO"].address.city == "Stuttgart"


async def test_equipment_and_places_are_looked_up_where_the_user_may_read_them(s4: Sap) -> None:
    assert await s4.source.resolve("asset", "0010000001") == ["10000001"]
    assert await s4.source.resolve("asset", "77") == []
    assert await s4.source.resolve("work_location", "demo-line-2") == ["DEMO-LINE-2"]
    assert await s4.source.resolve("work_location", "nowhere") == []

    async with s4.opened_as(username="COMM_BUYER", password="Sandbox-Buy-1") as source:
        assert await source.resolve("work_location", "demo-line-9") == ["DEMO-LINE-9"]  # SAP judges it on writing
