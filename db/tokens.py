"""Bearer tokens: made once, shown once, kept as a hash."""

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, text, update
from sqlmodel import col, select

from db.engine import SystemSession, WriteSession
from db.fetch import Fetch
from db.models.connection import ConnectionStatus
from db.models.organization import ApiKey, Organization, TokenEnd, TokenKind, TokenScope
from db.scope import Scope

_DIGITS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PREFIXES: Final = {TokenKind.ORGANIZATION: "chd_org_", TokenKind.CONNECTION: "chd_conn_"}
_SECRET_LENGTH: Final = 43
_CHECK_LENGTH: Final = 6
_FORM: Final = re.compile(f"({'|'.join(_PREFIXES.values())})[0-9A-Za-z]{{{_SECRET_LENGTH + _CHECK_LENGTH}}}")


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        digits.append(_DIGITS[rest])
    return "".join(reversed(digits))


def make_token(kind: TokenKind) -> str:
    """Make a token: prefix, 32 random bytes in base62, CRC-32 of both in base62.

    The check lets scanners and the front door refuse typing errors without a look-up.
    """
    head = _PREFIXES[kind] + _base62(int.from_bytes(secrets.token_bytes(32)), _SECRET_LENGTH)
    return head + _base62(zlib.crc32(head.encode()), _CHECK_LENGTH)


def well_formed(token: str) -> bool:
    """Tell whether a text can be one of our tokens at all."""
    if not _FORM.fullmatch(token):
        return False
    return token[-_CHECK_LENGTH:] == _base62(zlib.crc32(token[:-_CHECK_LENGTH].encode()), _CHECK_LENGTH)


def hash_of(token: str) -> bytes:
    """Give the hash that is stored: SHA-256, enough for 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


class Dead(Enum):
    """Why a token opens nothing; its value is told to its holder."""

    DISCONNECTED = "The connection was disconnected."
    REAUTHORIZATION_REQUIRED = (
        "The source refuses the connection's credentials; reauthorizeConnection mends that and issues a new token."
    )
    ROTATED = "The token was rotated; another one took its place."
    REVOKED = "The token was revoked."


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a token, and whether it is alive.

    Attributes:
        last_four: Its last four characters.
        dead: Why it is dead; None while it is alive.
        untouched: Its last use is not noted for this minute yet.
        last_success_at: When the source of a connection that is UNREACHABLE last did what was asked of it.
        api_version: The version of the API that it is pinned to.
    """

    token_id: UUID
    kind: TokenKind
    may: TokenScope
    scope: Scope
    dead: Dead | None
    connection_status: ConnectionStatus | None
    untouched: bool
    last_success_at: datetime | None
    last_four: str = ""
    api_version: str | None = None


_STANDING: Final = """
    SELECT t.token_hash, t.id, t.kind, t.scope, t.organization_id, t.connection_id, t.revoked_as, c.status,
           t.last_four, t.api_version,
           t.last_used_at IS NULL OR t.last_used_at < date_trunc('minute', now()) AS untouched,
           CASE WHEN c.status = 'UNREACHABLE' THEN
             (SELECT h.last_success_at FROM connection_health h WHERE h.connection_id = c.id) END AS last_success_at
    FROM api_token t LEFT JOIN connection c ON c.id = t.connection_id
    """
_TOUCH: Final = """
    UPDATE api_token SET last_used_at = date_trunc('minute', now()) WHERE id IN (
      SELECT id FROM api_token
      WHERE id = ANY($1) AND (last_used_at IS NULL OR last_used_at < date_trunc('minute', now()))
      FOR UPDATE SKIP LOCKED)
    """
"""Whoever holds a row does the same, or ends the token; to wait for it in this order or that could be for ever."""
_HELD: Final = text(_STANDING + "WHERE t.id = ANY(:ids)")
_DEAD: Final = {
    ConnectionStatus.DISCONNECTED: Dead.DISCONNECTED,
    ConnectionStatus.REAUTHORIZATION_REQUIRED: Dead.REAUTHORIZATION_REQUIRED,
}


def _holder(row: Mapping[str, Any]) -> Holder:
    status = ConnectionStatus(row["status"]) if row["status"] else None
    dead = Dead[row["revoked_as"]] if row["revoked_as"] else _DEAD.get(status) if status else None
    if dead is Dead.DISCONNECTED:
        status = ConnectionStatus.DISCONNECTED  # still so once the connection's data is gone
    return Holder(
        token_id=row["id"],
        kind=TokenKind(row["kind"]),
        may=TokenScope(row["scope"]),
        scope=Scope(row["organization_id"], row["connection_id"]),
        dead=dead,
        connection_status=status,
        untouched=row["untouched"],
        last_success_at=row["last_success_at"],
        last_four=row["last_four"],
        api_version=row["api_version"],
    )


async def find(fetch: Fetch, tokens: Collection[str]) -> dict[str, Holder]:
    """Look tokens up; those never issued are missing. There is no cache: revoking takes effect at once."""
    asked = {hash_of(each): each for each in tokens}
    return {asked[row["token_hash"]]: _holder(row) for row in await fetch.rows(_finding(len(asked)), *asked)}


@cache
def _finding(count: int) -> str:
    """Give the look-up of so many tokens. Of an array, Postgres would plan each look-up anew, for its length."""
    return _STANDING + f"WHERE t.token_hash IN ({', '.join(f'${n + 1}' for n in range(count))})"


async def dead_among(session: SystemSession, token_ids: Collection[UUID]) -> dict[UUID, Dead]:
    """Give those of the tokens that open nothing any more, with why."""
    rows = await session.execute(_HELD, {"ids": list(token_ids)})
    holders = {row.id: _holder(dict(row._mapping)) for row in rows}  # noqa: SLF001  (the documented way to a mapping)
    gone = {token_id: holder.dead if (holder := holders.get(token_id)) else Dead.REVOKED for token_id in token_ids}
    return {token_id: dead for token_id, dead in gone.items() if dead is not None}


def issue(
    kind: TokenKind, *, scope: Scope, may: TokenScope, name: str, now: datetime, api_version: str | None = None
) -> tuple[str, ApiKey]:
    """Make a token and the row to store for it; the text is shown once."""
    token = make_token(kind)
    row = ApiKey(
        organization_id=scope.organization_id,
        connection_id=scope.connection_id,
        kind=kind,
        name=name,
        scope=may,
        token_hash=hash_of(token),
        last_four=token[-4:],
        api_version=api_version,
        created_at=now,
    )
    return token, row


async def touch(fetch: Fetch, token_ids: Sequence[UUID]) -> None:
    """Note that tokens were used, at most once a minute."""
    await fetch.row(_TOUCH, token_ids)


async def end(session: WriteSession, scope: Scope, why: TokenEnd, *, now: datetime, token_id: UUID | None) -> None:
    """End a live token of the scope; None ends all those of the scope's connection. Dead ones stay as they are."""
    if token_id is None and scope.connection_id is None:
        raise TypeError("name a token, or give the scope of a connection")
    await session.execute(
        update(ApiKey)
        .where(
            col(ApiKey.organization_id) == scope.organization_id,
            col(ApiKey.revoked_at).is_(None),
            *([col(ApiKey.id) == token_id] if token_id else []),
            *([col(ApiKey.connection_id) == scope.connection_id] if scope.connection_id else []),
        )
        .values(revoked_at=now, revoked_as=why)
    )


async def other_admins(session: WriteSession, scope: Scope, token_id: UUID) -> int:
    """Count the live organization keys with all rights beside one; until the commit, nobody else ends any."""
    await session.execute(select(Organization).where(col(Organization.id) == scope.organization_id).with_for_update())
    counted = select(func.count()).where(
        col(ApiKey.organization_id) == scope.organization_id,
        col(ApiKey.kind) == TokenKind.ORGANIZATION,
        col(ApiKey.scope) == TokenScope.ADMIN,
        col(ApiKey.revoked_at).is_(None),
        col(ApiKey.id) != token_id,
    )
    return (await session.execute(counted)).scalar_one()


async def locked(session: WriteSession, scope: Scope, token_id: UUID) -> ApiKey | None:
    """Give a token of the scope, live or dead, and keep others from ending it until the commit."""
    found = await session.execute(
        select(ApiKey)
        .where(
            col(ApiKey.id) == token_id,
            col(ApiKey.organization_id) == scope.organization_id,
            *([col(ApiKey.connection_id) == scope.connection_id] if scope.connection_id else []),
        )
        .with_for_update()
    )
    return found.scalar_one_or_none()
