"""Who gets in at POST /graphql, what each token opens, and how refusals are told."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from db.models.connection import ConnectionStatus
from db.models.organization import TokenKind, TokenScope
from db.models.registry import ENTITIES
from db.scope import Scope
from db.shapes import SHAPES
from db.tokens import make_token
from db.types import ErrorCode, encode_id, new_id
from graph.errors import extensions_of
from graph.schema import make_schema
from tests.fixtures.everything import NOW, Everything
from tests.fixtures.product import Product

WHO = "{ viewer { tokenId scope kind } }"
NEVER_ISSUED = "The token is not one of this API."
QUERY: Any = make_schema()._schema.query_type
LISTS = [
    *("purchaseOrders", "workOrders", "vendors", "items", "inventoryLevels", "assets", "locations"),
    *("syncRuns", "writeOperations"),
]
OF_THE_ORGANIZATION = {"WebhookEndpoint", "WebhookDelivery"}
"""No connection's token opens these at all: see tests/integration/test_webhook_api.py."""
FIELDS = {
    "connection": "ConnectedSystem",
    **{name[0].lower() + name[1:]: name for name in SHAPES if name not in OF_THE_ORGANIZATION},
}
BY_ID = {name: field.type.name for name, field in QUERY.fields.items() if FIELDS.get(name) == str(field.type)}


async def refused(door: Product, authorization: str | None) -> tuple[int, Mapping[str, str], dict[str, Any]]:
    headers = {"Authorization": authorization} if authorization is not None else {}
    async with door.http.post(f"{door.url}/graphql", json={"query": WHO}, headers=headers) as answer:
        return answer.status, answer.headers, await answer.json()


def challenged(message: str, *, error: str = "invalid_token") -> str:
    return f'Bearer realm="crosshead", error="{error}", error_description="{message}"'


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "chd_org_x"])
async def test_a_request_without_a_bearer_token_is_asked_for_one(door: Product, authorization: str | None) -> None:
    status, headers, body = await refused(door, authorization)

    (error,) = body["errors"]
    assert status == 401
    assert headers["WWW-Authenticate"] == 'Bearer realm="crosshead"'
    assert list(body) == ["errors"]
    assert error == {
        "message": "Send a bearer token in the Authorization header.",
        "extensions": {**extensions_of(ErrorCode.UNAUTHENTICATED), "requestId": headers["X-Request-Id"]},
    }


@pytest.mark.parametrize("kind", ["garbled", "mistyped", "unknown", "connection", "long", "latin"])
async def test_a_token_that_was_never_issued_is_told_nothing_more(door: Product, kind: str) -> None:
    token = {
        "garbled": "nonsense",
        "mistyped": door.key[:-1] + ("0" if door.key[-1] != "0" else "1"),
        "unknown": make_token(TokenKind.ORGANIZATION),
        "connection": make_token(TokenKind.CONNECTION),
        "long": door.key * 40,
        "latin": "chd_org_\u00e9",
    }[kind]

    status, headers, body = await refused(door, f"Bearer {token}")

    assert status == 401
    assert headers["WWW-Authenticate"] == challenged(NEVER_ISSUED)
    assert body == {
        "errors": [
            {
                "message": NEVER_ISSUED,
                "extensions": {**extensions_of(ErrorCode.UNAUTHENTICATED), "requestId": headers["X-Request-Id"]},
            }
        ]
    }


@pytest.mark.parametrize(
    ("end", "message"),
    [("ROTATED", "The token was rotated; another one took its place."), ("REVOKED", "The token was revoked.")],
)
async def test_a_token_that_was_ended_is_told_why(
    door: Product, everything: Everything, end: str, message: str
) -> None:
    own = Scope(everything.scopes[0].organization_id)
    token = await everything.token(own, revoked_at=NOW, revoked_as=end)

    status, headers, body = await refused(door, f"Bearer {token}")

    assert (status, body["errors"][0]["message"]) == (401, message)
    assert headers["WWW-Authenticate"] == challenged(message)
    assert body["errors"][0]["extensions"] == {
        **extensions_of(ErrorCode.UNAUTHENTICATED),
        "retryable": False,
        "reason": end,
        "requestId": headers["X-Request-Id"],
    }


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("DISCONNECTED", "The connection was disconnected."),
        (
            "REAUTHORIZATION_REQUIRED",
            "The source refuses the connection's credentials; reauthorizeConnection mends that and issues a new token.",
        ),
    ],
)
async def test_the_token_of_a_dead_connection_is_told_its_status(
    door: Product, everything: Everything, status: str, message: str
) -> None:
    own = everything.scopes[0]
    token = await everything.token(own)
    assert (await door.post(WHO, key=token))[0] == 200

    async with everything.status(own, ConnectionStatus(status)):
        told = await refused(door, f"Bearer {token}")

    assert told[0] == 401
    assert told[1]["WWW-Authenticate"] == challenged(message)
    assert told[2]["errors"] == [
        {
            "message": message,
            "extensions": {
                **extensions_of(ErrorCode.UNAUTHENTICATED),
                "reason": status,
                "connectionId": encode_id("ConnectedSystem", own.connection_id or UUID(int=0)),
                "connectionStatus": status,
                "requestId": told[1]["X-Request-Id"],
            },
        }
    ]


@pytest.mark.parametrize("status", ["ACTIVE", "UNREACHABLE", "PAUSED"])
async def test_a_connection_that_rests_or_is_away_keeps_its_token_alive(
    door: Product, everything: Everything, status: str
) -> None:
    token = await everything.token(everything.scopes[0])

    async with everything.status(everything.scopes[0], ConnectionStatus(status)):
        assert (await door.gql(WHO, key=token))["viewer"]["kind"] == "CONNECTION"


async def test_a_revocation_holds_from_the_next_request_on(door: Product, everything: Everything) -> None:
    token = await everything.token(Scope(everything.scopes[0].organization_id))
    before = (await door.post(WHO, key=token))[0]

    await everything.revoke(token)

    assert (before, (await door.post(WHO, key=token))[0]) == (200, 401)


MUTATIONS = {
    "connectSystem": """mutation { connectSystem(input: {system: "tryton", credentials: {},
        customer: {ref: "c", name: "C"}}) { token } }""",
    "updateConnection": """mutation { updateConnection(input: {connectionId: "%s", paused: true})
        { connection { id } } }""",
    "triggerSync": 'mutation { triggerSync(input: {connectionId: "%s"}) { syncRuns { id } } }',
    "createPurchaseOrder": """mutation { createPurchaseOrder(input: {connectionId: "%s",
        purchaseOrder: {vendor: {code: "v"}, lines: [{quantity: "1"}]}}) { operation { id } } }""",
}


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("held", [False, True], ids=["organization key", "connection token"])
async def test_a_token_that_may_only_read_changes_nothing(
    door: Product, everything: Everything, name: str, held: bool
) -> None:
    own = everything.scopes[0]
    token = await everything.token(own if held else Scope(own.organization_id), may=TokenScope.READ)
    before = await everything.everything()
    document = MUTATIONS[name].replace("%s", encode_id("ConnectedSystem", own.connection_id or UUID(int=0)))

    status, body = await door.post(document, key=token)

    assert status == 403
    assert body["data"] is None
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert error["path"] == [name]
    assert without_use(await everything.everything()) == without_use(before)


def without_use(rows: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    return {name: found for name, found in rows.items() if name not in {"api_token", "request_log"}}


async def test_a_live_token_that_may_not_is_told_so_in_the_header(door: Product, everything: Everything) -> None:
    token = await everything.token(everything.scopes[0], may=TokenScope.READ)
    headers = {"Authorization": f"Bearer {token}"}
    document = {"query": MUTATIONS["connectSystem"]}

    async with door.http.post(f"{door.url}/graphql", json=document, headers=headers) as answer:
        assert answer.status == 403
        told = "This needs an organization key; a connection token cannot do it."
        assert answer.headers["WWW-Authenticate"] == challenged(told, error="insufficient_scope")


async def test_the_scope_that_would_do_is_named(door: Product, everything: Everything) -> None:
    own = everything.scopes[0]
    token = await everything.token(own, may=TokenScope.READ)
    asked = {"query": MUTATIONS["triggerSync"] % encode_id("ConnectedSystem", own.connection_id or UUID(int=0))}

    async with door.http.post(
        f"{door.url}/graphql", json=asked, headers={"Authorization": f"Bearer {token}"}
    ) as answer:
        told = "This token may not do this: it needs the scope WRITE."
        wanted = challenged(told, error="insufficient_scope") + ', scope="WRITE"'
        assert answer.headers["WWW-Authenticate"] == wanted
        assert (await answer.json())["errors"][0]["extensions"]["requiredScope"] == "WRITE"


async def test_a_mutation_of_a_foreign_connection_changes_nothing(door: Product, everything: Everything) -> None:
    own, sibling, foreign = everything.scopes[:3]
    assert sibling.connection_id is not None
    assert foreign.connection_id is not None
    cases = [
        (await everything.token(own), sibling.connection_id),
        (await everything.token(own), foreign.connection_id),
        (await everything.token(Scope(own.organization_id)), foreign.connection_id),
        (await everything.token(Scope(own.organization_id)), new_id()),
    ]
    before = await everything.everything()

    for token, connection_id in cases:
        for name in ("updateConnection", "triggerSync", "createPurchaseOrder"):
            _, body = await door.post(
                MUTATIONS[name]
                .replace("%s", encode_id("ConnectedSystem", connection_id))
                .replace("{ id } }", "{ id } userErrors { code } }"),
                key=token,
            )
            told = body["errors"][0]["extensions"] if "errors" in body else body["data"][name]["userErrors"][0]
            assert told["code"] == "NOT_FOUND", (name, body)

    assert without_use(await everything.everything()) == without_use(before)


def ids_of(everything: Everything, scope: Scope, type_name: str) -> str:
    return encode_id(type_name, everything.rows[scope.connection_id][SHAPES[type_name].table]["id"])


def listed() -> str:
    return (
        "{ connections { nodes { id } } " + " ".join(f"{name} {{ nodes {{ id }} totalCount }}" for name in LISTS) + "}"
    )


async def test_every_list_holds_what_the_token_opens_and_nothing_else(door: Product, everything: Everything) -> None:
    a1, a2, _, b2 = everything.scopes
    types = [*(spec.type_name for spec in ENTITIES), "SyncRun", "WriteOperation"]
    opened = {a1: [a1], b2: [b2], Scope(a1.organization_id): [a1, a2]}

    for scope, visible in opened.items():
        data = await door.gql(listed(), key=await everything.token(scope))
        assert {row["id"] for row in data["connections"]["nodes"]} == {
            ids_of(everything, each, "ConnectedSystem") for each in visible
        }
        told = {name: ({row["id"] for row in data[name]["nodes"]}, data[name]["totalCount"]) for name in LISTS}
        wanted = {
            f"{name[0].lower()}{name[1:]}s": ({ids_of(everything, each, name) for each in visible}, len(visible))
            for name in types
        }
        assert told == wanted


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_held_to_a_foreign_connection_is_refused_or_empty(
    door: Product, everything: Everything, name: str
) -> None:
    a1, a2, b1, _ = everything.scopes
    document = f"query ($id: ID!) {{ {name}(connectionId: $id) {{ nodes {{ id }} totalCount }} }}"

    for scope, foreign in [(a1, a2), (a1, b1), (Scope(a1.organization_id), b1)]:
        token = await everything.token(scope)
        _, body = await door.post(document, key=token, id=ids_of(everything, foreign, "ConnectedSystem"))
        if "errors" in body:
            assert body["errors"][0]["extensions"]["code"] == "NOT_FOUND"
        else:
            assert body["data"][name] == {"nodes": [], "totalCount": 0}


async def test_a_foreign_id_is_as_unknown_as_one_that_never_was(door: Product, everything: Everything) -> None:
    a1, a2, b1, _ = everything.scopes
    fields = " ".join(f"{name}(id: $i{name}) {{ id }}" for name in BY_ID)
    arguments = ", ".join(f"$i{name}: ID!" for name in BY_ID)
    document = f"query ({arguments}) {{ {fields} }}"
    unknown = Scope(a1.organization_id, new_id())
    everything.rows[unknown.connection_id] = {SHAPES[name].table: {"id": new_id()} for name in BY_ID.values()}

    for scope, foreign in [
        (a1, a2),
        (a1, b1),
        (a1, unknown),
        (Scope(a1.organization_id), b1),
        (Scope(a1.organization_id), unknown),
    ]:
        token = await everything.token(scope)
        ids = {f"i{field}": ids_of(everything, foreign, name) for field, name in BY_ID.items()}
        assert await door.gql(document, key=token, **ids) == dict.fromkeys(BY_ID)
        nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
        assert await door.gql(nodes, key=token, ids=list(ids.values())) == {"nodes": [None] * len(ids)}


async def test_an_own_id_is_read_by_its_field_and_by_node(door: Product, everything: Everything) -> None:
    own = everything.scopes[0]
    token = await everything.token(own)
    ids = {field: ids_of(everything, own, name) for field, name in BY_ID.items()}

    data = await door.gql("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", key=token, ids=list(ids.values()))
    one = await door.gql("query ($id: ID!) { vendor(id: $id) { id } }", key=token, id=ids["vendor"])

    assert data == {"nodes": [{"id": each} for each in ids.values()]}
    assert one == {"vendor": {"id": ids["vendor"]}}


async def test_another_organization_is_no_node(door: Product, everything: Everything) -> None:
    token = await everything.token(everything.scopes[0])
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } organization { id } }"
    ids = [encode_id("Organization", scope.organization_id) for scope in everything.scopes[::2]]

    data = await door.gql(document, key=token, ids=ids)

    assert data == {"nodes": [{"id": ids[0]}, None], "organization": {"id": ids[0]}}


async def test_the_schema_is_told_to_a_holder_and_to_nobody_else(door: Product) -> None:
    document = "{ __schema { queryType { name } } }"

    async with door.http.post(f"{door.url}/graphql", json={"query": document}) as answer:
        assert answer.status == 401
        assert "data" not in await answer.json()
    assert await door.gql(document) == {"__schema": {"queryType": {"name": "Query"}}}
