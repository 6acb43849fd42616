"""Storing a change costs what the change is, however much else the connection holds."""

from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import text

from db import upsert
from db.engine import WriteSession
from db.history import Origin
from db.scope import Scope
from db.types import Cause, new_id
from tests.factories.sync import make_event_counter
from tests.fixtures.storing import ORDER, Store, incoming, line, order

ORDERS = 400
_READ = text(
    "SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) AS rows FROM pg_stat_xact_user_tables"
    " WHERE relname = ANY(:tables)"
)


async def rows_read(session: WriteSession) -> Counter[str]:
    """Give how many rows of each table this session's server process has read so far."""
    tables = ["purchase_order", "purchase_order_line", "raw_item"]
    return Counter({row.relname: row.rows for row in await session.execute(_READ, {"tables": tables})})


async def fill(store: Store) -> None:
    """Store orders with two lines each."""
    lines = [line(key, item_code=f"I{key}") for key in ("1", "2")]
    await store.put(*(incoming(f"{n:04}", order(lines=lines), at=store.now) for n in range(ORDERS)))


@pytest.mark.parametrize("changed", [1, 3])
async def test_changes_read_their_own_rows_where_the_statistics_know_no_such_connection(
    stored: Store, changed: int
) -> None:
    """A connection is new beside others: planned for its id, each statement expects one row, and takes any index.

    Off: `plan_cache_mode` in db/staging.py: every line of the connection is read for one order.
    """
    other = replace(stored, scope=Scope(new_id(), new_id()))
    async with other.database.write(other.scope) as session:
        await make_event_counter(session, scope=other.scope, last_sequence=0)
    await fill(other)
    await stored.behind.execute("ANALYZE")
    await fill(stored)
    items = [incoming(f"{n:04}", order(notes="new", lines=[line("1")]), at=stored.now) for n in range(changed)]

    async with stored.database.write(stored.scope) as session:
        before = await rows_read(session)
        told = await upsert.store(session, stored.scope, ORDER, items, origin=Origin(Cause.SYNC, stored.now))
        read = await rows_read(session) - before

    assert [(each.kind, each.version) for each in told] == [(upsert.Kind.UPDATED, 2)] * changed
    assert read["purchase_order_line"] <= 2 * 2 * changed  # two lines: for the version, and to be taken away
    assert read["purchase_order"] + read["raw_item"] < 10 * changed
