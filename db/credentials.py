"""Sealed credentials as rows: destroyed, replaced, wrapped anew under another master key."""

from collections.abc import Callable

from sqlalchemy import text
from sqlmodel import col, delete, select

from db.engine import SystemSession, WriteSession
from db.models.connection import ConnectionSecret
from db.scope import Scope
from db.secrets import Sealed


async def shred(session: WriteSession, scope: Scope) -> None:
    """Destroy the connection's credentials with their data key."""
    await session.execute(
        delete(ConnectionSecret).where(
            col(ConnectionSecret.connection_id) == scope.connection_id,
            col(ConnectionSecret.organization_id) == scope.organization_id,
        )
    )


async def reseal(session: WriteSession, scope: Scope, sealed: Sealed) -> None:
    """Put new credentials in the place of the connection's old ones."""
    if scope.connection_id is None:
        raise TypeError("credentials are a connection's")
    await shred(session, scope)
    session.add(
        ConnectionSecret(
            organization_id=scope.organization_id,
            connection_id=scope.connection_id,
            key_id=sealed.key_id,
            wrapped_key=sealed.wrapped_key,
            sealed=sealed.sealed,
        )
    )
    await session.flush()


async def organizations(session: SystemSession) -> list[Scope]:
    """Give the scope of every organization."""
    rows = await session.execute(text("SELECT id FROM organization ORDER BY id"))
    return [Scope(row.id) for row in rows]


async def rewrap(
    session: WriteSession, scope: Scope, wrapped: Callable[[ConnectionSecret], Sealed], *, active: str, limit: int
) -> int:
    """Wrap data keys of an organization that another master key than the active one wraps.

    Args:
        wrapped: Gives the same credentials with their data key under the active key.

    Returns:
        How many there were; fewer than `limit` means that none is left.
    """
    found = await session.execute(
        select(ConnectionSecret)
        .where(
            col(ConnectionSecret.organization_id) == scope.organization_id,
            col(ConnectionSecret.key_id) != active,
        )
        .limit(limit)
        .with_for_update()
    )
    rows = found.scalars().all()
    for row in rows:
        sealed = wrapped(row)
        row.key_id, row.wrapped_key = sealed.key_id, sealed.wrapped_key
    await session.flush()
    return len(rows)
