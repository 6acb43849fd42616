"""Errors of sources, kept and grouped: what opens an issue, what joins it, what resolves it."""

from datetime import timedelta

import pytest

from connectors.errors import PermissionRefused, SourceUnavailable
from crosshead import compose
from db import events
from db.scope import Scope
from db.types import Entity, Operation
from jobs import health
from jobs.health import Failure
from tests.fixtures.engine import Engine, Row

ORDERS, VENDORS = Entity.PURCHASE_ORDER, Entity.VENDOR


async def failed(engine: Engine, own: Scope, failure: Failure) -> None:
    async with engine.database.write(own) as session:
        await events.append(session, own, await health.failed(session, own, failure, now=engine.ahead()))


async def succeeded(engine: Engine, own: Scope, operation: Operation, entity: Entity) -> None:
    async with engine.database.write(own) as session:
        told = await health.succeeded(session, own, operation=operation, entity=entity, now=engine.ahead())
        await events.append(session, own, told)


async def issues(engine: Engine) -> list[Row]:
    return await engine.rows("SELECT * FROM issue ORDER BY id")


def open_ones(rows: list[Row]) -> list[tuple[str | None, str | None, str, int]]:
    return [(r["entity"], r["operation"], r["code"], r["occurrences"]) for r in rows if r["resolved_at"] is None]


def refusal(order: str) -> PermissionRefused:
    return PermissionRefused("The user may not read this.", source_message=f"No authorization for order {order}.")


async def test_like_errors_group_into_one_issue_whatever_their_keys_and_numbers(engine: Engine) -> None:
    own = await engine.connect()

    for order in ("4500000017", "4500000018"):
        await failed(engine, own, Failure(refusal(order), Operation.READ, ORDERS))
    await failed(engine, own, Failure(refusal("4500000019"), Operation.CREATE, ORDERS))
    await failed(engine, own, Failure(refusal("4500000020"), Operation.READ, VENDORS))
    await failed(engine, own, Failure(PermissionRefused("The licence ended."), Operation.READ, ORDERS))

    told = await issues(engine)
    assert open_ones(told) == [
        ("PURCHASE_ORDER", "READ", "SOURCE_PERMISSION", 2),
        ("PURCHASE_ORDER", "CREATE", "SOURCE_PERMISSION", 1),
        ("VENDOR", "READ", "SOURCE_PERMISSION", 1),
        ("PURCHASE_ORDER", "READ", "SOURCE_PERMISSION", 1),
    ]
    assert told[0]["source_message"] == "No authorization for order 4500000018."
    errors = await engine.rows("SELECT * FROM connection_error ORDER BY id")
    assert [each["issue_id"] for each in errors] == [told[n]["id"] for n in (0, 0, 1, 2, 3)]
    assert [event["type"] for event in await engine.events(own, "issue.")] == ["issue.opened"] * 4


async def test_an_issue_is_resolved_by_the_next_success_of_what_it_touches(engine: Engine) -> None:
    """Off: the conditions on entity and operation in `resolved` of `_SUCCEEDED`, db/health.py."""
    own = await engine.connect()
    down = SourceUnavailable("The source refuses connections.", reason="CONNECT", sent=False)
    await failed(engine, own, Failure(refusal("1"), Operation.READ, ORDERS))
    await failed(engine, own, Failure(refusal("1"), Operation.CREATE, ORDERS))
    await failed(engine, own, Failure(down, Operation.READ, VENDORS))
    assert open_ones(await issues(engine)) == [
        ("PURCHASE_ORDER", "READ", "SOURCE_PERMISSION", 1),
        ("PURCHASE_ORDER", "CREATE", "SOURCE_PERMISSION", 1),
        (None, None, "SOURCE_UNREACHABLE", 1),
    ]

    await succeeded(engine, own, Operation.READ, VENDORS)
    assert [each[:2] for each in open_ones(await issues(engine))] == [
        ("PURCHASE_ORDER", "READ"),
        ("PURCHASE_ORDER", "CREATE"),
    ]
    await succeeded(engine, own, Operation.READ, ORDERS)
    assert [each[:2] for each in open_ones(await issues(engine))] == [("PURCHASE_ORDER", "CREATE")]
    await succeeded(engine, own, Operation.CREATE, ORDERS)

    assert open_ones(await issues(engine)) == []
    told = await engine.events(own, "issue.resolved")
    assert [(e["data"]["entity"], e["data"]["operation"], e["data"]["code"]) for e in told] == [
        (None, None, "SOURCE_UNREACHABLE"),
        ("PURCHASE_ORDER", "READ", "SOURCE_PERMISSION"),
        ("PURCHASE_ORDER", "CREATE", "SOURCE_PERMISSION"),
    ]


async def test_an_error_after_the_resolution_opens_a_new_issue(engine: Engine) -> None:
    own = await engine.connect()
    await failed(engine, own, Failure(refusal("1"), Operation.READ, ORDERS))
    await succeeded(engine, own, Operation.READ, ORDERS)

    await failed(engine, own, Failure(refusal("1"), Operation.READ, ORDERS))

    assert [each["resolved_at"] is None for each in await issues(engine)] == [False, True]


async def test_runs_open_and_resolve_issues_and_their_errors_name_them(engine: Engine) -> None:
    own = await engine.connect()
    engine.ledger.fault("/orders", status=503)

    run = await engine.sync(own)
    errors = await engine.rows("SELECT * FROM connection_error")
    assert [(e["entity"], e["operation"], e["code"], e["run_id"]) for e in errors] == [
        ("PURCHASE_ORDER", "READ", "SOURCE_ERROR", run["id"])
    ]
    assert open_ones(await issues(engine)) == [("PURCHASE_ORDER", "READ", "SOURCE_ERROR", 1)]
    engine.ahead = lambda: compose.now() + timedelta(minutes=1)
    await engine.runner().run(own, run["id"])

    assert (await engine.run_row(run["id"]))["status"] == "SUCCEEDED"
    assert open_ones(await issues(engine)) == []
    names = ["sync.started", "issue.opened", "issue.resolved", "sync.succeeded"]
    assert [event["type"] for event in await engine.events(own)] == names


async def test_refused_credentials_stay_an_issue_while_they_are_not_replaced(engine: Engine) -> None:
    """A run that was under way when they were refused ends well, and changes nothing about that.

    Off: REAUTHORIZATION_REQUIRED in `resolved` of `_SUCCEEDED`, db/health.py.
    """
    own = await engine.connect()
    engine.ledger.fault("/orders", status=401)
    await engine.sync(own)

    await succeeded(engine, own, Operation.READ, VENDORS)

    assert open_ones(await issues(engine)) == [(None, None, "REAUTHORIZATION_REQUIRED", 1)]
    assert await engine.one("SELECT status FROM connection") == "REAUTHORIZATION_REQUIRED"
    await engine.superuser.execute("UPDATE connection SET status = 'ACTIVE'")
    await succeeded(engine, own, Operation.READ, VENDORS)
    assert open_ones(await issues(engine)) == []


@pytest.mark.parametrize(("kept", "left"), [(29, (2, 1)), (31, (1, 0))])
async def test_errors_and_resolved_issues_are_kept_for_their_time(
    engine: Engine, kept: int, left: tuple[int, int]
) -> None:
    """An open issue stays, however old."""
    own = await engine.connect()
    await failed(engine, own, Failure(refusal("1"), Operation.READ, ORDERS))
    await succeeded(engine, own, Operation.READ, ORDERS)
    engine.ahead = lambda: compose.now() + timedelta(days=kept)
    await failed(engine, own, Failure(refusal("1"), Operation.READ, VENDORS))

    await engine.checks().prune()

    assert await engine.one("SELECT count(*) FROM connection_error") == left[0]
    assert [r["resolved_at"] is None for r in await issues(engine)] == [False] * left[1] + [True]
