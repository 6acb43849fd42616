"""Deliveries: one for each committed event and endpoint, signed, tried again, and given up by the rules."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import WebhookVerificationError

from db import events, relay
from db.events import NewEvent
from jobs.delivery_policy import RETRY_SECONDS, DeliveryPolicy
from jobs.event_types import EVENT_TYPES, OWN
from jobs.relay import relay_all
from tests.fixtures.engine import Engine
from tests.fixtures.receiver import Hooks, receiving


@pytest.fixture
async def hooks(engine: Engine) -> AsyncIterator[Hooks]:
    """A connection whose own first events are relayed, and a receiver."""
    own = await engine.connect()
    async with receiving() as receiver:
        yield Hooks(engine, receiver, own)


async def test_each_event_reaches_each_endpoint_once_in_the_envelope_of_all_events(hooks: Hooks) -> None:
    """Off: `moved=False` in `relay_all`, and `ON CONFLICT` in db/relay.py: events are told again and again."""
    made = [await hooks.endpoint("/a"), await hooks.endpoint("/b")]
    await hooks.commit("vendor.created", "vendor.updated")

    sent = await hooks.send() + await hooks.send()

    assert sent == 4
    assert hooks.own.connection_id is not None
    stored = await hooks.engine.events(hooks.own, "vendor.")
    for path, endpoint in (("/a", made[0]), ("/b", made[1])):
        told = [each.verified_by(endpoint.secret) for each in hooks.receiver.got if each.path == path]
        assert sorted(told, key=lambda each: int(each["sequence"])) == [
            {
                "type": row["type"],
                "timestamp": row["created_at"].isoformat(timespec="microseconds").replace("+00:00", "Z"),
                "id": f"evt_{row['id'].hex}",
                "sequence": str(row["sequence"]),
                "connectionId": f"conn_{hooks.own.connection_id.hex}",
                "test": False,
                "data": {"n": n},
            }
            for n, row in enumerate(stored)
        ]
    assert {row["state"] for row in await hooks.deliveries()} == {"SUCCEEDED"}


async def test_a_relay_that_forgets_where_it_was_makes_no_second_delivery(hooks: Hooks) -> None:
    """The relay's transaction dies before its commit, or its position is lost: the unique key holds.

    Off: `ON CONFLICT … DO NOTHING` in db/relay.py: it fails, and nothing behind it is ever told.
    """
    await hooks.endpoint()
    await hooks.commit("vendor.created", "vendor.updated")

    for _ in range(3):
        await relay_all(hooks.engine.database, moved=False)
    with contextlib.suppress(ZeroDivisionError):
        async with hooks.engine.database.write(hooks.engine.scope) as session:
            await relay.relay(session, hooks.engine.scope)
            1 / 0  # noqa: B018  (it dies before its commit)
    await hooks.send()

    assert len(hooks.receiver.got) == len(set(hooks.receiver.ids())) == 2


async def test_what_was_rolled_back_is_told_to_nobody(hooks: Hooks) -> None:
    await hooks.endpoint()
    await hooks.commit("vendor.created")
    with contextlib.suppress(ZeroDivisionError):
        async with hooks.engine.database.write(hooks.own) as session:
            await events.append(session, hooks.own, [NewEvent("vendor.deleted", {})])
            1 / 0  # noqa: B018  (it rolls back)
    await hooks.commit("vendor.updated")

    await hooks.send()

    assert [each.told["type"] for each in hooks.receiver.got] == ["vendor.created", "vendor.updated"]


async def test_late_commits_of_many_writers_are_all_relayed(hooks: Hooks) -> None:
    """Off: the counter without its lock (see test_events): numbers that commit late are skipped."""
    await hooks.endpoint()
    stop = asyncio.Event()

    async def relaying() -> None:
        while not stop.is_set():
            await relay_all(hooks.engine.database, each=3)

    task = asyncio.create_task(relaying())
    await asyncio.gather(*(hooks.commit("vendor.created", "vendor.updated") for _ in range(30)))
    stop.set()
    await task
    await relay_all(hooks.engine.database)

    rows = await hooks.deliveries()
    assert sorted(row["sequence"] for row in rows if row["type"].startswith("vendor.")) == [
        row["sequence"] for row in await hooks.engine.events(hooks.own, "vendor.")
    ]


async def test_an_endpoint_gets_its_types_and_its_connection_only(hooks: Hooks) -> None:
    other = await hooks.engine.connect()
    assert hooks.own.connection_id is not None
    await hooks.endpoint("/types", types=["vendor.deleted", "item.created"])
    await hooks.endpoint("/own", connection_id=hooks.own.connection_id)
    await hooks.commit("vendor.created", "vendor.deleted")
    await hooks.commit("item.created", own=other)
    await hooks.commit("endpoint.disabled", own=hooks.engine.scope)

    await hooks.send()

    told = {(each.path, each.told["type"]) for each in hooks.receiver.got}
    assert told == {
        ("/types", "vendor.deleted"),
        ("/types", "item.created"),
        ("/own", "vendor.created"),
        ("/own", "vendor.deleted"),
    }


async def test_what_was_committed_before_the_first_endpoint_is_not_told(hooks: Hooks) -> None:
    await hooks.commit("vendor.created")
    await hooks.endpoint()
    await hooks.commit("vendor.updated")

    await hooks.send()

    assert [each.told["type"] for each in hooks.receiver.got] == ["vendor.updated"]


async def test_a_failure_is_tried_again_by_the_table_with_the_same_id_and_bytes(hooks: Hooks) -> None:
    made = await hooks.endpoint()
    await hooks.commit("vendor.created")
    hooks.receiver.always["/"] = 500
    waits = []

    for _ in RETRY_SECONDS:
        await hooks.send()
        [row] = await hooks.deliveries()
        waits.append(row["next_attempt_at"] and (row["next_attempt_at"] - datetime.now(UTC)).total_seconds())
        await hooks.make_due()

    assert [round(wait, -1) if wait > 60 else round(wait) for wait in waits[:-1]] == list(RETRY_SECONDS[1:])
    assert waits[-1] is None
    assert (row["state"], row["attempt_count"]) == ("FAILED", 10)
    assert len({(each.webhook_id, each.body) for each in hooks.receiver.got}) == 1
    assert all(each.verified_by(made.secret) for each in hooks.receiver.got)
    assert [(each["number"], each["status"]) for each in await hooks.attempts()] == [(n, 500) for n in range(1, 11)]
    assert await hooks.send() == 0


async def test_2xx_alone_is_a_success(hooks: Hooks) -> None:
    await hooks.endpoint()
    await hooks.commit(*["vendor.created"] * 6)
    hooks.receiver.answers = [200, 204, 299, 199, 300, 404]

    await hooks.send(policy=DeliveryPolicy(at_once=1))

    rows = await hooks.deliveries()
    assert [row["state"] for row in rows] == ["SUCCEEDED"] * 3 + ["PENDING"] * 3
    assert {row["next_attempt_at"] is None for row in rows[:3]} == {True}


async def test_a_redirect_is_a_failure_and_is_not_followed(hooks: Hooks) -> None:
    await hooks.endpoint("/from")
    await hooks.commit("vendor.created")
    hooks.receiver.answers = [web.Response(status=307, headers={"Location": hooks.receiver.url + "/to"})]

    await hooks.send()

    assert [each.path for each in hooks.receiver.got] == ["/from"]
    assert [(each["status"], each["failure"]) for each in await hooks.attempts()] == [(307, None)]
    assert [row["state"] for row in await hooks.deliveries()] == ["PENDING"]


async def test_retry_after_puts_off_the_next_attempt(hooks: Hooks) -> None:
    await hooks.endpoint()
    await hooks.commit("vendor.created")
    hooks.receiver.answers = [web.Response(status=429, headers={"Retry-After": "120"})]

    await hooks.send()

    [row] = await hooks.deliveries()
    assert 110 < (row["next_attempt_at"] - datetime.now(UTC)).total_seconds() <= 120


async def test_410_disables_at_once_and_is_told_in_the_organizations_own_stream(hooks: Hooks) -> None:
    gone, other = await hooks.endpoint("/gone"), await hooks.endpoint("/other")
    await hooks.commit("vendor.created")
    hooks.receiver.always["/gone"] = 410

    await hooks.send()
    await hooks.commit("vendor.updated")
    await hooks.send()

    row = await hooks.endpoint_row(gone)
    assert (row["state"], row["disabled_as"]) == ("DISABLED", "GONE")
    assert [each.told["type"] for each in hooks.receiver.got if each.path == "/gone"] == ["vendor.created"]
    told = [each.told for each in hooks.receiver.got if each.told["type"] == "endpoint.disabled"]
    assert [(each["sequence"], each["connectionId"], each["data"]["reason"]) for each in told] == [("1", None, "GONE")]
    assert (await hooks.endpoint_row(other))["state"] == "ENABLED"


@pytest.mark.parametrize(
    ("days", "silent_days", "test", "ends"),
    [(5.1, 0, False, True), (4.9, 0, False, False), (5.1, 3, False, False), (5.1, 0, True, False)],
)
async def test_five_days_of_failures_disable_and_tests_count_for_nothing(
    hooks: Hooks, days: float, silent_days: int, test: bool, ends: bool
) -> None:
    """Off: `disable` or `test` in `decide` (jobs/delivery_policy.py); the two days in `_SETTLE` (db/deliveries.py)."""
    made = await hooks.endpoint()
    hooks.receiver.always["/"] = 503
    if test:
        await hooks.engine.webhook_door().test(hooks.engine.scope, made.endpoint_id, "vendor.created")
    else:
        await hooks.commit("vendor.created")
    await hooks.engine.superuser.execute(
        "UPDATE webhook_endpoint SET failing_since = now() - $1::interval, last_failure_at = now() - $2::interval",
        timedelta(days=days),
        timedelta(days=silent_days),
    )

    await hooks.send()

    row = await hooks.endpoint_row(made)
    assert (row["state"], row["disabled_as"]) == (("DISABLED", "FAILING") if ends else ("ENABLED", None))
    own = await hooks.engine.rows("SELECT type FROM event WHERE connection_id IS NULL")
    assert [each["type"] for each in own] == (["endpoint.disabled"] if ends else [])


async def test_a_success_ends_the_count_of_failures(hooks: Hooks) -> None:
    made = await hooks.endpoint()
    await hooks.commit("vendor.created")
    hooks.receiver.answers = [500]
    await hooks.send()
    failing = (await hooks.endpoint_row(made))["failing_since"]
    await hooks.make_due()

    await hooks.send()

    assert failing is not None
    row = await hooks.endpoint_row(made)
    assert (row["failing_since"], row["last_success_at"] is not None) == (None, True)


async def test_an_attempt_is_kept_with_what_came_of_it(hooks: Hooks) -> None:
    await hooks.endpoint()
    await hooks.endpoint(url="http://127.0.0.1:1/")
    await hooks.commit("vendor.created")
    hooks.receiver.answers = [web.Response(status=500, body=b"nul \0 " + b"x" * 70_000)]

    await hooks.send()

    answered, refused = sorted(await hooks.attempts(), key=lambda each: each["status"] is None)
    assert (answered["status"], answered["failure"], answered["address"]) == (500, None, "127.0.0.1")
    assert answered["response_head"] == "nul � " + "x" * 4090
    assert (refused["status"], refused["failure"], refused["address"]) == (None, "CONNECT", "127.0.0.1")
    assert refused["response_head"] is None


async def test_an_address_that_became_forbidden_is_not_connected_to(hooks: Hooks) -> None:
    """The guard looks at each connect. Off: `socket_factory` in connectors/posting.py."""
    await hooks.endpoint()
    await hooks.commit("vendor.created")
    await hooks.engine.superuser.execute("UPDATE webhook_endpoint SET url = 'http://[::1]:9/'")

    await hooks.send()

    assert [(each["failure"], each["address"]) for each in await hooks.attempts()] == [("BLOCKED", "::1")]


async def test_two_senders_share_the_work_and_send_nothing_twice(hooks: Hooks) -> None:
    """Off: `FOR UPDATE SKIP LOCKED` and the lease in `_CLAIM` of db/deliveries.py."""
    await hooks.endpoint()
    await hooks.commit(*["vendor.created"] * 100)
    await relay_all(hooks.engine.database)

    done = await asyncio.gather(*(hooks.engine.sender(owner=f"s{n}").work_off() for n in range(3)))

    assert sum(done) == 100
    assert len(hooks.receiver.ids()) == len(set(hooks.receiver.ids())) == 100


async def test_a_delivery_of_a_dead_process_is_sent_again_once_its_lease_lapses(hooks: Hooks) -> None:
    made = await hooks.endpoint()
    await hooks.commit("vendor.created")
    await relay_all(hooks.engine.database)
    hooks.receiver.always["/"] = 204
    dead = hooks.engine.sender(owner="dead", policy=DeliveryPolicy(lease_seconds=60))
    await dead.round()
    for task in dead._tasks:
        task.cancel()
    await asyncio.gather(*dead._tasks, return_exceptions=True)

    held = await hooks.send()
    await hooks.engine.superuser.execute("UPDATE webhook_delivery SET lease_expires_at = now()")
    again = await hooks.send()

    assert (held, again) == (0, 1)
    assert hooks.receiver.got[-1].verified_by(made.secret)
    assert [row["state"] for row in await hooks.deliveries()] == ["SUCCEEDED"]


async def test_a_hanging_endpoint_holds_up_no_other_and_then_gets_one_place_only(hooks: Hooks) -> None:
    """Off: `left` of `Rooms` in jobs/delivery_policy.py gives nothing: the others wait behind what hangs."""
    await hooks.endpoint("/hang")
    await hooks.endpoint("/well")
    await hooks.commit(*["vendor.created"] * 40)
    await relay_all(hooks.engine.database)
    sender = hooks.engine.sender(policy=DeliveryPolicy(at_once=4, most=8))
    running = asyncio.create_task(sender.run())

    async with asyncio.timeout(10):
        while len(hooks.receiver.ids("/well")) < 40:
            hooks.receiver.came.clear()
            await hooks.receiver.came.wait()

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(hooks.receiver.ids("/hang")) == 4


async def test_after_a_rotation_both_secrets_sign_and_then_the_new_one_alone(hooks: Hooks) -> None:
    old = await hooks.endpoint()
    new, problems = await hooks.engine.webhook_door().rotate(hooks.engine.scope, old.endpoint_id)
    assert new is not None, problems
    await hooks.commit("vendor.created")
    await hooks.send()
    later = hooks.engine.ahead() + timedelta(hours=25)
    await hooks.commit("vendor.updated")
    await relay_all(hooks.engine.database)
    await hooks.engine.sender(now=lambda: later).work_off()

    both, one = hooks.receiver.got
    assert both.verified_by(old.secret) == both.verified_by(new.secret)
    assert (len(both.headers["webhook-signature"].split()), len(one.headers["webhook-signature"].split())) == (2, 1)
    with pytest.raises(WebhookVerificationError):
        both.verified_by(old.secret.replace("whsec_", "whsec_AAAA"))


async def test_a_test_of_every_type_goes_the_same_way_and_says_so(hooks: Hooks) -> None:
    made = await hooks.endpoint()
    hooks.receiver.answers = [500] * len(EVENT_TYPES)
    for name in EVENT_TYPES:
        _, problems = await hooks.engine.webhook_door().test(hooks.engine.scope, made.endpoint_id, name)
        assert problems == []

    await hooks.send()
    await hooks.make_due()
    await hooks.send()

    told = [each.verified_by(made.secret) for each in hooks.receiver.got]
    assert sorted(each["type"] for each in told) == sorted([*EVENT_TYPES, *EVENT_TYPES])
    assert {(each["test"], each["sequence"]) for each in told} == {(True, None)}
    assert {each["type"] for each in told if each["connectionId"] is None} == OWN
    assert {(row["state"], row["test"]) for row in await hooks.deliveries()} == {("SUCCEEDED", True)}
    assert (await hooks.endpoint_row(made))["failing_since"] is None
    assert await hooks.engine.one("SELECT count(*) FROM event") == 0


async def test_examples_have_the_shape_of_the_events_that_happen(hooks: Hooks) -> None:
    """A sync's events, a status's and a record's, beside the examples of their types."""
    await hooks.endpoint()
    hooks.engine.ledger.add()
    await hooks.engine.sync(hooks.own)
    happened: dict[str, Any] = {row["type"]: row["data"] for row in await hooks.engine.events(hooks.own)}
    made = await hooks.endpoint("/tests")
    for name in happened:
        await hooks.engine.webhook_door().test(hooks.engine.scope, made.endpoint_id, name)

    await hooks.send()

    told = {each.told["type"]: each.told["data"] for each in hooks.receiver.got if each.told["test"]}
    assert {"sync.started", "sync.succeeded", "purchase_order.created"} <= told.keys()
    assert {name: sorted(data) for name, data in told.items()} == {
        name: sorted(data) for name, data in happened.items()
    }
