"""A connection's health, errors and issues as a caller reads them."""

from typing import Any

import asyncpg

from tests.fixtures.front import credentials, work
from tests.fixtures.ledger import Fault, Ledger
from tests.fixtures.ledger_connector import LedgerConnector
from tests.fixtures.product import Product

HEALTH = """query ($id: ID!) { connection(id: $id) { status
  health { lastContactAt lastSuccessAt consecutiveFailures nextAttemptAt breaker
    lastError { occurredAt code message sourceMessage remedy reason entities operations } }
  entities { entity state recordCount completeThrough } } }"""
ERRORS = """query ($id: ID, $entity: Entity, $operation: String, $code: ErrorCode, $since: DateTime, $after: String) {
  connectionErrors(connectionId: $id, entity: $entity, operation: $operation, code: $code, since: $since, first: 1,
    after: $after) {
    totalCount pageInfo { endCursor hasNextPage }
    nodes { id entity operation code message sourceMessage remedy occurredAt connection { id }
      issue { id occurrences } syncRun { id status } writeOperation { id } } } }"""
ISSUES = """query ($open: Boolean) { issues(open: $open) {
  nodes { id entity operation code occurrences resolvedAt connection { id } } } }"""


async def errors(front: Product, **asked: Any) -> dict[str, Any]:
    told: dict[str, Any] = (await front.gql(ERRORS, **asked))["connectionErrors"]
    return told


async def issues(front: Product, *, open_: bool | None = None) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = (await front.gql(ISSUES, open=open_))["issues"]["nodes"]
    return told


async def test_a_healthy_connection_tells_its_contact_and_its_records(front: Product, ledger: Ledger) -> None:
    for _ in range(3):
        ledger.add()
    connection, _ = await front.connect("ledger", credentials(ledger))
    await work(front)

    told = (await front.gql(HEALTH, id=connection))["connection"]

    health = told["health"]
    assert health["lastContactAt"] == health["lastSuccessAt"] is not None
    assert (health["consecutiveFailures"], health["breaker"], health["lastError"]) == (0, "CLOSED", None)
    assert health["nextAttemptAt"] is None
    assert [(e["entity"], e["state"], e["recordCount"]) for e in told["entities"]] == [
        ("PURCHASE_ORDER", "ACTIVE", 3),
        ("VENDOR", "ACTIVE", 2),
    ]
    assert all(each["completeThrough"] for each in told["entities"])


async def test_a_silent_source_is_told_with_its_remedy_and_without_a_call(
    front: Product, ledger: Ledger, behind: asyncpg.Connection
) -> None:
    connection, _ = await front.connect("ledger", credentials(ledger))
    ledger.wire.faults.add(Fault("drop_before", count=None))
    for _ in range(2):
        await behind.execute("UPDATE sync_run SET next_attempt_at = NULL, woken_at = NULL")
        await work(front)
    ledger.calls.clear()

    told = (await front.gql(HEALTH, id=connection))["connection"]

    assert (told["status"], told["health"]["breaker"]) == ("UNREACHABLE", "OPEN")
    last = told["health"]["lastError"]
    assert last.pop("occurredAt") is not None
    assert last == {
        "code": "SOURCE_UNREACHABLE",
        "message": "The source closed the connection.",
        "sourceMessage": None,
        "remedy": "Check that the source is up and reachable from here; calls resume by themselves.",
        "reason": "RESET",
        "entities": ["PURCHASE_ORDER", "VENDOR"],
        "operations": sorted({"READ", *(operation for _, operation in LedgerConnector.writes)}),
    }
    assert told["health"]["nextAttemptAt"] is not None
    assert list(ledger.calls) == []


async def test_errors_are_listed_newest_first_and_by_what_they_touch(front: Product, ledger: Ledger) -> None:
    ledger.closed.add("/orders")
    connection, _ = await front.connect("ledger", credentials(ledger))
    ledger.closed.add("/vendors")
    await front.gql(
        "mutation ($id: ID!) { triggerSync(input: {connectionId: $id}) { userErrors { code } } }", id=connection
    )
    await work(front)

    first = await errors(front, id=connection)
    second = await errors(front, id=connection, after=first["pageInfo"]["endCursor"])
    both = [first["nodes"][0], second["nodes"][0]]

    assert (first["totalCount"], second["pageInfo"]["hasNextPage"]) == (2, False)
    assert both[0]["occurredAt"] > both[1]["occurredAt"]
    assert {each["entity"] for each in both} == {"PURCHASE_ORDER", "VENDOR"}
    for each in both:
        assert (each["operation"], each["code"], each["writeOperation"]) == ("READ", "SOURCE_PERMISSION", None)
        assert (each["syncRun"]["status"], each["issue"]["occurrences"]) == ("FAILED", 1)
        assert each["remedy"] == "Ask the source's administrator to grant the user this right."
        assert each["connection"]["id"] == connection
    vendors = await errors(front, entity="VENDOR")
    assert [each["sourceMessage"] for each in vendors["nodes"]] == ["no right to /vendors"]
    assert [
        (await errors(front, **asked))["totalCount"]
        for asked in (
            {"code": "SOURCE_PERMISSION"},
            {"code": "SOURCE_ERROR"},
            {"operation": "READ"},
            {"operation": "CREATE"},
            {"since": both[0]["occurredAt"]},
        )
    ] == [2, 0, 2, 0, 1]


async def test_issues_are_listed_until_they_are_resolved_and_after(front: Product, ledger: Ledger) -> None:
    connection, token = await front.connect("ledger", credentials(ledger))
    ledger.closed.add("/vendors")
    await work(front)

    assert [(i["entity"], i["operation"], i["code"]) for i in await issues(front, open_=True)] == [
        ("VENDOR", "READ", "SOURCE_PERMISSION")
    ]
    assert await issues(front, open_=False) == []
    ledger.closed.clear()
    await front.gql(
        "mutation ($id: ID!) { triggerSync(input: {connectionId: $id}) { userErrors { code } } }", id=connection
    )
    await work(front)

    assert await issues(front, open_=True) == []
    resolved = await issues(front)
    assert [each["resolvedAt"] is not None for each in resolved] == [True]
    one = await front.gql(
        "query ($id: ID!) { node(id: $id) { ... on Issue { code } } }", key=token, id=resolved[0]["id"]
    )
    assert one == {"node": {"code": "SOURCE_PERMISSION"}}
