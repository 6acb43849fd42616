"""The write door on a small real source: what leaves, what is stored, what the caller is told."""

import asyncio
from decimal import Decimal
from typing import Any

import orjson
import pytest

from db.scope import Scope
from db.types import Entity, ErrorCode, Operation, Problem, Reference
from jobs.write import WriteRequest
from tests.fixtures.engine import Engine, counters
from tests.fixtures.ledger import EPOCH
from tests.fixtures.writing import BOLT, nothing_happened, operations, request, write


async def test_an_order_goes_out_and_comes_back_as_the_source_has_it(engine: Engine) -> None:
    own = await engine.connect()

    outcome = await write(engine, own, notes="Ring twice")

    assert outcome.problems == ()
    sent = engine.ledger.asked("/orders", "POST")
    operation = (await operations(engine))[0]
    assert [call.body for call in sent] == [
        {
            "reference": operation["reference"],
            "vendor": "v1",
            "currency": "EUR",
            "notes": "Ring twice",
            "lines": [{"item": "i1", "quantity": "12.50"}],
        }
    ]
    order = (await engine.orders(own))["0001"]
    assert (order["id"], order["order_number"], order["status"]) == (outcome.record_id, "L1", "DRAFT")
    assert (order["source_updated_at"], order["version"], order["notes"]) == (EPOCH, 1, "Ring twice")
    assert [(line["item_code"], line["quantity"]) for line in order["lines"]] == [("BOLT-8", 12.5)]
    assert (operation["id"], operation["state"], operation["record_id"]) == (
        outcome.operation_id,
        "SUCCEEDED",
        outcome.record_id,
    )
    assert (operation["source_id"], operation["actor"], operation["request_id"]) == ("0001", "key_1", "req_1")
    assert orjson.loads(operation["answer"]) == {"answers": [{"id": "0001"}]}
    [request] = orjson.loads(operation["request"])["calls"]
    assert (request["method"], request["url"]) == ("POST", f"{engine.ledger.url}/orders")
    assert orjson.loads(request["body"]) == sent[0].body
    assert operation["created_at"] <= operation["sent_at"] <= operation["settled_at"]
    assert [event["type"] for event in await engine.events(own)] == ["purchase_order.created", "write.settled"]


async def test_every_event_of_a_write_names_the_request_that_asked_for_it(engine: Engine) -> None:
    own = await engine.connect()
    await write(engine, own)

    told = {event["type"]: event["data"].get("requestId") for event in await engine.events(own)}

    assert told["purchase_order.created"] == told["write.settled"] == "req_1"
    assert {cause for name, cause in told.items() if not name.startswith(("purchase_order", "write"))} <= {None}


async def test_the_next_sync_finds_a_written_order_known(engine: Engine) -> None:
    own = await engine.connect()
    await write(engine, own)

    run = await engine.sync(own)

    assert counters(run) == {"fetched": 1, "unchanged": 1, "pages": 1}


async def test_sent_is_committed_before_the_first_byte_leaves(engine: Engine) -> None:
    """Off: the order of `_change(… SENT …)` and `source.write` in jobs/carry.py `_send`."""
    own = await engine.connect()
    held = engine.ledger.fault("/orders", method="POST", hold=True)

    task = asyncio.create_task(write(engine, own))
    await held.reached.wait()

    states = await engine.rows("SELECT state, sent_at IS NOT NULL AS sent FROM write_operation")
    assert states == [{"state": "SENT", "sent": True}]
    idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    assert await engine.one(idle) == 0  # no transaction is open during a call to a source
    held.go.set()
    assert (await task).problems == ()


async def test_no_transaction_is_open_while_the_source_resolves_a_code(engine: Engine) -> None:
    """Off: Resolver in jobs/references.py with a session of its caller's."""
    own = await engine.connect()
    held = engine.ledger.fault("/resolve", hold=True)

    task = asyncio.create_task(write(engine, own))
    await held.reached.wait()

    idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    assert await engine.one(idle) == 0
    held.go.set()
    assert (await task).problems == ()


async def test_record_event_and_settled_operation_are_one_transaction(engine: Engine) -> None:
    """Off: `upsert.store` in a transaction of its own in jobs/readback.py `settle`."""
    own = await engine.connect()
    await engine.superuser.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$"
    )
    await engine.superuser.execute(
        "CREATE TRIGGER refuse AFTER INSERT ON event FOR EACH ROW WHEN (NEW.type = 'write.settled')"
        " EXECUTE FUNCTION refuse()"
    )

    with pytest.raises(engine.database.failures):
        await write(engine, own)

    assert await engine.orders(own) == {}
    assert await engine.events(own) == []
    assert [operation["state"] for operation in await operations(engine)] == ["SENT"]


@pytest.mark.parametrize("by", ["id", "source_id", "code"])
async def test_a_vendor_is_named_by_id_key_or_code(engine: Engine, by: str) -> None:
    own = await engine.connect()
    vendors = await engine.trigger(own, entities=(Entity.VENDOR,))
    await engine.runner().run(own, vendors)
    ours = await engine.one("SELECT id FROM vendor WHERE source_id = 'v2'")
    references = {"id": Reference(id=ours), "source_id": Reference(source_id="v2"), "code": Reference(code="V2")}

    outcome = await write(engine, own, vendor=references[by])

    assert outcome.problems == ()
    assert engine.ledger.orders["0001"]["vendor"] == "v2"
    # What is stored needs no question to the source; the item is not stored.
    assert [call.query["kind"] for call in engine.ledger.asked("/resolve")] == ["item"]


async def test_a_code_that_is_not_stored_yet_is_resolved_by_the_source(engine: Engine) -> None:
    own = await engine.connect()

    outcome = await write(engine, own, vendor=Reference(code="V2"), lines=[BOLT, BOLT])

    assert outcome.problems == ()
    asked = [(call.query["kind"], call.query["code"]) for call in engine.ledger.asked("/resolve")]
    assert asked == [("vendor", "V2"), ("item", "BOLT-8")]  # each of them once


async def test_references_that_name_nothing_or_two_things_are_told_with_their_places(engine: Engine) -> None:
    own = await engine.connect()
    lines = [BOLT, {**BOLT, "item": Reference(code="TWIN")}, {**BOLT, "item": Reference(code="GONE")}]

    outcome = await write(engine, own, vendor=Reference(code="V9"), lines=lines)

    assert list(outcome.problems) == [
        Problem(ErrorCode.BAD_USER_INPUT, "The connection has no vendor 'V9'.", ("purchaseOrder", "vendor")),
        Problem(
            ErrorCode.BAD_USER_INPUT,
            "More than one item of the connection is called 'TWIN'; name it by id or sourceId.",
            ("purchaseOrder", "lines", "1", "item"),
        ),
        Problem(
            ErrorCode.BAD_USER_INPUT,
            "The connection has no item 'GONE'.",
            ("purchaseOrder", "lines", "2", "item"),
        ),
    ]
    assert await nothing_happened(engine)


async def test_an_id_of_another_connection_names_nothing(engine: Engine) -> None:
    """Off: `connection_id = :connection` in db/writes.py `sources_of` together with row-level security."""
    own, other = await engine.connect(), await engine.connect()
    vendors = await engine.trigger(other, entities=(Entity.VENDOR,))
    await engine.runner().run(other, vendors)
    foreign = await engine.one("SELECT id FROM vendor WHERE source_id = 'v1'")

    outcome = await write(engine, own, vendor=Reference(id=foreign))

    assert [problem.path for problem in outcome.problems] == [("purchaseOrder", "vendor")]
    assert engine.ledger.orders == {}


@pytest.mark.parametrize(
    ("given", "code", "paths"),
    [
        ({"incoterms": "FCA"}, "UNSUPPORTED", [("purchaseOrder", "incoterms")]),
        ({"lines": [{**BOLT, "unit_price": 1}]}, "UNSUPPORTED", [("purchaseOrder", "lines", "0", "unitPrice")]),
        ({"vendor": None}, "BAD_USER_INPUT", [("purchaseOrder", "vendor")]),
        (
            {"lines": [BOLT, {"item": Reference(code="NUT-8")}]},
            "BAD_USER_INPUT",
            [("purchaseOrder", "lines", "1", "quantity")],
        ),
        ({"currency": "EURO"}, "BAD_USER_INPUT", [("purchaseOrder", "currency")]),
        ({"notes": "x" * 100_001}, "BAD_USER_INPUT", [("purchaseOrder", "notes")]),
        (
            {"currency": "EURO", "lines": [{**BOLT, "description": "x" * 10_001}]},
            "BAD_USER_INPUT",
            [("purchaseOrder", "currency"), ("purchaseOrder", "lines", "0", "description")],
        ),
        ({"notes": "x" * 2_001}, "BAD_USER_INPUT", [("purchaseOrder", "notes")]),
    ],
)
async def test_what_the_system_cannot_take_is_told_before_anything_leaves(
    engine: Engine, given: dict[str, Any], code: str, paths: list[tuple[str, ...] | None]
) -> None:
    own = await engine.connect()

    outcome = await write(engine, own, **given)

    assert [(problem.code, problem.path) for problem in outcome.problems] == [(code, path) for path in paths]
    assert await nothing_happened(engine)


async def test_the_sources_own_refusal_comes_with_its_place_and_stores_no_record(engine: Engine) -> None:
    own = await engine.connect()

    outcome = await write(engine, own, lines=[BOLT, {**BOLT, "item": Reference(source_id="i9")}])

    refused = Problem(
        ErrorCode.SOURCE_REJECTED,
        "The ledger refuses this value.",
        ("purchaseOrder", "lines", "1", "item"),
        "unknown item",
    )
    assert (outcome.problems, outcome.record_id) == ((refused,), None)
    operation = (await operations(engine))[0]
    assert (operation["state"], operation["error"]["code"]) == ("FAILED", "SOURCE_REJECTED")
    assert operation["error"]["source_message"] == "unknown item"
    assert operation["settled_at"] is not None
    assert await engine.orders(own) == {}
    told = await engine.events(own)
    assert [(event["type"], event["data"]["state"]) for event in told] == [("write.settled", "FAILED")]


async def test_a_source_that_cannot_be_reached_at_all_has_not_got_the_write(engine: Engine) -> None:
    own = await engine.connect()
    door = engine.write_door()
    with_unreachable = await engine.connect()
    await _move(engine, with_unreachable)

    outcome = await door.perform(with_unreachable, request(with_unreachable, lines=[{"quantity": Decimal(1)}]))

    assert [problem.code for problem in outcome.problems] == [ErrorCode.SOURCE_UNREACHABLE]
    operation = (await operations(engine))[0]
    assert (operation["state"], operation["error"]["reason"]) == ("FAILED", "CONNECT")
    assert operation["settled_at"] is not None
    assert (await write(engine, own)).problems == ()


async def _move(engine: Engine, own: Scope) -> None:
    """Let a connection's credentials point to a port where nothing listens."""
    assert own.connection_id is not None
    sealed = engine.sources.vault.seal(own.connection_id, {"base_url": "http://127.0.0.1:1", "key": "x"})
    await engine.superuser.execute(
        "UPDATE connection_secret SET key_id = $2, wrapped_key = $3, sealed = $4 WHERE connection_id = $1",
        own.connection_id,
        sealed.key_id,
        sealed.wrapped_key,
        sealed.sealed,
    )


async def test_a_write_stands_when_its_read_back_fails(engine: Engine) -> None:
    own = await engine.connect()
    engine.ledger.fault("/orders", status=503, times=3)

    outcome = await write(engine, own)

    assert (outcome.problems, outcome.record_id) == ((), None)
    assert [operation["state"] for operation in await operations(engine)] == ["SUCCEEDED"]
    assert counters(await engine.sync(own)) == {"fetched": 1, "created": 1, "pages": 1}


async def test_an_operation_that_the_system_does_not_have_is_told(engine: Engine) -> None:
    own = await engine.connect()
    assert own.connection_id is not None
    asked = WriteRequest(Entity.WORK_ORDER, Operation.CREATE, {"title": "Leak"}, "workOrder", own.connection_id)

    outcome = await engine.write_door().perform(own, asked)

    message = "Ledger cannot do CREATE WORK_ORDER through this API."
    assert outcome.problems == (Problem(ErrorCode.UNSUPPORTED, message),)
    assert await nothing_happened(engine)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("PAUSED", "CONFLICT"),
        ("REAUTHORIZATION_REQUIRED", "REAUTHORIZATION_REQUIRED"),
        ("UNREACHABLE", "SOURCE_UNREACHABLE"),
    ],
)
async def test_a_connection_that_does_not_work_is_not_written_to(engine: Engine, status: str, code: str) -> None:
    own = await engine.connect()
    await engine.superuser.execute("UPDATE connection SET status = $1", status)

    outcome = await write(engine, own)

    assert [problem.code for problem in outcome.problems] == [code]
    assert await nothing_happened(engine)
