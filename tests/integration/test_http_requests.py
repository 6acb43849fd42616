"""What a request may look like: its id, its method, its body; and that no body ends in a 500."""

import gzip
import io
import re
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from graph.door.requests import MAX_BODY_BYTES
from tests.fixtures.product import Product

WHO = b'{"query": "{ viewer { kind } }"}'
MADE = re.compile(r"req_[0-9a-f]{32}")


async def send(
    door: Product, body: bytes | Any, *, headers: Mapping[str, str] | None = None, path: str = "/graphql"
) -> tuple[int, Mapping[str, str], Any]:
    sent = {"Content-Type": "application/json", "Authorization": f"Bearer {door.key}", **(headers or {})}
    async with door.http.post(f"{door.url}{path}", data=body, headers=sent) as answer:
        return answer.status, answer.headers, await answer.json()


def error_of(body: Any) -> tuple[str, str]:
    (error,) = body["errors"]
    assert list(body) == ["errors"]
    assert list(error) == ["message", "extensions"]
    assert list(error["extensions"]) == ["code", "retryable", "remedy", "requestId"]
    return error["message"], error["extensions"]["code"]


async def test_a_request_keeps_the_id_that_it_came_with(door: Product) -> None:
    status, headers, body = await send(door, WHO, headers={"X-Request-Id": "order-sync 7/9"})

    assert (status, headers["X-Request-Id"]) == (200, "order-sync 7/9")
    assert body["data"] == {"viewer": {"kind": "ORGANIZATION"}}


async def test_a_request_without_an_id_gets_one_of_its_own(door: Product) -> None:
    given = [(await send(door, WHO))[1]["X-Request-Id"] for _ in range(3)]

    assert all(MADE.fullmatch(each) for each in given)
    assert len(set(given)) == 3


@pytest.mark.parametrize(
    "hostile", ["", "x" * 129, "caf\u00e9", "a\tb", "x" * 5000], ids=["empty", "129", "latin", "tab", "5000"]
)
async def test_an_id_that_is_no_short_plain_text_is_replaced(door: Product, hostile: str) -> None:
    _, headers, _ = await send(door, WHO, headers={"X-Request-Id": hostile})

    assert MADE.fullmatch(headers["X-Request-Id"])


async def test_the_longest_id_is_128_characters(door: Product) -> None:
    assert (await send(door, WHO, headers={"X-Request-Id": "x" * 128}))[1]["X-Request-Id"] == "x" * 128


@pytest.mark.parametrize(
    ("body", "authorized", "status"),
    [(b"null", True, 400), (WHO, False, 401), (b'{"query": "{ nothing }"}', True, 200), (b'{"query": "{"}', True, 200)],
    ids=["transport", "token", "validation", "syntax"],
)
async def test_every_error_tells_the_id_of_its_request(
    door: Product, body: bytes, authorized: bool, status: int
) -> None:
    headers = {"X-Request-Id": "mine", **({} if authorized else {"Authorization": "Bearer x"})}

    answered, told, errors = await send(door, body, headers=headers)

    assert (answered, told["X-Request-Id"]) == (status, "mine")
    assert [error["extensions"]["requestId"] for error in errors["errors"]] == ["mine"]


NOT_JSON = "The body is not JSON in UTF-8, each key once, its numbers within 64 bits."
NO_OBJECT = "The body is a JSON object with `query`."
BATCH = "Send one operation in a request; batches are not taken."
NO_QUERY = "The request has no `query`."
VARIABLE = b'{"query": "{ viewer { kind } }", "variables": {"x": %s}}'
BODIES = {
    "empty": (b"", NOT_JSON),
    "null": (b"null", NO_OBJECT),
    "text": (b'"x"', NO_OBJECT),
    "number": (b"1", NO_OBJECT),
    "true": (b"true", NO_OBJECT),
    "not UTF-8": (b'{"query": "\xff\xfe"}', NOT_JSON),
    "byte order mark": (b"\xef\xbb\xbf" + WHO, NOT_JSON),
    "not a number": (VARIABLE % b"NaN", NOT_JSON),
    "infinite": (VARIABLE % b"1e400", NOT_JSON),
    "huge": (VARIABLE % (b"9" * 50_000), NOT_JSON),
    "more than 64 bits": (VARIABLE % b"18446744073709551616", NOT_JSON),
    "less than 64 bits": (VARIABLE % b"-9223372036854775809", NOT_JSON),
    "a key twice": (b'{"query": "{ viewer { kind } }", "query": "{ viewer { scope } }"}', NOT_JSON),
    "a key twice inside": (VARIABLE % b'{"a": {"b": 1, "b": 2}}', NOT_JSON),
    "half a character": (b'{"query": "\\ud800"}', NOT_JSON),
    "deep lists": (b"[" * 99_999, NOT_JSON),
    "closed deep lists": (b"[" * 49_000 + b"]" * 49_000, NOT_JSON),
    "deep objects": (b'{"query":' * 11_000, NOT_JSON),
    "deep variables": (b'{"query": "{ x }", "variables": ' + b'{"a":' * 9000 + b"1" + b"}" * 9001, NOT_JSON),
    "1,000 deep lists": (VARIABLE % (b"[" * 1000 + b"]" * 1000), NOT_JSON),
    "empty batch": (b"[]", BATCH),
    "batch": (b"[" + WHO + b"," + WHO + b"]", BATCH),
    "batch of nulls": (b"[null]", BATCH),
    "no query": (b"{}", NO_QUERY),
    "null query": (b'{"query": null}', NO_QUERY),
    "empty query": (b'{"query": ""}', NO_QUERY),
    "number query": (b'{"query": 1}', "`query` is text."),
    "list variables": (b'{"query": "{ x }", "variables": []}', "`variables` is an object."),
    "text extensions": (b'{"query": "{ x }", "extensions": "x"}', "`extensions` is an object."),
    "number name": (b'{"query": "{ viewer { kind } }", "operationName": 7}', "`operationName` is text."),
    "object name": (b'{"query": "{ viewer { kind } }", "operationName": {}}', "`operationName` is text."),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_is_no_request_is_refused_as_bad_input(door: Product, name: str) -> None:
    body, message = BODIES[name]

    status, _, told = await send(door, body)

    assert (status, *error_of(told)) == (400, message, "BAD_USER_INPUT")


NAMES = {
    "unknown": ("query A { viewer { kind } }", "B", 'Unknown operation named "B".'),
    "none of two": (
        "query A { viewer { kind } } query B { viewer { kind } }",
        None,
        "Say in `operationName` which of the operations to run.",
    ),
    "fragments alone": ("fragment F on Viewer { kind }", None, "Fragment 'F' is never used."),
}


@pytest.mark.parametrize("name", NAMES)
async def test_an_operation_that_cannot_be_told_is_refused(door: Product, name: str) -> None:
    query, operation, message = NAMES[name]
    body = orjson.dumps({"query": query, "operationName": operation})

    for accept, wanted in (("application/json", 200), ("application/graphql-response+json", 400)):
        status, _, told = await send(door, body, headers={"Accept": accept})
        assert (status, told["errors"][0]["message"], "data" in told) == (wanted, message, False)


async def test_an_empty_operation_name_is_none(door: Product) -> None:
    body = b'{"query": "{ viewer { kind } }", "operationName": "", "variables": null, "extensions": null}'

    assert (await send(door, body))[2]["data"] == {"viewer": {"kind": "ORGANIZATION"}}


async def test_a_query_of_many_levels_is_refused_and_does_not_fail(door: Product) -> None:
    for query in ("{a" * 1999 + "}" * 1999, "{ viewer { kind(x: " + "[" * 1900 + "]" * 1900 + ") } }"):
        status, _, body = await send(door, b'{"query": "' + query.encode() + b'"}')

        assert status == 200
        assert [error["extensions"]["code"] for error in body["errors"]] == ["QUERY_TOO_COMPLEX"]


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/jsonx",
        "application/json; charset=utf-16",
        "text/plain; application/json",
    ],
)
async def test_a_body_of_another_type_is_refused(door: Product, content_type: str) -> None:
    status, _, body = await send(door, WHO, headers={"Content-Type": content_type})

    message = "Send the body as application/json in UTF-8, not encoded."
    assert (status, *error_of(body)) == (415, message, "BAD_USER_INPUT")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", 'Application/JSON;Charset="UTF-8"'])
async def test_the_body_is_json_in_utf_8_however_that_is_spelled(door: Product, content_type: str) -> None:
    assert (await send(door, WHO, headers={"Content-Type": content_type}))[0] == 200


async def test_a_packed_body_is_refused(door: Product) -> None:
    status, _, body = await send(door, gzip.compress(WHO), headers={"Content-Encoding": "gzip"})

    assert (status, error_of(body)[1]) == (415, "BAD_USER_INPUT")


def padded(length: int) -> bytes:
    return WHO + b" " * (length - len(WHO))


async def test_a_body_of_exactly_the_limit_is_read(door: Product) -> None:
    assert MAX_BODY_BYTES == 100_000
    assert (await send(door, padded(MAX_BODY_BYTES)))[0] == 200


@pytest.mark.parametrize("length", [MAX_BODY_BYTES + 1, 1_000_000, 20_000_000])
@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
async def test_a_longer_body_is_refused_before_it_is_read_as_json(door: Product, length: int, announced: bool) -> None:
    async def chunks() -> Any:
        for start in range(0, length, 65_536):
            yield b"x" * min(65_536, length - start)

    status, headers, body = await send(door, io.BytesIO(b"x" * length) if announced else chunks())

    assert (status, *error_of(body)) == (413, "A request is at most 100000 bytes long.", "BAD_USER_INPUT")
    assert MADE.fullmatch(headers["X-Request-Id"])


async def test_the_token_is_looked_at_before_the_body(door: Product) -> None:
    status, _, _ = await send(door, b"x" * 1_000_000, headers={"Authorization": "Bearer x"})

    assert status == 401


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/graphql", "/graphql?query=%7Bviewer%7Bkind%7D%7D", "/graphql/v1"])
async def test_another_method_than_get_and_post_is_refused(door: Product, method: str, path: str) -> None:
    headers = {"Authorization": f"Bearer {door.key}"}
    async with door.http.request(method, f"{door.url}{path}", headers=headers) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST")
        if method != "HEAD":
            assert error_of(await answer.json()) == ("Send a POST request, or a query by GET.", "BAD_USER_INPUT")


async def test_both_paths_of_the_endpoint_answer(door: Product) -> None:
    for path in ("/graphql", "/graphql/v1"):
        _, headers, body = await send(door, WHO, path=path)
        assert body["data"] == {"viewer": {"kind": "ORGANIZATION"}}
        assert headers["Crosshead-Version"] == "v1"
        assert headers["Cache-Control"] == "no-store"


async def test_the_token_is_taken_from_the_header_only(door: Product) -> None:
    url = f"{door.url}/graphql?access_token={door.key}&token={door.key}"
    cookies = {"Authorization": f"Bearer {door.key}", "token": door.key}
    async with door.http.post(url, data=WHO, cookies=cookies, headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 401


async def test_a_process_that_is_up_says_so_to_everyone(door: Product) -> None:
    for path in ("/healthz", "/readyz"):
        async with door.http.get(f"{door.url}{path}") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ok"})


VALUES: dict[str, tuple[str, list[Any]]] = {
    "Int": ("syncRuns(first: $v) { totalCount }", ["x", 1.5, 2**40, True, [1], {}]),
    "ID": ("node(id: $v) { id }", [{}, [], True, 1.5, "x", "po_1", 2**63]),
    "String": ("vendors(after: $v) { totalCount }", [1, {}, [], True, "x", "\x00", "AAAA", "e30="]),
}


@pytest.mark.parametrize("kind", VALUES)
async def test_a_variable_of_another_type_is_the_callers_mistake(door: Product, kind: str) -> None:
    field, values = VALUES[kind]
    for value in values:
        status, body = await door.post(f"query ($v: {kind}!) {{ {field} }}", v=value)

        assert status in {200, 400}, value
        assert {error["extensions"]["code"] for error in body["errors"]} == {"BAD_USER_INPUT"}, value
