"""Nobody is told what happens to others: every subscription, opened by everyone while things happen to all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import text
from websockets.asyncio.client import ClientConnection, connect

from db import events
from tests.fixtures.listening import PROTOCOL, heard, say
from tests.fixtures.policies_alone import Changed
from tests.fixtures.root_fields import OF_ONE, SUBSCRIPTIONS, happenings
from tests.fixtures.tenants import Tenant, Tenants
from tests.fixtures.whole_documents import brief, root_fields, selections

ROUNDS = 2
"""What the second round tells a follower is the fence: what the first one told others would have come before it."""
OF_CONNECTIONS = [name for name in SUBSCRIPTIONS if "connectionId" in root_fields("Subscription")[name].args]


@dataclass
class Follower:
    """Somebody with a subscription of each kind: to all that is theirs, and to connections of others.

    Attributes:
        answers: Subscription → what it was told.
        refused: Codes of subscriptions to others' connections and runs, which are refused.
    """

    asker: Tenant
    made: ClientConnection
    own: int
    first: Tenant
    answers: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in SUBSCRIPTIONS})
    foreign: list[Any] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    async def open(self, strangers: list[Tenant]) -> None:
        """Subscribe, and wait until all of it is followed or refused: a query is answered after them."""
        for name in SUBSCRIPTIONS:
            told = selections(root_fields("Subscription")[name])[0]
            of = f'(connectionId: "{self.first.connection}")' if name in OF_ONE else ""
            await self._subscribe(name, f"subscription {{ {name}{of} {told} }}")
        for number, name in enumerate(OF_CONNECTIONS):
            other = strangers[number % len(strangers)]
            told = brief(root_fields("Subscription")[name])
            document = f'subscription {{ {name}(connectionId: "{other.connection}") {told} }}'
            await self._subscribe(f"foreign-{name}", document)
        run = strangers[0].ids["SyncRun"][0]
        told = brief(root_fields("Subscription")["syncRunUpdated"])
        await self._subscribe("foreign-run", f'subscription {{ syncRunUpdated(syncRunId: "{run}") {told} }}')
        await self._subscribe("ready", "{ viewer { kind } }")
        await self.hear(lambda: sum(self.refused.values()) == len(OF_CONNECTIONS) + 2)

    def told(self, times: int) -> Callable[[], bool]:
        """Give the question whether each subscription was told so often of each connection that is its asker's."""
        return lambda: all(len(told) >= times * self.of(name) for name, told in self.answers.items())

    def of(self, name: str) -> int:
        """Give how many connections a subscription follows."""
        return 1 if name in OF_ONE else self.own

    async def hear(self, enough: Callable[[], bool]) -> None:
        """Take what comes until it is enough."""
        while not enough():
            message = await heard(self.made)
            of = message.get("id", "")
            if message["type"] == "error":
                assert of.startswith("foreign-"), message
                self.refused.update(each["extensions"]["code"] for each in message["payload"])
            elif message["type"] == "complete" and of == "ready":
                self.refused["ready"] += 1
            elif message["type"] == "next" and of.startswith("foreign-"):
                self.foreign.append(message)
            elif message["type"] == "next" and of != "ready":
                assert "errors" not in message["payload"], message
                self.answers[of].append(message["payload"])

    async def _subscribe(self, name: str, document: str) -> None:
        await say(self.made, {"id": name, "type": "subscribe", "payload": {"query": document}})


@asynccontextmanager
async def following(tenants: Tenants) -> AsyncIterator[list[Follower]]:
    """Let everyone follow."""
    async with AsyncExitStack() as stack:
        followers = []
        for asker in tenants.all:
            url = tenants.door.url.replace("http:", "ws:") + "/graphql"
            made = await stack.enter_async_context(connect(url, subprotocols=[PROTOCOL]))
            await say(made, {"type": "connection_init", "payload": {"authorization": asker.token}})
            assert (await heard(made))["type"] == "connection_ack"
            own = [each for each in tenants.connections if each.own <= asker.own] if asker.is_key else [asker]
            follower = Follower(asker, made, len(own), own[0])
            await follower.open(tenants.some_strangers(asker))
            followers.append(follower)
        yield followers


async def happen(tenants: Tenants, of: Tenant) -> None:
    """Let everything happen once to a connection."""
    async with tenants.database.write(of.scope) as session:
        changed = text("UPDATE sync_run SET revision = revision + 1, pages = pages + 1 WHERE connection_id = :of")
        await session.execute(changed, {"of": of.scope.connection_id})
        await events.append(session, of.scope, [each for each in happenings(of).values() if each is not None])


async def told_all(tenants: Tenants, followers: list[Follower], *, least: int) -> None:
    """Wake everyone, and wait until each was told as often as things happened to what is theirs."""
    for key in tenants.keys:
        await tenants.queue.wake_followers(key.scope)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for each in followers:
            group.create_task(each.hear(each.told(least)))


def test_every_subscription_has_a_case() -> None:
    told = "add a line to SUBSCRIPTIONS in tests/fixtures/root_fields.py, and to happenings what it tells"
    assert sorted(root_fields("Subscription")) == sorted(SUBSCRIPTIONS), told


async def test_what_happens_to_others_is_told_to_nobody(tenants: Tenants, locks: Changed | None) -> None:
    async with following(tenants) as followers:
        for round_ in range(1, ROUNDS + 1):
            for each in tenants.connections:
                await happen(tenants, each)
            await told_all(tenants, followers, least=round_)

    for follower in followers:
        for name, told in follower.answers.items():
            assert tenants.foreign(follower.asker, told) == [], (follower.asker.name, name)
            assert len(told) >= ROUNDS * follower.of(name)
        assert follower.foreign == [], (follower.asker.name, orjson.dumps(follower.foreign)[:500])
        assert follower.refused == {"ready": 1, "NOT_FOUND": len(OF_CONNECTIONS) + 1}, follower.asker.name
    assert locks is None or locks.statements
