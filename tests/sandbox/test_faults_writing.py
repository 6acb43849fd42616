"""Each fault of a write, as a plain HTTP client sees it, on both simulated systems; and what truly happened."""

import time

import aiohttp
import pytest

from tests.fixtures.probe import ORDERS, Probe

pytest_plugins = ["tests.fixtures.probes"]
BROKEN = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


async def test_a_write_without_a_fault_makes_one_order(probe: Probe) -> None:
    assert (await probe.write()).status == 201
    assert probe.count() == ORDERS + 1


async def test_a_write_that_never_arrived_made_nothing(probe: Probe) -> None:
    probe.fault("drop_before", method="POST")

    with pytest.raises(BROKEN):
        await probe.write()
    assert probe.count() == ORDERS


async def test_a_write_can_be_done_and_its_answer_lost(probe: Probe) -> None:
    probe.fault("drop_after", method="POST")

    with pytest.raises(BROKEN):
        await probe.write()
    assert probe.count() == ORDERS + 1


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_write_can_be_done_and_a_failure_be_answered(probe: Probe, status: int) -> None:
    probe.fault("fail_after", method="POST", status=status)

    assert (await probe.write()).status == status
    assert probe.count() == ORDERS + 1


async def test_a_write_can_be_done_long_before_it_is_answered(probe: Probe) -> None:
    fault = probe.fault("delay_after", method="POST", seconds=0.2)
    started = time.perf_counter()

    answer = await probe.write()

    assert (answer.status, fault.struck, probe.count()) == (201, 1, ORDERS + 1)
    assert time.perf_counter() - started >= 0.15


async def test_a_write_can_be_refused_in_the_systems_own_words(probe: Probe) -> None:
    probe.fault("refuse", method="POST", code="ME/006", text="Locked by a colleague")

    refused = await probe.write()

    assert refused.status in {400, 422}
    assert b"Locked by a colleague" in refused.body
    assert probe.count() == ORDERS


@pytest.mark.parametrize("kind", ["unauthorized", "forbidden", "rate_limit", "unavailable", "status"])
async def test_a_refused_write_made_nothing(probe: Probe, kind: str) -> None:
    await probe.admin.add_fault(kind, method="POST")

    assert (await probe.write()).status in {401, 403, 429, 503, 500}
    assert probe.count() == ORDERS


async def test_a_write_can_be_held_after_it_was_done(probe: Probe) -> None:
    number = await probe.admin.add_fault("hold", method="POST")
    other = aiohttp.ClientTimeout(total=0.3)

    path, body = probe.making("R-1")
    with pytest.raises(TimeoutError):
        await probe.http.post(f"{probe.running.url}{path}", json=body, headers=probe.headers(), timeout=other)

    assert probe.count() == ORDERS + 1
    await probe.admin.remove_fault(number)


async def test_some_of_many_writes_lose_their_answer_and_the_same_ones_each_time(probe: Probe) -> None:
    """A share, by a generator that begins with the seed."""
    lost: list[list[int]] = []
    for _ in range(2):
        number = await probe.admin.add_fault("drop_after", method="POST", count=None, probability=0.3, seed=5)
        lost.append([])
        for n in range(20):
            try:
                await probe.write(f"R-{n}")
            except BROKEN:
                lost[-1].append(n)
        await probe.admin.remove_fault(number)

    assert lost[0] == lost[1]
    assert 1 < len(lost[0]) < 15
    assert probe.count() == ORDERS + 40
