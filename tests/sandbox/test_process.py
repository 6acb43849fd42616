"""Simulated systems in processes of their own."""

import aiohttp
import pytest

from sandbox.kit.process import started
from sandbox.ledger.books import KEY
from tests.fixtures.processes import alive


async def test_a_ledger_runs_in_a_process_and_ends_with_the_block() -> None:
    async with started("ledger", orders=1200, page_size=500, tombstones=True) as ledger:
        counts = (await ledger.admin.overview())["counts"]
        async with (
            aiohttp.ClientSession(headers={"X-Key": KEY}) as http,
            http.get(f"{ledger.url}/orders?after=00000500") as answer,
        ):
            page = await answer.json()
        assert alive(ledger.pid)

    assert not alive(ledger.pid)
    assert (counts["orders"], counts["vendors"]) == (1200, 50)
    assert ([page["rows"][place]["id"] for place in (0, -1)], page["next"], page["total"]) == (
        ["00000501", "00001000"],
        "00001000",
        1200,
    )


async def test_a_system_that_cannot_start_says_so() -> None:
    with pytest.raises(RuntimeError, match="ended with 2"):
        async with started("ledger", colour="red"):
            pass
