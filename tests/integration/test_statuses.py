"""The status machine of connections: every change from every status, kept as an event."""

import asyncio
from dataclasses import replace

import pytest

from db import connections, events, statuses
from db.models.connection import ConnectionStatus
from db.scope import Scope
from db.statuses import Change
from db.types import encode_id, new_id
from tests.fixtures.engine import Engine

ACTIVE, UNREACHABLE, REFUSED, PAUSED, DISCONNECTED = ConnectionStatus
MOVES = {
    (UNREACHABLE, Change.ANSWERED): ACTIVE,
    (ACTIVE, Change.SILENT): UNREACHABLE,
    (ACTIVE, Change.REFUSED): REFUSED,
    (UNREACHABLE, Change.REFUSED): REFUSED,
    (PAUSED, Change.REFUSED): REFUSED,
    (UNREACHABLE, Change.REAUTHORIZED): ACTIVE,
    (REFUSED, Change.REAUTHORIZED): ACTIVE,
    (ACTIVE, Change.PAUSED): PAUSED,
    (UNREACHABLE, Change.PAUSED): PAUSED,
    (PAUSED, Change.RESUMED): ACTIVE,
    (ACTIVE, Change.DISCONNECTED): DISCONNECTED,
    (UNREACHABLE, Change.DISCONNECTED): DISCONNECTED,
    (REFUSED, Change.DISCONNECTED): DISCONNECTED,
    (PAUSED, Change.DISCONNECTED): DISCONNECTED,
}
STATUS = "SELECT status, status_reason, status_changed_at IS NOT NULL AS told FROM connection WHERE id = $1"


async def _change(engine: Engine, own: Scope, what: Change, **more: object) -> None:
    async with engine.database.write(own) as session:
        moved = await statuses.change(session, own, what, **more)  # type: ignore[arg-type]
        await events.append(session, own, [moved] if moved else [])


async def _stand(engine: Engine, own: Scope, status: ConnectionStatus) -> None:
    await engine.superuser.execute("UPDATE connection SET status = $1 WHERE id = $2", status.value, own.connection_id)


async def test_every_change_moves_from_the_statuses_it_may_and_from_no_other(engine: Engine) -> None:
    """Off: `c.status = ANY(:sources)` in db/statuses.py."""
    own = await engine.connect()
    assert own.connection_id is not None
    told = []

    for status in ConnectionStatus:
        for what in Change:
            await _stand(engine, own, status)
            before = len(await engine.events(own))

            await _change(engine, own, what, reason=f"{what.name} in {status.value}")

            after = (await engine.rows(STATUS, own.connection_id))[0]["status"]
            assert after == MOVES.get((status, what), status), (status, what)
            new = (await engine.events(own))[before:]
            assert len(new) == ((status, what) in MOVES), (status, what)
            told += new

    assert [(each["type"], each["data"]) for each in told] == [
        (
            "connection.status_changed",
            {
                "connectionId": encode_id("ConnectedSystem", own.connection_id),
                "status": MOVES[status, what].value,
                "previousStatus": status.value,
                "reason": f"{what.name} in {status.value}",
            },
        )
        for status in ConnectionStatus
        for what in Change
        if (status, what) in MOVES
    ]


async def test_a_change_of_another_connection_or_organization_moves_nothing(engine: Engine) -> None:
    own, sister = await engine.connect(), await engine.connect()

    for wrong in (
        sister,
        Scope(own.organization_id),
        Scope(own.organization_id, new_id()),
        replace(own, organization_id=new_id()),
    ):
        await _change(engine, wrong, Change.PAUSED)

    rows = await engine.rows("SELECT id, status FROM connection")
    assert {row["id"]: row["status"] for row in rows} == {own.connection_id: "ACTIVE", sister.connection_id: "PAUSED"}


async def test_a_late_refusal_of_credentials_that_were_replaced_moves_nothing(engine: Engine) -> None:
    """Off: the condition on `:tried` in db/statuses.py."""
    own = await engine.connect()
    assert own.connection_id is not None
    async with engine.database.read(own) as session:
        opened = await connections.opened(session, own, own.connection_id)
    assert opened is not None
    newer = engine.sources.vault.seal(own.connection_id, {"key": "new"})

    await engine.superuser.execute("UPDATE connection_secret SET sealed = $1", newer.sealed)
    await _change(engine, own, Change.REFUSED, reason="late", tried=opened.sealed)
    late = await engine.one("SELECT status FROM connection")
    await _change(engine, own, Change.REFUSED, reason="now", tried=newer)

    assert (late, await engine.one("SELECT status FROM connection")) == ("ACTIVE", "REAUTHORIZATION_REQUIRED")


@pytest.mark.parametrize("attempt", range(3))
async def test_changes_at_once_are_told_one_after_the_other(engine: Engine, attempt: int) -> None:
    """Each event begins where the one before ended. Off: `FOR NO KEY UPDATE` in db/statuses.py."""
    own = await engine.connect()
    what = [Change.PAUSED, Change.RESUMED, Change.SILENT, Change.ANSWERED, Change.REFUSED, Change.REAUTHORIZED]

    await asyncio.gather(*(_change(engine, own, each) for each in what * (4 + attempt)))

    told = [row["data"] for row in await engine.events(own, "connection.")]
    assert [each["previousStatus"] for each in told] == ["ACTIVE", *(each["status"] for each in told[:-1])]
    assert told[-1]["status"] == await engine.one("SELECT status FROM connection")
