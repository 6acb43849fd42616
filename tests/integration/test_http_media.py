"""Which answer suits the caller: media types, statuses, queries by GET, and streams of server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson
import pytest
from yarl import URL

from db.types import encode_id
from tests.factories.sync import make_event_counter, make_sync_run
from tests.fixtures.product import Product
from tests.fixtures.reading import Shelf

WHO = "{ viewer { kind } }"
JSON, RESPONSE, EVENTS = "application/json", "application/graphql-response+json", "text/event-stream"


async def send(
    door: Product, query: str, accept: str | None, *, key: str | None = None, **given: Any
) -> tuple[int, Mapping[str, str], bytes]:
    headers = {"Authorization": f"Bearer {key or door.key}", **({} if accept is None else {"Accept": accept})}
    skip = {"Accept"} if accept is None else set()
    url = f"{door.url}/graphql"
    async with door.http.post(url, json={"query": query, **given}, headers=headers, skip_auto_headers=skip) as answer:
        return answer.status, answer.headers, await answer.read()


async def get(door: Product, accept: str = RESPONSE, **parameters: str) -> tuple[int, Mapping[str, str], Any]:
    headers = {"Authorization": f"Bearer {door.key}", "Accept": accept}
    async with door.http.get(f"{door.url}/graphql?{urlencode(parameters)}", headers=headers) as answer:
        return answer.status, answer.headers, orjson.loads(await answer.read())


ACCEPTED = {
    None: JSON,
    "": JSON,
    "*/*": JSON,
    "application/*": JSON,
    JSON: JSON,
    "Application/JSON; charset=utf-8": JSON,
    RESPONSE: RESPONSE,
    f"{RESPONSE}, {JSON}": RESPONSE,
    f"{JSON}, {RESPONSE}": JSON,
    f"{JSON};q=0.5, {RESPONSE}": RESPONSE,
    f"{RESPONSE};q=0.9, {JSON};q=0.95": JSON,
    f"text/html, {RESPONSE};q=0.1": RESPONSE,
    f"{JSON};q=0, */*": RESPONSE,
    "text/html, */*;q=0.1": JSON,
    f"{RESPONSE}, application/graphql+json, {JSON}, {EVENTS}, multipart/mixed": RESPONSE,
    EVENTS: EVENTS,
    "text/*": EVENTS,
    f"{EVENTS}, {JSON};q=0.9": EVENTS,
    "*/*;q=0.1, text/*": EVENTS,
    "*/*, application/*;q=0": EVENTS,
}


@pytest.mark.parametrize("accept", ACCEPTED)
async def test_the_caller_gets_the_type_that_it_prefers(door: Product, accept: str | None) -> None:
    status, headers, body = await send(door, WHO, accept)

    assert (status, headers["Content-Type"].split(";")[0]) == (200, ACCEPTED[accept])
    assert b'"kind":"ORGANIZATION"' in body


@pytest.mark.parametrize(
    "accept", ["text/html", "image/*", f"{JSON};q=0", f"{JSON};q=x", "application/xml, text/plain"]
)
async def test_a_caller_that_takes_nothing_of_ours_is_told_what_there_is(door: Product, accept: str) -> None:
    status, headers, body = await send(door, WHO, accept)

    (error,) = orjson.loads(body)["errors"]
    assert (status, headers["Content-Type"]) == (406, JSON)
    assert error["message"] == f"The answer is {JSON}, {RESPONSE}, {EVENTS}; Accept names none of them."
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "syntax": ("{", {}),
    "validation": ("{ nothing }", {}),
    "variables": ("query ($n: Int!) { vendors(first: $n) { totalCount } }", {"variables": {"n": "x"}}),
    "too much": (
        "{ purchaseOrders(first: 250) { nodes { vendor { purchaseOrders(first: 250) { nodes { id } } } } } }",
        {},
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_refuses_a_whole_request_has_no_data_and_the_status_that_its_caller_expects(
    door: Product, name: str
) -> None:
    query, given = WRONG[name]
    code = "QUERY_TOO_COMPLEX" if name == "too much" else "BAD_USER_INPUT"

    for accept, wanted in ((JSON, 200), (RESPONSE, 400)):
        status, headers, body = await send(door, query, accept, **given)
        told = orjson.loads(body)
        assert (status, headers["Content-Type"]) == (wanted, accept)
        assert "data" not in told
        assert {error["extensions"]["code"] for error in told["errors"]} == {code}


async def test_a_part_that_fails_leaves_the_status_at_200(door: Product) -> None:
    query = '{ viewer { kind } node(id: "x") { id } }'
    for accept in (JSON, RESPONSE):
        status, _, body = await send(door, query, accept)

        told = orjson.loads(body)
        assert (status, told["data"]) == (200, {"viewer": {"kind": "ORGANIZATION"}, "node": None})
        assert [error["path"] for error in told["errors"]] == [["node"]]


async def test_a_refusal_at_the_door_is_told_in_the_callers_type(door: Product) -> None:
    for accept in (JSON, RESPONSE):
        status, headers, _ = await send(door, WHO, accept, key="nonsense")
        assert (status, headers["Content-Type"]) == (401, accept)


async def test_a_query_may_be_sent_by_get(door: Product) -> None:
    query = "query A { viewer { kind } } query B($n: Int) { vendors(first: $n) { totalCount } }"
    status, headers, told = await get(door, query=query, operationName="B", variables='{"n": 1}', extensions="{}")

    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, RESPONSE, "no-store")
    assert told["data"] == {"vendors": {"totalCount": 0}}


async def test_a_mutation_by_get_is_refused_and_changes_nothing(door: Product) -> None:
    query = "mutation { triggerSync(input: {}) { syncRuns { id } } }"
    for accept in (JSON, RESPONSE, EVENTS):
        status, headers, told = await get(door, accept, query=query)

        assert (status, headers["Allow"]) == (405, "POST")
        assert [error["message"] for error in told["errors"]] == ["Send a mutation by POST."]


GETS = {
    "nothing": ("", "The request has no `query`."),
    "twice": ("query=%7Ba%7D&query=%7Bb%7D", "The address holds a parameter twice."),
    "no UTF-8": ("query=%ff", "The address holds no parameters of GraphQL in UTF-8."),
    "no JSON": (
        "query=%7Ba%7D&variables=x",
        "The body is not JSON in UTF-8, each key once, its numbers within 64 bits.",
    ),
    "list": ("query=%7Ba%7D&variables=%5B%5D", "`variables` is an object."),
    "many": ("&".join(f"a{n}=1" for n in range(30)), "The address holds no parameters of GraphQL in UTF-8."),
}


@pytest.mark.parametrize("name", GETS)
async def test_an_address_that_is_no_request_is_refused(door: Product, name: str) -> None:
    given, message = GETS[name]
    headers = {"Authorization": f"Bearer {door.key}"}
    url = URL(f"{door.url}/graphql?{given}", encoded=True)
    async with door.http.get(url, headers=headers) as answer:
        told = await answer.json()

    assert (answer.status, [error["message"] for error in told["errors"]]) == (400, [message])


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    """Read server-sent events: their names and data."""
    name = ""
    async for line in answer.content:
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, orjson.loads(value) if value else None


async def test_a_query_over_a_stream_is_one_event_and_its_end(door: Product) -> None:
    _, headers, body = await send(door, WHO, EVENTS)

    next_, complete, rest = body.decode().split("\n\n")
    assert next_.startswith('event: next\ndata: {"data":{"viewer":{"kind":"ORGANIZATION"}},"extensions"')
    assert (complete, rest) == ("event: complete\ndata: ", "")
    assert headers["Crosshead-Version"] == "v1"
    assert headers["X-Request-Id"]


async def test_what_is_wrong_is_told_inside_the_stream(door: Product) -> None:
    status, _, body = await send(door, "{ nothing }", EVENTS)

    assert status == 200
    assert body.startswith(b'event: next\ndata: {"errors":[{"message":"Cannot query field')
    assert body.endswith(b"\n\nevent: complete\ndata: \n\n")


async def test_a_subscription_is_streamed_to_a_caller_that_takes_streams_at_all(shelf: Shelf) -> None:
    async with shelf.database.write(shelf.own) as session:
        await make_event_counter(session, scope=shelf.own)
        run_id = encode_id("SyncRun", (await make_sync_run(session, scope=shelf.own)).id)
    query = "subscription ($id: ID!) { syncRunUpdated(syncRunId: $id) { id } }"
    headers = {"Authorization": f"Bearer {shelf.token}", "Accept": f"{JSON}, {EVENTS}"}

    url = f"{shelf.product.url}/graphql"
    body = {"query": query, "variables": {"id": run_id}}
    async with shelf.product.http.post(url, json=body, headers=headers) as answer:
        assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (200, EVENTS)
        name, told = await asyncio.wait_for(anext(events(answer)), 10)

    assert (name, told["data"]) == ("next", {"syncRunUpdated": {"id": run_id}})


async def test_a_subscription_is_not_told_as_json(door: Product) -> None:
    status, _, body = await send(door, "subscription { recordChanged { sequence } }", JSON)

    (error,) = orjson.loads(body)["errors"]
    assert status == 406
    assert error["message"] == (
        "A subscription is answered as text/event-stream, or over a socket; Accept names no such type."
    )


async def test_a_stream_ends_with_its_caller(shelf: Shelf) -> None:
    """The request log tells when an operation has ended. Without the disconnect noticed, it never does."""
    headers = {"Authorization": f"Bearer {shelf.token}", "Accept": EVENTS, "X-Request-Id": "left"}
    body = {"query": "subscription { recordChanged { sequence } }"}
    async with aiohttp.ClientSession() as http:
        answer = await http.post(f"{shelf.product.url}/graphql", json=body, headers=headers)
        assert answer.status == 200
    logged = '{ requestLog(filter: {requestId: {eq: "left"}}) { nodes { operationType status code } } }'

    found: list[Any] = []
    async with asyncio.timeout(20):
        while not found:
            found = (await shelf.gql(logged, key=shelf.product.key))["requestLog"]["nodes"]

    assert found == [{"operationType": "SUBSCRIPTION", "status": 200, "code": None}]
