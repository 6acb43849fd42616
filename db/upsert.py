"""Store a page of records: changed rows, their lines, raw items and events, in the caller's transaction."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Column as SqlColumn
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlmodel import SQLModel

from db.engine import WriteSession, driver
from db.events import NewEvent
from db.models.base import Fields
from db.models.registry import Child, EntitySpec
from db.models.sync import QuarantinedItem, RawItem
from db.scope import Scope
from db.types import Entity, encode_id, new_id


@dataclass(frozen=True, slots=True)
class Incoming:
    """One item with the record made of it.

    Attributes:
        record: None where it could not be mapped; `reason` says why, and the item is quarantined.
    """

    source_id: str
    body: Mapping[str, Any]
    item_hash: bytes
    updated_at: datetime | None
    record: Fields | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A record that was made or changed."""

    id: UUID
    source_id: str
    version: int

    @property
    def created(self) -> bool:
        """True for its first version."""
        return self.version == 1


_KEPT: Final = {"connection_id", "organization_id", "id", "source_id", "version"}


def item_hash(body: Mapping[str, Any], *, mapping_version: bytes) -> bytes:
    """Hash a raw item together with the mapping that reads it: the same hash means nothing to do."""
    told = orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.blake2b(told, digest_size=16, key=mapping_version).digest()


async def known_hashes(
    session: WriteSession, scope: Scope, entity: Entity, source_ids: Sequence[str]
) -> dict[str, bytes]:
    """Give the hashes of the items stored before; not of quarantined ones, which must be looked at again."""
    rows = await session.execute(
        text(
            "SELECT source_id, item_hash FROM raw_item r"
            " WHERE connection_id = :connection AND entity = :entity AND source_id = ANY(:ids)"
            " AND NOT EXISTS (SELECT FROM quarantined_item q WHERE q.connection_id = r.connection_id"
            " AND q.entity = r.entity AND q.source_id = r.source_id)"
        ),
        {"connection": scope.connection_id, "entity": entity.value, "ids": list(source_ids)},
    )
    return {row.source_id: row.item_hash for row in rows}


async def store(
    session: WriteSession,
    scope: Scope,
    spec: EntitySpec,
    incoming: Sequence[Incoming],
    *,
    now: datetime,
    run_id: UUID | None,
) -> list[Changed]:
    """Store what a page brought; equal records are left alone.

    The rows go by COPY into a table of the session and from there in one
    statement as the scoped role: COPY straight into a table under row-level
    security is refused.

    Returns:
        The records made or changed, to be told as events (see `events_of`).
    """
    mapped = {each.source_id: each for each in incoming if each.record is not None}
    failed = [each for each in incoming if each.record is None]
    changed = await _merge(session, scope, spec, mapped, now=now) if mapped else []
    for child in spec.children:
        await _replace_children(session, scope, child, changed, mapped)
    if mapped:
        await _keep_raw(session, scope, spec.entity, list(mapped.values()), now=now, run_id=run_id)
    await _quarantine(session, scope, spec.entity, failed, released=list(mapped), now=now, run_id=run_id)
    return changed


def events_of(spec: EntitySpec, changed: Sequence[Changed]) -> list[NewEvent]:
    """Tell changes as events, thin: readers fetch the record by its id."""
    return [
        NewEvent(
            type=f"{spec.event_prefix}.{'created' if each.created else 'updated'}",
            data={"id": encode_id(spec.type_name, each.id), "sourceId": each.source_id, "version": each.version},
            entity=spec.entity.value,
            record_id=each.id,
        )
        for each in changed
    ]


async def _merge(
    session: WriteSession, scope: Scope, spec: EntitySpec, mapped: Mapping[str, Incoming], *, now: datetime
) -> list[Changed]:
    rows = [
        {
            **_stored_values(each.record, children=spec.children),
            "organization_id": scope.organization_id,
            "connection_id": scope.connection_id,
            "id": new_id(),
            "source_id": each.source_id,
            "version": 1,
            "content_hash": hashlib.blake2b(each.record.model_dump_json().encode(), digest_size=16).digest(),
            "source_updated_at": each.updated_at,
            "synced_at": now,
            "deleted_at": None,
        }
        for each in mapped.values()
        if each.record is not None
    ]
    columns = await _stage(session, spec.table, rows)
    table = str(spec.table.__tablename__)
    updates = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in _KEPT)
    result = await session.execute(
        text(
            f"INSERT INTO {table} AS t ({', '.join(columns)}) SELECT {', '.join(columns)} FROM stage_{table}"
            f" ON CONFLICT (connection_id, source_id) DO UPDATE SET {updates}, version = t.version + 1"
            " WHERE t.content_hash <> excluded.content_hash OR t.deleted_at IS NOT NULL"
            " RETURNING t.id, t.source_id, t.version"
        )
    )
    return [Changed(row.id, row.source_id, row.version) for row in result]


async def _replace_children(
    session: WriteSession, scope: Scope, child: Child, changed: Sequence[Changed], mapped: Mapping[str, Incoming]
) -> None:
    if not changed:
        return
    table = str(child.table.__tablename__)
    await session.execute(
        text(f"DELETE FROM {table} WHERE connection_id = :connection AND {child.parent_key} = ANY(:parents)"),
        {"connection": scope.connection_id, "parents": [each.id for each in changed]},
    )
    rows = [
        {
            **_stored_values(line),
            "organization_id": scope.organization_id,
            "connection_id": scope.connection_id,
            child.parent_key: parent.id,
            "position": position,
        }
        for parent in changed
        for position, line in enumerate(getattr(mapped[parent.source_id].record, child.name))
    ]
    columns = await _stage(session, child.table, rows)
    names = ", ".join(columns)
    await session.execute(text(f"INSERT INTO {table} ({names}) SELECT {names} FROM stage_{table}"))


async def _keep_raw(
    session: WriteSession,
    scope: Scope,
    entity: Entity,
    items: Sequence[Incoming],
    *,
    now: datetime,
    run_id: UUID | None,
) -> None:
    columns = await _stage(session, RawItem, [_raw(scope, entity, each, now, run_id) for each in items])
    names = ", ".join(columns)
    updates = ", ".join(f"{name} = excluded.{name}" for name in ("item_hash", "body", "fetched_at", "run_id"))
    await session.execute(
        text(
            f"INSERT INTO raw_item ({names}) SELECT {names} FROM stage_raw_item"
            f" ON CONFLICT (connection_id, entity, source_id) DO UPDATE SET {updates}"
        )
    )


def _raw(scope: Scope, entity: Entity, item: Incoming, now: datetime, run_id: UUID | None) -> dict[str, Any]:
    return {
        "organization_id": scope.organization_id,
        "connection_id": scope.connection_id,
        "entity": entity.value,
        "source_id": item.source_id,
        "item_hash": item.item_hash,
        "body": dict(item.body),
        "fetched_at": now,
        "run_id": run_id,
    }


async def _quarantine(
    session: WriteSession,
    scope: Scope,
    entity: Entity,
    failed: Sequence[Incoming],
    *,
    released: Sequence[str],
    now: datetime,
    run_id: UUID | None,
) -> None:
    """Keep items that could not be mapped, and let go of those that now could."""
    if released:
        await session.execute(
            text(
                "DELETE FROM quarantined_item"
                " WHERE connection_id = :connection AND entity = :entity AND source_id = ANY(:ids)"
            ),
            {"connection": scope.connection_id, "entity": entity.value, "ids": list(released)},
        )
    for each in failed:
        raw = _raw(scope, entity, each, now, run_id)
        kept = {k: raw[k] for k in ("organization_id", "connection_id", "entity", "source_id", "body", "run_id")}
        await session.merge(QuarantinedItem(**kept, reason=(each.reason or "")[:4000], quarantined_at=now))
    await session.flush()


def _stored_values(record: Fields | None, *, children: tuple[Child, ...] = ()) -> dict[str, Any]:
    if record is None:
        raise TypeError("only mapped items are stored")
    names = {child.name for child in children}
    return {name: getattr(record, name) for name in type(record).model_fields if name not in names}


async def _stage(session: WriteSession, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """COPY rows into the session's own table; give the column names in order."""
    stored = table.__table__  # type: ignore[attr-defined]
    columns: list[SqlColumn[Any]] = list(stored.columns)
    stage = f"stage_{stored.name}"
    # Made once a session and emptied by each commit: making it anew for each page bloats the catalogue.
    await session.execute(
        text(f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} (LIKE {stored.name}) ON COMMIT DELETE ROWS")
    )
    connection = await driver(session)
    await connection.execute(f"DELETE FROM {stage}")
    if rows:
        records = [tuple(_copied(row.get(column.name), column) for column in columns) for row in rows]
        await connection.copy_records_to_table(stage, records=records, columns=[column.name for column in columns])
    return [column.name for column in columns]


def _copied(value: Any, column: SqlColumn[Any]) -> Any:
    if isinstance(column.type, (JSON, JSONB)):
        return None if value is None else orjson.dumps(value, default=_json_ready).decode()
    return value


def _json_ready(value: Any) -> Any:
    if isinstance(value, SQLModel):
        return value.model_dump(mode="json", exclude_none=True)
    return str(value)
