"""Writing to NetSuite over HTTP: what is sent, what is there then, and what becomes of lost answers."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Change, Wire
from connectors.errors import PermissionRefused, SourceUnavailable, VersionConflict, WriteRejected
from connectors.netsuite.connector import NETSUITE
from connectors.netsuite.forms import WriteDefaults
from db.types import Entity, Operation
from sandbox.kit.faults import Fault
from sandbox.kit.oracle import made
from tests.fixtures.netsuite_source import DEFAULTS, REFERENCE, NetSuite, line

pytest_plugins = ["tests.fixtures.netsuite", "tests.fixtures.netsuite_connected"]
ORDER, VENDOR, LEVEL = Entity.PURCHASE_ORDER, Entity.VENDOR, Entity.INVENTORY_LEVEL
CREATE, UPDATE, CANCEL, DELETE = Operation.CREATE, Operation.UPDATE, Operation.CANCEL, Operation.DELETE


def an_order(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = {"vendor_source_id": "5", "currency": "EUR", "order_date": date(2026, 11, 1), "notes": "Süd"}
    return {**told, "required_date": date(2026, 12, 1), "lines": list(lines or (line(),)), **more}


def sent(ns: NetSuite) -> list[str]:
    calls = ns.running.app.calls
    return [f"{each.method} {each.target.rpartition('/v1/')[2]}" for each in calls if each.method in {"PATCH", "DELETE"}
            or (each.method == "POST" and "suiteql" not in each.path)]  # fmt: skip


async def test_an_order_is_made_with_what_was_asked(ns: NetSuite) -> None:
    wire = Wire()
    lines = line("1", "5", "0.195", unit="EA", description="Lager"), line("4", "2.5", unit="KGM")
    done = await ns.write(ORDER, CREATE, over=wire, values=an_order(*lines, custom_fields={"custbody_confirmed": True}))

    order = await ns.record(ORDER, done.source_id)
    assert (order.vendor_source_id, order.currency, order.notes) == ("5", "EUR", "Süd")
    assert (order.order_date, order.required_date, order.status) == (date(2026, 11, 1), date(2026, 12, 1), "APPROVED")
    assert [(one.quantity, one.unit_price, one.unit, one.description) for one in order.lines] == [
        (Decimal(5), Decimal("0.195"), "EA", "Lager"),
        (Decimal("2.5"), Decimal("2.5"), "KGM", "Steel sheet 2 mm 4"),
    ]
    assert order.lines[0].required_date == date(2026, 12, 1)
    assert order.custom_fields["custbody_confirmed"] is True
    assert wire.answers == [{"location": done.source_id}]
    [call] = [call for call in ns.running.app.calls if call.method == "POST" and call.path.endswith("purchaseOrder")]
    assert call.body["externalId"] == REFERENCE
    assert call.body["subsidiary"] == {"id": "1"}


async def test_a_lost_answer_is_found_by_the_external_id_and_made_once(ns: NetSuite) -> None:
    ns.running.app.faults.add(Fault("drop_after", method="POST", path="purchaseOrder$"))
    with pytest.raises(SourceUnavailable) as lost:
        await ns.write(ORDER, CREATE, values=an_order())
    change = Change(ORDER, CREATE, REFERENCE, values=an_order())
    found = await ns.source.find(change, defaults=DEFAULTS)
    again = await ns.write(ORDER, CREATE, values=an_order())

    assert lost.value.sent
    assert found == [again.source_id]
    assert again.facts == {"foundByReference": REFERENCE}
    assert len(made(ns.running.app.system.edits)[REFERENCE]) == 1


async def test_lines_are_merged_by_their_key_and_removed_by_replacing_the_list(ns: NetSuite) -> None:
    key = (await ns.write(ORDER, CREATE, values=an_order(line("1"), line("2"), line("3")))).source_id
    changes: dict[str, Any] = {"change_lines": ({"source_line_id": "2", "quantity": Decimal(9)},)}
    await ns.write(ORDER, UPDATE, source_id=key, values={"notes": None}, add_lines=(line("4", unit="KGM"),), **changes)
    merged = await ns.record(ORDER, key)
    changes = {"change_lines": ({"source_line_id": "3", "unit_price": Decimal(7)},)}
    await ns.write(ORDER, UPDATE, source_id=key, remove_lines=("1", "2"), **changes)
    removed = await ns.record(ORDER, key)

    assert merged.notes is None
    assert [(one.source_line_id, one.item_source_id, one.quantity) for one in merged.lines] == [
        ("1", "1", 5), ("2", "2", 9), ("3", "3", 5), ("4", "4", 5),
    ]  # fmt: skip
    assert [(one.source_line_id, one.unit_price) for one in removed.lines] == [("3", 7), ("4", Decimal("2.5"))]
    assert sent(ns)[1:] == [f"PATCH purchaseOrder/{key}", f"PATCH purchaseOrder/{key}?replace=item"]


async def test_lines_take_units_and_lose_dates(ns: NetSuite) -> None:
    key = (await ns.write(ORDER, CREATE, values=an_order(line("4"), line("1")))).source_id
    unit: dict[str, Any] = {"change_lines": ({"source_line_id": "1", "unit": "KGM", "required_date": None},)}
    await ns.write(ORDER, UPDATE, source_id=key, **unit)
    changed = await ns.record(ORDER, key)
    wrong: dict[str, Any] = {"change_lines": ({"source_line_id": "1", "unit": "LTR"},)}
    with pytest.raises(WriteRejected) as refused:
        await ns.write(ORDER, UPDATE, source_id=key, **wrong)
    with pytest.raises(WriteRejected, match="by itself"):
        await ns.write(ORDER, UPDATE, source_id=key, transition="CLOSE", **unit)
    await ns.write(ORDER, UPDATE, source_id=key, transition="CLOSE", values={"notes": "done"})
    closed = await ns.record(ORDER, key)

    assert [one.required_date for one in changed.lines] == [None, date(2026, 12, 1)]
    assert refused.value.problems[0].path == ("lines", "0", "unit")
    assert (closed.status, closed.notes) == ("CANCELLED", "done")


async def test_an_order_is_cancelled_by_closing_its_lines_and_deleted(ns: NetSuite) -> None:
    key = (await ns.write(ORDER, CREATE, values=an_order(line("1"), line("2")))).source_id
    await ns.write(ORDER, CANCEL, source_id=key)
    cancelled = await ns.record(ORDER, key)
    again = await ns.write(ORDER, CANCEL, source_id=key)
    await ns.write(ORDER, DELETE, source_id=key)

    assert (cancelled.status, [one.status for one in cancelled.lines]) == ("CANCELLED", ["CANCELLED"] * 2)
    assert again.facts == {"alreadyClosed": True}
    assert await ns.source.fetch(ORDER, [key]) == []


async def test_a_stale_version_is_refused_before_anything_leaves(ns: NetSuite) -> None:
    [item] = await ns.source.fetch(ORDER, ["1"])
    stamp = NETSUITE.stamp(ORDER, item.body)
    with pytest.raises(VersionConflict):
        await ns.write(ORDER, UPDATE, source_id="1", values={"notes": "x"}, expected="2026-01-01T00:00:00")
    before = sent(ns)
    await ns.write(ORDER, UPDATE, source_id="1", values={"notes": "x"}, expected=stamp)

    assert before == []
    assert (await ns.record(ORDER, "1")).notes == "x"


async def test_refusals_name_the_callers_field(ns: NetSuite) -> None:
    told = {}
    for name, values in {
        "vendor": an_order(vendor_source_id="9999"),
        "item": an_order(line("9999")),
        "unit": an_order(line("4", unit="LTR")),
        "currency": an_order(currency="XXX"),
        "price": an_order(line(price="0.12345678901234567890123")),
        "lines": an_order() | {"lines": []},
    }.items():
        with pytest.raises(WriteRejected) as refused:
            await ns.write(ORDER, CREATE, values=values)
        told[name] = refused.value.problems[0].path
    with pytest.raises(WriteRejected) as unknown:
        await ns.write(ORDER, CREATE, values=an_order(), source_fields={"nope": 1})

    assert told == {
        "vendor": ("vendor",),
        "item": ("lines", "0", "item"),
        "unit": ("lines", "0", "unit"),
        "currency": ("currency",),
        "price": ("lines", "0", "unitPrice"),
        "lines": ("lines",),
    }
    assert "nope" in (unknown.value.source_message or "")  # without the header that asks for it, it is dropped silently
    assert made(ns.running.app.system.edits) == {}


async def test_a_dry_run_tells_the_request_and_sends_none(ns: NetSuite) -> None:
    wire = Wire(dry=True)
    done = await ns.write(ORDER, CREATE, over=wire, values=an_order())

    assert done.source_id == ""
    assert [(each["method"], each["url"].rpartition("/")[2]) for each in wire.requests] == [("POST", "purchaseOrder")]
    assert sent(ns) == []


async def test_vendors_are_made_and_changed(ns: NetSuite) -> None:
    given = {"name": "Müller & Söhne", "email": "a@b.example", "currency": "EUR", "payment_terms_source_id": "2"}
    key = (await ns.write(VENDOR, CREATE, values=given)).source_id
    await ns.write(VENDOR, UPDATE, source_id=key, values={"phone": "+49 711 1", "active": False, "email": None})

    vendor = await ns.record(VENDOR, key)
    assert (vendor.name, vendor.currency, vendor.phone, vendor.email) == ("Müller & Söhne", "EUR", "+49 711 1", None)
    assert vendor.payment_terms.code == "Net 60"
    assert vendor.active is False


@pytest.mark.parametrize("asked", [{"quantity": Decimal("100.5")}, {"delta": Decimal(-780)}])
async def test_stock_is_adjusted_by_the_difference(ns: NetSuite, asked: dict[str, Decimal]) -> None:
    values = {"item_source_id": "1", "location_source_id": "1", "reason": "count", **asked}
    before = (await ns.record(LEVEL, "1:1")).on_hand
    done = await ns.write(LEVEL, Operation.ADJUST, values=values)
    again = await ns.write(LEVEL, Operation.ADJUST, values=values)
    change = Change(LEVEL, Operation.ADJUST, REFERENCE, values=values)

    wanted = asked.get("quantity", before + asked.get("delta", 0))
    assert done.source_id == again.source_id == "1:1"
    assert (await ns.record(LEVEL, "1:1")).on_hand == wanted
    assert done.facts["onHand"] == str(before)
    assert await ns.source.find(change, defaults=DEFAULTS) == ["1:1"]


async def test_an_adjustment_needs_an_account(ns: NetSuite) -> None:
    values = {"item_source_id": "1", "location_source_id": "1", "delta": Decimal(1)}
    with pytest.raises(WriteRejected) as refused:
        await ns.write(LEVEL, Operation.ADJUST, values=values, defaults=WriteDefaults(subsidiary="1"))
    assert refused.value.problems[0].path == ("sourceFields", "account")
    assert sent(ns) == []


async def test_a_role_that_may_only_look_is_refused_the_right(ns: NetSuite) -> None:
    async with ns.opened_as(role="reader") as source:
        change = Change(ORDER, CREATE, REFERENCE, values=an_order())
        with pytest.raises(PermissionRefused):
            await source.write(change, defaults=DEFAULTS, wire=Wire())
