"""Idempotency keys: the same key and body have one effect, however often and however close."""

import asyncio

from db.types import ErrorCode, Reference
from tests.fixtures.engine import Engine
from tests.fixtures.writing import operations, request, write


async def test_the_same_key_and_body_have_one_effect_and_one_outcome(engine: Engine) -> None:
    own = await engine.connect()

    first = await write(engine, own, key="k1")
    second = await write(engine, own, key="k1")

    assert second == first
    assert len(engine.ledger.asked("/orders", "POST")) == len(await operations(engine)) == 1


async def test_ten_at_once_with_one_key_have_one_effect_and_all_get_its_outcome(engine: Engine) -> None:
    """Off: the unique index write_operation_idempotency; the wait in jobs/write.py `_repeated`: nine get no record."""
    own = await engine.connect()
    held = engine.ledger.fault("/orders", method="POST", hold=True)
    door = engine.write_door()

    tasks = [asyncio.create_task(door.perform(own, request(own, key="k1"))) for _ in range(10)]
    await held.reached.wait()
    await asyncio.sleep(0.3)
    held.go.set()
    outcomes = await asyncio.gather(*tasks)

    assert len(set(outcomes)) == 1
    assert outcomes[0].record_id is not None
    assert (
        len(engine.ledger.asked("/orders", "POST")) == len(await operations(engine)) == len(engine.ledger.orders) == 1
    )


async def test_a_repeat_waits_no_longer_than_it_may_and_gets_the_open_operation(engine: Engine) -> None:
    own = await engine.connect()
    held = engine.ledger.fault("/orders", method="POST", hold=True)
    first = asyncio.create_task(write(engine, own, key="k1"))
    await held.reached.wait()
    hasty = engine.write_door(wait_seconds=0.2)

    repeat = await hasty.perform(own, request(own, key="k1"))

    assert (repeat.operation_id, repeat.record_id, repeat.problems) == ((await operations(engine))[0]["id"], None, ())
    held.go.set()
    assert (await first).operation_id == repeat.operation_id


async def test_a_key_used_with_another_body_is_a_conflict(engine: Engine) -> None:
    own = await engine.connect()
    await write(engine, own, key="k1")

    outcome = await write(engine, own, key="k1", currency="USD")

    assert [(problem.code, problem.path) for problem in outcome.problems] == [
        (ErrorCode.IDEMPOTENCY_CONFLICT, ("idempotencyKey",))
    ]
    assert len(engine.ledger.orders) == 1


async def test_keys_of_different_connections_do_not_meet(engine: Engine) -> None:
    one, two = await engine.connect(), await engine.connect()

    outcomes = [await write(engine, own, key="k1") for own in (one, two)]

    assert [outcome.problems for outcome in outcomes] == [(), ()]
    assert len(engine.ledger.orders) == 2


async def test_a_repeat_tells_the_sources_words_again(engine: Engine) -> None:
    own = await engine.connect()
    first = await write(engine, own, key="k1", vendor=Reference(source_id="v9"))

    again = await write(engine, own, key="k1", vendor=Reference(source_id="v9"))

    assert [problem.source_message for problem in again.problems] == ["vendor v9 is blocked"]
    assert [problem.code for problem in again.problems] == [problem.code for problem in first.problems]
