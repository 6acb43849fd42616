"""Each fault of a read, as a plain HTTP client sees it, on both simulated systems."""

import asyncio
import json
import time
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from sandbox.kit.faults import Kind
from sandbox.kit.system import Document
from tests.fixtures.probe import PAGE, LedgerProbe, Probe, later

pytest_plugins = ["tests.fixtures.probes"]
BROKEN = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


async def statuses(probe: Probe, count: int) -> list[int]:
    return [(await probe.page()).status for _ in range(count)]


async def test_an_offline_system_refuses_connections_until_it_is_online_again(probe: Probe) -> None:
    await probe.admin.go_offline()

    with pytest.raises(aiohttp.ClientConnectorError):
        await probe.page()
    await probe.admin.go_online()  # whose port stays open
    assert (await probe.page()).status == 200


async def test_a_system_goes_offline_at_a_call_and_comes_back_after_a_while(probe: Probe) -> None:
    probe.fault("offline", after=1, seconds=0.2)
    doors = probe.wire.doors
    assert doors is not None
    assert (await probe.page()).status == 200

    with pytest.raises(BROKEN):
        await probe.page()
    with pytest.raises(aiohttp.ClientConnectorError):
        await probe.page()
    await doors.opened.wait()
    assert (await probe.page()).status == 200


async def test_an_offline_fault_without_an_end_ends_when_it_is_taken_away(probe: Probe) -> None:
    fault, doors = probe.fault("offline"), probe.wire.doors
    assert doors is not None
    with pytest.raises(BROKEN):
        await probe.page()
    with pytest.raises(aiohttp.ClientConnectorError):
        await probe.page()

    await probe.admin.remove_fault(fault.number)

    await doors.opened.wait()
    assert (await probe.page()).status == 200


async def test_a_silent_system_never_answers(probe: Probe) -> None:
    fault = probe.fault("silent")
    asking = asyncio.create_task(probe.page())
    await fault.reached.wait()
    await asyncio.sleep(0.1)
    assert not asking.done()

    await probe.admin.clear_faults()

    with pytest.raises(BROKEN):
        await asking
    assert probe.wire.calls[-1].status is None


async def test_a_connection_can_break_before_anything_is_done(probe: Probe) -> None:
    probe.fault("drop_before", count=2)

    for _ in range(2):
        with pytest.raises(BROKEN):
            await probe.page()
    assert (await probe.page()).status == 200


async def test_a_connection_is_reset_in_the_middle_of_a_body(probe: Probe) -> None:
    whole = len((await probe.page()).body)
    probe.fault("reset_body")

    async with probe.http.get(f"{probe.running.url}{probe.first()}", headers=probe.headers()) as answer:
        begun = await answer.content.readexactly(whole // 2)
        with pytest.raises((aiohttp.ClientPayloadError, ConnectionResetError)):
            await answer.content.read()

    assert (answer.status, int(answer.headers["content-length"]), len(begun)) == (200, whole, whole // 2)


async def test_a_body_can_be_cut_and_look_whole(probe: Probe) -> None:
    whole = (await probe.page()).body
    probe.fault("cut_body")

    cut = await probe.page()

    assert (cut.status, cut.body) == (200, whole[: len(whole) // 2])
    with pytest.raises(json.JSONDecodeError):
        _ = cut.json


@pytest.mark.parametrize("kind", ["delay", "slow_body", "delay_after"])
async def test_an_answer_can_be_slow(probe: Probe, kind: Kind) -> None:
    whole = (await probe.page()).body
    probe.fault(kind, seconds=0.2)
    started = time.perf_counter()

    slow = await probe.page()

    assert slow.body == whole
    assert time.perf_counter() - started >= 0.15  # clocks and timers differ by some ticks


async def test_credentials_can_die_after_some_calls(probe: Probe) -> None:
    probe.fault("unauthorized", after=2, count=None)

    assert await statuses(probe, 4) == [200, 200, 401, 401]


async def test_one_entity_can_be_forbidden(probe: Probe) -> None:
    probe.fault("forbidden", entity=probe.entity, count=None)

    assert (await probe.page()).status == 403
    assert (await probe.call("GET", probe.other)).status == 200


async def test_too_many_calls_say_when_to_come_again_in_seconds(probe: Probe) -> None:
    probe.fault("rate_limit", retry_after=7)

    limited = await probe.page()

    assert (limited.status, limited.headers["retry-after"]) == (429, "7")


async def test_too_many_calls_say_when_to_come_again_as_a_date(probe: Probe) -> None:
    probe.fault("rate_limit", retry_after=90, retry_after_as="date")

    limited = await probe.page()

    told = [parsedate_to_datetime(limited.headers[name]) for name in ("date", "retry-after")]
    assert told == [later(0).replace(microsecond=0), later(90).replace(microsecond=0)]


async def test_too_many_calls_may_say_nothing(probe: Probe) -> None:
    probe.fault("rate_limit")

    assert "retry-after" not in (await probe.page()).headers


async def test_a_quota_refuses_only_what_is_beyond_it(probe: Probe) -> None:
    fault = probe.fault("rate_limit", quota=3, seconds=600, count=None)

    assert await statuses(probe, 5) == [200, 200, 200, 429, 429]
    assert fault.struck == 2


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_failures_come_in_bursts(probe: Probe, status: int) -> None:
    probe.fault("status", status=status, after=1, count=3)

    assert await statuses(probe, 6) == [200, status, status, status, 200, 200]


@pytest.mark.parametrize("retry_after", [None, 30])
async def test_an_unavailable_system_may_say_for_how_long(probe: Probe, retry_after: int | None) -> None:
    probe.fault("unavailable", retry_after=retry_after)

    answer = await probe.page()

    told = answer.headers.get("retry-after")
    assert (answer.status, told) == (503, None if retry_after is None else "30")


async def test_rows_can_come_twice_in_a_page(probe: Probe) -> None:
    once = probe.keys(await probe.page())
    probe.fault("repeat_page")

    twice = probe.keys(await probe.page())

    assert twice == [key for key in once for _ in range(2)]


async def test_rows_put_in_before_a_page_make_it_repeat_the_last_ones(probe: Probe) -> None:
    first = await probe.page()
    usual = probe.keys(await probe.page(first))
    probe.fault("shift_page", rows=2)

    shifted = probe.keys(await probe.page(first))

    assert shifted == [*probe.keys(first)[-2:], usual[0]]


async def test_rows_taken_out_before_a_page_make_it_leave_some_out(probe: Probe) -> None:
    first = await probe.page()
    usual = probe.keys(await probe.page(first))
    probe.fault("shift_page", rows=-1)

    shifted = probe.keys(await probe.page(first))

    assert shifted[:2] == usual[1:]


async def test_edits_happen_between_pages(probe: Probe) -> None:
    probe.fault("edit_between", rows=4, seed=3)
    before = {key: each.body for key, each in truth(probe).items()}

    first = await probe.page()
    edited = {edit.key for edit in probe.wire.simulated.edits}

    after = {key: each.body for key, each in truth(probe).items()}
    assert probe.keys(first) == list(before)[:PAGE] == sorted(before)[:PAGE]
    assert edited
    assert {key for key in after if after[key] != before.get(key)} == edited
    assert {edit.cause for edit in probe.wire.simulated.edits} == {"edit"}


def truth(probe: Probe) -> dict[str, Document]:
    documents = sorted(probe.wire.simulated.documents(probe.entity), key=lambda each: each.key)
    return {each.key: each for each in documents}


async def test_equal_stamps_lie_across_a_page_border(probe: Probe) -> None:
    """A clock that stands still stamps everything alike."""
    await probe.admin.clock(frozen=True)
    made = await probe.admin.edit(2 * PAGE, mix={"create": 1})

    rows = []
    page = await probe.page()
    for _ in range(5):
        rows += list(zip(probe.keys(page), probe.rows(page), strict=True))
        if len(rows) == 9 + 2 * PAGE:
            break
        page = await probe.page(page)

    stamps = {row[probe.stamp] for key, row in rows if key in made}
    assert len(made) == 2 * PAGE > PAGE
    assert len(stamps) == 1


async def test_a_clock_can_be_wrong(probe: Probe) -> None:
    await probe.admin.clock(offset_seconds=3600)

    answer = await probe.page()

    assert parsedate_to_datetime(answer.headers["date"]) == later(3600).replace(microsecond=0)


async def test_stamps_can_differ_from_the_clock(probe: Probe) -> None:
    await probe.admin.clock(stamp_offset_seconds=-120)
    await probe.admin.edit(1, mix={"change": 1})

    edit = (await probe.admin.edits())[-1]

    assert (edit["at"], edit["stamp"]) == (later(0).isoformat(), later(-120).isoformat())
    assert parsedate_to_datetime((await probe.page()).headers["date"]) == later(0).replace(microsecond=0)


async def test_a_late_commit_is_stamped_before_it_can_be_seen(probe: Probe) -> None:
    [key] = await probe.admin.edit(1, mix={"create": 1}, late_seconds=60)
    await probe.admin.clock(offset_seconds=59)
    early = await probe.call("GET", probe.one(key))

    await probe.admin.clock(offset_seconds=61)
    seen = await probe.call("GET", probe.one(key))

    edits = [edit for edit in await probe.admin.edits() if edit["key"] == key]
    assert (early.status, seen.status) == (404, 200)
    assert {edit["cause"] for edit in edits} == {"late"}
    assert [(edits[0]["change"], edits[0]["stamp"])] == [("created", later(0).isoformat())]
    assert edits[0]["at"] == later(61).isoformat()


async def test_a_late_commit_can_wait_for_so_many_calls(probe: Probe) -> None:
    [key] = await probe.admin.edit(1, mix={"create": 1}, late_calls=2)

    seen = [(await probe.call("GET", probe.one(key))).status for _ in range(3)]

    assert seen == [404, 404, 200]


async def test_a_late_commit_lies_behind_the_cursor_of_a_running_pass(probe: Probe) -> None:
    """Its key was drawn before those of orders that can be seen already."""
    [late] = await probe.admin.edit(1, mix={"create": 1}, late_seconds=60)
    [other] = await probe.admin.edit(1, mix={"create": 1})

    assert late < other
    assert (await probe.call("GET", probe.one(other))).status == 200
    assert late not in truth(probe)


async def test_a_vanished_order_is_gone_without_a_trace(probe: Probe) -> None:
    [key] = await probe.admin.edit(1, mix={"vanish": 1})

    assert (await probe.call("GET", probe.one(key))).status == 404
    assert key not in truth(probe)
    assert (await probe.admin.edits())[-1]["change"] == "vanished"
    if isinstance(probe, LedgerProbe):
        assert (await probe.call("GET", "/tombstones")).status == 404
        await probe.admin.options(tombstones=True)
        assert [row["id"] for row in (await probe.call("GET", "/tombstones")).json["rows"]] == [key]
