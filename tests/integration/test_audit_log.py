"""The audit log: every mutation but writes of records leaves an entry that nobody changes and that tells no secret."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import pytest
from graphql import GraphQLObjectType, get_named_type

from db.engine import Database
from graph.schema import make_schema
from jobs.retention import Retention, prune
from tests.fixtures.connect_page import ORIGIN, allow, opened
from tests.fixtures.front import credentials
from tests.fixtures.ledger import KEY, Ledger
from tests.fixtures.product import Product

ENTRIES: Final = """query ($f: AuditEntryFilter) { auditLog(filter: $f, first: 250) { nodes {
  id action actorKind actorId actorLastFour requestId targetId changes at connection { id } } } }"""
MUTATIONS: Final = make_schema()._schema.mutation_type
UNRECORDED: Final = {"checkConnection": "It changes no configuration; what came of it is in the connection's health."}
"""Mutation → why it leaves no entry."""


def is_write(name: str) -> bool:
    """Tell whether a mutation writes a record: it has a write operation, which is its own log."""
    assert MUTATIONS is not None
    payload = get_named_type(MUTATIONS.fields[name].type)
    assert isinstance(payload, GraphQLObjectType)
    return "operation" in payload.fields and str(payload.fields["operation"].type) == "WriteOperation"


assert MUTATIONS is not None
CONFIGURING: Final = [name for name in MUTATIONS.fields if not is_write(name) and name not in UNRECORDED]


@dataclass
class Walk:
    """A caller that goes through the mutations; the values of one are what later ones need."""

    front: Product
    ledger: Ledger
    behind: asyncpg.Connection
    values: dict[str, str] = field(default_factory=dict)

    async def ask(self, name: str, request_id: str, /, **given: Any) -> dict[str, Any]:
        """Call a mutation with its input, and give its payload."""
        assert MUTATIONS is not None
        payload = get_named_type(MUTATIONS.fields[name].type)
        assert isinstance(payload, GraphQLObjectType)
        told = " ".join(f"{field} {{ id }}" for field in ("apiKey", "connection") if field in payload.fields)
        secret = "token" if "token" in payload.fields else ""
        url = "url" if "url" in payload.fields else ""
        of = MUTATIONS.fields[name].args["input"].type
        document = (
            f"mutation ($i: {of}) {{ {name}(input: $i) {{ {told} {secret} {url} userErrors {{ code message }} }} }}"
        )
        status, body = await self.front.post(document, headers={"X-Request-Id": request_id}, i=given)
        assert (status, body.get("errors")) == (200, None), body
        answer: dict[str, Any] = body["data"][name]
        assert answer["userErrors"] == [], answer
        return answer

    async def entries(self, **given: Any) -> list[dict[str, Any]]:
        """Give the entries of the log, the oldest first."""
        nodes = (await self.front.gql(ENTRIES, f=given))["auditLog"]["nodes"]
        return sorted(nodes, key=lambda node: node["id"])

    async def connected(self) -> str:
        """Give a live connection."""
        if "connection" not in self.values:
            self.values["connection"], _ = await self.front.connect("ledger", credentials(self.ledger))
        return self.values["connection"]

    async def run(self, **values: Any) -> str:
        """Give an open run of the connection, as it is when something asks for it."""
        await self.connected()
        key = await self.behind.fetchval("SELECT id FROM sync_run WHERE entity = 'VENDOR' ORDER BY id LIMIT 1")
        for name, value in values.items():
            await self.behind.execute(f"UPDATE sync_run SET {name} = $2 WHERE id = $1", key, value)
        return f"run_{key.hex}"

    async def key(self) -> str:
        """Give a spare key of the organization."""
        return str((await self.ask("createApiKey", "aside", name="Spare", scope="READ"))["apiKey"]["id"])

    async def ended(self) -> str:
        """Give a connection that was disconnected."""
        connection = await self.connected()
        del self.values["connection"]
        await self.front.gql(
            f'mutation {{ disconnect(input: {{connectionId: "{connection}"}}) {{ connection {{ id }} }} }}'
        )
        return connection


async def _connect(walk: Walk) -> dict[str, Any]:
    customer = {"ref": "c-1", "name": "Secret customer"}
    return {"system": "ledger", "credentials": credentials(walk.ledger), "customer": customer}


async def _update(walk: Walk) -> dict[str, Any]:
    schedules = [{"entity": "VENDOR", "everyMinutes": 30}]
    more = {"tags": ["a"], "metadata": {"k": "Secret metadata"}, "customer": {"ref": "x", "name": "Secret customer"}}
    return {"connectionId": await walk.connected(), "schedules": schedules, "historicalPeriodDays": 30, **more}


async def _reauthorize(walk: Walk) -> dict[str, Any]:
    return {"connectionId": await walk.connected(), "credentials": {"key": KEY}}


async def _awaiting(walk: Walk) -> dict[str, Any]:
    waiting = {"status": "WAITING", "awaits_confirmation": True, "vanished": 3}
    return {"syncRunId": await walk.run(**waiting), "confirm": False}


CALLS: Final[dict[str, Callable[[Walk], Awaitable[dict[str, Any]]]]] = {
    "connectSystem": _connect,
    "updateConnection": _update,
    "reauthorizeConnection": _reauthorize,
    "confirmDeletions": _awaiting,
}
"""Mutation → what it is given."""


def call(name: str) -> Callable[[Callable[[Walk], Awaitable[dict[str, Any]]]], None]:
    """Say what a mutation is given."""
    return lambda make: CALLS.__setitem__(name, make)


@call("triggerSync")
async def _(walk: Walk) -> dict[str, Any]:
    return {"connectionId": await walk.connected(), "entities": ["VENDOR"]}


@call("cancelSync")
async def _(walk: Walk) -> dict[str, Any]:
    return {"syncRunId": await walk.run()}


@call("rotateConnectionToken")
async def _(walk: Walk) -> dict[str, Any]:
    return {"connectionId": await walk.connected()}


@call("disconnect")
async def _(walk: Walk) -> dict[str, Any]:
    return {"connectionId": await walk.connected()}


@call("deleteConnectionData")
async def _(walk: Walk) -> dict[str, Any]:
    return {"connectionId": await walk.ended(), "confirm": "Customer 1"}


@call("createApiKey")
async def _(_: Walk) -> dict[str, Any]:
    return {"name": "Nightly", "scope": "READ"}


@call("rotateApiKey")
async def _(walk: Walk) -> dict[str, Any]:
    return {"apiKeyId": await walk.key()}


@call("revokeApiKey")
async def _(walk: Walk) -> dict[str, Any]:
    return {"apiKeyId": await walk.key()}


@call("updateOrganization")
async def _(_: Walk) -> dict[str, Any]:
    return {"name": "Renamed", "allowedOrigins": ["https://app.example.com"]}


_HOOK: Final = """mutation ($url: String!) { createWebhookEndpoint(input: {url: $url}) {
  webhookEndpoint { id } userErrors { message } } }"""


async def _endpoint(walk: Walk) -> str:
    """Give a webhook endpoint, at the ledger."""
    told = (await walk.front.gql(_HOOK, url=walk.ledger.url))["createWebhookEndpoint"]
    assert told["userErrors"] == []
    return str(told["webhookEndpoint"]["id"])


async def _tested(walk: Walk) -> dict[str, Any]:
    return {"endpointId": await _endpoint(walk), "type": "vendor.created"}


@call("createWebhookEndpoint")
async def _(walk: Walk) -> dict[str, Any]:
    return {"url": walk.ledger.url, "types": ["vendor.created"]}


@call("updateWebhookEndpoint")
async def _(walk: Walk) -> dict[str, Any]:
    return {"endpointId": await _endpoint(walk), "enabled": False}


@call("deleteWebhookEndpoint")
async def _(walk: Walk) -> dict[str, Any]:
    return {"endpointId": await _endpoint(walk)}


@call("rotateWebhookSecret")
async def _(walk: Walk) -> dict[str, Any]:
    return {"endpointId": await _endpoint(walk)}


call("sendTestWebhook")(_tested)


@call("redeliverWebhook")
async def _(walk: Walk) -> dict[str, Any]:
    await walk.ask("sendTestWebhook", "aside", **await _tested(walk))
    deliveries = await walk.front.gql("{ webhookDeliveries { nodes { id } } }")
    return {"deliveryId": deliveries["webhookDeliveries"]["nodes"][0]["id"]}


@call("replayWebhooks")
async def _(walk: Walk) -> dict[str, Any]:
    return {"endpointId": await _endpoint(walk), "since": "2026-01-01T00:00:00Z"}


@call("createConnectSession")
async def _(walk: Walk) -> dict[str, Any]:
    await allow(walk.front)
    return {"customer": {"ref": "c-1", "name": "Secret customer"}, "origin": ORIGIN}


@call("exchangeConnectCode")
async def _(walk: Walk) -> dict[str, Any]:
    page = await opened(walk.front)
    assert "checked" in (await page.check("ledger", credentials(walk.ledger)))[1]
    return {"code": (await page.complete())["code"]}


@pytest.fixture
def walk(front: Product, ledger: Ledger, behind: asyncpg.Connection) -> Walk:
    return Walk(front, ledger, behind)


@pytest.mark.parametrize("name", CONFIGURING)
async def test_a_mutation_that_configures_leaves_an_entry_with_who_and_by_which_request(walk: Walk, name: str) -> None:
    """Off: any `audit.record` in jobs/. A new mutation needs a call here, and its door a record."""
    assert name in CALLS, f"say in CALLS what {name} is given, and let its door call audit.record"
    given = await CALLS[name](walk)

    payload = await walk.ask(name, f"audited-{name}", **given)

    (entry,) = await walk.entries(requestId={"eq": f"audited-{name}"})
    who = (await walk.front.gql("{ viewer { tokenId } }"))["viewer"]["tokenId"]
    assert (entry["action"], entry["actorKind"], entry["actorId"]) == (name, "KEY", who)
    assert entry["actorLastFour"] == walk.front.key[-4:]
    assert abs(datetime.fromisoformat(entry["at"]) - datetime.now(UTC)).total_seconds() < 60
    hidden = [KEY, walk.front.key, payload.get("token") or "none", "Secret customer", "Secret metadata"]
    assert [word for word in hidden if word in str(entry)] == []


async def test_a_refused_mutation_leaves_no_entry(walk: Walk) -> None:
    connection = await walk.connected()
    before = await walk.entries()

    document = "mutation ($i: UpdateConnectionInput!) { updateConnection(input: $i) { userErrors { code } } }"
    told = await walk.front.gql(document, i={"connectionId": connection, "historicalPeriodDays": 0, "tags": ["a"]})

    assert told["updateConnection"]["userErrors"] == [{"code": "BAD_USER_INPUT"}]
    assert await walk.entries() == before


async def test_an_entry_says_what_changed_and_leaves_out_what_is_the_customers(walk: Walk) -> None:
    given = await _update(walk)

    await walk.ask("updateConnection", "what", **given)

    (entry,) = await walk.entries(requestId={"eq": "what"})
    assert entry["targetId"] == given["connectionId"] == entry["connection"]["id"]
    assert entry["changes"] == {
        "customer": {"withheld": True},
        "historicalPeriodDays": 30,
        "metadata": {"withheld": True},
        "schedules": [{"entity": "VENDOR", "everyMinutes": 30}],
        "tags": ["a"],
    }


async def test_what_a_connections_token_does_is_told_as_its(walk: Walk) -> None:
    connection, token = await walk.front.connect("ledger", credentials(walk.ledger))
    document = "mutation ($i: UpdateConnectionInput!) { updateConnection(input: $i) { userErrors { code } } }"
    await walk.front.gql(document, key=token, i={"connectionId": connection, "tags": ["b"]})

    (entry,) = await walk.entries(action={"eq": "updateConnection"})

    assert (entry["actorKind"], entry["actorLastFour"]) == ("TOKEN", token[-4:])


async def test_the_log_begins_with_the_organization_and_is_found_by_what_people_look_for(walk: Walk) -> None:
    connection = await walk.connected()
    key = await walk.key()

    first = (await walk.entries())[0]
    assert (first["action"], first["actorKind"], first["actorId"]) == ("createOrganization", "OPERATOR", None)
    assert [each["action"] for each in await walk.entries(targetId={"eq": key})] == ["createApiKey"]
    assert [each["action"] for each in await walk.entries(targetId={"eq": connection})] == ["connectSystem"]
    assert len(await walk.entries(actorId={"eq": "nobody"})) == 0
    document = "query ($id: ID!) { auditLog(connectionId: $id) { nodes { action } } }"
    assert (await walk.front.gql(document, id=connection))["auditLog"]["nodes"] == [{"action": "connectSystem"}]


@pytest.mark.parametrize("scope", ["READ", "WRITE"])
async def test_the_log_is_for_keys_with_all_rights(walk: Walk, scope: str) -> None:
    weak = (await walk.ask("createApiKey", "weak", name="Weak", scope=scope))["token"]
    _, token = await walk.front.connect("ledger", credentials(walk.ledger))

    for key in (weak, token):
        status, body = await walk.front.post("{ auditLog { nodes { id } } }", key=key)
        assert (status, body["data"], body["errors"][0]["extensions"]["code"]) == (403, None, "FORBIDDEN")


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry"])
async def test_the_application_can_neither_change_nor_delete_an_entry(walk: Walk, statement: str) -> None:
    """Off: grant UPDATE or DELETE to crosshead_app in the migration."""
    await walk.key()
    url = str(walk.front.settings.database_url)
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    await connection.execute("SET ROLE crosshead_app")
    await connection.execute(
        "SELECT set_config('crosshead.organization', $1, false)", str(walk.front.scope.organization_id)
    )

    assert await connection.fetchval("SELECT count(*) FROM audit_entry") == 2
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)

    await connection.close()
    assert len(await walk.entries()) == 2


async def test_entries_outlive_their_connection_and_go_by_age(
    walk: Walk, database: Database, behind: asyncpg.Connection
) -> None:
    ended = await walk.ended()
    await walk.ask("deleteConnectionData", "gone", connectionId=ended, confirm="Customer 1")
    told = [each["action"] for each in await walk.entries(targetId={"eq": ended})]
    assert told == ["connectSystem", "disconnect", "deleteConnectionData"]
    await behind.execute(
        "UPDATE audit_entry SET id = (lpad(to_hex((extract(epoch FROM now() - interval '30 days' - interval '1 hour')"
        " * 1000)::bigint), 12, '0') || right(replace(id::text, '-', ''), 20))::uuid WHERE action <> 'disconnect'"
    )

    await prune(database, Retention(audit_log_days=31))
    assert await behind.fetchval("SELECT count(*) FROM audit_entry") == 4
    await prune(database, Retention(audit_log_days=30))

    assert [each["action"] for each in await walk.entries()] == ["disconnect"]
