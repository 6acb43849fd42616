"""Secrets stay where they were put: not in logs, answers, events or any table, whatever goes wrong on the way."""

import base64
import io
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import aiohttp
import asyncpg
import orjson
import pytest

from crosshead.organizations import make_organization
from crosshead.settings import Settings
from db.engine import Database
from sandbox.kit.faults import Fault
from tests.fixtures import served
from tests.fixtures.engine import until
from tests.fixtures.front import CREATE_KEY, DISCONNECT, REAUTHORIZE, ROTATE_TOKEN
from tests.fixtures.ledger import Ledger
from tests.fixtures.listening import socket
from tests.fixtures.product import CONNECT, Product
from tests.fixtures.served import Process

CUSTOMER = "Customer of the canary"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


def forms(secret: str) -> set[bytes]:
    """Give what a secret may hide as."""
    plain = secret.encode()
    return {plain, base64.b64encode(plain).rstrip(b"="), plain.hex().encode(), quote(secret, safe="").encode()}


def hits(places: dict[str, bytes], hidden: dict[str, str]) -> list[tuple[str, str]]:
    """Give every place that shows a secret."""
    return [
        (place, name)
        for place, text in places.items()
        for name, secret in hidden.items()
        if any(form in text for form in forms(secret))
    ]


@dataclass
class Walk:
    """A caller that keeps every answer, less the tokens that are shown on purpose."""

    front: Product
    hidden: dict[str, str]
    answers: list[bytes] = field(default_factory=list)

    async def ask(self, document: str, *, key: str | None = None, **variables: Any) -> dict[str, Any]:
        """Send a document, and keep the answer."""
        status, body = await self.front.post(document, key=key, **variables)
        for payload in (body.get("data") or {}).values():
            if isinstance(payload, dict) and payload.get("token"):
                self.hidden[f"token {len(self.hidden)}"] = payload.pop("token")
        self.answers.append(orjson.dumps([status, body]))
        return body

    async def until(self, document: str, condition: Any) -> None:
        """Ask until the answer fulfils a condition."""

        async def fulfilled() -> bool:
            return bool(condition((await self.ask(document))["data"]))

        await until(fulfilled, timeout_s=60)


@dataclass
class Stage:
    """Two processes of the product, logging all they can."""

    walk: Walk
    api: Process
    worker: Process


@pytest.fixture(params=["json", "console"])
async def stage(
    request: pytest.FixtureRequest, settings: Settings, database: Database, tmp_path: Path
) -> AsyncIterator[Stage]:
    scope, key = await make_organization(database, name="Test organization", credits_pool=100)
    more = {"log_level": "debug", "log_format": request.param}
    hidden = {"organization key": key, "master key": settings.master_keys.get_secret_value().split(":")[1]}
    async with (
        served.process(settings, tmp_path, "api", "api", **more) as api,
        served.process(settings, tmp_path, "worker", "worker", **more) as worker,
        aiohttp.ClientSession() as http,
    ):
        yield Stage(Walk(Product(api.url, key, scope, settings, http), hidden), api, worker)


Canary = Literal["good", "wrong", "broken", "new", "stray"]


def canaries(walk: Walk) -> dict[Canary, str]:
    names: tuple[Canary, ...] = ("good", "wrong", "broken", "new", "stray")
    made: dict[Canary, str] = {name: f"canary-{name}-{secrets.token_hex(8)}" for name in names}
    walk.hidden.update({f"{name} credential": value for name, value in made.items()})
    return made


async def go_wrong(walk: Walk, ledger: Ledger, given: dict[Canary, str]) -> None:
    """Connect in every way that fails."""
    customer = {"ref": "c-1", "name": CUSTOMER}

    def asked(name: Canary, system: str = "ledger", **more: Any) -> dict[str, Any]:
        credentials = {"base_url": ledger.url, "key": given[name]}
        return {"system": system, "credentials": credentials, "customer": customer, **more}

    await walk.ask(CONNECT, input=asked("wrong"))
    await walk.ask(CONNECT, input=asked("broken", "broken"))
    await walk.ask(CONNECT, input=asked("stray", historicalPeriodDays=0, writeDefaults={"book": "x" * 99}))
    await walk.ask(CONNECT, input=asked("stray", credentials={"base_url": f"https://u:{given['stray']}@127.0.0.1"}))
    await walk.ask(CONNECT, input=asked("stray", credentials={"base_url": "nonsense", "key": {"k": given["stray"]}}))
    without_customer = asked("stray")
    del without_customer["customer"]
    await walk.ask(CONNECT, input=without_customer)
    await walk.ask(CONNECT, input=asked("stray", customer=given["stray"]))
    await walk.ask(CONNECT, input={**asked("stray"), "system": {"key": given["stray"]}})
    inline = 'system: "ledger", credentials: {{key: "{}"}}'.format(given["stray"])
    await walk.ask(f"mutation {{ connectSystem(input: {{{inline}}}) {{ token }} }}")
    await walk.ask(f"mutation {{ connectSystem(input: {{{inline}, customer: 1) {{ token }} }}")
    ledger.wire.faults.add(Fault("refuse", path="^/rights", text=f"no rights for {given['good']}", code="key"))
    await walk.ask(CONNECT, input=asked("good"))


async def live(walk: Walk, ledger: Ledger, given: dict[Canary, str]) -> None:
    """Connect, sync, write, fail, reauthorize, rotate, disconnect."""
    credentials = {"base_url": ledger.url, "key": given["good"]}
    customer = {"ref": "c-1", "name": CUSTOMER}
    made = await walk.ask(CONNECT, input={"system": "ledger", "credentials": credentials, "customer": customer})
    connection = made["data"]["connectSystem"]["connection"]["id"]
    runs = "{ syncRuns { nodes { status } } connections { nodes { status } } }"
    await walk.until(runs, lambda data: {each["status"] for each in data["syncRuns"]["nodes"]} == {"SUCCEEDED"})
    token = walk.hidden[f"token {len(walk.hidden) - 1}"]
    write = """mutation ($i: CreatePurchaseOrderInput!) { createPurchaseOrder(input: $i) {
      operation { id } userErrors { code message sourceMessage } } }"""
    order = {"vendor": {"sourceId": "v1"}, "lines": [{"item": {"code": "BOLT-8"}, "quantity": "1"}]}
    ledger.wire.faults.add(
        Fault("refuse", method="POST", path="^/orders", text=f"{given['good']} may not", code="currency")
    )
    for _ in range(2):
        await walk.ask(write, key=token, i={"purchaseOrder": order})
    async with socket(walk.front, token) as open_socket:
        await walk.ask(ROTATE_TOKEN, input={"connectionId": connection})
        await open_socket.wait_closed()
    await walk.ask("{ viewer { kind } }", key=token)
    ledger.key = given["new"]
    trigger = "mutation ($id: ID!) { triggerSync(input: {connectionId: $id, mode: FULL}) { syncRuns { id } } }"
    await walk.ask(trigger, id=connection)
    refused = "REAUTHORIZATION_REQUIRED"
    await walk.until(runs, lambda data: data["connections"]["nodes"][0]["status"] == refused)
    await walk.ask(REAUTHORIZE, input={"connectionId": connection, "credentials": {"key": given["new"]}})
    await walk.ask(
        "mutation ($i: CheckConnectionInput!) { checkConnection(input: $i) { facts } }", i={"connectionId": connection}
    )
    await walk.ask(CREATE_KEY, input={"name": "Job", "scope": "READ"})
    await walk.ask(DISCONNECT, input={"connectionId": connection})


async def dumped(behind: asyncpg.Connection) -> dict[str, bytes]:
    """Give every table as COPY writes it, for the superuser."""
    told = {}
    for name in [row["tablename"] for row in await behind.fetch(TABLES)]:
        written = io.BytesIO()
        await behind.copy_from_table(name, output=written)
        told[f"table {name}"] = written.getvalue()
    return told


async def test_no_secret_is_told_logged_or_stored_in_the_open(
    stage: Stage, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    """Off: `discreet` in jobs/sources.py, `_VALUES` in graph/errors.py, or `format_exc_info` in crosshead/logs.py."""
    ledger.add()
    walk = stage.walk
    given = canaries(walk)
    ledger.key = given["good"]

    await go_wrong(walk, ledger, given)
    await live(walk, ledger, given)

    places = {
        "answers": b"\n".join(walk.answers),
        "log of the API": stage.api.logged().encode(),
        "log of the worker": stage.worker.logged().encode(),
        **await dumped(behind),
    }
    assert len(walk.hidden) >= 11
    assert hits(places, walk.hidden) == []
    # What is not secret is found in the same places by the same look.
    known = {"customer": CUSTOMER, "address": ledger.url, "trace": "IndexError", "event": "sync_succeeded"}
    found = {(place, name) for place, name in hits(places, known)}
    assert {("table connection", "customer"), ("table connection", "address")} <= found
    assert {("log of the API", "trace"), ("log of the worker", "event")} <= found


@pytest.mark.parametrize("form", sorted(forms("canary-é-1")))
def test_a_secret_is_found_in_whatever_form(form: bytes) -> None:
    assert hits({"here": b"x" + form + b"y", "there": b"xy"}, {"it": "canary-é-1"}) == [("here", "it")]
