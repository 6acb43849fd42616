"""The way out, and new credentials: what ends, what stays, what nothing can bring back."""

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.fixtures.front import (
    DISCONNECT,
    REAUTHORIZE,
    ROTATE_TOKEN,
    asked,
    credentials,
    standing,
    work,
)
from tests.fixtures.ledger import Ledger
from tests.fixtures.product import Product

CREDITS = "{ organization { credits { pool used available ledger { nodes { kind credits usedAfter } } } } }"
STATUSES = "SELECT data ->> 'status' AS status FROM event WHERE type = 'connection.status_changed' ORDER BY sequence"
ORDERS = "{ purchaseOrders { totalCount } connections { nodes { status disconnectedAt statusReason } } }"


async def synced(front: Product, ledger: Ledger) -> tuple[str, str]:
    for _ in range(3):
        ledger.add()
    connection, token = await front.connect("ledger", credentials(ledger))
    await work(front)
    return connection, token


async def test_disconnecting_ends_all_at_once_and_keeps_the_data(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    """Off: any line of jobs/disconnect.py `disconnect`."""
    connection, token = await synced(front, ledger)
    await front.gql("mutation { triggerSync(input: {}) { syncRuns { id } } }", key=token)
    calls = len(ledger.calls)

    payload = await asked(front, DISCONNECT, connectionId=connection)

    assert payload["userErrors"] == []
    assert payload["connection"]["status"] == "DISCONNECTED"
    assert await standing(front, token) == "DISCONNECTED"
    assert await behind.fetchval("SELECT count(*) FROM connection_secret") == 0
    assert await behind.fetchval("SELECT count(*) FROM connected_entity WHERE next_run_at IS NOT NULL") == 0
    open_runs = "SELECT count(*) FROM sync_run WHERE status IN ('QUEUED', 'RUNNING', 'WAITING')"
    assert await behind.fetchval(open_runs) == 0
    assert [row["status"] for row in await behind.fetch(STATUSES)] == ["DISCONNECTED"]
    told = (await front.gql(CREDITS))["organization"]["credits"]
    assert told == {
        "pool": 100,
        "used": 0,
        "available": 100,
        "ledger": {
            "nodes": [
                {"kind": "HOLD", "credits": 2, "usedAfter": 2},
                {"kind": "RETURN", "credits": 2, "usedAfter": 0},
            ]
        },
    }
    seen = await front.gql(ORDERS)
    assert seen["purchaseOrders"] == {"totalCount": 3}
    [row] = seen["connections"]["nodes"]
    assert (row["status"], row["statusReason"]) == ("DISCONNECTED", "It was disconnected.")
    assert row["disconnectedAt"] is not None
    await work(front)
    assert len(ledger.calls) == calls


async def test_disconnecting_twice_is_disconnecting_once(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    connection, _ = await front.connect("ledger", credentials(ledger))

    payloads = await asyncio.gather(*(asked(front, DISCONNECT, connectionId=connection) for _ in range(8)))

    assert {each["connection"]["status"] for each in payloads} == {"DISCONNECTED"}
    assert [row["status"] for row in await behind.fetch(STATUSES)] == ["DISCONNECTED"]
    assert await behind.fetchval("SELECT array_agg(kind ORDER BY id) FROM credit_entry") == ["HOLD", "RETURN"]


async def test_nothing_brings_a_disconnected_connection_back(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    connection, token = await front.connect("ledger", credentials(ledger))
    await asked(front, DISCONNECT, connectionId=connection)

    mutation = "mutation ($id: ID!) {{ {0}(input: {{connectionId: $id{1}}}) {{ userErrors {{ code path }} }} }}"
    settings = await front.gql(mutation.format("updateConnection", ", paused: false"), id=connection)
    sync = await front.gql(mutation.format("triggerSync", ""), id=connection)
    answers: list[dict[str, Any]] = [
        await asked(front, REAUTHORIZE, connectionId=connection, credentials=credentials(ledger)),
        await asked(front, ROTATE_TOKEN, connectionId=connection),
        settings["updateConnection"],
        sync["triggerSync"],
    ]

    assert [[each["code"] for each in answer["userErrors"]] for answer in answers] == [["CONFLICT"]] * 4
    assert await standing(front, token) == "DISCONNECTED"
    assert await behind.fetchval("SELECT status FROM connection") == "DISCONNECTED"
    assert await behind.fetchval("SELECT count(*) FROM connection_secret") == 0


async def test_connecting_again_makes_another_connection(front: Product, ledger: Ledger) -> None:
    connection, token = await front.connect("ledger", credentials(ledger))
    await asked(front, DISCONNECT, connectionId=connection)

    again, new = await front.connect("ledger", credentials(ledger))

    assert again != connection
    assert (await standing(front, token), await standing(front, new)) == ("DISCONNECTED", "LIVE")


async def test_refused_credentials_close_the_door_until_reauthorized(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    connection, token = await synced(front, ledger)
    ledger.key = "other"
    await front.gql("mutation { triggerSync(input: {}) { syncRuns { id } } }", key=token)
    await work(front)
    refused = await standing(front, token)
    wrong = await asked(front, REAUTHORIZE, connectionId=connection, credentials=credentials(ledger, key="wrong"))
    still = await standing(front, token)
    ledger.add()

    payload = await asked(front, REAUTHORIZE, connectionId=connection, credentials={"key": "other"})
    await work(front)

    assert refused == still == "REAUTHORIZATION_REQUIRED"
    assert (wrong["token"], [each["code"] for each in wrong["userErrors"]]) == (None, ["REAUTHORIZATION_REQUIRED"])
    assert (payload["connection"]["id"], payload["connection"]["status"]) == (connection, "ACTIVE")
    assert (await standing(front, token), await standing(front, payload["token"])) == ("ROTATED", "LIVE")
    seen = await front.gql("{ purchaseOrders { totalCount } }", key=payload["token"])
    assert seen["purchaseOrders"]["totalCount"] == 4
    statuses = [row["status"] for row in await behind.fetch(STATUSES)]
    assert statuses == ["REAUTHORIZATION_REQUIRED", "ACTIVE"]
    open_issues = "SELECT count(*) FROM issue WHERE resolved_at IS NULL"
    assert await behind.fetchval(open_issues) == 0


async def test_reauthorizing_stays_with_its_source(front: Product, behind: asyncpg.Connection, ledger: Ledger) -> None:
    connection, token = await front.connect("ledger", credentials(ledger))
    ledger.calls.clear()
    before = await behind.fetchval("SELECT sealed FROM connection_secret")

    payload = await asked(
        front, REAUTHORIZE, connectionId=connection, credentials=credentials(ledger, base_url="http://127.0.0.1:1")
    )

    assert payload["userErrors"] == [
        {
            "code": "BAD_USER_INPUT",
            "path": ["credentials", "base_url"],
            "message": "The connection stays with its source; connect another one with connectSystem.",
            "sourceMessage": None,
        }
    ]
    assert ledger.calls == []
    assert await standing(front, token) == "LIVE"
    assert await behind.fetchval("SELECT sealed FROM connection_secret") == before


async def test_a_slash_or_the_case_of_the_address_is_no_other_source(front: Product, ledger: Ledger) -> None:
    connection, _ = await front.connect("ledger", credentials(ledger))
    address = ledger.url.replace("http", "HTTP").replace("HTTP:", "http:") + "/"

    payload = await asked(
        front, REAUTHORIZE, connectionId=connection, credentials=credentials(ledger, base_url=address.rstrip("/"))
    )

    assert payload["userErrors"] == []


async def test_a_paused_connection_stays_paused_through_new_credentials(front: Product, ledger: Ledger) -> None:
    connection, _ = await front.connect("ledger", credentials(ledger))
    pause = "mutation ($id: ID!) { updateConnection(input: {connectionId: $id, paused: true}) { userErrors { code } } }"
    await front.gql(pause, id=connection)

    payload = await asked(front, REAUTHORIZE, connectionId=connection, credentials=credentials(ledger))

    assert payload["connection"]["status"] == "PAUSED"
    assert await standing(front, payload["token"]) == "LIVE"


@pytest.mark.parametrize("attempt", range(3))
async def test_a_disconnect_that_races_with_renewals_wins(
    front: Product, behind: asyncpg.Connection, ledger: Ledger, attempt: int
) -> None:
    """Off: the check of the status in jobs/connect.py `replace`, or in jobs/access.py `rotate_connection`."""
    connection, token = await front.connect("ledger", credentials(ledger))
    renew = [asked(front, REAUTHORIZE, connectionId=connection, credentials=credentials(ledger)) for _ in range(4)]
    rotate = [asked(front, ROTATE_TOKEN, connectionId=connection) for _ in range(4 + attempt)]

    answers = await asyncio.gather(*renew, *rotate, asked(front, DISCONNECT, connectionId=connection))

    issued = [token, *(each["token"] for each in answers if each.get("token"))]
    assert {await standing(front, each) for each in issued} <= {"DISCONNECTED", "ROTATED"}
    assert await behind.fetchval("SELECT status FROM connection") == "DISCONNECTED"
    assert await behind.fetchval("SELECT count(*) FROM connection_secret") == 0
    assert await behind.fetchval("SELECT count(*) FROM api_token WHERE revoked_at IS NULL AND kind = 'CONNECTION'") == 0
    assert await behind.fetchval("SELECT credits_used FROM organization") == 0
