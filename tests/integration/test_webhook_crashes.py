"""What dies around a delivery, workers at every step or Redis, loses none and tells nobody of what was rolled back."""

import asyncio
import contextlib
import signal
from pathlib import Path

from arq.connections import RedisSettings

from db import events
from db.events import NewEvent
from jobs.failpoints import WEBHOOK_FAILPOINTS
from jobs.queue import Queue
from jobs.relay import run as relay_run
from tests.fixtures.engine import Engine
from tests.fixtures.receiver import Hooks, receiving
from tests.fixtures.served import process

EACH = 3


async def test_a_worker_that_dies_at_any_step_of_a_delivery_loses_none(engine: Engine, tmp_path: Path) -> None:
    """The worker is killed once at each failpoint of webhooks; another sender ends what it began.

    Off: the leases in `_CLAIM` of db/deliveries.py never lapse: what a dead worker held is never sent.
    Off: the position moved in a transaction of its own, before the deliveries are made (db/relay.py): events are lost.
    """
    own = await engine.connect()
    async with receiving() as receiver:
        hooks = Hooks(engine, receiver, own)
        made = await hooks.endpoint()
        for name in WEBHOOK_FAILPOINTS:
            async with process(
                engine.settings, tmp_path, "worker", name, failpoint=f"{name}:1", log_level="info"
            ) as doomed:
                await hooks.commit(*["vendor.updated"] * EACH)
                with contextlib.suppress(ZeroDivisionError):
                    async with engine.database.write(own) as session:
                        await events.append(session, own, [NewEvent("vendor.deleted", {})])
                        1 / 0  # noqa: B018  (it rolls back)
                async with asyncio.timeout(30):
                    assert await doomed.process.wait() == -signal.SIGKILL, doomed.logged()
            await engine.superuser.execute("UPDATE webhook_delivery SET lease_expires_at = now()")
            await hooks.send()

    wanted = {f"evt_{row['id'].hex}" for row in await engine.events(own, "vendor.updated")}
    assert len(wanted) == EACH * len(WEBHOOK_FAILPOINTS)
    assert {each.webhook_id for each in receiver.got if each.told["type"] == "vendor.updated"} == wanted
    assert [each for each in receiver.got if each.told["type"] == "vendor.deleted"] == []
    assert all(each.verified_by(made.secret) for each in receiver.got)
    assert {row["state"] for row in await hooks.deliveries()} == {"SUCCEEDED"}


async def test_without_redis_events_are_delivered_by_looking(engine: Engine) -> None:
    """Off: the timeout in jobs/relay.py `run`, or the one in `run` of jobs/deliver.py."""
    own = await engine.connect()
    async with receiving() as receiver:
        hooks = Hooks(engine, receiver, own)
        await hooks.endpoint()
        dead = Queue.open(RedisSettings(host="127.0.0.1", port=1, conn_retries=0))
        sender = hooks.engine.sender(poll_seconds=0.05)
        tasks = [
            asyncio.create_task(relay_run(hooks.engine.database, dead, lambda: None, poll_seconds=0.05)),
            asyncio.create_task(sender.run()),
        ]

        for n in range(1, 4):
            await hooks.commit("vendor.created")
            async with asyncio.timeout(10):
                while len(hooks.receiver.got) < n:
                    hooks.receiver.came.clear()
                    await hooks.receiver.came.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await dead.close()

        assert len(set(hooks.receiver.ids())) == 3
