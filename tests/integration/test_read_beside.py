"""What records and lists tell beside their fields: raw documents, why fields are null, what a list may lack."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import col, update

from connectors.registry import CONNECTORS
from db.models.connection import ConnectedSystem, ConnectionStatus, EntityState
from db.models.health import ConnectionHealth, Issue
from db.models.records import explained
from db.models.registry import ENTITIES, SPECS
from db.scope import Scope
from db.types import Entity, ErrorCode, encode_id, new_id
from tests.factories.connections import make_connected_entity
from tests.factories.items import make_item
from tests.factories.parties import make_vendor
from tests.factories.purchasing import make_purchase_order
from tests.factories.rows import EPOCH, owner_of
from tests.factories.sync import make_raw_item, make_sync_run
from tests.fixtures.reading import Shelf, watched

DONE = datetime(2026, 5, 1, 12, tzinfo=UTC)
DONE_TOLD = "2026-05-01T12:00:00.000000Z"


async def test_a_record_tells_its_raw_document_and_where_it_came_from(shelf: Shelf) -> None:
    body = {"z": 1, "a": {"price": "1.10", "text": 'quo"te', "list": [None, 2.50, "ä"]}}
    async with shelf.database.write(shelf.own) as session:
        run = await make_sync_run(session, scope=shelf.own)
        await make_purchase_order(session, scope=shelf.own, source_id="1")
        await make_purchase_order(session, scope=shelf.own, source_id="2")
        await make_raw_item(session, scope=shelf.own, source_id="1", body=body, feed="orders", run_id=run.id)
        await make_raw_item(session, scope=shelf.own, source_id="2", entity=Entity.VENDOR, body={"other": True})
    query = """{ purchaseOrders(orderBy: [{field: SOURCE_ID}]) { nodes { sourceId raw rawItem {
        __typename entity sourceId body feed fetchedAt syncRun { id status } connection { id } } } } }"""

    with watched() as seen:
        first, second = (await shelf.gql(query))["purchaseOrders"]["nodes"]

    assert len(seen.data) == 1
    assert (first["raw"], list(first["raw"])) == (body, ["z", "a"])
    assert first["rawItem"] == {
        "__typename": "RawItem",
        "entity": "PURCHASE_ORDER",
        "sourceId": "1",
        "body": body,
        "feed": "orders",
        "fetchedAt": "2026-06-01T12:00:00.000000Z",
        "syncRun": {"id": encode_id("SyncRun", run.id), "status": "SUCCEEDED"},
        "connection": {"id": shelf.connection_id},
    }
    assert second == {"sourceId": "2", "raw": None, "rawItem": None}


UNAVAILABLE = """query ($id: ID!) { purchaseOrder(id: $id) { unavailableFields { field reason __typename } } }"""


async def unavailable(shelf: Shelf, **values: Any) -> dict[str, str]:
    """Give field → reason of an order of a Tryton connection."""
    async with shelf.database.write(shelf.own) as session:
        order = await make_purchase_order(session, scope=shelf.own, source_id=str(new_id()), **values)
    told = (await shelf.gql(UNAVAILABLE, id=encode_id("PurchaseOrder", order.id)))["purchaseOrder"]["unavailableFields"]
    assert {each["__typename"] for each in told} == {"UnavailableField"}
    return {each["field"]: each["reason"] for each in told}


async def test_every_null_of_a_record_has_a_reason(shelf: Shelf) -> None:
    told = await unavailable(shelf, order_number="1", total_net="1")

    assert told == {
        "revision": "NOT_SUPPORTED",
        "deliveryDate": "NOT_SUPPORTED",
        "billTo": "NOT_SUPPORTED",
        "incoterms": "NOT_MAPPED",
        **dict.fromkeys(
            [
                "nativeStatus",
                "vendorReference",
                "buyer",
                "company",
                "currency",
                "orderDate",
                "requiredDate",
                "paymentTerms",
                "shipTo",
                "totalTax",
                "totalGross",
                "notes",
                "sourceUpdatedAt",
                "vendor",
            ],
            "EMPTY",
        ),
    }


async def test_a_field_with_a_value_has_no_reason_whatever_the_mapping_says(shelf: Shelf) -> None:
    told = await unavailable(shelf, revision="2", incoterms="FCA")

    assert {"revision", "incoterms"} & set(told) == set()


async def test_a_relation_that_is_null_tells_why(shelf: Shelf) -> None:
    assert (await unavailable(shelf))["vendor"] == "EMPTY"
    assert (await unavailable(shelf, vendor_source_id="v"))["vendor"] == "NOT_SYNCED"

    async with shelf.database.write(shelf.own) as session:
        await make_connected_entity(session, scope=shelf.own, entity=Entity.VENDOR, state=EntityState.DEGRADED)
    assert (await unavailable(shelf, vendor_source_id="v"))["vendor"] == "NO_PERMISSION"

    async with shelf.database.write(shelf.own) as session:
        session.add(
            Issue(
                **owner_of(shelf.own),
                entity=Entity.VENDOR,
                code=ErrorCode.SOURCE_ERROR,
                message="m",
                opened_at=EPOCH,
                last_seen_at=EPOCH,
                fingerprint="f",
            )
        )
    assert (await unavailable(shelf, vendor_source_id="v"))["vendor"] == "NOT_SYNCED"

    async with shelf.database.write(shelf.own) as session:
        await make_vendor(session, scope=shelf.own, source_id="v")
    assert "vendor" not in await unavailable(shelf, vendor_source_id="v")


async def test_every_entity_explains_its_nulls_in_one_statement(shelf: Shelf) -> None:
    async with shelf.database.write(shelf.own) as session:
        await make_item(session, scope=shelf.own)
        await make_vendor(session, scope=shelf.own)
    names = [(spec.type_name, f"{spec.type_name[0].lower()}{spec.type_name[1:]}s") for spec in ENTITIES]
    lists = " ".join(f"{key}: {name} {{ nodes {{ unavailableFields {{ field }} }} }}" for key, name in names)

    with watched() as seen:
        told = await shelf.gql(f"{{ {lists} }}")

    assert len(seen.data) == len(ENTITIES)
    assert {"field": "gtin"} in told["Item"]["nodes"][0]["unavailableFields"]
    assert {"field": "taxId"} in told["Vendor"]["nodes"][0]["unavailableFields"]


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.spec.slug)
def test_what_a_connector_says_is_absent_would_be_explained(connector: Any) -> None:
    for entity, mapping in connector.mappings.items():
        assert mapping.absent <= explained(SPECS[entity].table)


INCOMPLETE = """query ($id: ID) {
  purchaseOrders(connectionId: $id) { nodes { id } incomplete { connectionId entity reason since __typename } }
  vendors { incomplete { reason } } }"""
STATES: list[tuple[ConnectionStatus, dict[str, Any], tuple[str, str | None] | None]] = [
    (ConnectionStatus.ACTIVE, {"complete_through": DONE}, None),
    (ConnectionStatus.ACTIVE, {}, ("NOT_SYNCED", None)),
    (ConnectionStatus.ACTIVE, {"complete_through": DONE, "state": EntityState.DEGRADED}, ("DEGRADED", DONE_TOLD)),
    (ConnectionStatus.ACTIVE, {"state": EntityState.DEGRADED}, ("DEGRADED", None)),
    (ConnectionStatus.ACTIVE, {"complete_through": DONE, "state": EntityState.PAUSED}, ("PAUSED", DONE_TOLD)),
    (ConnectionStatus.UNREACHABLE, {"complete_through": DONE}, ("UNREACHABLE", DONE_TOLD)),
    (ConnectionStatus.PAUSED, {"complete_through": DONE}, ("PAUSED", DONE_TOLD)),
    (ConnectionStatus.REAUTHORIZATION_REQUIRED, {"complete_through": DONE}, ("REAUTHORIZATION_REQUIRED", DONE_TOLD)),
    (ConnectionStatus.DISCONNECTED, {"state": EntityState.DEGRADED}, ("DISCONNECTED", None)),
]


async def set_status(shelf: Shelf, own: Scope, status: ConnectionStatus) -> None:
    async with shelf.database.write(own) as session:
        held = col(ConnectedSystem.id) == own.connection_id
        await session.execute(update(ConnectedSystem).where(held).values(status=status))


async def test_a_list_tells_the_connections_of_which_it_may_lack_something(shelf: Shelf) -> None:
    """One connection in each state, one whose system has no orders, and one of somebody else."""
    expected = []
    for status, entity, lacking in STATES:
        own, _ = await shelf.connect()
        await set_status(shelf, own, status)
        async with shelf.database.write(own) as session:
            await make_connected_entity(session, scope=own, **entity)
        if lacking is not None:
            assert own.connection_id is not None
            reason, since = lacking
            one = {"connectionId": encode_id("ConnectedSystem", own.connection_id), "entity": "PURCHASE_ORDER"}
            expected.append({**one, "reason": reason, "since": since, "__typename": "Incomplete"})
    stranger = await shelf.stranger()
    async with shelf.database.write(stranger) as session:
        await make_connected_entity(session, scope=stranger)

    with watched() as seen:
        everything = await shelf.gql(INCOMPLETE, key=shelf.product.key)
    named = await shelf.gql(INCOMPLETE, key=shelf.product.key, id=expected[1]["connectionId"])
    by_token = await shelf.gql(INCOMPLETE)

    assert len(seen.data) == 2
    assert everything["purchaseOrders"]["incomplete"] == expected
    assert everything["vendors"]["incomplete"] == []
    assert named["purchaseOrders"]["incomplete"] == [expected[1]]
    assert by_token["purchaseOrders"]["incomplete"] == []


async def test_a_nested_list_tells_of_its_own_connection(shelf: Shelf) -> None:
    sister, _ = await shelf.connect()
    for own in (shelf.own, sister):
        async with shelf.database.write(own) as session:
            await make_vendor(session, scope=own)
            complete = DONE if own is sister else None
            await make_connected_entity(session, scope=own, complete_through=complete)
    query = "{ vendors { nodes { purchaseOrders { incomplete { connectionId reason } } } } }"

    first, second = (await shelf.gql(query, key=shelf.product.key))["vendors"]["nodes"]

    assert first["purchaseOrders"]["incomplete"] == [{"connectionId": shelf.connection_id, "reason": "NOT_SYNCED"}]
    assert second["purchaseOrders"]["incomplete"] == []


async def test_answers_say_so_while_the_source_is_unreachable(shelf: Shelf) -> None:
    query = "{ purchaseOrders { totalCount } }"
    _, before = await shelf.product.post(query, key=shelf.token)
    await set_status(shelf, shelf.own, ConnectionStatus.UNREACHABLE)
    _, never = await shelf.product.post(query, key=shelf.token)
    async with shelf.database.write(shelf.own) as session:
        held = col(ConnectionHealth.connection_id) == shelf.own.connection_id
        await session.execute(update(ConnectionHealth).where(held).values(last_success_at=DONE))
    _, once = await shelf.product.post(query, key=shelf.token)
    _, by_key = await shelf.product.post(query)

    told = [{n: v for n, v in body["extensions"].items() if n != "cost"} for body in (before, never, once, by_key)]
    assert told == [
        {},
        {"connectionStatus": "UNREACHABLE", "lastSuccessAt": None},
        {"connectionStatus": "UNREACHABLE", "lastSuccessAt": DONE_TOLD},
        {},
    ]
    assert once["data"] == before["data"] == {"purchaseOrders": {"totalCount": 0}}


async def test_a_connection_that_is_not_there_is_not_found_whoever_asks(shelf: Shelf) -> None:
    """Unknown, another organization's, and to a connection's token any other connection: all alike."""
    sister, _ = await shelf.connect()
    stranger = await shelf.stranger()
    ids = [
        encode_id("ConnectedSystem", each) for each in (new_id(), stranger.connection_id, sister.connection_id) if each
    ]
    lists = ("purchaseOrders", "vendors", "syncRuns", "writeOperations")
    for name in lists:
        query = f"query ($id: ID) {{ {name}(connectionId: $id) {{ totalCount }} }}"
        for key, unknown in ((shelf.token, ids), (shelf.product.key, ids[:2])):
            for each in unknown:
                _, body = await shelf.product.post(query, key=key, id=each)

                assert [(error["extensions"]["code"], error["message"]) for error in body["errors"]] == [
                    ("NOT_FOUND", "There is no such connection.")
                ]
        for key, known in ((shelf.token, shelf.connection_id), (shelf.product.key, ids[2])):
            assert (await shelf.gql(query, key=key, id=known))[name] == {"totalCount": 0}
