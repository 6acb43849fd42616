"""Connecting and changing connections from the front door, on a small real source."""

from typing import Any

import asyncpg

from tests.fixtures.ledger import KEY, Ledger
from tests.fixtures.product import CONNECT, Product

CANARY = "canary-7f3a9c1e-secret"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
UPDATE = """
mutation ($input: UpdateConnectionInput!) { updateConnection(input: $input) {
  connection { id status tags customer { ref name } historicalPeriodDays writeDefaults
    entities { entity state everyMinutes } }
  userErrors { code path message } } }
"""
EVENTS = "SELECT type, data ->> 'status' AS status, data ->> 'previousStatus' AS before FROM event ORDER BY sequence"


async def counts(behind: asyncpg.Connection) -> dict[str, int]:
    """Count the rows of every table."""
    names = [row["tablename"] for row in await behind.fetch(TABLES)]
    return {name: await behind.fetchval(f"SELECT count(*) FROM {name}") for name in names}


def given(ledger: Ledger, **more: Any) -> dict[str, Any]:
    """Give an input that connects."""
    credentials = {"base_url": ledger.url, "key": KEY}
    return {"system": "ledger", "credentials": credentials, "customer": {"ref": "c-1", "name": "Customer 1"}, **more}


async def refused(front: Product, behind: asyncpg.Connection, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Connect in vain: nothing is stored; gives the errors."""
    before = await counts(behind)
    payload = (await front.gql(CONNECT, input=asked))["connectSystem"]
    assert (payload["connection"], payload["token"]) == (None, None)
    after = await counts(behind)
    assert after == before
    errors: list[dict[str, Any]] = payload["userErrors"]
    return errors


async def test_an_unknown_system_is_told_with_the_known_ones(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    errors = await refused(front, behind, given(ledger, system="sap_r2"))

    assert errors == [
        {
            "code": "BAD_USER_INPUT",
            "path": ["system"],
            "message": "There is no system 'sap_r2'; known are ledger.",
            "sourceMessage": None,
        }
    ]
    assert ledger.calls == []


async def test_every_wrong_field_is_told_with_its_path_and_the_source_is_not_asked(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    asked = given(
        ledger,
        credentials={"base_url": "ftp://x", "key": "", "extra": 1},
        writeDefaults={"book": "a book too long"},
        historicalPeriodDays=0,
        customer={"ref": "c" * 256, "name": "Customer 1"},
        tags=["x" * 256],
    )

    errors = await refused(front, behind, asked)

    assert {error["code"] for error in errors} == {"BAD_USER_INPUT"}
    assert [error["path"] for error in errors] == [
        ["credentials", "base_url"],
        ["credentials", "key"],
        ["credentials", "extra"],
        ["writeDefaults", "book"],
        ["historicalPeriodDays"],
        ["customer"],
        ["tags"],
    ]
    assert ledger.calls == []


async def test_wrong_key_wrong_host_and_missing_right_are_three_codes_with_what_to_do(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    wrong_key = given(ledger, credentials={"base_url": ledger.url, "key": CANARY})
    wrong_host = given(ledger, credentials={"base_url": "http://127.0.0.1:1", "key": CANARY})
    errors = [*await refused(front, behind, wrong_key), *await refused(front, behind, wrong_host)]
    ledger.closed.add("/rights")
    errors += await refused(front, behind, given(ledger))

    assert [error["code"] for error in errors] == [
        "REAUTHORIZATION_REQUIRED",
        "SOURCE_UNREACHABLE",
        "SOURCE_PERMISSION",
    ]
    assert [error["path"] for error in errors] == [["credentials"]] * 3
    assert [error["sourceMessage"] for error in errors] == ["unknown key", None, "no right to /rights"]
    remedies = [error["message"].split(". ", 1)[1] for error in errors]
    assert remedies == [
        "Correct the credentials and connect again.",
        "Check that the source is up and reachable from here; calls resume by themselves.",
        "Ask the source's administrator to grant the user this right.",
    ]
    assert CANARY not in str(errors)


async def test_a_connection_is_stored_whole_with_its_first_runs(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    before = await counts(behind)

    connection, token = await front.connect("ledger", given(ledger)["credentials"], tags=["a", "b"])

    after = await counts(behind)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "api_token": 1,
        "audit_entry": 1,
        "call_budget": 1,
        "connected_entity": 2,
        "connection": 1,
        "connection_capability": 16,
        "connection_health": 1,
        "connection_secret": 1,
        "credit_entry": 1,
        "event_counter": 1,
        "sync_run": 2,
    }
    runs = await behind.fetch("SELECT entity, trigger, status FROM sync_run ORDER BY entity")
    assert [tuple(run) for run in runs] == [("PURCHASE_ORDER", "INITIAL", "QUEUED"), ("VENDOR", "INITIAL", "QUEUED")]
    query = "query ($id: ID!) { connection(id: $id) { id status tags system { slug } } }"
    seen = (await front.gql(query, key=token, id=connection))["connection"]
    assert seen == {"id": connection, "status": "ACTIVE", "tags": ["a", "b"], "system": {"slug": "ledger"}}


async def test_the_credentials_are_nowhere_in_the_open_and_the_token_only_as_its_hash(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    """Off: `Vault.seal` that packs the values as they are."""
    ledger.key = CANARY

    connection, token = await front.connect("ledger", {"base_url": ledger.url, "key": CANARY})

    dump = ""
    for name in (row["tablename"] for row in await behind.fetch(TABLES)):
        for row in await behind.fetch(f"SELECT * FROM {name}"):
            dump += "\n" + " ".join(
                value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row.values()
            )
    assert ledger.url in dump  # the dump does hold what is stored in the open
    assert CANARY not in dump
    assert CANARY.encode().hex() not in dump
    assert token not in dump
    assert token[-4:] in dump
    listed = await front.post("{ connections { nodes { id status customer { ref } baseUrl tokenLastFour } } }")
    assert connection in str(listed)
    assert token not in str(listed)
    assert CANARY not in str(listed)


async def test_an_entity_that_the_key_may_not_read_is_degraded_and_the_others_sync(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    ledger.closed.add("/vendors")

    await front.connect("ledger", given(ledger)["credentials"])

    states = await behind.fetch("SELECT entity, state FROM connected_entity ORDER BY entity")
    assert [tuple(row) for row in states] == [("PURCHASE_ORDER", "ACTIVE"), ("VENDOR", "DEGRADED")]
    assert await behind.fetchval("SELECT string_agg(entity, ',') FROM sync_run") == "PURCHASE_ORDER"


async def test_settings_are_changed_together(front: Product, behind: asyncpg.Connection, ledger: Ledger) -> None:
    connection, _ = await front.connect("ledger", given(ledger)["credentials"])
    schedules = [{"entity": "VENDOR", "everyMinutes": 15, "paused": True}]
    asked = {
        "connectionId": connection,
        "schedules": schedules,
        "writeDefaults": {"book": "other"},
        "tags": ["new"],
        "customer": {"ref": "c-2", "name": "Customer 2"},
        "historicalPeriodDays": 30,
    }

    payload = (await front.gql(UPDATE, input=asked))["updateConnection"]

    assert payload == {
        "connection": {
            "id": connection,
            "status": "ACTIVE",
            "tags": ["new"],
            "customer": {"ref": "c-2", "name": "Customer 2"},
            "historicalPeriodDays": 30,
            "writeDefaults": {"book": "other"},
            "entities": [
                {"entity": "PURCHASE_ORDER", "state": "ACTIVE", "everyMinutes": 60},
                {"entity": "VENDOR", "state": "PAUSED", "everyMinutes": 15},
            ],
        },
        "userErrors": [],
    }
    due = "SELECT next_run_at - now() FROM connected_entity WHERE entity = 'VENDOR'"
    assert 14 * 60 < (await behind.fetchval(due)).total_seconds() <= 15 * 60


async def test_one_wrong_setting_changes_none(front: Product, behind: asyncpg.Connection, ledger: Ledger) -> None:
    """Off: the return of `problems` in jobs/settings.py `update`."""
    connection, _ = await front.connect("ledger", given(ledger)["credentials"])
    tables = ("connection", "connected_entity")
    before = [await behind.fetch(f"SELECT * FROM {name} ORDER BY 1, 2") for name in tables]
    asked = {
        "connectionId": connection,
        "tags": ["new"],
        "paused": True,
        "writeDefaults": {"book": "a book too long"},
        "historicalPeriodDays": 4000,
        "customer": {"ref": "c-1", "name": "x" * 256},
        "schedules": [
            {"entity": "VENDOR", "everyMinutes": 30},
            {"entity": "VENDOR", "everyMinutes": 14},
            {"entity": "WORK_ORDER", "everyMinutes": 30},
        ],
    }

    payload = (await front.gql(UPDATE, input=asked))["updateConnection"]

    assert payload["connection"] is None
    assert [(error["code"], error["path"]) for error in payload["userErrors"]] == [
        ("BAD_USER_INPUT", ["historicalPeriodDays"]),
        ("BAD_USER_INPUT", ["customer"]),
        ("BAD_USER_INPUT", ["writeDefaults", "book"]),
        ("BAD_USER_INPUT", ["schedules", "1", "everyMinutes"]),
        ("UNSUPPORTED", ["schedules", "2", "entity"]),
    ]
    assert [await behind.fetch(f"SELECT * FROM {name} ORDER BY 1, 2") for name in tables] == before


async def test_pausing_and_resuming_are_told_once_each(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    connection, _ = await front.connect("ledger", given(ledger)["credentials"])
    statuses = []

    for paused in (True, True, False, False):
        payload = (await front.gql(UPDATE, input={"connectionId": connection, "paused": paused}))["updateConnection"]
        statuses.append(payload["connection"]["status"])

    assert statuses == ["PAUSED", "PAUSED", "ACTIVE", "ACTIVE"]
    assert [tuple(event) for event in await behind.fetch(EVENTS)] == [
        ("connection.status_changed", "PAUSED", "ACTIVE"),
        ("connection.status_changed", "ACTIVE", "PAUSED"),
    ]


async def test_a_connection_without_credentials_is_not_resumed_by_unpausing(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    connection, _ = await front.connect("ledger", given(ledger)["credentials"])
    await behind.execute("UPDATE connection SET status = 'REAUTHORIZATION_REQUIRED'")

    payload = (await front.gql(UPDATE, input={"connectionId": connection, "paused": False}))["updateConnection"]

    assert [(error["code"], error["path"]) for error in payload["userErrors"]] == [("CONFLICT", ["paused"])]
    assert await behind.fetchval("SELECT status FROM connection") == "REAUTHORIZATION_REQUIRED"
