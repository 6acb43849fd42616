"""Credits: a pool per organization, and a ledger of every hold and return.

The organization's row holds the sum; its lock puts racing connects and disconnects in a row. A trigger compares sum
and ledger at each commit.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text

from db.engine import WriteSession
from db.scope import Scope
from db.types import new_id


class CreditsExhausted(Exception):
    """The pool does not suffice.

    Attributes:
        wanted: Credits that the connection costs.
        available: Credits left in the pool.
    """

    def __init__(self, *, wanted: int, available: int) -> None:
        super().__init__(f"{wanted} credits wanted, {available} available")
        self.wanted = wanted
        self.available = available


_HOLD: Final = text(
    """
    WITH pool AS (
        UPDATE organization SET credits_used = credits_used + :credits
        WHERE id = :organization AND credits_used + :credits <= credits_pool RETURNING credits_used)
    INSERT INTO credit_entry (organization_id, kind, credits, used_after, created_at, id, connection_id)
    SELECT :organization, 'HOLD', :credits, credits_used, CAST(:now AS timestamptz), CAST(:id AS uuid),
        CAST(:connection AS uuid) FROM pool RETURNING used_after
    """
)
_RETURN: Final = text(
    """
    WITH held AS (
        SELECT h.credits FROM credit_entry h WHERE h.connection_id = :connection AND h.kind = 'HOLD'
        AND NOT EXISTS (SELECT FROM credit_entry r WHERE r.connection_id = h.connection_id AND r.kind = 'RETURN')),
    pool AS (
        UPDATE organization SET credits_used = credits_used - held.credits FROM held
        WHERE id = :organization RETURNING credits_used, held.credits)
    INSERT INTO credit_entry (organization_id, kind, credits, used_after, created_at, id, connection_id)
    SELECT :organization, 'RETURN', credits, credits_used, CAST(:now AS timestamptz), CAST(:id AS uuid), :connection
    FROM pool RETURNING credits
    """
)


async def hold(session: WriteSession, scope: Scope, credits_wanted: int, *, now: datetime) -> None:
    """Take credits from the pool for the scope's connection, in the transaction that stores it.

    Raises:
        CreditsExhausted: The pool does not suffice; the transaction must not commit.
    """
    if credits_wanted == 0:
        return
    held = await session.execute(_HOLD, {**_of(scope, now), "credits": credits_wanted})
    if held.one_or_none() is None:
        left = await session.execute(
            text("SELECT credits_pool - credits_used FROM organization WHERE id = :organization"),
            {"organization": scope.organization_id},
        )
        raise CreditsExhausted(wanted=credits_wanted, available=left.scalar_one())


async def give_back(session: WriteSession, scope: Scope, *, now: datetime) -> int:
    """Return what the scope's connection holds; gives how much, 0 where it holds nothing (any more)."""
    returned = await session.execute(_RETURN, _of(scope, now))
    return returned.scalar_one_or_none() or 0


def _of(scope: Scope, now: datetime) -> dict[str, object]:
    return {
        "organization": scope.organization_id,
        "connection": scope.connection_id,
        "id": new_id(),
        "now": now,
    }
