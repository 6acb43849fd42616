"""Connect sessions: found by their id, changed under their row's lock, deleted soon after their end."""

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, text
from sqlmodel import col, select

from db.engine import Database, ReadSession, SystemSession, WriteSession
from db.models.session import ConnectSession
from db.scope import Scope
from db.secrets import Sealed
from db.tokens import hash_of

_KEPT_MINUTES: Final = 10
_ORGANIZATION: Final = "SELECT organization_id FROM connect_session WHERE id = :id"
_PRUNE: Final = text(
    """
    DELETE FROM connect_session WHERE id IN (
        SELECT id FROM connect_session
        WHERE greatest(expires_at, coalesce(code_expires_at, expires_at)) < now() - make_interval(mins => :minutes)
        ORDER BY id LIMIT :most)
    """
)


def make_secret(prefix: str) -> str:
    """Make a secret of 256 random bits; what is stored of it is `hash_of`."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def matches(secret: str, kept: bytes | None) -> bool:
    """Tell whether a secret is the one whose hash was kept."""
    return kept is not None and hmac.compare_digest(hash_of(secret), kept)


async def scope_of(database: Database, session_id: UUID) -> Scope | None:
    """Give the organization of a session, whoever asks; None where there is none."""
    rows = await database.at_once(_ORGANIZATION, {"id": session_id})
    return Scope(rows[0]["organization_id"]) if rows else None


async def found(session: ReadSession, scope: Scope, session_id: UUID) -> ConnectSession | None:
    """Give a session of the scope."""
    own = col(ConnectSession.organization_id) == scope.organization_id
    rows = await session.execute(select(ConnectSession).where(own, col(ConnectSession.id) == session_id))
    return rows.scalar_one_or_none()


async def locked(session: WriteSession, scope: Scope, session_id: UUID) -> ConnectSession | None:
    """Give a session of the scope, and keep others from changing it until the commit."""
    return await _one(session, scope, col(ConnectSession.id) == session_id)


async def by_code(session: WriteSession, scope: Scope, code: str) -> ConnectSession | None:
    """Give the session that gave out a code, and keep others from changing it until the commit."""
    return await _one(session, scope, col(ConnectSession.code_hash) == hash_of(code))


async def _one(session: WriteSession, scope: Scope, which: ColumnElement[bool]) -> ConnectSession | None:
    own = col(ConnectSession.organization_id) == scope.organization_id
    rows = await session.execute(select(ConnectSession).where(own, which).with_for_update())
    return rows.scalar_one_or_none()


def spend(row: ConnectSession, *, now: datetime) -> None:
    """End a session whose code was traded: its credentials live in the connection from now on."""
    row.exchanged_at = now
    row.key_id = row.wrapped_key = row.sealed = None


async def rewrap(
    session: WriteSession, scope: Scope, wrapped: Callable[[UUID, Sealed], Sealed], *, active: str, limit: int
) -> int:
    """Wrap data keys of waiting sessions of an organization that another master key than the active one wraps.

    Args:
        wrapped: Gives a connection's credentials with their data key under the active key.

    Returns:
        How many there were; fewer than `limit` means that none is left.
    """
    found = await session.execute(
        select(ConnectSession)
        .where(
            col(ConnectSession.organization_id) == scope.organization_id,
            col(ConnectSession.sealed).is_not(None),
            col(ConnectSession.key_id) != active,
        )
        .limit(limit)
        .with_for_update()
    )
    rows = found.scalars().all()
    for row in rows:
        if row.key_id is not None and row.wrapped_key is not None and row.sealed is not None:
            sealed = wrapped(row.connection_id, Sealed(row.key_id, row.wrapped_key, row.sealed))
            row.key_id, row.wrapped_key = sealed.key_id, sealed.wrapped_key
    await session.flush()
    return len(rows)


async def prune(session: SystemSession, *, most: int = 5_000) -> int:
    """Delete sessions whose link and code ended ten minutes ago, with what they sealed; gives how many it were."""
    gone = await session.execute(_PRUNE, {"minutes": _KEPT_MINUTES, "most": most})
    return int(gone.rowcount)  # type: ignore[attr-defined]  # a CursorResult, for it deletes
