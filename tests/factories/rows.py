"""What every factory of a record needs."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlmodel import SQLModel

from db.engine import WriteSession
from db.models.base import EntityRow, Fields, dumped
from db.scope import Scope

R = TypeVar("R", bound=EntityRow)
EPOCH = datetime(2026, 6, 1, 12, tzinfo=UTC)
_ROW_KEYS = {"id", "version", "source_updated_at", "synced_at", "deleted_at", "first_seen_at"}


def owner_of(scope: Scope) -> dict[str, Any]:
    """Give the columns that say whose row it is."""
    if scope.connection_id is None:
        raise TypeError("a record belongs to a connection: give the scope of one")
    return {"organization_id": scope.organization_id, "connection_id": scope.connection_id}


def stored(fields: Fields) -> dict[str, Any]:
    """Give validated values as their columns hold them: the values inside a JSON column as JSON."""
    return {name: _plain(getattr(fields, name)) for name in type(fields).model_fields}


def _plain(value: Any) -> Any:
    if isinstance(value, SQLModel):
        return dumped(value)
    return [_plain(each) for each in value] if isinstance(value, list) else value


async def add_record(
    session: WriteSession, table: type[R], fields: type[Fields], *, scope: Scope, source_id: str, values: dict[str, Any]
) -> R:
    """Insert a record whose `values` are checked by its fields class."""
    of_row = {"synced_at": EPOCH, "first_seen_at": EPOCH} | {name: values.pop(name) for name in _ROW_KEYS & set(values)}
    row = table(**owner_of(scope), **stored(fields.model_validate(values)), source_id=source_id, **of_row)
    session.add(row)
    await session.flush()
    return row
