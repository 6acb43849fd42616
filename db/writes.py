"""Write operations as rows: the intent is committed before anything leaves."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import SQLModel, col, select

from db.engine import ReadSession, WriteSession
from db.models.write import WriteOperation
from db.scope import Scope

_INTENT: Final = text(
    """
    INSERT INTO write_operation (connection_id, id, organization_id, entity, operation, state, idempotency_key,
        input_hash, input, created_at, source_id, actor, request_id)
    VALUES (:connection_id, :id, :organization_id, :entity, :operation, 'PENDING', :idempotency_key,
        :input_hash, CAST(:input AS jsonb), :created_at, :source_id, :actor, :request_id)
    ON CONFLICT (connection_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING id
    """
)


async def intend(session: WriteSession, values: Mapping[str, Any]) -> bool:
    """Store the intent of a write; False where the idempotency key was used before."""
    return (await session.execute(_INTENT, dict(values))).scalar_one_or_none() is not None


async def by_key(session: ReadSession, scope: Scope, key: str) -> WriteOperation | None:
    """Give the operation that used an idempotency key."""
    found = await session.execute(
        select(WriteOperation).where(
            col(WriteOperation.connection_id) == scope.connection_id, col(WriteOperation.idempotency_key) == key
        )
    )
    return found.scalar_one_or_none()


async def change(session: WriteSession, scope: Scope, operation_id: UUID, **values: Any) -> None:
    """Set columns of an operation."""
    operation = await session.get_one(WriteOperation, (scope.connection_id, operation_id), with_for_update=True)
    for name, value in values.items():
        setattr(operation, name, value)
    await session.flush()


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


async def record_of(session: ReadSession, scope: Scope, table: type[SQLModel], source_id: str) -> UUID | None:
    """Give our id of a record by the source's key."""
    name = str(table.__tablename__)
    row = await session.execute(
        text(f"SELECT id FROM {name} WHERE connection_id = :connection AND source_id = :source"),
        {"connection": scope.connection_id, "source": source_id},
    )
    return row.scalar_one_or_none()
