"""Lost answers: what took effect is found, what did not is sent once more, what nobody can tell is left to people."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest

from crosshead import compose
from db.scope import Scope
from db.types import Entity, ErrorCode, Operation, Reference
from jobs.write import Outcome, WriteRequest
from tests.fixtures.engine import Engine, until
from tests.fixtures.writing import change, operations, request, write

LOST = [{"drop": True}, {"status": 502}, {"cut": True}]


async def states(engine: Engine) -> list[str]:
    return [operation["state"] for operation in await operations(engine)]


async def order(engine: Engine, own: Scope, **values: Any) -> tuple[str, UUID]:
    """Make an order in the ledger and bring it in; gives its key and our id."""
    key = engine.ledger.add(**values)
    await engine.sync(own)
    return key, (await engine.orders(own))[key]["id"]


async def performed(engine: Engine, own: Scope, record: UUID, **given: Any) -> Outcome:
    return await engine.write_door().perform(own, change(record, **given))


async def test_an_order_whose_answer_was_lost_is_found_by_its_reference(engine: Engine) -> None:
    """Off: `find` in jobs/carry.py `_verdict` replaced by `Absent()`: a second order is made."""
    own = await engine.connect()
    engine.ledger.fault("/orders", method="POST", drop=True)

    outcome = await write(engine, own, key="k1")

    assert outcome.problems == ()
    assert len(engine.ledger.asked("/orders", "POST")) == len(engine.ledger.orders) == 1
    [operation] = await operations(engine)
    assert (operation["state"], operation["sends"], operation["error"]) == ("SUCCEEDED", 1, None)
    assert orjson.loads(operation["answer"]) == {"answers": [], "foundByReference": operation["reference"]}
    assert (await engine.orders(own))["0001"]["id"] == outcome.record_id
    told = await engine.events(own, "write.settled")
    assert [(event["data"]["state"], event["data"]["recordId"] is not None) for event in told] == [("SUCCEEDED", True)]


@pytest.mark.parametrize("fault", LOST[1:])
async def test_an_order_that_did_not_come_about_is_sent_once_more(engine: Engine, fault: dict[str, Any]) -> None:
    """Only after the time within which the source might still commit it (2 s here)."""
    own = await engine.connect()
    engine.ledger.fault("/orders", method="POST", **fault)

    outcome = await write(engine, own)

    assert outcome.problems == ()
    assert len(engine.ledger.orders) == 1
    [operation] = await operations(engine)
    assert (operation["state"], operation["sends"]) == ("SUCCEEDED", 2)
    assert operation["sent_at"] - operation["unknown_since"] >= timedelta(seconds=2)


async def test_a_change_that_the_source_commits_late_is_not_sent_again(engine: Engine) -> None:
    """It is not there at the first look, and comes about while we wait.

    Off: `late` in jobs/carry.py `_settle` taken as False: a second order is made.
    """
    own = await engine.connect()
    engine.ledger.fault("/orders", method="POST", cut=True)
    task = asyncio.create_task(write(engine, own))
    await until(lambda: _looked(engine))

    engine.ledger.add(reference=(await operations(engine))[0]["reference"])

    assert (await task).problems == ()
    assert len(engine.ledger.orders) == 1
    assert [(each["state"], each["sends"]) for each in await operations(engine)] == [("SUCCEEDED", 1)]


async def _looked(engine: Engine) -> bool:
    return bool(await engine.one("SELECT looks > 0 FROM write_operation"))


async def test_what_is_lost_twice_and_never_there_has_failed_and_its_key_is_free(engine: Engine) -> None:
    own = await engine.connect()
    engine.ledger.fault("/orders", method="POST", cut=True, times=2)

    outcome = await write(engine, own, key="k1")
    again = await write(engine, own, key="k1")

    assert [problem.code for problem in outcome.problems] == [ErrorCode.SOURCE_UNREACHABLE]
    assert again.problems == ()
    assert await states(engine) == ["FAILED", "SUCCEEDED"]
    assert len(engine.ledger.orders) == 1


async def test_where_no_reference_is_kept_the_outcome_stays_unknown_and_says_what_to_look_at(engine: Engine) -> None:
    """A vendor of the ledger has no field for it. Off: `Unclear` in jobs/carry.py `_verdict`: it is made twice."""
    own = await engine.connect()
    engine.ledger.fault("/vendors", method="POST", drop=True)
    asked = WriteRequest(Entity.VENDOR, Operation.CREATE, {"name": "Vendor 3"}, "vendor", own.connection_id)

    outcome = await engine.write_door().perform(own, asked)

    [problem] = outcome.problems
    assert (problem.code, problem.message.endswith("Search the ledger for the name.")) == ("OUTCOME_UNKNOWN", True)
    [operation] = await operations(engine)
    assert (operation["state"], operation["next_attempt_at"], operation["settled_at"]) == (
        "OUTCOME_UNKNOWN",
        None,
        None,
    )
    assert operation["error"]["remedy"] == "Search the ledger for the name."
    await engine.carrier().carry(own, operation["id"])
    assert len(engine.ledger.asked("/vendors", "POST")) == 1
    assert [e["data"]["state"] for e in await engine.events(own, "write.settled")] == ["OUTCOME_UNKNOWN"]


async def test_two_records_under_one_reference_are_told_and_nothing_is_sent(engine: Engine) -> None:
    own = await engine.connect()
    engine.ledger.fault("/orders", method="POST", cut=True)
    task = asyncio.create_task(write(engine, own))
    await until(lambda: _looked(engine))
    reference = (await operations(engine))[0]["reference"]
    for _ in range(2):
        engine.ledger.add(reference=reference)

    [problem] = (await task).problems

    assert (problem.code, "0001, 0002" in problem.message) == (ErrorCode.OUTCOME_UNKNOWN, True)
    assert len(engine.ledger.asked("/orders", "POST")) == 1


async def test_a_look_that_fails_is_made_again(engine: Engine) -> None:
    own = await engine.connect()
    engine.ledger.fault("/orders", method="POST", drop=True)
    engine.ledger.fault("/orders", status=502)

    outcome = await write(engine, own)

    assert (outcome.problems, len(engine.ledger.orders)) == ((), 1)


@pytest.mark.parametrize(("fault", "sends"), [(LOST[0], 1), (LOST[1], 2), (LOST[2], 2)])
async def test_a_lost_change_is_judged_by_reading_the_record(engine: Engine, fault: dict[str, Any], sends: int) -> None:
    own = await engine.connect()
    key, record = await order(engine, own)
    engine.ledger.fault(f"/orders/{key}", method="PATCH", **fault)

    outcome = await performed(
        engine, own, record, notes="Ring twice", add_lines=[_line("3")], remove_lines=[f"{key}-1"]
    )

    assert outcome.problems == ()
    [operation] = await operations(engine)
    assert (operation["state"], operation["sends"]) == ("SUCCEEDED", sends)
    lines = [(line["item"], line["quantity"]) for line in engine.ledger.orders[key]["lines"]]
    assert (engine.ledger.orders[key]["notes"], lines) == ("Ring twice", [("NUT-8", "4"), ("BOLT-8", "3")])
    stored = (await engine.orders(own))[key]
    assert (stored["notes"], [line["quantity"] for line in stored["lines"]]) == ("Ring twice", [4, 3])


def _line(quantity: str) -> dict[str, Any]:
    return {"item": Reference(source_id="i1"), "quantity": Decimal(quantity)}


async def test_of_a_change_that_took_effect_in_part_only_the_rest_is_sent(engine: Engine) -> None:
    """Off: `_only` in jobs/settlement.py: the line is added twice."""
    own = await engine.connect()
    key, record = await order(engine, own)
    engine.ledger.fault(f"/orders/{key}", method="PATCH", cut=True)
    task = asyncio.create_task(performed(engine, own, record, notes="Ring twice", add_lines=[_line("3")]))
    await until(lambda: _looked(engine))
    rows = engine.ledger.orders[key]["lines"]

    engine.ledger.change(key, lines=[*rows, engine.ledger.line(f"{key}-3", "BOLT-8", "3", "0")])

    assert (await task).problems == ()
    assert len(engine.ledger.orders[key]["lines"]) == 3
    assert engine.ledger.orders[key]["notes"] == "Ring twice"


async def test_a_record_that_somebody_else_changed_meanwhile_is_left_to_people(engine: Engine) -> None:
    own = await engine.connect()
    key, record = await order(engine, own)
    engine.ledger.fault(f"/orders/{key}", method="PATCH", cut=True)
    task = asyncio.create_task(performed(engine, own, record, notes="Ring twice"))
    await until(lambda: _looked(engine))

    engine.ledger.change(key, notes="Theirs")

    [problem] = (await task).problems
    assert (problem.code, "Open the order in the ledger." in problem.message) == (ErrorCode.OUTCOME_UNKNOWN, True)
    assert engine.ledger.orders[key]["notes"] == "Theirs"


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("operation", [Operation.CANCEL, Operation.DELETE])
async def test_a_lost_end_of_an_order_is_settled(engine: Engine, fault: dict[str, Any], operation: Operation) -> None:
    own = await engine.connect()
    key, record = await order(engine, own)
    method = "PATCH" if operation is Operation.CANCEL else "DELETE"
    engine.ledger.fault(f"/orders/{key}", method=method, **fault)

    outcome = await performed(engine, own, record, operation=operation)

    assert (outcome.problems, outcome.record_id, await states(engine)) == ((), record, ["SUCCEEDED"])
    stored = (await engine.orders(own))[key]
    if operation is Operation.CANCEL:
        assert stored["status"] == engine.ledger.orders[key]["status"] == "CANCELLED"
    else:
        assert (key in engine.ledger.orders, stored["deleted_at"] is not None) == (False, True)
        assert [e["type"] for e in await engine.events(own, "purchase_order.")][-1] == "purchase_order.deleted"


async def test_a_process_that_lost_its_lease_sends_nothing_any_more(engine: Engine) -> None:
    """It was stopped between SENT and the first byte; another process has gone on meanwhile.

    Off: `ready=work.lease.check` in jobs/carry.py `_open` together with `Wire.allowed`.
    """
    own = await engine.connect()
    held = engine.ledger.fault("/resolve", hold=True)
    stale = asyncio.create_task(engine.write_door(carrier=engine.carrier(lease_seconds=600)).perform(own, request(own)))
    await held.reached.wait()
    held.go.set()
    held = engine.ledger.fault("/orders", method="POST", hold=True)
    await held.reached.wait()  # the stale one's request is under way: it cannot be called back
    await engine.superuser.execute("UPDATE write_operation SET lease_expires_at = now() - interval '1 second'")
    [operation] = await operations(engine)

    await engine.carrier().carry(own, operation["id"])  # finds what the held request made
    held.go.set()
    await stale

    assert len(engine.ledger.orders) == 1
    [operation] = await operations(engine)
    assert (operation["state"], operation["sends"], operation["fence"]) == ("SUCCEEDED", 1, 2)
    assert [e["type"] for e in await engine.events(own)] == ["purchase_order.created", "write.settled"]


async def test_an_operation_left_by_a_dead_process_is_found_by_the_tick(engine: Engine) -> None:
    own = await engine.connect()
    await write(engine, own)
    [operation] = await operations(engine)
    left = (
        "UPDATE write_operation SET state = 'SENT', settled_at = NULL, next_attempt_at = now(), lease_owner = 'gone',"
    )
    await engine.superuser.execute(left + " lease_expires_at = now() + interval '30 s'")
    assert await engine.due_writes() == []

    await engine.superuser.execute("UPDATE write_operation SET lease_expires_at = now() - interval '1 s'")

    assert await engine.due_writes() == [operation["id"]]
    assert await engine.due_writes() == []  # it was told; again after five seconds
    await engine.carrier().carry(own, operation["id"])
    assert (len(engine.ledger.orders), await states(engine)) == (1, ["SUCCEEDED"])


async def test_what_never_left_is_sent_by_whoever_finds_it(engine: Engine) -> None:
    own = await engine.connect()
    outcome = await engine.write_door().perform(own, request(own, asked={"background": True}))
    [operation] = await operations(engine)
    assert (operation["state"], outcome.operation_id, outcome.problems) == ("PENDING", operation["id"], ())

    await engine.carrier(now=compose.now).carry(own, operation["id"])

    assert (len(engine.ledger.orders), await states(engine)) == (1, ["SUCCEEDED"])
