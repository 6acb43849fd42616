"""The request log: what it tells of each request and never holds, who reads it, and that nobody waits for it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from db.engine import Database
from db.models.organization import TokenScope
from db.request_log import LoggedRequest
from db.scope import Scope
from db.types import encode_id, new_id
from graph.door.recorder import Recorder
from jobs.retention import Retention, prune
from tests.factories.connections import make_token
from tests.fixtures.product import Product
from tests.fixtures.reading import Shelf

FIELDS = "requestId operationName operationType cost status code connection { id }"
LOG = f"query ($f: RequestLogFilter) {{ requestLog(filter: $f) {{ nodes {{ tokenId durationMs at {FIELDS} }} }} }}"


async def logged(product: Product, request_id: str) -> dict[str, Any]:
    """Wait for a request's entry; the log is written each second."""
    found: list[Any] = []
    async with asyncio.timeout(20):
        while not found:
            given = {"requestId": {"eq": request_id}}
            found = (await product.gql(LOG, f=given))["requestLog"]["nodes"]
    (entry,) = found
    return dict(entry)


def ask(shelf: Shelf, request_id: str, query: str, **variables: Any) -> Any:
    return shelf.product.post(query, key=shelf.token, headers={"X-Request-Id": request_id}, **variables)


async def test_a_request_is_told_by_its_name_cost_and_end_and_not_by_its_values(shelf: Shelf) -> None:
    begun = datetime.now(UTC)
    named = '{or: [{name: {eq: $n}}, {name: {eq: "secret"}}]}'
    query = f"query Find($n: String) {{ vendors(first: 3, filter: {named}) {{ totalCount }} }}"
    status, body = await ask(shelf, "r-1", query, n="private")

    told = await logged(shelf.product, "r-1")

    who = (await shelf.gql("{ viewer { tokenId } }"))["viewer"]["tokenId"]
    assert begun <= datetime.fromisoformat(told.pop("at")) <= datetime.now(UTC)
    assert 0 <= told.pop("durationMs") < 20_000
    assert told == {
        "requestId": "r-1",
        "tokenId": who,
        "operationName": "Find",
        "operationType": "QUERY",
        "cost": body["extensions"]["cost"]["actual"],
        "status": status,
        "code": None,
        "connection": {"id": shelf.connection_id},
    }
    async with shelf.database.read(shelf.product.scope) as session:
        rows = (await session.execute(text("SELECT row_to_json(r)::text FROM request_log r"))).scalars().all()
    assert [word for word in ("secret", "private") if any(word in row for row in rows)] == []


FAILURES: dict[str, tuple[str, dict[str, Any]]] = {
    "validation": (
        "query A { nothing }",
        {"operationName": None, "operationType": None, "status": 200, "code": "BAD_USER_INPUT"},
    ),
    "part": (
        'query B { viewer { kind } node(id: "x") { id } }',
        {"operationName": "B", "operationType": "QUERY", "status": 200, "code": "BAD_USER_INPUT"},
    ),
    "forbidden": (
        'mutation C { createApiKey(input: {name: "x", scope: READ}) { token } }',
        {"operationName": "C", "operationType": "MUTATION", "status": 403, "code": "FORBIDDEN"},
    ),
    "too much": (
        "query D { purchaseOrders(first: 250) { nodes { vendor { purchaseOrders(first: 250) { nodes { id } } } } } }",
        {"operationName": "D", "operationType": "QUERY", "status": 200, "code": "QUERY_TOO_COMPLEX"},
    ),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_a_request_that_fails_is_told_with_its_code(shelf: Shelf, name: str) -> None:
    query, wanted = FAILURES[name]
    await ask(shelf, f"f-{name}", query)

    told = await logged(shelf.product, f"f-{name}")

    assert {key: told[key] for key in wanted} == wanted


async def test_a_body_that_is_no_request_is_told_without_an_operation(shelf: Shelf) -> None:
    headers = {"Authorization": f"Bearer {shelf.token}", "Content-Type": "application/json", "X-Request-Id": "b-1"}
    async with shelf.product.http.post(f"{shelf.product.url}/graphql", data=b"null", headers=headers) as answer:
        assert answer.status == 400

    told = await logged(shelf.product, "b-1")

    assert (told["operationType"], told["status"], told["code"], told["cost"]) == (None, 400, "BAD_USER_INPUT", 0)


async def test_a_request_with_a_dead_token_is_told_to_those_who_issued_it(shelf: Shelf) -> None:
    token = await shelf.gql("{ viewer { tokenId } }")
    async with shelf.database.write(shelf.own) as session:
        await session.execute(text("UPDATE api_token SET revoked_at = now(), revoked_as = 'REVOKED'"))
    status, _ = await ask(shelf, "dead", "{ viewer { kind } }")

    told = await logged(shelf.product, "dead")

    assert (status, told["status"], told["code"]) == (401, 401, "UNAUTHENTICATED")
    assert told["tokenId"] == token["viewer"]["tokenId"]


async def test_the_log_is_filtered_by_what_a_person_looks_for(shelf: Shelf) -> None:
    await ask(shelf, "s-1", "query One { viewer { kind } }")
    await ask(shelf, "s-2", "query Two { nothing }")
    await ask(shelf, "s-3", "query Two { viewer { kind } }")
    await logged(shelf.product, "s-3")
    long_ago, soon = "2020-01-01T00:00:00Z", (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    async def found(**given: Any) -> list[str]:
        nodes = (await shelf.gql(LOG, key=shelf.product.key, f=given))["requestLog"]["nodes"]
        return sorted(node["requestId"] for node in nodes if node["requestId"].startswith("s-"))

    assert await found(operationName={"eq": "Two"}) == ["s-3"], "a document that is refused has no name"
    assert await found(code={"eq": "BAD_USER_INPUT"}) == ["s-2"]
    assert await found(at={"gte": long_ago}) == ["s-1", "s-2", "s-3"]
    assert await found(at={"gte": soon}) == []
    query = "query ($id: ID!) { requestLog(connectionId: $id) { nodes { requestId } } }"
    mine = (await shelf.gql(query, key=shelf.product.key, id=shelf.connection_id))["requestLog"]["nodes"]
    assert {node["requestId"] for node in mine} == {"s-1", "s-2", "s-3"}


@pytest.mark.parametrize("may", [TokenScope.READ, TokenScope.WRITE])
async def test_the_log_is_for_keys_with_all_rights(shelf: Shelf, may: TokenScope) -> None:
    async with shelf.database.write(shelf.product.scope) as session:
        weak = await make_token(session, scope=shelf.product.scope, may=may)
    for key in (weak, shelf.token):
        status, body = await shelf.product.post("{ requestLog { nodes { requestId } } }", key=key)
        assert (status, body["data"], body["errors"][0]["extensions"]["code"]) == (403, None, "FORBIDDEN")


async def test_the_log_of_another_organization_is_not_there(shelf: Shelf) -> None:
    await ask(shelf, "mine", "{ viewer { kind } }")
    await logged(shelf.product, "mine")
    stranger = await shelf.stranger()
    assert stranger.connection_id is not None
    async with shelf.database.write(Scope(stranger.organization_id)) as session:
        key = await make_token(session, scope=Scope(stranger.organization_id), may=TokenScope.ADMIN)

    nodes = (await shelf.gql(LOG, key=key, f={"requestId": {"eq": "mine"}}))["requestLog"]["nodes"]

    assert nodes == []


def entry(**values: Any) -> dict[str, Any]:
    given = dict.fromkeys(LoggedRequest._fields)
    del given["at"]
    whole = {"organization_id": new_id(), "token_id": encode_id("ApiKey", new_id()), "request_id": "r"}
    return given | whole | {"cost": 1, "duration_ms": 2} | values


@pytest.fixture
async def behind(superuser: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(superuser)
    yield connection
    await connection.close()


async def count(behind: asyncpg.Connection) -> int:
    return int(await behind.fetchval("SELECT count(*) FROM request_log"))


def now() -> datetime:
    return datetime.now(UTC)


async def test_what_is_noted_is_stored_in_batches_and_at_the_end(
    database: Database, behind: asyncpg.Connection
) -> None:
    async with Recorder(database, now=now).writing() as recorder:
        for n in range(2_500):
            recorder.note(**entry(request_id=f"r-{n}", code="INTERNAL" if n % 2 else None))
        assert await count(behind) == 0

    assert await count(behind) == 2_500
    assert await behind.fetchval("SELECT count(DISTINCT request_id) FROM request_log WHERE code = 'INTERNAL'") == 1_250


async def test_while_the_store_is_away_requests_wait_and_the_oldest_are_dropped_and_counted(
    database_url: str, behind: asyncpg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seen to fail without `maxlen`: the buffer grows as long as the store is away."""
    name = database_url.rsplit("/", 1)[1]
    database = Database.open(database_url, pool_size=2)
    recorder = Recorder(database, now=now, room=10)
    await behind.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
    for n in range(25):
        recorder.note(**entry(request_id=f"r-{n}"))
    await recorder.flush()
    assert await count(behind) == 0

    await behind.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
    await recorder.flush()

    kept = await behind.fetch("SELECT request_id FROM request_log ORDER BY id")
    assert [row["request_id"] for row in kept] == [f"r-{n}" for n in range(15, 25)]
    told = capsys.readouterr().out
    assert "request_log_dropped" in told
    assert "requests=15" in told.replace("\x1b[0m", "").replace("\x1b[36m", "").replace("\x1b[35m", "")
    await database.close()


async def test_what_the_store_refuses_is_left_out_and_the_rest_goes_on(
    database: Database, behind: asyncpg.Connection
) -> None:
    recorder = Recorder(database, now=now)
    recorder.note(**entry(code="NO SUCH CODE"))
    await recorder.flush()
    recorder.note(**entry(request_id="next"))
    await recorder.flush()

    assert await behind.fetchval("SELECT string_agg(request_id, ',') FROM request_log") == "next"


async def test_old_requests_are_deleted_batch_by_batch(database: Database, behind: asyncpg.Connection) -> None:
    """Ids begin with their time, so that age needs no index of its own."""
    recorder = Recorder(database, now=now)
    for n in range(30):
        recorder.note(**entry(request_id=f"r-{n}"))
    await recorder.flush()
    await behind.execute(
        "UPDATE request_log SET id = (lpad(to_hex((extract(epoch FROM now() - interval '30 days' - interval '1 hour')"
        " * 1000)::bigint), 12, '0') || right(replace(id::text, '-', ''), 20))::uuid"
        " WHERE substring(request_id FROM 3)::int < 20"
    )

    assert await prune(database, Retention(request_log_days=31), batch=7) == 0
    assert await prune(database, Retention(request_log_days=30), batch=7) == 20
    assert await count(behind) == 10
