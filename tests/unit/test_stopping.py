"""Tasks that are stopped, though what they await loses a cancellation."""

import asyncio
import contextlib

import pytest

from jobs.queue import mind_cancelling, stop


async def test_a_task_that_loses_a_cancellation_is_stopped_all_the_same() -> None:
    """Off: the loop in jobs/queue.py `stop`: the task goes on for ever."""
    lost = 0

    async def work() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
                if lost == 3:
                    raise

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await stop(working, again_seconds=0.01)

    assert (working.cancelled(), lost) == (True, 3)


async def test_stopping_what_has_ended_keeps_how_it_ended() -> None:
    async def fail() -> None:
        raise ValueError

    ended = asyncio.create_task(fail())
    await asyncio.wait({ended})

    await stop(ended)

    with pytest.raises(ValueError, match=r"^$"):
        ended.result()


async def test_a_task_whose_cancellation_was_lost_ends_where_it_minds_it() -> None:
    """Off: `cancelling` in jobs/queue.py `mind_cancelling`."""
    turns = 0

    async def work() -> None:
        nonlocal turns
        while True:
            turns += 1
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.001)
            mind_cancelling()

    working = asyncio.create_task(work())
    await asyncio.sleep(0.05)
    assert turns > 1
    working.cancel()
    await asyncio.wait({working}, timeout=10)

    assert working.cancelled()
