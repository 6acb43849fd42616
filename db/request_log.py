"""The request log: stored in batches, pruned by age."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text

from db.engine import SystemSession
from db.fetch import Fetch
from db.types import new_ids


class LoggedRequest(NamedTuple):
    """One request of a token: what it asked by name and how it ended, no value of it."""

    organization_id: UUID
    connection_id: UUID | None
    token_id: str
    request_id: str
    operation_name: str | None
    operation_type: str | None
    cost: int
    duration_ms: int
    status: int | None
    code: str | None
    at: datetime


_TYPES: Final = {
    "organization_id": "uuid",
    "connection_id": "uuid",
    "token_id": "text",
    "request_id": "text",
    "operation_name": "text",
    "operation_type": "text",
    "cost": "integer",
    "duration_ms": "integer",
    "status": "integer",
    "code": "text",
    "at": "timestamptz",
}
_STORE: Final = (
    f"INSERT INTO request_log (id, {', '.join(LoggedRequest._fields)}) SELECT * FROM unnest($1::uuid[], "
    + ", ".join(f"${number}::{_TYPES[name]}[]" for number, name in enumerate(LoggedRequest._fields, start=2))
    + ")"
)
_PRUNE: Final = text(
    """
    DELETE FROM request_log WHERE id IN (
        SELECT id FROM request_log
        WHERE id < CAST(rpad(lpad(to_hex(CAST(
            extract(epoch FROM now() - make_interval(days => :days)) * 1000 AS bigint)), 12, '0'), 32, '0') AS uuid)
        ORDER BY id LIMIT :most)
    """
)
"""Ids begin with the time they were made, in milliseconds (UUIDv7)."""


async def store(fetch: Fetch, requests: Sequence[LoggedRequest]) -> None:
    """Store requests of any organizations as one statement."""
    await fetch.rows(_STORE, new_ids(len(requests)), *zip(*requests, strict=True))


async def prune(session: SystemSession, *, days: int, most: int = 5_000) -> int:
    """Delete the oldest requests that are older than `days`, at most so many; gives how many it were."""
    return (await session.execute(_PRUNE, {"days": days, "most": most})).rowcount  # type: ignore[attr-defined,no-any-return]
