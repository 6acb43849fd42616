"""Every order and every filter of every entity on many rows, as the app role under row-level security."""

from typing import Any, Final

import pytest
from sqlmodel import SQLModel

from db.engine import driver
from db.keysets import CASTS
from db.models import columns as c
from db.models.registry import ENTITIES, SPECS_BY_TYPE
from db.shapes import SHAPES, Column, Kind
from db.types import encode_id
from tests.fixtures.plans import conditions, planned, rows_read
from tests.fixtures.plenty import SMALLS, Plenty, rare
from tests.fixtures.reading import watched

FIRST: Final = 20
MODES: Final = ["force_custom_plan", "force_generic_plan"]
TYPES: Final = [spec.type_name for spec in ENTITIES]
FILTERED: Final = [(t, n) for t in TYPES for n, column in SHAPES[t].columns.items() if column.filterable]
ORDERED: Final = [*FILTERED, *((type_name, "id") for type_name in TYPES)]
Order = list[dict[str, str]]

pytestmark = pytest.mark.xdist_group("plenty")


def listing(type_name: str) -> str:
    """Give a document that lists a type."""
    return f"""
    query ($filter: {type_name}Filter, $orderBy: [{type_name}Order!], $first: Int, $after: String, $last: Int,
           $before: String) {{
      found: {type_name[0].lower()}{type_name[1:]}s(
        filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before
      ) {{ pageInfo {{ endCursor }} nodes {{ id }} }} }}"""


def stored_name(type_name: str, name: str) -> str:
    column = SHAPES[type_name].columns[name]
    return column.ordinal or column.name


async def cursors(plenty: Plenty, type_name: str, order: Order) -> list[str]:
    """Give cursors far from both ends of a list: behind a quarter of its rows, and among its nulls if it has any."""
    column = SHAPES[type_name].columns[order[0]["field"].lower()]
    x, down = column.ordinal or column.name, order[0]["direction"]
    told = []
    for kept, behind in [("NOT ", plenty.rows // 4), *([("", 5)] if column.nullable else [])]:
        async with plenty.database.read(plenty.own) as session:
            row = await (await driver(session)).fetchval(
                f"SELECT id FROM {SHAPES[type_name].table} WHERE connection_id = $1 AND {x} IS {kept}NULL"
                f" ORDER BY {x} {down}, id {down} OFFSET {behind} LIMIT 1",
                plenty.own.connection_id,
            )
        given = {"filter": {"id": {"eq": encode_id(type_name, row)}}, "orderBy": order}
        page = (await plenty.product.gql(listing(type_name), key=plenty.token, **given))["found"]
        told.append(page["pageInfo"]["endCursor"])
    return told


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize(("type_name", "name"), ORDERED)
async def test_every_page_of_every_order_reads_the_rows_it_tells(
    plenty: Plenty, type_name: str, name: str, direction: str
) -> None:
    """Page 1, pages behind thousands of rows, pages among the nulls, forward and backward.

    Each range of a keyset is read one row ahead. To see it fail, join the range of nulls to the one before it by OR,
    in `db.keysets.ranges`: a page then reads all rows before it.
    """
    order = [{"field": name.upper(), "direction": direction}]
    pages: list[dict[str, Any]] = [{"first": FIRST}, {"last": FIRST}]
    for cursor in await cursors(plenty, type_name, order):
        pages += [{"first": FIRST, "after": cursor}, {"last": FIRST, "before": cursor}]

    for page in pages:
        for mode in MODES:
            nodes = await planned(plenty, listing(type_name), mode=mode, orderBy=order, **page)

            assert rows_read(nodes, SHAPES[type_name].table) <= FIRST + 3, (mode, page)
            assert "first" not in page or "after" not in page or stored_name(type_name, name) in conditions(nodes)


@pytest.mark.parametrize(("type_name", "name"), ORDERED)
async def test_an_organization_reads_each_connection_no_further_than_its_page(
    plenty: Plenty, type_name: str, name: str
) -> None:
    order = [{"field": name.upper(), "direction": "DESC"}]
    asked: dict[str, Any] = {"orderBy": order, "first": FIRST, "after": (await cursors(plenty, type_name, order))[0]}
    one_each = (SMALLS + 1) * (FIRST + 3)

    for mode in MODES:
        nodes = await planned(plenty, listing(type_name), mode=mode, key=plenty.product.key, **asked)

        assert rows_read(nodes, SHAPES[type_name].table) <= (FIRST + 1 if name == "id" else one_each), mode
        assert stored_name(type_name, name) in conditions(nodes)


@pytest.mark.parametrize("type_name", TYPES)
async def test_a_hundred_ids_read_a_hundred_rows(plenty: Plenty, type_name: str) -> None:
    table = SHAPES[type_name].table
    async with plenty.database.read(plenty.own) as session:
        rows = await (await driver(session)).fetch(f"SELECT id FROM {table} ORDER BY id LIMIT 100")
    ids = [encode_id(type_name, row["id"]) for row in rows]

    for mode in MODES:
        for key in (plenty.token, plenty.product.key):
            query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
            nodes = await planned(plenty, query, mode=mode, key=key, ids=ids)

            assert rows_read(nodes, table) == 100, mode


SOME: Final[dict[str, Any]] = {
    "text": "k00007",
    "date": "2016-03-05",
    "instant": "2026-01-05T13:17:00Z",
    "decimal": "707.00",
    "integer": 5,
}
NEXT: Final[dict[str, Any]] = {
    "date": "2016-03-07",
    "instant": "2026-01-05T13:27:00Z",
    "decimal": "712.00",
    "integer": 6,
}
LATE: Final[dict[str, Any]] = {
    "date": "2025-12-20",
    "instant": "2026-03-11T00:00:00Z",
    "decimal": "100500",
    "integer": 5,
}


def selective(table: type[SQLModel], name: str, column: Column) -> list[dict[str, Any]]:
    """Give a condition of each operator that a field has, such that few rows fulfil it."""
    if column.kind == "enum":
        value = rare(c.plain_type(table.model_fields[column.name].annotation))
        return [{"eq": value}, {"in": [value]}]
    some = "s-7" if name == "source_id" else SOME[column.kind]
    found: list[dict[str, Any]] = [{"eq": some}, {"in": [some, some]}]
    if column.kind in NEXT:
        found += [{"gte": some, "lt": NEXT[column.kind]}, {"gt": some, "lte": NEXT[column.kind]}]
        found += [{"gte": LATE[column.kind]}, {"gt": LATE[column.kind]}][: 1 if column.kind == "integer" else 2]
    if column.kind == "text":
        found.append({"prefix": "s-777" if name == "source_id" else "k0000"})
    return [*found, *([{"isNull": True}] if column.nullable else [])]


@pytest.mark.parametrize(("type_name", "name"), FILTERED)
async def test_every_filter_is_an_index_condition(plenty: Plenty, type_name: str, name: str) -> None:
    """Row-level security lets only leakproof operators into an index.

    To see it fail, compare amounts by their numeric column in `db.predicates._exactly`.
    """
    column = SHAPES[type_name].columns[name]
    field = "".join(part.capitalize() if n else part for n, part in enumerate(name.split("_")))

    for condition in selective(SPECS_BY_TYPE[type_name].table, name, column):
        for key in (plenty.token, plenty.product.key):
            asked: dict[str, Any] = {"filter": {field: condition}, "first": FIRST}
            nodes = await planned(plenty, listing(type_name), mode=MODES[0], key=key, **asked)

            assert stored_name(type_name, name) in conditions(nodes), condition
            assert "Seq Scan" not in {n["Node Type"] for n in nodes if n.get("Relation Name") != "connection"}


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [
        *(
            (SHAPES[t].table, stored_name(t, n), "big" if of.ordinal else of.kind)
            for t, n, of in ((t, n, SHAPES[t].columns[n]) for t, n in ORDERED)
        ),
        ("purchase_order_line", "item_code", "text"),
        *(("custom_value", name, "text") for name in ("entity", "name", "value")),
    ],
)
async def test_every_operator_of_a_filter_leaks_nothing(plenty: Plenty, table: str, column: str, kind: Kind) -> None:
    """Only such operators may be asked before row-level security has had its say, and so of an index."""
    operators = ["="] if kind in {"id", "enum"} else ["=", "<", "<=", ">", ">="]
    async with plenty.database.read(plenty.own) as session:
        found = await (await driver(session)).fetch(
            """
            SELECT o.oprname::text, p.proleakproof FROM pg_attribute a
            JOIN pg_operator o ON o.oprleft = a.atttypid AND o.oprright = $3::text::regtype AND o.oprname = ANY($4)
            JOIN pg_proc p ON p.oid = o.oprcode
            WHERE a.attrelid = $1::text::regclass AND a.attname = $2
            """,
            table,
            column,
            CASTS[kind],
            operators,
        )

    assert dict(map(tuple, found)) == dict.fromkeys(operators, True)


RELATED: Final[list[tuple[dict[str, Any], tuple[str, ...]]]] = [
    ({"lines": {"itemCode": {"eq": "k00007"}}}, ("item_code = ", "id = ")),
    ({"lines": {"itemCode": {"prefix": "k0007"}}}, ("item_code >= ", "id = ")),
    ({"vendor": {"id": {"eq": "vend_" + "0" * 32}}}, ("id = ", "vendor_source_id = ")),
    ({"vendor": {"number": {"eq": "k00007"}}}, ("number = ", "vendor_source_id = ")),
    ({"vendor": {"name": {"prefix": "k0007"}}}, ("name >= ", "vendor_source_id = ")),
    ({"customFields": [{"name": "colour", "eq": "c40"}]}, ("name = ", "value = ", "id = ")),
    ({"customFields": [{"name": "colour", "in": ["c40", "c60"]}]}, ("name = ", "value = ANY", "id = ")),
    ({"customFields": [{"name": "colour", "prefix": "c98"}]}, ("name = ", "value >= ", "id = ")),
]


@pytest.mark.parametrize(("given", "wanted"), RELATED, ids=[str(given) for given, _ in RELATED])
async def test_filters_by_what_belongs_to_a_record_are_index_conditions(
    plenty: Plenty, given: dict[str, Any], wanted: tuple[str, ...]
) -> None:
    for key in (plenty.token, plenty.product.key):
        nodes = await planned(plenty, listing("PurchaseOrder"), mode=MODES[0], key=key, filter=given, first=FIRST)

        assert [each for each in wanted if each not in conditions(nodes)] == []
        assert "Seq Scan" not in {n["Node Type"] for n in nodes if n.get("Relation Name") != "connection"}


async def test_only_what_is_filtered_is_planned_for_its_values(plenty: Plenty) -> None:
    """A plan for any values takes a range for a third of the table; planning each page anew costs milliseconds."""
    filtered = {"syncedAt": {"gte": "2026-03-11T00:00:00Z"}}
    nested = """{ vendors(first: 1) { nodes { purchaseOrders(filter: {status: {eq: DRAFT}}) { nodes { id } } } } }"""
    beside = "{ a: vendors(first: 1) { nodes { id } } b: vendors(filter: {not: {}}) { nodes { id } } }"

    modes = []
    for query, given in [
        (listing("Vendor"), {}),
        (listing("Vendor"), {"filter": filtered}),
        (nested, {}),
        (beside, {}),
    ]:
        with watched() as seen:
            await plenty.product.gql(query, key=plenty.token, **given)
        modes.append(["force_custom_plan" in statement for statement in seen.scopes])

    assert modes == [[False], [True], [True], [False, True]]
