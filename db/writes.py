"""Write operations as rows: the intent is committed before anything leaves, and each is a lease of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, col, select

from db.engine import Database, ReadSession, WriteSession
from db.models.write import WriteOperation
from db.scope import Scope
from db.sync import LeaseLost
from db.types import Entity, new_id

KEY_DAYS: Final = 7

_LET_GO: Final = text(
    """
    UPDATE write_operation SET key_claim = NULL
    WHERE connection_id = :connection_id AND key_claim = :key_claim AND settled_at IS NOT NULL
      AND created_at < CAST(:created_at AS timestamptz) - make_interval(days => :days)
    """
)
_INTENT: Final = text(
    """
    INSERT INTO write_operation (connection_id, id, organization_id, entity, operation, state, idempotency_key,
        key_claim, reference, input_hash, input, user_errors, sends, created_at, next_attempt_at, source_id, record_id,
        actor, request_id, background, has_turn, tries, looks, fence, lease_owner, lease_expires_at)
    VALUES (:connection_id, :id, :organization_id, :entity, :operation, 'PENDING', :idempotency_key,
        :key_claim, :reference, :input_hash, CAST(:input AS json), '[]', 0, :created_at, :created_at, :source_id,
        :record_id, :actor, :request_id, :background, false, 0, 0, CAST(:fence AS bigint), :lease_owner,
        CASE WHEN CAST(:fence AS bigint) > 0 THEN now() + make_interval(secs => :seconds) END)
    ON CONFLICT DO NOTHING
    RETURNING id
    """
)


@dataclass(frozen=True, slots=True)
class Target:
    """A record as the store has it, that a caller wants changed."""

    connection_id: UUID
    source_id: str
    version: int
    deleted: bool


@dataclass(frozen=True, slots=True)
class DueWrite:
    """A write that a worker should look at."""

    operation_id: UUID
    scope: Scope


async def intend(session: WriteSession, values: Mapping[str, Any]) -> UUID | None:
    """Store the intent of a write, leased to its maker where `fence` is 1; a key of 7 days ago is let go first.

    Returns:
        The operation's id; None where its idempotency key or its reference is taken.
    """
    given = {"id": new_id(), "key_claim": values["idempotency_key"], **values}
    if given["key_claim"] is not None:
        await session.execute(_LET_GO, {**given, "days": KEY_DAYS})
    made: UUID | None = (await session.execute(_INTENT, given)).scalar_one_or_none()
    return made


async def by_key(session: ReadSession, scope: Scope, key: str, *, now: datetime) -> WriteOperation | None:
    """Give the operation that holds an idempotency key."""
    found = await session.execute(
        select(WriteOperation).where(
            col(WriteOperation.connection_id) == scope.connection_id, col(WriteOperation.key_claim) == key
        )
    )
    operation = found.scalar_one_or_none()
    gone = operation is not None and operation.settled_at is not None and (now - operation.created_at).days >= KEY_DAYS
    return None if gone else operation


async def load(session: ReadSession, scope: Scope, operation_id: UUID) -> WriteOperation | None:
    """Give an operation of the scope."""
    found = await session.execute(
        select(WriteOperation).where(
            col(WriteOperation.connection_id) == scope.connection_id, col(WriteOperation.id) == operation_id
        )
    )
    return found.scalar_one_or_none()


async def taken(session: ReadSession, scope: Scope, references: list[str]) -> set[str]:
    """Give which of some references belong to operations already."""
    rows = await session.execute(
        text(
            "SELECT reference FROM write_operation WHERE connection_id = :connection AND reference = ANY(:references)"
        ),
        {"connection": scope.connection_id, "references": references},
    )
    return {row.reference for row in rows}


async def change(session: WriteSession, scope: Scope, operation_id: UUID, *, fence: int, **values: Any) -> None:
    """Set columns of an operation that this fence holds; until the commit nobody can be given a newer one.

    Raises:
        LeaseLost: A newer fence exists.
    """
    operation = await session.get_one(WriteOperation, (scope.connection_id, operation_id), with_for_update=True)
    if operation.fence != fence:
        raise LeaseLost
    for name, value in values.items():
        setattr(operation, name, value)
    await session.flush()


_TAKE: Final = """
    UPDATE write_operation SET lease_owner = :owner, fence = fence + 1,
        lease_expires_at = now() + make_interval(secs => :seconds)
    WHERE connection_id = :connection AND id = :id AND settled_at IS NULL
      AND (lease_expires_at IS NULL OR lease_expires_at < now()) RETURNING fence
"""
_RENEW: Final = (
    "UPDATE write_operation SET lease_expires_at = now() + make_interval(secs => :seconds)"
    " WHERE connection_id = :connection AND id = :id AND fence = :fence RETURNING 1"
)
_RELEASE: Final = (
    "UPDATE write_operation SET lease_owner = NULL, lease_expires_at = NULL"
    " WHERE connection_id = :connection AND id = :id AND fence = :fence RETURNING 1"
)


async def take_lease(database: Database, scope: Scope, operation_id: UUID, *, owner: str, seconds: int) -> int | None:
    """Take the lease of an operation that is not settled; None while another process holds it.

    Returns:
        The fence, larger than every one before.
    """
    values = {"connection": scope.connection_id, "id": operation_id, "owner": owner, "seconds": seconds}
    rows = await database.at_once(_TAKE, values)
    return rows[0]["fence"] if rows else None


async def renew_lease(database: Database, scope: Scope, operation_id: UUID, *, fence: int, seconds: int) -> bool:
    """Hold the lease longer; False where it was lost."""
    values = {"connection": scope.connection_id, "id": operation_id, "fence": fence, "seconds": seconds}
    return bool(await database.at_once(_RENEW, values))


async def release_lease(database: Database, scope: Scope, operation_id: UUID, *, fence: int) -> None:
    """Give the lease back, if it is still ours."""
    await database.at_once(_RELEASE, {"connection": scope.connection_id, "id": operation_id, "fence": fence})


_TAKE_TURN: Final = text(
    """
    UPDATE write_operation w SET has_turn = true
    WHERE w.connection_id = :connection AND w.id = :id AND w.fence = :fence AND (w.has_turn OR NOT EXISTS (
        SELECT FROM write_operation o
        WHERE o.connection_id = w.connection_id AND o.entity = w.entity AND o.source_id = w.source_id AND o.id < w.id
          AND o.settled_at IS NULL AND o.next_attempt_at IS NOT NULL))
    RETURNING 1
    """
)
_NEXT_TURN: Final = text(
    """
    UPDATE write_operation w SET next_attempt_at = :now
    WHERE w.connection_id = :connection AND w.id = (
        SELECT o.id FROM write_operation o
        WHERE o.connection_id = :connection AND o.entity = :entity AND o.source_id = :source_id
          AND o.settled_at IS NULL AND o.next_attempt_at IS NOT NULL
        ORDER BY o.id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING w.id
    """
)


async def take_turn(database: Database, scope: Scope, operation_id: UUID, *, fence: int) -> bool:
    """Take the turn on the record that an operation changes; False while an earlier one is under way on it.

    It is kept until the operation is settled or left to people. The index `write_operation_turn` decides between two
    that were asked for in one moment, neither of which saw the other.
    """
    try:
        async with database.write(scope) as session:
            values = {"connection": scope.connection_id, "id": operation_id, "fence": fence}
            return (await session.execute(_TAKE_TURN, values)).first() is not None
    except IntegrityError:
        return False


async def next_turn(
    session: WriteSession, scope: Scope, entity: Entity, source_id: str, *, now: datetime
) -> UUID | None:
    """Let the write that is next on a record be due, if one waits that nobody is at work on; gives its id."""
    values = {"connection": scope.connection_id, "entity": entity.value, "source_id": source_id, "now": now}
    found: UUID | None = (await session.execute(_NEXT_TURN, values)).scalar_one_or_none()
    return found


_DUE: Final = """
    WITH due AS (
        SELECT o.connection_id, o.id FROM write_operation o JOIN connection c ON c.id = o.connection_id
        WHERE o.settled_at IS NULL AND o.next_attempt_at <= now()
          AND (o.lease_expires_at IS NULL OR o.lease_expires_at < now())
          AND c.status IN ('ACTIVE', 'UNREACHABLE', 'PAUSED')
          AND (o.woken_at IS NULL OR o.woken_at < now() - make_interval(secs => :again))
        ORDER BY o.next_attempt_at LIMIT :limit FOR UPDATE OF o SKIP LOCKED)
    UPDATE write_operation o SET woken_at = now() FROM due
    WHERE o.connection_id = due.connection_id AND o.id = due.id
    RETURNING o.id, o.organization_id, o.connection_id
"""


async def pick_due(database: Database, *, limit: int = 200, again_seconds: int = 5) -> list[DueWrite]:
    """Give the writes that nobody holds and whose time has come; each is given once per `again_seconds`.

    A paused connection begins no new write, but what it has begun is looked up.
    """
    rows = await database.at_once(_DUE, {"limit": limit, "again": again_seconds})
    return [DueWrite(row["id"], Scope(row["organization_id"], row["connection_id"])) for row in rows]


async def target(session: ReadSession, scope: Scope, table: type[SQLModel], record_id: UUID) -> Target | None:
    """Give the record of an id, in whatever connection of the scope it is."""
    name = str(table.__tablename__)
    rows = await session.execute(
        text(
            f"SELECT connection_id, source_id, version, deleted_at FROM {name} WHERE organization_id = :organization"
            " AND (CAST(:connection AS uuid) IS NULL OR connection_id = :connection) AND id = :id"
        ),
        {"organization": scope.organization_id, "connection": scope.connection_id, "id": record_id},
    )
    row = rows.one_or_none()
    return Target(row.connection_id, row.source_id, row.version, row.deleted_at is not None) if row else None


async def sources_of(
    session: ReadSession, scope: Scope, table: type[SQLModel], *, column: str, value: str | UUID
) -> list[str]:
    """Give the source keys of the records whose column holds a value: 0, 1 or more."""
    name = str(table.__tablename__)
    cast = "uuid" if isinstance(value, UUID) else "text"
    rows = await session.execute(
        text(
            f"SELECT source_id FROM {name} WHERE connection_id = :connection AND deleted_at IS NULL"
            f" AND {column} = CAST(:value AS {cast}) LIMIT 2"
        ),
        {"connection": scope.connection_id, "value": value},
    )
    return [row.source_id for row in rows]


async def record_of(
    session: ReadSession, scope: Scope, table: type[SQLModel], source_id: str
) -> tuple[UUID, int] | None:
    """Give our id and the version of a record by the source's key."""
    name = str(table.__tablename__)
    rows = await session.execute(
        text(f"SELECT id, version FROM {name} WHERE connection_id = :connection AND source_id = :source"),
        {"connection": scope.connection_id, "source": source_id},
    )
    row = rows.one_or_none()
    return (row.id, row.version) if row else None
