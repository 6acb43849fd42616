"""Writing purchase orders to S/4HANA over HTTP: what is sent, what SAP refuses, and what a lost answer leaves open."""

from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from connectors.base import Wire
from connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    PermissionRefused,
    RateLimited,
    SourceUnavailable,
    Unsupported,
    VersionConflict,
    WriteRejected,
)
from connectors.sap_s4hana.forms import WriteDefaults
from db.types import Entity, ErrorCode, Operation
from sandbox.kit.faults import Fault
from tests.fixtures.sap_source import REFERENCE, Sap, line

pytest_plugins = ["tests.fixtures.sap_s4hana", "tests.fixtures.sap_connected"]

PO = Entity.PURCHASE_ORDER
CREATE, UPDATE, CANCEL = Operation.CREATE, Operation.UPDATE, Operation.CANCEL


def _order(**values: Any) -> dict[str, Any]:
    told = {"vendor_source_id": "17300001", "currency": "EUR", "required_date": date(2026, 12, 24), "lines": [line()]}
    return {**told, **values}


async def _created(s4: Sap, **values: Any) -> str:
    number = (await s4.write(PO, CREATE, values=_order(**values))).source_id
    s4.wire.calls.clear()
    return number


async def test_an_order_is_created_from_codes_and_read_back(s4: Sap) -> None:
    [vendor] = await s4.source.resolve("vendor", "17300001")
    [item] = await s4.source.resolve("item", "tg00001")
    [place] = await s4.source.resolve("location", "1010/101b")
    lines = [line(item, "500", "0.195", unit="EA", location_source_id=place), line(item, "2.5")]
    values = _order(vendor_source_id=vendor, payment_terms_source_id="NT30", notes="Gate 4", lines=lines)

    over = Wire()
    written = await s4.write(PO, CREATE, over=over, values=values)

    order = await s4.record(PO, written.source_id)
    assert (order.vendor_source_id, order.currency, order.company, order.notes) == ("17300001", "EUR", "1010", "Gate 4")
    assert (order.payment_terms.code, order.required_date, order.status) == ("NT30", date(2026, 12, 24), "APPROVED")
    first, second = order.lines
    assert (first.quantity, first.unit, first.location) == (Decimal(500), "EA", "1010/101B")
    assert (str(first.unit_price), first.source_price, first.price_base) == ("0.195", Decimal("1.95"), Decimal(10))
    assert (second.quantity, second.unit_price, second.required_date) == (
        Decimal("2.5"),
        Decimal("2.5"),
        date(2026, 12, 24),
    )
    [call] = over.requests
    assert orjson.loads(call["body"])["CorrespncExternalReference"] == REFERENCE
    assert "assword" not in str(over)


async def test_the_same_reference_creates_one_order(s4: Sap) -> None:
    first = await s4.write(PO, CREATE, values=_order())
    second = await s4.write(PO, CREATE, values=_order())
    other = await s4.write(PO, CREATE, values=_order(), reference="CHD000000002")

    assert second.source_id == first.source_id != other.source_id
    assert second.facts == {"foundByReference": REFERENCE}
    assert len(s4.wire.system.tables["A_PurchaseOrder"]) == 42


async def test_a_lost_answer_leaves_the_outcome_open_and_the_next_try_finds_the_order(s4: Sap) -> None:
    s4.wire.faults.append(Fault("drop_after", method="POST"))

    with pytest.raises(SourceUnavailable) as caught:
        await s4.write(PO, CREATE, values=_order())
    again = await s4.write(PO, CREATE, values=_order())

    assert caught.value.sent
    assert again.facts == {"foundByReference": REFERENCE}
    assert len(s4.wire.system.tables["A_PurchaseOrder"]) == 41


@pytest.mark.parametrize("path", [r"A_PurchaseOrder\?", r"PROCESS_SRV/\?"])
async def test_a_break_before_the_change_leaves_nothing_open(s4: Sap, path: str) -> None:
    s4.wire.faults.append(Fault("drop_before", method="GET", path=path, count=2))

    with pytest.raises(SourceUnavailable) as caught:
        await s4.write(PO, CREATE, values=_order())

    assert not caught.value.sent
    assert s4.writes() == []


async def test_what_is_missing_is_named_and_sap_sees_nothing(s4: Sap) -> None:
    with pytest.raises(WriteRejected) as caught:
        await s4.write(PO, CREATE, values=_order(), defaults=WriteDefaults(plant="1010"))

    paths = [problem.path for problem in caught.value.problems]
    assert paths == [
        ("sourceFields", f"{name}") for name in ("CompanyCode", "PurchasingOrganization", "PurchasingGroup")
    ]
    assert {problem.code for problem in caught.value.problems} == {ErrorCode.BAD_USER_INPUT}
    assert len(s4.wire.calls) == 0


async def test_saps_refusal_comes_with_fields_and_words_and_changes_nothing(s4: Sap) -> None:
    values = _order(vendor_source_id="99", lines=[line("NOPE", required_date=None)], required_date=None)

    with pytest.raises(WriteRejected) as caught:
        await s4.write(PO, CREATE, values=values)

    paths = {problem.path for problem in caught.value.problems}
    assert {("vendor",), ("lines", "item"), ("lines", "requiredDate")} <= paths
    assert "Supplier 99 does not exist" in (caught.value.source_message or "")
    assert len(s4.wire.system.tables["A_PurchaseOrder"]) == 40


async def test_a_dead_session_is_renewed_once(s4: Sap) -> None:
    await _created(s4)
    s4.wire.sessions.expire_all()

    await s4.write(PO, CREATE, values=_order(), reference="CHD000000002")

    told = [(call.method, call.status) for call in s4.wire.calls if "skip" not in call.target]
    assert told == [("GET", 200), ("POST", 403), ("GET", 200), ("POST", 201)]
    assert len(s4.wire.system.tables["A_PurchaseOrder"]) == 42


async def test_a_token_is_used_for_many_changes(s4: Sap) -> None:
    number = await _created(s4)

    await s4.write(PO, UPDATE, source_id=number, values={"payment_terms_source_id": "NT60"})
    await s4.write(PO, UPDATE, source_id=number, values={"payment_terms_source_id": "NT30"})

    assert [call.path for call in s4.wire.calls if call.path.endswith("_SRV/")] == []


async def test_a_user_without_the_right_is_not_mistaken_for_a_stale_token(s4: Sap) -> None:
    async with s4.opened_as(username="COMM_READER", password=SecretStr("Sandbox-Read-1")) as source:
        reader = Sap(source, s4.running, s4.egress)
        with pytest.raises(PermissionRefused):
            await reader.write(PO, CREATE, values=_order())

    assert [call.status for call in s4.wire.calls if call.method == "POST"] == [403]


async def test_an_update_sends_each_part_and_reads_it_back(s4: Sap) -> None:
    number = await _created(s4, lines=[line(), line(quantity="7")])

    await s4.write(
        PO,
        UPDATE,
        source_id=number,
        values={"payment_terms_source_id": "NT60", "notes": "Gate 5"},
        change_lines=({"source_line_id": "10", "quantity": Decimal(9), "required_date": date(2026, 12, 31)},),
        add_lines=(line("TG00002", "1", required_date=date(2026, 12, 30)),),
        remove_lines=("20",),
    )

    order = await s4.record(PO, number)
    assert (order.payment_terms.code, order.notes, order.status) == ("NT60", "Gate 5", "APPROVED")
    told = [(row.line_number, row.status, row.quantity, row.required_date) for row in order.lines]
    assert told == [
        ("10", "OPEN", Decimal(9), date(2026, 12, 31)),
        ("20", "CANCELLED", Decimal(7), date(2026, 12, 24)),
        ("30", "OPEN", Decimal(1), date(2026, 12, 30)),
    ]


async def test_an_orders_new_date_goes_to_each_open_line(s4: Sap) -> None:
    number = await _created(s4, lines=[line(), line(), line()])
    await s4.write(PO, UPDATE, source_id=number, remove_lines=("20",))

    await s4.write(PO, UPDATE, source_id=number, values={"required_date": date(2027, 1, 4)})

    dates = [row.required_date for row in (await s4.record(PO, number)).lines]
    assert dates == [date(2027, 1, 4), date(2026, 12, 24), date(2027, 1, 4)]


async def test_what_sap_ignores_without_a_word_is_told(s4: Sap) -> None:
    number = await _created(s4)

    with pytest.raises(WriteRejected, match="did not store CreatedByUser"):
        await s4.write(PO, UPDATE, source_id=number, source_fields={"CreatedByUser": "SOMEBODY"})


async def test_lines_that_are_not_there_are_refused_before_a_call(s4: Sap) -> None:
    number = await _created(s4)

    with pytest.raises(WriteRejected) as caught:
        await s4.write(PO, UPDATE, source_id=number, change_lines=({"source_line_id": "90"},), remove_lines=("80",))

    assert [problem.path for problem in caught.value.problems] == [("changeLines", "90"), ("removeLines", "80")]
    assert s4.writes() == []


async def test_a_refusal_half_way_says_what_was_stored(s4: Sap) -> None:
    number = await _created(s4)
    s4.wire.faults.append(Fault("refuse", method="PATCH", path="A_PurchaseOrderItem"))

    with pytest.raises(WriteRejected, match=r"1 earlier part\(s\) of the change were stored") as caught:
        await s4.write(
            PO,
            UPDATE,
            source_id=number,
            values={"payment_terms_source_id": "NT60"},
            change_lines=({"source_line_id": "10", "quantity": Decimal(9)},),
        )

    assert "already processing" in (caught.value.source_message or "")
    order = await s4.record(PO, number)
    assert (order.payment_terms.code, order.lines[0].quantity) == ("NT60", Decimal(5))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("rate_limit", method="GET", path="A_PurchaseOrder", after=1, retry_after=1),
        Fault("unavailable", method="GET", path="A_PurchaseOrder", after=1),
    ],
)
async def test_a_change_that_cannot_be_read_back_is_open(s4: Sap, fault: Fault) -> None:
    number = await _created(s4)
    s4.wire.faults.append(fault)

    with pytest.raises(SourceUnavailable, match="could not be read back") as caught:
        await s4.write(PO, UPDATE, source_id=number, values={"payment_terms_source_id": "NT60"})

    assert caught.value.sent


async def test_an_order_that_changed_meanwhile_is_a_conflict(s4: Sap) -> None:
    number = await _created(s4)
    [item] = await s4.source.fetch(PO, [number])

    with pytest.raises(VersionConflict):
        await s4.write(PO, UPDATE, source_id=number, values={"notes": "x"}, expected="/Date(1577836800000+0000)/")
    assert s4.writes() == []
    stamp = item.body["LastChangeDateTime"]
    await s4.write(PO, UPDATE, source_id=number, values={"payment_terms_source_id": "NT60"}, expected=stamp)


async def test_cancelling_deletes_all_items_and_once_more_does_nothing(s4: Sap) -> None:
    number = await _created(s4, lines=[line(), line()])

    await s4.write(PO, CANCEL, source_id=number)
    sent = s4.writes()
    await s4.write(PO, CANCEL, source_id=number)

    assert [call.split(" ")[0] for call in sent] == ["DELETE", "DELETE"]
    assert s4.writes() == sent
    assert (await s4.record(PO, number)).status == "CANCELLED"


async def test_orders_are_not_deleted_or_moved(s4: Sap) -> None:
    for change in ({"operation": Operation.DELETE}, {"operation": UPDATE, "transition": "APPROVE"}):
        with pytest.raises(Unsupported):
            await s4.write(PO, change.pop("operation"), source_id="4500000001", **change)  # type: ignore[arg-type]

    assert len(s4.wire.calls) == 0


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("rate_limit", method="POST", retry_after=5), RateLimited),
        (Fault("unavailable", method="POST"), SourceUnavailable),
        (Fault("refuse", method="POST", code="ME/006"), WriteRejected),
    ],
)
async def test_faults_of_a_change_are_told_apart(s4: Sap, fault: Fault, error: type[ConnectorError]) -> None:
    s4.wire.faults.append(fault)

    with pytest.raises(error) as caught:
        await s4.write(PO, CREATE, values=_order())

    assert not isinstance(caught.value, OutcomeUnknown)
    assert getattr(caught.value, "sent", None) in {None, True}
    assert len(s4.wire.system.tables["A_PurchaseOrder"]) == 40
