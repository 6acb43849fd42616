"""Plans of lists as the app role for a connection's token: by an index that begins with the connection."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from crosshead.embedded.postgres import EmbeddedPostgres
from db.engine import driver
from db.fetch import setting_scope
from db.models.purchasing.purchase_order import PurchaseOrderStatus
from db.pieces import literal
from tests.factories.purchasing import make_purchase_order, make_purchase_order_line
from tests.fixtures.reading import READING, Shelf, watched

Node = dict[str, Any]
ROWS = 200
LIST = """query ($after: String, $filter: PurchaseOrderFilter, $orderBy: [PurchaseOrderOrder!], $id: ID) {
  purchaseOrders(first: 20, after: $after, filter: $filter, orderBy: $orderBy, connectionId: $id) {
    pageInfo { endCursor } nodes { id } } }"""
EVERY_PLAN = ["force_custom_plan", "force_generic_plan"]
"""For the values at hand, and for any: a prepared statement may settle on the latter after its fifth use."""


@pytest.fixture
async def filled(shelf: Shelf, postgres_server: EmbeddedPostgres) -> Shelf:
    """Two connections of 200 orders each, of which one in ten has a line; the tables' statistics are fresh."""
    sister, _ = await shelf.connect()
    for own in (shelf.own, sister):
        async with shelf.database.write(own) as session:
            for n in range(ROWS):
                order = await make_purchase_order(
                    session,
                    scope=own,
                    source_id=str(n),
                    order_number=f"PO{n:05}",
                    status=list(PurchaseOrderStatus)[n % 11],
                    vendor_source_id=f"v-{n % 20}",
                    order_date=date(2026, 1, 1) + timedelta(days=n) if n % 10 else None,
                    source_updated_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n),
                )
                if n % 10 == 0:
                    await make_purchase_order_line(session, scope=own, order=order, item_code=f"I{n}")
    behind = await asyncpg.connect(postgres_server.superuser_dsn(READING))
    await behind.execute("ANALYZE purchase_order, purchase_order_line")
    await behind.close()
    return shelf


def walked(plan: Node) -> Iterator[Node]:
    """Yield a plan's nodes."""
    yield plan
    for inner in plan.get("Plans", []):
        yield from walked(inner)


async def plans(shelf: Shelf, *, key: str | None = None, **variables: Any) -> list[list[Node]]:
    """Ask for a list, and give the nodes of the plans of its statement."""
    with watched() as seen:
        await shelf.gql(LIST, key=key, **variables)
    [statement], [values] = seen.data, seen.values
    found = []
    for mode in EVERY_PLAN:
        async with shelf.database.read(shelf.own if key is None else shelf.product.scope) as session:
            connection = await driver(session)
            assert await connection.fetchval("SELECT current_user") == "crosshead_app"
            for name in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
                await connection.execute(f"SET LOCAL {name} = off")
            await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
            await connection.execute(f"PREPARE asked AS {statement}")
            told = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked ({', '.join(map(quoted, values))})")
            await connection.execute("DEALLOCATE asked")
        found.append(list(walked(told[0]["Plan"])))
    return found


ONE = "query ($id: ID!) { purchaseOrder(id: $id) { id vendor { name } lines { itemCode } } }"


async def test_a_statement_that_sets_its_scope_itself_is_planned_as_in_a_transaction(filled: Shelf) -> None:
    """It is planned before its scope is set."""
    [node] = (await filled.gql("{ purchaseOrders(first: 1) { nodes { id } } }"))["purchaseOrders"]["nodes"]
    for document, variables in ((LIST, {}), (ONE, {"id": node["id"]})):
        with watched() as seen:
            await filled.gql(document, **variables)
        [statement], [values] = seen.data, seen.values
        asked = f"EXPLAIN (FORMAT JSON) EXECUTE asked ({', '.join(map(quoted, values))})"

        async with filled.database.fetch(filled.own) as fetch:
            await fetch.script(f"PREPARE asked AS {statement}")
            within = orjson.loads(await fetch.value(asked))
            await fetch.script("DEALLOCATE asked")
        async with filled.database.reads.fetch() as fetch:
            await fetch.script(f"PREPARE asked AS {setting_scope(statement)}")
            alone = orjson.loads(await fetch.value(asked))
            await fetch.script("DEALLOCATE asked")

        assert seen.transactions == []
        assert indexes(within) != []
        assert indexes(alone) == indexes(within)


def indexes(told: Any) -> list[str]:
    """Give the indexes that a plan uses."""
    return sorted(node["Index Name"] for node in walked(told[0]["Plan"]) if "Index Name" in node)


def quoted(value: Any) -> str:
    """Write a value as a literal that takes its parameter's type."""
    if isinstance(value, list):
        return quoted("{" + ",".join(map(str, value)) + "}")
    return "NULL" if value is None else literal(str(value))


def scans(nodes: list[Node], table: str = "purchase_order") -> list[Node]:
    """Give the nodes that read a table."""
    return [n for n in nodes if n.get("Relation Name") == table]


def conditions(nodes: list[Node]) -> str:
    """Give all index conditions, without the names of tables."""
    return " AND ".join(re.sub(r"\bt\d+(_\d+)?\.", "", n["Index Cond"]) for n in nodes if "Index Cond" in n)


ORDERS: list[Any] = [None, [{"field": "ORDER_DATE"}], [{"field": "ORDER_DATE", "direction": "DESC"}]]


@pytest.mark.parametrize("order", ORDERS, ids=["id", "date", "date-down"])
async def test_a_list_of_a_connection_is_read_by_index_in_its_order(filled: Shelf, order: Any) -> None:
    for nodes in await plans(filled, orderBy=order):
        assert "Seq Scan" not in {n["Node Type"] for n in nodes}
        [scan] = scans(nodes)
        assert "connection_id = " in scan["Index Cond"]
        assert scan["Index Name"] == ("purchase_order_order_date" if order else "purchase_order_pkey")
        assert "Sort" not in {n["Node Type"] for n in nodes}


async def test_a_page_after_a_cursor_begins_in_the_index(filled: Shelf) -> None:
    cursor = (await filled.gql(LIST))["purchaseOrders"]["pageInfo"]["endCursor"]

    for nodes in await plans(filled, after=cursor):
        [scan] = scans(nodes)
        assert "connection_id = " in scan["Index Cond"]
        assert "id > " in scan["Index Cond"]


@pytest.mark.parametrize("order", ORDERS[1:], ids=["date", "date-down"])
async def test_a_page_after_a_cursor_in_another_order_is_read_by_index(filled: Shelf, order: Any) -> None:
    cursor = (await filled.gql(LIST, orderBy=order))["purchaseOrders"]["pageInfo"]["endCursor"]

    for nodes in await plans(filled, after=cursor, orderBy=order):
        assert "Seq Scan" not in {n["Node Type"] for n in nodes}
        assert "connection_id = " in conditions(scans(nodes))


async def test_an_organization_key_that_names_a_connection_reads_by_index(filled: Shelf) -> None:
    for nodes in await plans(filled, key=filled.product.key, id=filled.connection_id):
        [scan] = scans(nodes)
        assert "connection_id = " in scan["Index Cond"]


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"orderNumber": {"eq": "PO00007"}}, "order_number = "),
    ({"orderNumber": {"prefix": "PO0000"}}, "order_number >= "),
    ({"orderNumber": {"in": ["PO00001", "PO00002"]}}, "order_number = ANY"),
    ({"status": {"eq": "DRAFT"}}, "status = "),
    ({"orderDate": {"gte": "2026-01-05", "lt": "2026-01-09"}}, "order_date >= "),
    ({"sourceUpdatedAt": {"gte": "2026-01-09T00:00:00Z"}}, "source_updated_at >= "),
]


@pytest.mark.parametrize(("given", "condition"), FILTERS, ids=[wanted for _, wanted in FILTERS])
async def test_an_indexed_filter_is_an_index_condition(filled: Shelf, given: dict[str, Any], condition: str) -> None:
    """Row-level security lets only leakproof operators into an index: a set order tells whether these are."""
    order = [{"field": condition.split(maxsplit=1)[0].upper()}]

    for nodes in await plans(filled, filter=given, orderBy=order):
        assert condition in conditions(scans(nodes))
        assert "connection_id = " in conditions(scans(nodes))
