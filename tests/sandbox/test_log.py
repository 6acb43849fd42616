"""The append-only log: calls within bounds, every true edit, and what they tell of the truth."""

import random
from typing import Any

import orjson
import pytest

from connectors.errors import MappingError
from connectors.kit import odata2
from connectors.mapping import project
from connectors.sap_s4hana.connector import SAP_S4HANA
from connectors.sap_s4hana.read import item
from connectors.sap_s4hana.services import RESOURCES
from db.types import Entity
from sandbox.kit import oracle
from sandbox.kit.clock import Clock
from sandbox.kit.log import Calls, Edits, caused_by
from sandbox.kit.system import Document
from sandbox.ledger.seeds import Seeds
from tests.fixtures.ledger_connector import LedgerConnector
from tests.fixtures.probe import LedgerProbe, Probe, SapProbe
from tests.fixtures.sap_caller import NOW

pytest_plugins = ["tests.fixtures.probes"]
ALL = {"create": 3, "change": 4, "part": 3, "spoil": 1, "mend": 1, "vanish": 1}


def begin(calls: Calls, target: str = "/orders", content: bytes = b"") -> None:
    calls.keep(calls.begin(at=NOW, method="GET", target=target, entity="orders"), content)


async def test_a_call_is_logged_with_body_caller_status_and_faults(probe: Probe) -> None:
    await probe.admin.add_fault("delay", method="POST")
    await probe.page()
    await probe.write("R-7")
    log = await probe.admin.calls()

    path, body = probe.making("R-7")
    assert [(call["number"], call["method"], call["status"], call["faults"]) for call in log] == [
        (log[0]["number"], "GET", 200, []),
        (log[0]["number"] + 1, "POST", 201, ["delay"]),
    ]
    assert (log[1]["path"], log[1]["body"], log[1]["at"]) == (path, body, NOW.isoformat())
    assert [call["entity"] for call in log] == [probe.entity] * 2
    assert None not in [call["caller"] for call in log]
    assert await probe.admin.calls(after=log[0]["number"]) == log[1:]


async def test_a_call_with_wrong_credentials_has_no_caller(probe: Probe) -> None:
    async with probe.http.get(f"{probe.running.url}{probe.first()}"):
        pass

    call = probe.wire.calls[-1]
    assert (call.status, call.caller) == (401, None)


def test_calls_are_kept_up_to_a_number_and_counted_beyond() -> None:
    calls = Calls(limit=3)
    for n in range(5):
        begin(calls, f"/orders?after={n}")

    assert [call.query["after"] for call in calls] == ["2", "3", "4"]
    assert (calls.total, calls[-1].number) == (5, 5)
    assert [call.number for call in calls.since(3)] == [4, 5]
    with pytest.raises(LookupError, match="calls 2 to 2 are kept no more"):
        calls.since(1)


def test_bodies_are_kept_up_to_so_many_bytes() -> None:
    calls = Calls(body_bytes=100)
    for size in (60, 30, 50):
        begin(calls, content=b"x" * size)

    assert [len(call.content) for call in calls] == [30, 50]
    begin(calls, content=b"x" * 200)  # the last one is kept however long it is
    assert [len(call.content) for call in calls] == [200]


async def test_every_true_edit_is_logged_with_its_cause(probe: Probe) -> None:
    await probe.write("R-1")
    [key] = await probe.admin.edit(1, mix={"change": 1})
    edits = [edit for edit in await probe.admin.edits() if not edit["part"]]

    made, changed = edits[0], edits[-1]
    call = probe.wire.calls[-1].number
    assert (made["change"], made["cause"], made["call"], made["reference"]) == ("created", "call", call, "R-1")
    assert (changed["key"], changed["change"], changed["cause"], changed["call"]) == (key, "changed", "edit", None)
    assert (changed["entity"], changed["stamp"]) == (probe.entity, NOW.isoformat())


async def test_edits_of_tasks_at_once_keep_their_causes() -> None:
    edits = Edits(lambda: NOW)
    with caused_by("late"):
        edits.note("orders", "1", "created", stamp=NOW)
    edits.note("orders", "1", "changed", stamp=NOW)

    assert [(edit.number, edit.cause, edit.version) for edit in edits] == [(1, "late", 1), (2, "edit", 2)]


async def test_the_same_seed_makes_the_same_edits(probe: Probe) -> None:
    """On the same state: they choose among what is there."""
    made = []
    for _ in range(2):
        before = len(probe.wire.simulated.edits)
        await probe.admin.edit(30, seed=4, mix={"change": 1})
        made.append([edit.key for edit in probe.wire.simulated.edits][before:])

    assert made[0] == made[1]
    assert len(set(made[0])) > 3


async def test_edits_go_on_until_they_are_stopped(probe: Probe) -> None:
    await probe.admin.start_edits(per_second=500, seed=1)
    while len(probe.wire.simulated.edits) < 20:
        await probe.admin.overview()

    await probe.admin.stop_edits()

    count = len(probe.wire.simulated.edits)
    assert not probe.wire.driver.running
    await probe.page()
    assert len(probe.wire.simulated.edits) == count


async def test_what_the_oracle_tells_is_what_a_reader_sees(probe: Probe) -> None:
    await probe.admin.edit(60, seed=2, mix=ALL)

    documents = await probe.admin.documents(probe.entity)
    page = await probe.page()
    read: dict[str, dict[str, Any]] = {}
    while True:
        read |= dict(zip(probe.keys(page), probe.rows(page), strict=True))
        try:
            page = await probe.page(page)
        except KeyError:
            break
        if not probe.rows(page) or probe.keys(page)[0] in read:
            break

    assert read.keys() == documents.keys()
    for key, row in read.items():
        body = documents[key].body
        plain = {name for name, value in row.items() if not isinstance(value, dict | list)}
        assert {name: body[name] for name in plain} == {name: row[name] for name in plain}


async def test_the_ledgers_log_alone_tells_its_present_state(ledger_client: LedgerProbe) -> None:
    books = ledger_client.running.app.books
    seeded = {each.key: each for each in books.documents("orders")}

    ledger_client.wire.driver.make(400, rng=random.Random(9), mix=ALL, late_calls=None)
    for n in range(5):
        await ledger_client.write(f"R-{n}")

    present = {each.key: each for each in books.documents("orders")}
    assert oracle.replayed(seeded, books.edits, "orders") == present
    told = oracle.truth("orders", books.documents("orders"), books.edits)
    assert told.documents == present
    known = seeded.keys() | {edit.key for edit in books.edits if edit.entity == "orders"}
    assert told.vanished == known - present.keys() != set()
    assert 0 < len(told.mappable) < len(present)


async def test_a_version_grows_with_each_edit_of_a_document(ledger_client: LedgerProbe) -> None:
    await ledger_client.admin.edit(8, seed=2, mix={"create": 1, "change": 5, "part": 2})
    last: dict[str, int] = {}
    for edit in ledger_client.wire.simulated.edits:
        assert edit.version == last.get(edit.key, 0) + 1
        last[edit.key] = edit.version

    documents = await ledger_client.admin.documents("orders")
    assert {key: documents[key].version for key in last} == last
    assert {each.version for key, each in documents.items() if key not in last} == {0}


async def test_two_documents_of_one_reference_are_told(probe: Probe) -> None:
    for reference in ("R-1", "R-2", "R-1"):
        await probe.write(reference)

    told = await probe.admin.references()
    made = oracle.made(probe.wire.simulated.edits)
    assert {reference: len(keys) for reference, keys in told["made"].items()} == {"R-1": 2, "R-2": 1}
    assert told["effects"] == {"R-1": 2, "R-2": 1}
    assert list(oracle.duplicates(probe.wire.simulated.edits)) == ["R-1"]
    assert {entity for keys in made.values() for entity, _ in keys} == {probe.entity}


async def test_pages_read_again_are_counted(probe: Probe) -> None:
    first = await probe.page()
    await probe.page(first)
    assert oracle.read_again(probe.wire.calls, entity=probe.entity) == 0

    await probe.page(first)
    probe.fault("status")
    await probe.page(first)  # a failure is no page

    counts = oracle.reads(probe.wire.calls, entity=probe.entity)
    assert sorted(counts.values()) == [1, 2]
    assert oracle.read_again(probe.wire.calls) == 1


async def test_a_spoiled_order_cannot_be_mapped_until_it_is_mended(probe: Probe) -> None:
    """By the connectors' own mappings."""
    [key] = await probe.admin.edit(1, mix={"spoil": 1})
    spoiled = (await probe.admin.documents(probe.entity))[key]

    with pytest.raises(MappingError):
        _map(probe, spoiled)
    probe.wire.simulated.editor.mend(key, NOW)
    mended = (await probe.admin.documents(probe.entity))[key]
    _map(probe, mended)
    assert (spoiled.mappable, mended.mappable) == (False, True)


def _map(probe: Probe, document: Document) -> None:
    if isinstance(probe, SapProbe):
        resource = RESOURCES[Entity.PURCHASE_ORDER]
        body = item(resource, odata2.plain(dict(document.body))).body
        project(SAP_S4HANA.mappings[Entity.PURCHASE_ORDER], body, units={})
    else:
        project(LedgerConnector().mappings[Entity.PURCHASE_ORDER], document.body, units={})


def test_seeded_orders_are_the_same_each_time_and_older_than_any_overlap() -> None:
    one, same, other = (Seeds(NOW, 50, rng_seed=seed) for seed in (1, 1, 2))
    rows = [[orjson.loads(seeds.order(key)) for key in seeds.keys()] for seeds in (one, same, other)]  # noqa: SIM118

    assert rows[0] == rows[1] != rows[2]
    assert {len(row["lines"]) for row in rows[0]} == {5}
    assert [row["id"] for row in rows[0]] == one.keys()
    assert all(one.oldest_day <= row["date"] and row["changed"] <= one.newest for row in rows[0])
    assert len({row["changed"] for row in rows[0]}) > 40


def test_a_clock_goes_on_from_where_it_is_set() -> None:
    clock = Clock(lambda: NOW)
    clock.apply({"offset_seconds": 60, "stamp_offset_seconds": 5})

    assert ((clock.now() - NOW).seconds, (clock.stamp() - NOW).seconds) == (60, 65)
    clock.reset()
    assert clock.now() == clock.stamp() == NOW
