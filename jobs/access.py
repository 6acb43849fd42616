"""The door to bearer tokens: issue, rotate and revoke them. A dead one is refused from the next request on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from db import audit, connections, tokens
from db.engine import Database, WriteSession
from db.models.connection import ConnectionStatus
from db.models.organization import ApiKey, TokenEnd, TokenKind, TokenScope
from db.scope import Scope
from db.types import ErrorCode, Problem, encode_id
from jobs.queue import Queue

_MAX_NAME: Final = 255


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token's id, and its text's only appearance."""

    token_id: UUID
    token: str


class AccessDoor:
    """Issues, rotates and revokes tokens."""

    def __init__(self, *, database: Database, queue: Queue, now: Callable[[], datetime]) -> None:
        self._database = database
        self._queue = queue
        self._now = now

    async def create_key(
        self, scope: Scope, *, name: str, may: TokenScope, api_version: str | None = None
    ) -> tuple[Issued | None, list[Problem]]:
        """Issue an organization key.

        Args:
            api_version: The version of the API that it is pinned to; None for the newest stable one.
        """
        name = name.strip()
        if not 0 < len(name) <= _MAX_NAME or "\0" in name:
            message = f"A key's name has 1 to {_MAX_NAME} characters."
            return None, [Problem(ErrorCode.BAD_USER_INPUT, message, ("name",))]
        async with self._database.write(scope) as session:
            issued = self._issue(session, scope, name=name, may=may, api_version=api_version)
            told = {"name": name, "scope": may.value, "apiVersion": api_version}
            audit.record(session, scope, "createApiKey", target=("ApiKey", issued.token_id), changes=told)
            return issued, []

    async def rotate_key(self, scope: Scope, token_id: UUID) -> tuple[Issued | None, list[Problem]]:
        """Issue an organization key in the place of another, with its name and rights; the other is dead at once."""
        async with self._database.write(scope) as session:
            old = await tokens.locked(session, scope, token_id)
            if old is None or old.kind != TokenKind.ORGANIZATION:
                return None, [_unknown()]
            if old.revoked_at is not None:
                return None, [Problem(ErrorCode.CONFLICT, "The key is dead already; make a new one.", ("apiKeyId",))]
            may = TokenScope(old.scope)
            issued = self._issue(session, scope, name=old.name, may=may, api_version=old.api_version)
            await tokens.end(session, scope, TokenEnd.ROTATED, now=self._now(), token_id=token_id)
            told = {"name": old.name, "successor": encode_id("ApiKey", issued.token_id)}
            audit.record(session, scope, "rotateApiKey", target=("ApiKey", token_id), changes=told)
        await self._queue.wake_revoked(scope)
        return issued, []

    async def revoke_key(self, scope: Scope, token_id: UUID) -> list[Problem]:
        """End a token of the organization or of one of its connections; one that is dead stays as it is."""
        async with self._database.write(scope) as session:
            others = await tokens.other_admins(session, scope, token_id)
            key = await tokens.locked(session, scope, token_id)
            if key is None:
                return [_unknown()]
            manages = (key.kind, key.scope) == (TokenKind.ORGANIZATION, TokenScope.ADMIN) and key.revoked_at is None
            if manages and not others:
                message = "It is the last key that may manage the organization; make another one first."
                return [Problem(ErrorCode.CONFLICT, message, ("apiKeyId",))]
            if key.revoked_at is None:
                held = Scope(scope.organization_id, key.connection_id)
                told = {"name": key.name, "lastFour": key.last_four}
                audit.record(session, held, "revokeApiKey", target=("ApiKey", token_id), changes=told)
            await tokens.end(session, scope, TokenEnd.REVOKED, now=self._now(), token_id=token_id)
        await self._queue.wake_revoked(scope)
        return []

    async def rotate_connection(self, scope: Scope, connection_id: UUID) -> tuple[Issued | None, list[Problem]]:
        """Issue a token for a connection in the place of the one before, which is dead at once."""
        own = scope.narrowed(connection_id)
        async with self._database.write(own) as session:
            connection = await connections.locked(session, own)
            if connection is None:
                return None, [Problem(ErrorCode.NOT_FOUND, "There is no such connection.", ("connectionId",))]
            status = ConnectionStatus(connection.status)
            if status in _NO_TOKEN:
                return None, [Problem(_NO_TOKEN[status], f"The connection is {status.value}.", ("connectionId",))]
            issued = await replace_token(session, own, now=self._now())
            audit.record(session, own, "rotateConnectionToken", changes={"lastFour": issued.token[-4:]})
        await self._queue.wake_revoked(own)
        return issued, []

    def _issue(
        self, session: WriteSession, scope: Scope, *, name: str, may: TokenScope, api_version: str | None
    ) -> Issued:
        token, row = tokens.issue(
            TokenKind.ORGANIZATION, scope=scope, may=may, name=name, now=self._now(), api_version=api_version
        )
        session.add(row)
        return Issued(row.id, token)


def connection_token(own: Scope, *, now: datetime) -> tuple[str, ApiKey]:
    """Make a connection's token and the row to store for it."""
    return tokens.issue(TokenKind.CONNECTION, scope=own, may=TokenScope.WRITE, name="Connection token", now=now)


async def replace_token(session: WriteSession, own: Scope, *, now: datetime) -> Issued:
    """Issue a connection's token, and end those before; its row must be locked."""
    if own.connection_id is None:
        raise TypeError("the token is a connection's")
    await tokens.end(session, own, TokenEnd.ROTATED, now=now, token_id=None)
    token, row = connection_token(own, now=now)
    session.add(row)
    await connections.update(session, own, own.connection_id, {"token_last_four": row.last_four})
    return Issued(row.id, token)


_NO_TOKEN: Final = {
    ConnectionStatus.DISCONNECTED: ErrorCode.CONFLICT,
    ConnectionStatus.REAUTHORIZATION_REQUIRED: ErrorCode.REAUTHORIZATION_REQUIRED,
}
"""Statuses in which no token opens a connection; reauthorizing issues one."""


def _unknown() -> Problem:
    return Problem(ErrorCode.NOT_FOUND, "There is no such key.", ("apiKeyId",))
