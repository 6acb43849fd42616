"""Delete all that a connection left, in bounded transactions; what a table keeps, and why, is said here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Final

from sqlalchemy import Table, func, select, text, tuple_
from sqlalchemy import delete as delete_from
from sqlmodel import SQLModel, col

import db.models.event
import db.models.registry
import db.models.session  # noqa: F401  (imports register the tables)
from db import connections
from db.engine import ReadSession, SystemSession, WriteSession
from db.models.connection import ConnectedSystem, ConnectionStatus, CustomerRef
from db.scope import Scope

KEPT: Final[Mapping[str, str]] = {
    "credit_entry": "The ledger of credits stays exact: amounts and times, nothing of the customer.",
    "audit_entry": "The audit log only grows: who changed what and when, nothing of the customer.",
    "api_token": "Dead tokens stay as hashes, so that their holders are told why they are refused.",
}
"""Table → why its rows outlive their connection. Every other table that names a connection is emptied."""


class Verdict(Enum):
    """What became of asking for a deletion."""

    UNKNOWN = auto()
    NOT_DISCONNECTED = auto()
    NOT_CONFIRMED = auto()
    BEGUN = auto()


@dataclass(frozen=True, slots=True)
class Remains:
    """Rows that stay."""

    table: str
    rows: int
    why: str


def emptied() -> list[Table]:
    """Give the tables whose rows go, those first that refer to others."""
    return [
        table
        for table in reversed(SQLModel.metadata.sorted_tables)
        if "connection_id" in table.columns and table.name not in KEPT
    ]


async def request(session: WriteSession, scope: Scope, *, confirm: str, now: datetime) -> Verdict:
    """Note that all data of the scope's connection is to go, for whoever works it off."""
    row = await connections.locked(session, scope)
    if row is None:
        return Verdict.UNKNOWN
    if row.status != ConnectionStatus.DISCONNECTED:
        return Verdict.NOT_DISCONNECTED
    if confirm != CustomerRef.model_validate(row.customer).name:
        return Verdict.NOT_CONFIRMED
    row.data_deletion_requested_at = row.data_deletion_requested_at or now
    await session.flush()
    return Verdict.BEGUN


async def step(session: WriteSession, scope: Scope, *, limit: int) -> tuple[int, bool]:
    """Delete up to `limit` rows of a connection whose deletion was asked for, the connection itself at last.

    Returns:
        How many went, and whether nothing is left.
    """
    row = await connections.locked(session, scope)
    if row is None or row.data_deletion_requested_at is None or row.status != ConnectionStatus.DISCONNECTED:
        return 0, True
    deleted = 0
    for table in emptied():
        deleted += await _delete(session, scope, table, limit=limit - deleted)
        if deleted >= limit:
            return deleted, False
    await session.delete(row)
    return deleted + 1, True


async def _delete(session: WriteSession, scope: Scope, table: Table, *, limit: int) -> int:
    key = tuple_(*table.primary_key.columns)
    some = (
        select(*table.primary_key.columns)
        .where(table.c.connection_id == scope.connection_id, table.c.organization_id == scope.organization_id)
        .limit(limit)
    )
    gone = await session.execute(delete_from(table).where(key.in_(some)))
    return int(gone.rowcount)  # type: ignore[attr-defined]  # a CursorResult, for it deletes


async def remains(session: ReadSession, scope: Scope) -> list[Remains]:
    """Count what stays of a connection."""
    tables = SQLModel.metadata.tables
    told = []
    for name, why in KEPT.items():
        counted = select(func.count()).where(tables[name].c.connection_id == scope.connection_id)
        told.append(Remains(name, int((await session.execute(counted)).scalar_one()), why))
    return told


async def pending(session: SystemSession) -> list[Scope]:
    """Give the connections whose deletion was asked for and is not done."""
    rows = await session.execute(
        select(col(ConnectedSystem.organization_id), col(ConnectedSystem.id)).where(
            text("data_deletion_requested_at IS NOT NULL")
        )
    )
    return [Scope(row.organization_id, row.id) for row in rows]
