"""The second lock: what the application's own filters would let through, the database holds back."""

from dataclasses import replace
from typing import Any

import asyncpg
import orjson
import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

from db import lists, page
from db.engine import APP_ROLE, Database, ReadSession, make_engine
from db.scope import Scope
from db.selection import Leaf, OneById, PagePart, PageSelection, Selection
from db.shapes import SHAPES
from db.types import encode_id, new_id
from tests.fixtures.everything import Everything, row_of, scoped_tables

NO_FILTER = "$1::uuid IS NOT NULL AND ($2::uuid IS NULL OR true)"
LISTED = [shape for shape in SHAPES.values() if shape.key == "id" and shape.connection_column is not None]
TABLES = scoped_tables()
APPENDED = {"audit_entry", "credit_entry", "record_version", "sync_seen", "vanished_item"}
"""Tables that the application may add rows to and never change."""
PRUNED = {"record_version", "sync_seen", "vanished_item"}
"""Those of them whose old rows it may delete."""
CHANGED = [table for table in TABLES if table.name not in APPENDED]
WIDE = [0, 2]  # the two connections that stand for their organization in a scope without connection


def unfiltered(root: Any) -> str:
    """Give a statement of the product without the application's own scope filter."""
    sql, name = page.compiled(root), root.type_name if isinstance(root, PageSelection) else root.selection.type_name
    filter_ = lists.scope_clause(SHAPES[name], "t1")
    assert sql.count(filter_) >= 1
    return sql.replace(filter_, NO_FILTER)


def the_list(type_name: str) -> PageSelection:
    node = Selection(type_name, (Leaf("id", "id"),))
    return PageSelection(type_name, (PagePart("nodes", "nodes", node=node), PagePart("n", "totalCount")), limit_slot=0)


def told(untouched: Everything, scope: Scope, type_name: str) -> str:
    return encode_id(type_name, untouched.rows[scope.connection_id][SHAPES[type_name].table]["id"])


async def ran(session: AsyncSession | ReadSession, sql: str, *values: Any) -> Any:
    connection = await session.connection()
    answer = (await connection.exec_driver_sql(sql, values)).scalar()
    return None if answer is None else orjson.loads(answer)


@pytest.mark.parametrize("shape", LISTED, ids=lambda shape: shape.type_name)
async def test_a_list_without_our_filter_holds_the_rows_of_its_scope_only(untouched: Everything, shape: Any) -> None:
    name = shape.type_name
    sql = unfiltered(the_list(name))
    ids = [told(untouched, scope, name) for scope in untouched.scopes]

    for number, scope in enumerate(untouched.scopes):
        async with untouched.database.read(scope) as session:
            held = await ran(session, sql, scope.organization_id, None, 50)
        assert held == {"nodes": [{"id": ids[number]}], "n": 1}
    for number in WIDE:
        wide = Scope(untouched.scopes[number].organization_id)
        async with untouched.database.read(wide) as session:
            held = await ran(session, sql, wide.organization_id, None, 50)
        assert {row["id"] for row in held["nodes"]} == set(ids[number : number + 2])
        assert held["n"] == 2
    async with AsyncSession(untouched.behind) as session:
        held = await ran(session, sql, untouched.scopes[0].organization_id, None, 50)
        assert held["n"] == 4, "the statement itself must hold nothing back"


@pytest.mark.parametrize("shape", LISTED, ids=lambda shape: shape.type_name)
async def test_a_statement_that_sets_its_scope_itself_sees_the_rows_of_that_scope_only(
    untouched: Everything, shape: Any
) -> None:
    name = shape.type_name
    sql, reads = unfiltered(the_list(name)), untouched.database.reads
    ids = [told(untouched, scope, name) for scope in untouched.scopes]

    for number, scope in enumerate(untouched.scopes):
        held = orjson.loads(await reads.value(sql, scope.organization_id, scope.connection_id, 50))
        assert held == {"nodes": [{"id": ids[number]}], "n": 1}
    for number in WIDE:
        held = orjson.loads(await reads.value(sql, untouched.scopes[number].organization_id, None, 50))
        assert {row["id"] for row in held["nodes"]} == set(ids[number : number + 2])
        assert held["n"] == 2
    assert orjson.loads(await reads.value(sql, new_id(), None, 50)) == {"nodes": [], "n": 0}


async def test_a_scope_ends_with_the_statement_that_set_it(untouched: Everything, untouched_url: str) -> None:
    """Off: tell `set_config` in db/fetch.py `_HELD` to set it for the session."""
    asked = "SELECT current_setting('crosshead.organization', true) || current_setting('crosshead.connection', true)"
    count = "SELECT count(*) FROM purchase_order"
    scope = untouched.scopes[0]
    own = Database.open(untouched_url, pool_size=1, application="tests")

    during = await own.reads.value(asked, scope.organization_id, scope.connection_id)
    async with own.reads.fetch() as fetch:
        after, seen = await fetch.value(asked), await fetch.value(count)

    assert during == f"{scope.organization_id}{scope.connection_id}"
    assert (after, seen) == ("", 0)
    assert await own.reads.value(count, scope.organization_id, scope.connection_id) == 1
    await own.close()


async def test_the_connections_of_reads_cannot_write(untouched: Everything) -> None:
    """Off: leave `reading` out where db/engine.py opens the pool."""
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with untouched.database.reads.fetch() as fetch:
            await fetch.row("DELETE FROM purchase_order")


@pytest.mark.parametrize("shape", LISTED, ids=lambda shape: shape.type_name)
async def test_a_foreign_id_without_our_filter_finds_nothing(untouched: Everything, shape: Any) -> None:
    name = shape.type_name
    sql = unfiltered(OneById(Selection(name, (Leaf("id", "id"),)), id_slot=0))
    own, *foreign = untouched.scopes

    async with untouched.database.read(own) as session:
        found = [
            await ran(session, sql, own.organization_id, None, untouched.rows[each.connection_id][shape.table]["id"])
            for each in untouched.scopes
        ]

    assert found == [{"id": told(untouched, own, name)}, *(None for _ in foreign)]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_every_table_shows_a_scope_its_own_rows_only(untouched: Everything, table: Any) -> None:
    keys = [untouched.key(scope, table) for scope in untouched.scopes]
    by_organization = [keys[:2], keys[:2], keys[2:], keys[2:]]

    for number, scope in enumerate(untouched.scopes):
        seen = [keys[number]]
        wide = by_organization[number]
        if table.name == "organization":
            wide = seen
        assert await visible(untouched.database, scope, table) == as_set(seen)
        assert await visible(untouched.database, Scope(scope.organization_id), table) == as_set(wide)


async def visible(database: Database, scope: Scope, table: Any) -> set[tuple[Any, ...]]:
    async with database.read(scope) as session:
        return {tuple(row) for row in await session.execute(select(*table.primary_key))}


def as_set(keys: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    return {tuple(key.values()) for key in keys}


@pytest.mark.parametrize("table", CHANGED, ids=lambda table: table.name)
async def test_foreign_rows_cannot_be_changed_or_deleted(untouched: Everything, table: Any) -> None:
    own, foreign = untouched.scopes[0], untouched.scopes[1:]
    if table.name == "organization":
        foreign = untouched.scopes[2:]
    before = await untouched.everything()
    column = "created_at" if table.name == "organization" else "organization_id"

    for other in foreign:
        here = [table.c[name] == value for name, value in untouched.key(other, table).items()]
        async with untouched.database.write(own) as session:
            changed: Any = await session.execute(update(table).where(*here).values({column: table.c[column]}))
            assert changed.rowcount == 0
            if table.name != "organization":
                deleted: Any = await session.execute(delete(table).where(*here))
                assert deleted.rowcount == 0

    assert await untouched.everything() == before


@pytest.mark.parametrize("table", [t for t in TABLES if t.name in PRUNED], ids=lambda table: table.name)
async def test_foreign_rows_cannot_be_pruned(untouched: Everything, table: Any) -> None:
    before = await untouched.everything()

    for other in untouched.scopes[1:]:
        here = [table.c[name] == value for name, value in untouched.key(other, table).items()]
        async with untouched.database.write(untouched.scopes[0]) as session:
            deleted: Any = await session.execute(delete(table).where(*here))
            assert deleted.rowcount == 0

    assert await untouched.everything() == before


@pytest.mark.parametrize("name", sorted(APPENDED))
async def test_a_table_that_only_grows_takes_no_other_change(untouched: Everything, name: str) -> None:
    refused = [f"UPDATE {name} SET organization_id = organization_id"]
    if name not in PRUNED:
        refused.append(f"DELETE FROM {name}")
    for statement in refused:
        with pytest.raises(ProgrammingError, match=f"permission denied for table {name}"):
            async with untouched.database.write(untouched.scopes[0]) as session:
                await session.execute(text(statement))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_a_row_of_somebody_else_cannot_be_stored(untouched: Everything, table: Any) -> None:
    own = untouched.scopes[0]
    before = await untouched.everything()

    for other in (untouched.scopes[1], untouched.scopes[2]):
        if table.name == "organization":
            values = {"id": untouched.scopes[2].organization_id, "name": "x", "credits_pool": 0}
            values["created_at"] = untouched.rows[own.connection_id]["connection"]["created_at"]
        else:
            values = row_of(table, other, untouched.rows[other.connection_id])
        async with untouched.database.app.connect() as connection:
            session = AsyncSession(connection)
            await session.execute(
                text("SELECT set_config('crosshead.organization', :o, true)"), {"o": str(own.organization_id)}
            )
            await session.execute(
                text("SELECT set_config('crosshead.connection', :c, true)"), {"c": str(own.connection_id)}
            )
            with pytest.raises(ProgrammingError, match="violates row-level security policy"):
                await session.execute(insert(table).values(values))
            await session.close()

    assert await untouched.everything() == before


@pytest.mark.parametrize("table", [t for t in CHANGED if t.name != "organization"], ids=lambda table: table.name)
async def test_a_row_of_ours_cannot_be_given_away(untouched: Everything, table: Any) -> None:
    own, other = untouched.scopes[0], untouched.scopes[2]
    before = await untouched.everything()
    here = [table.c[name] == value for name, value in untouched.key(own, table).items()]

    with pytest.raises(ProgrammingError, match="violates row-level security policy"):
        async with untouched.database.write(own) as session:
            await session.execute(update(table).where(*here).values(organization_id=other.organization_id))

    assert await untouched.everything() == before


async def test_a_scope_ends_with_its_transaction(untouched: Everything, untouched_url: str) -> None:
    """After a first SET LOCAL the setting reads as '' and no longer as null: the policies must take both."""
    engine = make_engine(untouched_url, role=APP_ROLE, pool_size=1, application="tests")
    small = replace(untouched.database, app=engine)
    pids = []
    for scope in (untouched.scopes[0], untouched.scopes[3]):
        async with small.write(scope) as session:
            seen = (await session.execute(text("SELECT pg_backend_pid(), count(*) FROM vendor"))).one()
        async with AsyncSession(engine) as bare:
            left = (await bare.execute(text("SELECT pg_backend_pid(), count(*) FROM vendor"))).one()
            setting = (await bare.execute(text("SELECT current_setting('crosshead.connection', true)"))).scalar()
        assert (seen[1], left[1], setting) == (1, 0, "")
        pids += [seen[0], left[0]]
    await engine.dispose()

    assert len(set(pids)) == 1, "all of it must have happened on one connection"


async def test_a_scope_that_failed_leaves_nothing_behind(untouched: Everything, untouched_url: str) -> None:
    engine = make_engine(untouched_url, role=APP_ROLE, pool_size=1, application="tests")
    small = replace(untouched.database, app=engine)

    broken = text("WITH gone AS (DELETE FROM vendor RETURNING 1) SELECT 1 / (count(*) - 1) FROM gone")
    with pytest.raises(DBAPIError, match="division by zero"):
        async with small.write(untouched.scopes[0]) as session:
            await session.execute(broken)
    async with AsyncSession(engine) as bare:
        left = (await bare.execute(text("SELECT count(*) FROM vendor"))).scalar()
    async with small.read(untouched.scopes[0]) as read:
        kept = (await read.execute(text("SELECT count(*) FROM vendor"))).scalar()
    await engine.dispose()

    assert (left, kept) == (0, 1)


async def test_a_read_session_refuses_to_write(untouched: Everything) -> None:
    before = await untouched.everything()

    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with untouched.database.read(untouched.scopes[0]) as session:
            await session.execute(text("DELETE FROM vendor"))

    assert await untouched.everything() == before
