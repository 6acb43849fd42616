"""Credits: exact under racing connects, kept through outages, returned at the end."""

import asyncio
from typing import Any

import asyncpg
import pytest

from connectors.egress import Egress
from crosshead.organizations import make_organization
from db import credits as credit_ledger
from db.credits import CreditsExhausted
from db.engine import Database
from db.scope import Scope
from db.types import new_id
from tests.factories.rows import EPOCH
from tests.fixtures.front import DISCONNECT, asked, credentials
from tests.fixtures.ledger import Ledger
from tests.fixtures.product import CONNECT, Product

CREDITS = "{ organization { credits { pool used available } } }"
SUM = "SELECT sum(CASE kind WHEN 'HOLD' THEN credits ELSE -credits END)::int FROM credit_entry"


async def pool(behind: asyncpg.Connection, credits_pool: int) -> None:
    await behind.execute("UPDATE organization SET credits_pool = $1", credits_pool)


async def test_racing_connects_never_exceed_the_pool(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    """Off: `AND credits_used + :credits <= credits_pool` in db/credits.py (the CHECK then fails the rest)."""
    await pool(behind, 11)  # a ledger on the loopback is on-premise: twice 1
    given: dict[str, Any] = {
        "system": "ledger",
        "credentials": credentials(ledger),
        "customer": {"ref": "c", "name": "C"},
    }

    answers = await asyncio.gather(*(asked(front, CONNECT, **given) for _ in range(20)))

    refused = [each["userErrors"] for each in answers if each["connection"] is None]
    assert len(refused) == 15
    assert {(each[0]["code"], tuple(each[0]["path"]), each[0]["message"]) for each in refused} == {
        ("CREDITS_EXHAUSTED", ("system",), "A connection to Ledger costs 2 credits; 1 are left.")
    }
    for table in ("connection", "connection_secret", "credit_entry", "connection_health"):
        assert await behind.fetchval(f"SELECT count(*) FROM {table}") == 5, table
    assert (await front.gql(CREDITS))["organization"]["credits"] == {"pool": 11, "used": 10, "available": 1}
    assert await behind.fetchval(SUM) == 10


async def test_credits_of_connects_and_disconnects_at_once_add_up(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    """Off: read `credits_used` first and write the sum afterwards, in db/credits.py: updates are lost, and refused."""
    await pool(behind, 12)
    given: dict[str, Any] = {
        "system": "ledger",
        "credentials": credentials(ledger),
        "customer": {"ref": "c", "name": "C"},
    }

    async def come_and_go() -> int:
        made = await asked(front, CONNECT, **given)
        if made["connection"] is None:
            return 0
        gone = await asked(front, DISCONNECT, connectionId=made["connection"]["id"])
        assert gone["userErrors"] == []
        return 1

    came = sum(await asyncio.gather(*(come_and_go() for _ in range(24))))

    assert came >= 6
    assert await behind.fetchval("SELECT credits_used FROM organization") == await behind.fetchval(SUM) == 0
    entries = await behind.fetch("SELECT kind, used_after FROM credit_entry ORDER BY id")
    assert len(entries) == 2 * came
    assert max(each["used_after"] for each in entries) <= 12


@pytest.mark.parametrize("status", ["UNREACHABLE", "PAUSED", "REAUTHORIZATION_REQUIRED"])
async def test_an_outage_keeps_the_credit(
    front: Product, behind: asyncpg.Connection, ledger: Ledger, status: str
) -> None:
    connection, _ = await front.connect("ledger", credentials(ledger))

    await behind.execute("UPDATE connection SET status = $1", status)
    during = (await front.gql(CREDITS))["organization"]["credits"]["used"]
    await asked(front, DISCONNECT, connectionId=connection)

    assert (during, (await front.gql(CREDITS))["organization"]["credits"]["used"]) == (2, 0)


async def test_the_ledger_of_one_connection_is_all_that_its_token_sees(front: Product, ledger: Ledger) -> None:
    await front.connect("ledger", credentials(ledger))
    connection, token = await front.connect("ledger", credentials(ledger))
    query = "{ organization { credits { used ledger { totalCount nodes { connection { id } } } } } }"

    own = (await front.gql(query, key=token))["organization"]["credits"]
    all_ = (await front.gql(query))["organization"]["credits"]

    assert own == {"used": 4, "ledger": {"totalCount": 1, "nodes": [{"connection": {"id": connection}}]}}
    assert all_["ledger"]["totalCount"] == 2


@pytest.fixture
async def organization(database: Database) -> Scope:
    return (await make_organization(database, name="Test organization", credits_pool=10))[0]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE organization SET credits_used = 1",
        "INSERT INTO credit_entry VALUES ('{organization}', 'HOLD', 1, 1, now(), gen_random_uuid(), gen_random_uuid())",
        "UPDATE credit_entry SET credits = credits + 1",
        "DELETE FROM credit_entry",
    ],
)
async def test_no_commit_leaves_the_sum_and_the_ledger_apart(
    database: Database, behind: asyncpg.Connection, organization: Scope, statement: str
) -> None:
    """Even by the superuser. Off: the trigger of the fourth migration."""
    own = organization.narrowed(new_id())
    async with database.write(own) as session:
        await credit_ledger.hold(session, own, 3, now=EPOCH)

    with pytest.raises(asyncpg.CheckViolationError, match="the ledger of credits sums up to"):
        await behind.execute(statement.format(organization=organization.organization_id))

    assert await behind.fetchval("SELECT credits_used FROM organization") == await behind.fetchval(SUM) == 3


@pytest.mark.usefixtures("organization")
async def test_the_pool_is_never_used_beyond_its_size(behind: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="credits_within_pool"):
        await behind.execute("UPDATE organization SET credits_used = 11")


async def test_a_connection_holds_and_returns_once(database: Database, organization: Scope) -> None:
    own = organization.narrowed(new_id())
    async with database.write(own) as session:
        await credit_ledger.hold(session, own, 3, now=EPOCH)
        with pytest.raises(CreditsExhausted) as refused:
            await credit_ledger.hold(session, own, 8, now=EPOCH)
    async with database.write(own) as session:
        returned = [await credit_ledger.give_back(session, own, now=EPOCH) for _ in range(2)]

    assert (refused.value.wanted, refused.value.available, returned) == (8, 7, [3, 0])


@pytest.mark.parametrize(
    ("url", "on_premise"),
    [
        ("http://127.0.0.1:8000", True),
        ("https://10.1.2.3/erp", True),
        ("https://[fd00::1]:8443", True),
        ("https://93.184.216.34", False),
        ("https://nowhere.invalid", False),
        ("", False),
    ],
)
async def test_a_source_is_on_premise_where_its_address_is_not_public(url: str, *, on_premise: bool) -> None:
    assert await Egress.on_premise(url) is on_premise
