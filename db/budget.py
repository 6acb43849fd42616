"""The calls of a connection over all processes: each is let out and counted by one statement of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from db.engine import Database
from db.scope import Scope

Verdict = Literal["GO", "BUSY", "RATE", "PAUSED", "CUT_OFF"]


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a call may go out, and if not, why.

    Attributes:
        wait_s: Seconds until the rate lets it out.
        paused_until: Until when the source asked to be left alone.
        probe_at: When the source is checked next, behind an open breaker.
        reason: Why it is behind an open breaker.
        last_success_at: When it last worked.
    """

    verdict: Verdict
    wait_s: float
    paused_until: datetime | None
    probe_at: datetime | None
    reason: str | None
    last_success_at: datetime | None


# A call that a crash of Postgres forgets lapses by itself: these statements need not wait for the disk.
_UNHURRIED: Final = "set_config('synchronous_commit', 'off', true)"
_TAKE: Final = f"""
    WITH seen AS (
        SELECT b.connection_id, b.next_call_at, b.writes_wait_until, h.breaker, h.paused_until, h.probe_at, h.reason,
               h.last_success_at,
               (SELECT coalesce(jsonb_object_agg(key, value), '{{}}') FROM jsonb_each(b.calls)
                WHERE CAST(value AS double precision) > CAST(:now_s AS double precision)) AS calls
        FROM call_budget b JOIN connection_health h ON h.connection_id = b.connection_id
        WHERE b.connection_id = :connection FOR UPDATE OF b),
    judged AS (
        SELECT *, CASE
            WHEN breaker = 'OPEN' AND NOT CAST(:probe AS boolean) THEN 'CUT_OFF'
            WHEN paused_until > CAST(:now AS timestamptz) THEN 'PAUSED'
            WHEN NOT CAST(:first AS boolean) AND writes_wait_until > :now THEN 'BUSY'
            WHEN (SELECT count(*) FROM jsonb_object_keys(calls)) >= CAST(:slots AS integer) THEN 'BUSY'
            WHEN next_call_at > :now + make_interval(secs => CAST(:ahead AS double precision)) THEN 'RATE'
            ELSE 'GO' END AS verdict FROM seen),
    counted AS (
        UPDATE call_budget b SET
            calls = CASE j.verdict WHEN 'GO'
                THEN j.calls || jsonb_build_object(CAST(:call AS text), CAST(:lapses_s AS double precision))
                ELSE b.calls END,
            next_call_at = CASE j.verdict WHEN 'GO' THEN greatest(j.next_call_at, :now)
                + make_interval(secs => CAST(:apart AS double precision)) ELSE b.next_call_at END,
            writes_wait_until = CASE WHEN j.verdict IN ('BUSY', 'RATE') THEN CAST(:step_back AS timestamptz)
                ELSE b.writes_wait_until END
        FROM judged j
        WHERE b.connection_id = j.connection_id AND (j.verdict = 'GO' OR :first AND j.verdict IN ('BUSY', 'RATE'))
        RETURNING 1)
    SELECT verdict, paused_until, probe_at, reason, last_success_at,
           coalesce(extract(epoch FROM next_call_at - :now) - :ahead, 0)::float8 AS wait_s, {_UNHURRIED}
    FROM judged
"""
_RENEW: Final = f"""
    WITH kept AS (
        UPDATE call_budget SET calls = calls || jsonb_build_object(CAST(:call AS text),
            CAST(:lapses_s AS double precision)) WHERE connection_id = :connection RETURNING 1)
    SELECT {_UNHURRIED} FROM kept
"""
_GIVE_BACK: Final = f"""
    WITH given AS (
        UPDATE call_budget SET calls = calls - CAST(:call AS text) WHERE connection_id = :connection RETURNING 1)
    SELECT {_UNHURRIED} FROM given
"""


async def take(database: Database, scope: Scope, values: Mapping[str, Any]) -> Answer | None:
    """Let a call out if it may go now, and count it; None where the connection is gone.

    Args:
        database: Where it is counted.
        scope: The connection.
        values: now and now_s (the clock as instant and as Unix time), call (its name), lapses_s (when it lapses
            unless renewed), slots (calls under way that it must find room among), apart (seconds between calls at an
            even rate), ahead (seconds of calls that may go at once), first (a write: syncs step back until step_back),
            probe (it goes through an open breaker).
    """
    rows = await database.at_once(_TAKE, {**values, "connection": scope.connection_id})
    if not rows:
        return None
    row = rows[0]
    told = ("verdict", "wait_s", "paused_until", "probe_at", "reason", "last_success_at")
    return Answer(*(row[name] for name in told))


async def renew(database: Database, scope: Scope, *, call: str, lapses_s: float) -> None:
    """Count a call as under way for longer."""
    await database.at_once(_RENEW, {"connection": scope.connection_id, "call": call, "lapses_s": lapses_s})


async def give_back(database: Database, scope: Scope, *, call: str) -> None:
    """Count a call as ended."""
    await database.at_once(_GIVE_BACK, {"connection": scope.connection_id, "call": call})
