"""Keys of the organization and tokens of connections: made, rotated, revoked, told apart when dead."""

import asyncio
from typing import Any

import asyncpg
import pytest

from db import tokens
from db.engine import Database
from tests.factories.connections import make_connection, make_token
from tests.fixtures.front import (
    CREATE_KEY,
    REVOKE_KEY,
    ROTATE_KEY,
    ROTATE_TOKEN,
    asked,
    credentials,
    standing,
)
from tests.fixtures.ledger import Ledger
from tests.fixtures.product import Product

KEYS = "{ apiKeys { nodes { id kind name scope lastFour lastUsedAt revokedAs } } }"
VIEWER = "{ viewer { kind scope apiKey { id name lastFour lastUsedAt } connection { id } organization { name } } }"


async def created(front: Product, name: str, scope: str) -> tuple[str, str]:
    payload = await asked(front, CREATE_KEY, name=name, scope=scope)
    assert payload["userErrors"] == []
    return payload["apiKey"]["id"], payload["token"]


async def test_a_key_may_do_what_its_scope_says(front: Product, ledger: Ledger) -> None:
    connection, _ = await front.connect("ledger", credentials(ledger))
    trigger = "mutation ($id: ID!) { triggerSync(input: {connectionId: $id}) { syncRuns { id } } }"
    may = {}

    for scope in ("READ", "WRITE", "ADMIN"):
        _, key = await created(front, f"For {scope}", scope)
        reads = (await front.post("{ connections { totalCount } }", key=key))[0]
        writes = (await front.post(trigger, key=key, id=connection))[0]
        manages = (await front.post(CREATE_KEY, key=key, input={"name": "x", "scope": "READ"}))[0]
        may[scope] = (reads, writes, manages)

    assert may == {"READ": (200, 403, 403), "WRITE": (200, 200, 403), "ADMIN": (200, 200, 200)}


async def test_a_key_is_shown_once_and_kept_as_its_hash(front: Product, behind: asyncpg.Connection) -> None:
    key_id, key = await created(front, " Nightly job ", "READ")

    told = await front.gql(VIEWER, key=key)
    listed = (await front.gql(KEYS))["apiKeys"]["nodes"]

    assert told["viewer"]["apiKey"] | {"lastUsedAt": None} == {
        "id": key_id,
        "name": "Nightly job",
        "lastFour": key[-4:],
        "lastUsedAt": None,
    }
    assert told["viewer"]["organization"] == {"name": "Test organization"}
    assert [(each["name"], each["scope"], each["lastFour"]) for each in listed] == [
        ("First key", "ADMIN", front.key[-4:]),
        ("Nightly job", "READ", key[-4:]),
    ]
    assert all(each["lastUsedAt"] for each in listed)
    assert key not in str(await behind.fetch("SELECT * FROM api_token"))
    assert await behind.fetchval("SELECT count(*) FROM api_token WHERE token_hash = $1", tokens.hash_of(key)) == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 256, "a\0b"])
async def test_a_key_without_a_fitting_name_is_not_made(front: Product, behind: asyncpg.Connection, name: str) -> None:
    payload = await asked(front, CREATE_KEY, name=name, scope="READ")

    assert (payload["apiKey"], payload["token"]) == (None, None)
    assert [(each["code"], each["path"]) for each in payload["userErrors"]] == [("BAD_USER_INPUT", ["name"])]
    assert await behind.fetchval("SELECT count(*) FROM api_token") == 1


async def test_a_rotated_key_has_a_successor_with_its_name_and_scope(front: Product) -> None:
    key_id, old = await created(front, "Job", "WRITE")

    payload = await asked(front, ROTATE_KEY, apiKeyId=key_id)
    again = await asked(front, ROTATE_KEY, apiKeyId=key_id)

    assert payload["apiKey"] | {"id": "", "lastFour": ""} == {
        "id": "",
        "kind": "ORGANIZATION",
        "name": "Job",
        "scope": "WRITE",
        "lastFour": "",
        "revokedAs": None,
    }
    assert (await standing(front, old), await standing(front, payload["token"])) == ("ROTATED", "LIVE")
    assert [(each["code"], each["path"]) for each in again["userErrors"]] == [("CONFLICT", ["apiKeyId"])]


async def test_a_revoked_key_is_refused_from_the_next_request_on(front: Product) -> None:
    """Off: the look-up of `revoked_as` in db/tokens.py `_holder`."""
    key_id, key = await created(front, "Job", "READ")
    before = await standing(front, key)

    payload = await asked(front, REVOKE_KEY, apiKeyId=key_id)
    after = await standing(front, key)
    again = await asked(front, REVOKE_KEY, apiKeyId=key_id)

    assert (before, after) == ("LIVE", "REVOKED")
    assert payload["apiKey"]["revokedAs"] == again["apiKey"]["revokedAs"] == "REVOKED"


async def test_a_connections_token_can_be_revoked_and_rotated_back_to_life(front: Product, ledger: Ledger) -> None:
    connection, token = await front.connect("ledger", credentials(ledger))
    own = await front.gql("query ($id: ID!) { connection(id: $id) { tokens { id kind } } }", id=connection)
    [key] = own["connection"]["tokens"]

    await asked(front, REVOKE_KEY, apiKeyId=key["id"])
    revoked = await standing(front, token)
    payload = await asked(front, ROTATE_TOKEN, connectionId=connection)

    assert (key["kind"], revoked, await standing(front, payload["token"])) == ("CONNECTION", "REVOKED", "LIVE")
    assert payload["connection"]["tokenLastFour"] == payload["token"][-4:]


async def test_many_rotations_at_once_leave_one_live_token(front: Product, ledger: Ledger) -> None:
    """Off: `with_for_update` in db/connections.py `locked`."""
    connection, first = await front.connect("ledger", credentials(ledger))

    payloads = await asyncio.gather(*(asked(front, ROTATE_TOKEN, connectionId=connection) for _ in range(12)))

    told = {token: await standing(front, token) for token in (first, *(each["token"] for each in payloads))}
    assert sorted(told.values()) == ["LIVE", *["ROTATED"] * 12]
    live = next(token for token in told if told[token] == "LIVE")
    seen = await front.gql("{ viewer { connection { tokenLastFour } } }", key=live)
    assert seen["viewer"]["connection"]["tokenLastFour"] == live[-4:]


async def test_the_last_key_that_may_manage_is_not_revoked_even_by_two_at_once(front: Product) -> None:
    """Off: `with_for_update` of the organization in db/tokens.py `other_admins`."""
    own = (await front.gql("{ viewer { apiKey { id } } }"))["viewer"]["apiKey"]["id"]
    alone = await asked(front, REVOKE_KEY, apiKeyId=own)
    second_id, second = await created(front, "Second", "ADMIN")

    answers = await asyncio.gather(
        *(
            front.post(REVOKE_KEY, key=key, input={"apiKeyId": of})
            for key, of in ((front.key, second_id), (second, own))
        )
    )

    assert [(each["code"], each["path"]) for each in alone["userErrors"]] == [("CONFLICT", ["apiKeyId"])]
    assert sorted([await standing(front, front.key), await standing(front, second)]) == ["LIVE", "REVOKED"]
    assert {status for status, _ in answers} <= {200, 401}


MANAGING: dict[str, dict[str, Any]] = {
    "createApiKey": {"name": "x", "scope": "READ"},
    "rotateApiKey": {"apiKeyId": "key"},
    "revokeApiKey": {"apiKeyId": "key"},
    "rotateConnectionToken": {"connectionId": "conn"},
    "reauthorizeConnection": {"connectionId": "conn", "credentials": {}},
    "disconnect": {"connectionId": "conn"},
    "deleteConnectionData": {"connectionId": "conn", "confirm": "Customer 1"},
}


@pytest.mark.parametrize("name", MANAGING)
async def test_managing_needs_an_organization_key_with_all_rights(
    front: Product, behind: asyncpg.Connection, ledger: Ledger, name: str
) -> None:
    connection, token = await front.connect("ledger", credentials(ledger))
    key_id, key = await created(front, "Job", "WRITE")
    given = {
        field: {"key": key_id, "conn": connection}.get(value, value) if isinstance(value, str) else value
        for field, value in MANAGING[name].items()
    }
    document = f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ __typename }} }}"
    before = await behind.fetch("SELECT id, revoked_at FROM api_token ORDER BY id")

    answers = [await front.post(document, key=each, input=given) for each in (token, key)]

    assert [status for status, _ in answers] == [403, 403]
    assert [body["errors"][0]["extensions"]["code"] for _, body in answers] == ["FORBIDDEN", "FORBIDDEN"]
    assert await behind.fetch("SELECT id, revoked_at FROM api_token ORDER BY id") == before
    assert await behind.fetchval("SELECT status FROM connection") == "ACTIVE"


async def test_a_connections_token_sees_its_own_keys_and_no_others(front: Product, database: Database) -> None:
    async with database.write(front.scope) as session:
        await make_connection(session, scope=front.scope, system_slug="ledger")
        row = await make_connection(session, scope=front.scope, system_slug="ledger")
        own = front.scope.narrowed(row.id)
        token = await make_token(session, scope=own)

    seen = (await front.gql(KEYS, key=token))["apiKeys"]["nodes"]

    assert [(each["kind"], each["lastFour"]) for each in seen] == [("CONNECTION", token[-4:])]
