"""Records as they were: what was told at a moment is told again as of it, in single records and in lists."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db import history
from db.past import MOST
from db.scope import Scope
from db.types import encode_id
from jobs.retention import Retention, prune
from tests.factories.parties import make_vendor
from tests.factories.sync import make_event_counter
from tests.fixtures.reading import Shelf
from tests.fixtures.storing import NOON, Store, incoming, line

Row = dict[str, Any]
LINE: Final = """
lineNumber kind itemCode description quantity unit unitPrice netAmount status requiredDate customFields
schedules { number quantity requiredDate } shipTo { city lines } sourceLineId
"""
OWN: Final = f"""
id sourceId orderNumber status nativeStatus vendorReference currency orderDate requiredDate totalNet notes customFields
shipTo {{ city lines }} paymentTerms {{ code }} version sourceUpdatedAt syncedAt deletedAt lines {{ {LINE} }}
connection {{ id }} vendor {{ number }} unavailableFields {{ field reason }}
"""
ONE: Final = f"query ($id: ID!, $asOf: DateTime) {{ purchaseOrder(id: $id, asOf: $asOf) {{ {OWN} }} }}"
LIST: Final = f"""
query ($asOf: DateTime, $filter: PurchaseOrderFilter, $orderBy: [PurchaseOrderOrder!], $first: Int, $last: Int,
       $after: String, $before: String) {{
  purchaseOrders(asOf: $asOf, filter: $filter, orderBy: $orderBy, first: $first, last: $last, after: $after,
                 before: $before) {{
    totalCount edges {{ cursor node {{ {OWN} }} }}
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}
"""
ASKED: Final[list[Row]] = [
    {},
    {"orderBy": [{"field": "ORDER_DATE", "direction": "DESC"}, {"field": "CURRENCY"}]},
    {"orderBy": [{"field": "TOTAL_NET"}], "filter": {"totalNet": {"gte": "1.00004"}}},
    {"filter": {"status": {"in": ["SENT", "DRAFT"]}}, "orderBy": [{"field": "ID", "direction": "DESC"}]},
    {"filter": {"lines": {"itemCode": {"prefix": "A"}}}},
    {"filter": {"not": {"lines": {"itemCode": {"eq": "B"}}}}},
    {"filter": {"customFields": [{"name": "colour", "prefix": "r"}]}},
    {"filter": {"customFields": [{"name": "colour", "isNull": True}]}},
    {"filter": {"or": [{"vendor": {"number": {"eq": "100"}}}, {"orderDate": {"isNull": True}}]}},
]
LINES = st.lists(
    st.builds(
        lambda key, code, quantity: line(key, item_code=code, quantity=quantity, schedules=[{"quantity": quantity}]),
        st.sampled_from("123"),
        st.sampled_from([None, "A", "AB", "B"]),
        st.sampled_from(["1", "1.0", "2.50"]),
    ),
    max_size=3,
    unique_by=lambda each: each["source_line_id"],
)
VALUES = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["DRAFT", "SENT", "CLOSED"]),
        "order_date": st.sampled_from([None, "2026-05-01", "2026-05-02"]),
        "currency": st.sampled_from([None, "EUR", "USD"]),
        "total_net": st.sampled_from([None, "1.00003", "1.00004", "10.10", "-3"]),
        "vendor_source_id": st.sampled_from([None, "v1", "v2", "nowhere"]),
        "ship_to": st.sampled_from([None, {"city": "Ulm", "lines": ["1", "2"]}]),
        "custom_fields": st.sampled_from([{}, {"colour": "red"}, {"colour": "rot", "n": [1]}, {"colour": None}]),
        "lines": LINES,
    }
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("abcde"), VALUES),
        st.tuples(st.sampled_from("abcde"), VALUES),
        st.tuples(st.sampled_from("abcde"), st.none()),
    ),
    min_size=3,
    max_size=7,
)


async def put(store: Store, source_id: str, values: Row | None) -> None:
    """Store an order as the source tells it, or mark it as gone."""
    if values is None:
        await store.delete(source_id)
    else:
        await store.put(incoming(source_id, {"lines": [], **values}, at=store.now))


async def a_store(shelf: Shelf, own: Scope) -> Store:
    """Give a hand on the orders of one connection, which has two vendors; its clock stands at the database's newest."""
    async with shelf.database.write(own) as session:
        await make_event_counter(session, scope=own, last_sequence=0)
        for key, number in {"v1": "100", "v2": "200"}.items():
            await make_vendor(session, scope=own, source_id=key, number=number)
    async with shelf.database.read(shelf.product.scope) as session:
        newest: datetime | None = (await session.execute(text("SELECT max(synced_at) FROM purchase_order"))).scalar()
    return Store(shelf.database, own, None, now=newest or NOON)  # nothing is looked at behind


async def walked(shelf: Shelf, key: str, asked: Row) -> list[Row]:
    """Give all pages of a list."""
    backward = "before" in asked
    pages: list[Row] = []
    while not pages or pages[-1]["pageInfo"]["hasPreviousPage" if backward else "hasNextPage"]:
        page = (await shelf.gql(LIST, key=key, **asked))["purchaseOrders"]
        pages.append(page)
        at = "startCursor" if backward else "endCursor"
        asked = asked | {"before" if backward else "after": page["pageInfo"][at]}
    return pages


async def told(shelf: Shelf, token: str, ids: list[str], at: datetime | None) -> list[Any]:
    """Give all that is told of the orders: each one, and lists forwards and backwards, by both kinds of keys."""
    as_of = {} if at is None else {"asOf": at.isoformat()}
    found: list[Any] = [(await shelf.gql(ONE, key=token, id=id_, **as_of))["purchaseOrder"] for id_ in ids]
    for asked in ASKED:
        found += await walked(shelf, token, {"first": 2, **asked, **as_of})
    found += await walked(shelf, token, {"last": 2, "before": None, **ASKED[1], **as_of})
    found += await walked(shelf, shelf.product.key, {"first": 7, **ASKED[2], **as_of})
    return found + await walked(shelf, shelf.product.key, {"first": 7, **as_of})


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_what_was_told_at_a_moment_is_told_again_as_of_it(
    shelf: Shelf, steps: list[tuple[str, Row | None]]
) -> None:
    """Singles and lists, with filters, orders, cursors and counts: the same JSON, whatever changed since.

    To see it fail, leave out `first_seen_at` or DISTINCT ON in `db.past`, or read present lines in `children`.
    """
    own, token = await shelf.connect()
    store = await a_store(shelf, own)
    remembered: list[tuple[datetime, list[str], list[Any]]] = [
        (store.now + timedelta(seconds=59), [], await told(shelf, token, [], None))
    ]
    for source_id, values in steps:
        await put(store, source_id, values)
        nodes = (await shelf.gql("{ purchaseOrders { nodes { id } } }", key=token))["purchaseOrders"]["nodes"]
        ids = [node["id"] for node in nodes]
        remembered.append((store.now, ids, await told(shelf, token, ids, None)))

    for at, ids, before in remembered:
        for moment in (at, at + timedelta(seconds=59)) if at is remembered[-1][0] else (at,):
            assert await told(shelf, token, ids, moment) == before


async def test_a_record_is_absent_before_it_was_known_and_present_after_it_is_gone(shelf: Shelf) -> None:
    store = await a_store(shelf, shelf.own)
    await put(store, "a", {"status": "SENT"})
    known = store.now
    await put(store, "a", None)
    listed = "query ($asOf: DateTime) { purchaseOrders(asOf: $asOf) { totalCount nodes { sourceId deletedAt } } }"

    async def at(moment: datetime) -> Any:
        return (await shelf.gql(listed, asOf=moment.isoformat()))["purchaseOrders"]

    assert await at(known - timedelta(microseconds=1)) == {"totalCount": 0, "nodes": []}
    assert await at(known) == {"totalCount": 1, "nodes": [{"sourceId": "a", "deletedAt": None}]}
    assert await at(store.now) == {"totalCount": 0, "nodes": []}


async def test_relations_are_as_now_and_the_raw_document_of_then_is_not_made_up(shelf: Shelf) -> None:
    store = await a_store(shelf, shelf.own)
    await put(store, "a", {"status": "SENT", "vendor_source_id": "v1"})
    await put(store, "a", {"status": "CLOSED", "vendor_source_id": "v2"})
    one = "query ($asOf: DateTime) { purchaseOrders(asOf: $asOf) { nodes { vendor { number } raw rawItem { body } } } }"

    (now,) = (await shelf.gql(one))["purchaseOrders"]["nodes"]
    (then,) = (await shelf.gql(one, asOf=(store.now - timedelta(seconds=1)).isoformat()))["purchaseOrders"]["nodes"]

    assert (now["vendor"]["number"], now["raw"]["values"]["status"]) == ("200", "CLOSED")
    assert then == {"vendor": {"number": "100"}, "raw": None, "rawItem": None}


async def test_before_the_kept_history_as_of_is_refused_and_says_since_when_it_is_kept(shelf: Shelf) -> None:
    """From then on, all is told as it was. To see it fail, leave `forgotten` out of `db.page`."""
    store = await a_store(shelf, shelf.own)
    moments = []
    for status in ("DRAFT", "SENT", "CLOSED"):
        await put(store, "a", {"status": status})
        moments.append(store.now)
    (node,) = (await shelf.gql("{ purchaseOrders { nodes { id } } }"))["purchaseOrders"]["nodes"]
    asked: list[tuple[str, Row]] = [(ONE, {"id": node["id"]}), (LIST, {"first": 1})]
    later = [[await shelf.gql(q, **v, asOf=at.isoformat()) for q, v in asked] for at in moments[1:]]

    async with shelf.database.write(shelf.product.scope) as session:
        assert await history.prune(session, shelf.product.scope, before=moments[1], most=100) == 1

    since, early = moments[1].strftime("%Y-%m-%dT%H:%M:%S.%fZ"), (moments[1] - timedelta(seconds=1)).isoformat()
    for query, variables in asked:
        code, message = await shelf.refusal(query, **variables, asOf=early)
        assert (code, message) == ("BAD_USER_INPUT", f"Versions before {since} were deleted; give a later asOf.")
    assert [[await shelf.gql(q, **v, asOf=at.isoformat()) for q, v in asked] for at in moments[1:]] == later
    told = await shelf.gql("{ purchaseOrders { nodes { history { nodes { version } } connection { historySince } } } }")
    (kept,) = told["purchaseOrders"]["nodes"]
    assert kept == {"history": {"nodes": [{"version": 3}]}, "connection": {"historySince": since}}


async def test_versions_are_kept_as_long_as_is_set(shelf: Shelf) -> None:
    store = await a_store(shelf, shelf.own)
    store.now = datetime.now(UTC) - timedelta(days=5)
    for status in ("DRAFT", "SENT"):
        await put(store, "a", {"status": status})
    store.now += timedelta(days=3)
    await put(store, "a", {"status": "CLOSED"})
    versions = "{ purchaseOrders(first: 1) { nodes { history { nodes { version } } } } }"

    async def kept() -> list[int]:
        (node,) = (await shelf.gql(versions))["purchaseOrders"]["nodes"]
        return [each["version"] for each in node["history"]["nodes"]]

    await prune(shelf.database, Retention(history_days=None))
    assert await kept() == [3, 2, 1]
    await prune(shelf.database, Retention(history_days=4))
    assert await kept() == [3]


async def test_a_list_that_would_look_at_too_many_versions_is_refused(shelf: Shelf) -> None:
    """In the order of ids, it is told page by page and looks at no more than that."""
    store = await a_store(shelf, shelf.own)
    for status in ("DRAFT", "SENT"):
        await put(store, "a", {"status": status})
    more = text(
        "INSERT INTO record_version SELECT organization_id, connection_id, entity, record_id, n, valid_from, cause,"
        " run_id, operation_id, diff, before FROM record_version, generate_series(CAST(:first AS int), :last) n"
        " WHERE version = 2"
    )
    async with shelf.database.write(shelf.own) as session:
        await session.execute(more, {"first": 3, "last": MOST + 1})
    asked: Row = {"asOf": (store.now - timedelta(minutes=1)).isoformat()}
    plain = "query ($asOf: DateTime) { purchaseOrders(asOf: $asOf) { nodes { status } } }"

    assert (await shelf.gql(LIST, **asked))["purchaseOrders"]["totalCount"] == 1
    async with shelf.database.write(shelf.own) as session:
        await session.execute(more, {"first": MOST + 2, "last": MOST + 2})
    for refused in ({}, {"filter": {"status": {"eq": "DRAFT"}}}, {"orderBy": [{"field": "ORDER_DATE"}]}):
        assert (await shelf.refusal(LIST, **asked, **refused))[0] == "QUERY_TOO_COMPLEX"
    assert (await shelf.gql(plain, **asked))["purchaseOrders"]["nodes"] == [{"status": "DRAFT"}]


async def test_a_connection_token_sees_nothing_of_another_connections_past(shelf: Shelf) -> None:
    stranger, _ = await shelf.connect()
    store = await a_store(shelf, replace(stranger))
    await put(store, "a", {"status": "SENT"})
    at = store.now
    await put(store, "a", {"status": "CLOSED"})
    (node,) = (await shelf.gql("{ purchaseOrders { nodes { id } } }", key=shelf.product.key))["purchaseOrders"]["nodes"]

    assert (await shelf.gql(ONE, id=node["id"], asOf=at.isoformat()))["purchaseOrder"] is None
    assert (await shelf.gql(LIST, asOf=at.isoformat()))["purchaseOrders"]["totalCount"] == 0
    one = (await shelf.gql(ONE, key=shelf.product.key, id=node["id"], asOf=at.isoformat()))["purchaseOrder"]
    assert (one["status"], one["connection"]["id"]) == (
        "SENT",
        encode_id("ConnectedSystem", stranger.connection_id or stranger.organization_id),
    )
