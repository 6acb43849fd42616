"""Fault scripts as data: what they match, how they are switched, what is refused."""

import pytest

from sandbox.kit.faults import KINDS, Fault, Script, read_fault
from tests.fixtures.probe import LedgerProbe

pytest_plugins = ["tests.fixtures.probes"]


def strikes(fault: Fault, *targets: str) -> list[bool]:
    return [fault.strikes("GET", target, "orders") for target in targets]


def test_a_fault_strikes_after_some_calls_and_so_many_times() -> None:
    assert strikes(Fault("delay", after=1, count=2), *["/orders"] * 5) == [False, True, True, False, False]


def test_a_fault_without_a_count_strikes_for_ever() -> None:
    assert strikes(Fault("delay", count=None), *["/orders"] * 3) == [True, True, True]


def test_a_fault_strikes_its_path_method_and_entity_only() -> None:
    by_path = Fault("delay", path=r"^/orders\?after=0002$", count=None)

    assert strikes(by_path, "/orders?after=0001", "/orders?after=0002") == [False, True]
    assert strikes(Fault("delay", method="POST"), "/orders") == [False]
    assert strikes(Fault("delay", entity="vendors"), "/orders") == [False]


def test_calls_that_do_not_match_are_not_counted() -> None:
    fault = Fault("delay", path="orders", after=1)

    assert strikes(fault, "/vendors", "/orders", "/vendors", "/orders") == [False, False, False, True]


def test_a_share_of_calls_is_the_same_for_the_same_seed() -> None:
    one, same, other = (Fault("delay", count=None, probability=0.5, seed=seed) for seed in (1, 1, 2))
    patterns = [strikes(fault, *["/orders"] * 64) for fault in (one, same, other)]

    assert patterns[0] == patterns[1] != patterns[2]
    assert 16 < sum(patterns[0]) < 48


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "a fault has a kind"),
        ({"kind": "earthquake"}, "no fault 'earthquake'"),
        ({"kind": "delay", "colour": "red"}, "a fault has no colour"),
        ({"kind": "delay", "struck": 3}, "a fault has no struck"),
        ({"kind": "delay", "path": "("}, "no regular expression"),
        ({"kind": "rate_limit", "retry_after_as": "hours"}, "seconds or date"),
    ],
)
def test_what_cannot_be_is_refused(asked: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_fault(asked)


def test_each_kind_is_told_in_a_sentence() -> None:
    assert {kind: read_fault({"kind": kind}).kind for kind in KINDS} == {kind: kind for kind in KINDS}
    assert [kind for kind, told in KINDS.items() if not told.endswith(".")] == []


def test_numbers_of_faults_are_never_used_twice() -> None:
    script = Script()
    numbers = [script.add(Fault("delay")).number for _ in range(2)]
    script.clear()

    assert [*numbers, script.add(Fault("delay")).number] == [1, 2, 3]
    assert (script.remove(3), script.remove(3)) == (True, False)


async def test_faults_are_switched_while_the_system_runs(ledger_client: LedgerProbe) -> None:
    admin = ledger_client.admin
    first = await admin.add_fault("status", status=502, count=None)
    second = await admin.add_fault("delay", seconds=0)
    statuses = [(await ledger_client.page()).status]
    shown = [(fault["number"], fault["kind"], fault["struck"]) for fault in await admin.faults()]

    await admin.remove_fault(first)
    statuses.append((await ledger_client.page()).status)
    await admin.add_fault("unavailable", count=None)
    statuses.append((await ledger_client.page()).status)
    await admin.clear_faults()
    statuses.append((await ledger_client.page()).status)

    assert statuses == [502, 200, 503, 200]
    assert shown == [(first, "status", 1), (second, "delay", 1)]
    assert await admin.faults() == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/faults", {"kind": "earthquake"}),
        ("/faults", [1]),
        ("/clock", {"speed": 2}),
        ("/edits", {"count": 1, "mix": {"explode": 1}}),
        ("/edits", {"amount": 1}),
        ("/edits/stream", {"per_second": "many"}),
        ("/offline", {"hours": 1}),
        ("/options", {"colour": "red"}),
    ],
)
async def test_what_the_administration_does_not_know_is_refused(
    ledger_client: LedgerProbe, path: str, body: object
) -> None:
    async with ledger_client.http.post(f"{ledger_client.running.admin_url}{path}", json=body) as answer:
        assert answer.status == 400
        assert list(await answer.json()) == ["error"]
