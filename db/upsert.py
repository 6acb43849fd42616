"""Store a page of records: changed rows, their lines, raw items and versions, in the caller's transaction.

The one way in, for syncs and writes alike. Raw items go first: their rows are the records' locks (see db/raw.py).
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text

from db import history, raw, staging
from db.engine import WriteSession
from db.events import NewEvent
from db.history import Origin, Version
from db.models.registry import Child, EntitySpec
from db.models.rows import Record, stored_names
from db.raw import Fetched, RawText
from db.scope import Scope
from db.staging import Stage, cast_of
from db.types import encode_id, new_id


@dataclass(frozen=True, slots=True)
class Incoming:
    """One item with the record made of it.

    Attributes:
        body: The item as JSON text.
        record: None where it could not be mapped; `reason` says why, and the item is quarantined.
    """

    source_id: str
    body: str
    item_hash: bytes
    fetched: Fetched
    updated_at: datetime | None
    record: Record | None
    reason: str | None = None
    dated_on: date | None = None

    @property
    def raw(self) -> RawText:
        """The item as it is kept."""
        return RawText(self.source_id, self.body, self.item_hash, self.fetched, self.dated_on)


class Kind(StrEnum):
    """What happened to a record; its value ends the event's type."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Changed:
    """A record that was made, changed or found gone."""

    id: UUID
    source_id: str
    version: int
    kind: Kind

    @property
    def created(self) -> bool:
        """True for its first version."""
        return self.kind is Kind.CREATED


def events_of(spec: EntitySpec, changed: Sequence[Changed]) -> list[NewEvent]:
    """Tell changes as events, thin: readers fetch the record by its id."""
    return [
        NewEvent(
            type=f"{spec.event_prefix}.{each.kind.value}",
            data={"id": encode_id(spec.type_name, each.id), "sourceId": each.source_id, "version": each.version},
            entity=spec.entity.value,
            record_id=each.id,
        )
        for each in changed
    ]


_KEYS: Final = (
    ("id", "uuid"),
    ("source_id", "text"),
    ("content_hash", "bytea"),
    ("source_updated_at", "timestamptz"),
)
_CHILD_KEYS: Final = (("parent_id", "uuid"), ("position", "integer"))


@dataclass(frozen=True, slots=True)
class _Statements:
    """The SQL that stores one kind of record."""

    stage: Stage
    child_stages: tuple[Stage, ...]
    insert: str
    compare: str
    update: str
    insert_children: tuple[str, ...]
    delete_children: tuple[str, ...]
    snapshots: str
    delete: str


@cache
def _statements(spec: EntitySpec) -> _Statements:
    table, names = spec.event_prefix, stored_names(spec.record)
    own = ", ".join(names)
    values = ", ".join(f"s.{name}{cast_of(spec.table, name)}" for name in names)
    sets = ", ".join(f"{name} = s.{name}{cast_of(spec.table, name)}" for name in names)
    return _Statements(
        stage=Stage(f"stage_{table}", _KEYS, names),
        child_stages=tuple(
            Stage(f"stage_{child.table.__tablename__}", _CHILD_KEYS, stored_names(child.fields))
            for child in spec.children
        ),
        insert=(
            f"INSERT INTO {table} (organization_id, connection_id, id, source_id, version, content_hash,"
            f" source_updated_at, synced_at, first_seen_at, first_cause, first_run_id, first_operation_id, {own})"
            " SELECT CAST(:organization AS uuid), CAST(:connection AS uuid), s.id, s.source_id, 1, s.content_hash,"
            " s.source_updated_at, CAST(:now AS timestamptz), CAST(:now AS timestamptz), :cause, CAST(:run AS uuid),"
            f" CAST(:operation AS uuid), {values} FROM stage_{table} s"
            " ON CONFLICT (connection_id, source_id) DO NOTHING RETURNING id"
        ).replace("::", "\\:\\:"),
        compare=(
            f"SELECT s.id AS staged_id, t.id, t.source_id, t.version, t.synced_at,"
            f" {history.snapshot(spec, 't')} AS before, {history.staged_snapshot(spec)} AS after"
            f" FROM stage_{table} s JOIN {table} t ON t.connection_id = :connection AND t.source_id = s.source_id"
            " WHERE t.id <> s.id AND (t.content_hash <> s.content_hash OR t.deleted_at IS NOT NULL)"
            " ORDER BY t.source_id FOR UPDATE OF t"
        ).replace("::", "\\:\\:"),
        update=(
            f"UPDATE {table} t SET {sets}, content_hash = s.content_hash, source_updated_at = s.source_updated_at,"
            " synced_at = greatest(t.synced_at, CAST(:now AS timestamptz)), deleted_at = NULL,"
            " version = t.version + CASE WHEN t.id = ANY(:told) THEN 1 ELSE 0 END"
            f" FROM stage_{table} s"
            " WHERE t.connection_id = :connection AND t.source_id = s.source_id AND t.id = ANY(:ids)"
        ).replace("::", "\\:\\:"),
        insert_children=tuple(_insert_children(child) for child in spec.children),
        delete_children=tuple(
            f"DELETE FROM {child.table.__tablename__}"
            f" WHERE connection_id = :connection AND {child.parent_key} = ANY(:ids)"
            for child in spec.children
        ),
        snapshots=(
            f"SELECT t.id, t.source_id, t.version, t.synced_at, {history.snapshot(spec, 't')} AS before FROM {table} t"
            " WHERE t.connection_id = :connection AND t.source_id = ANY(:ids) AND t.deleted_at IS NULL"
            " ORDER BY t.source_id FOR UPDATE OF t"
        ).replace("::", "\\:\\:"),
        delete=(
            f"UPDATE {table} SET deleted_at = :now, version = version + 1,"
            " synced_at = greatest(synced_at, CAST(:now AS timestamptz))"
            " WHERE connection_id = :connection AND id = ANY(:ids)"
        ),
    )


def _insert_children(child: Child) -> str:
    table, names = child.table.__tablename__, stored_names(child.fields)
    values = ", ".join(f"s.{name}{cast_of(child.table, name)}" for name in names)
    return (
        f"INSERT INTO {table} (organization_id, connection_id, {child.parent_key}, position, {', '.join(names)})"
        f" SELECT CAST(:organization AS uuid), CAST(:connection AS uuid), p.id, s.position, {values}"
        f" FROM stage_{table} s JOIN unnest(CAST(:staged AS uuid[]), CAST(:ids AS uuid[])) AS p(staged_id, id)"
        " ON p.staged_id = s.parent_id"
    ).replace("::", "\\:\\:")


async def store(
    session: WriteSession, scope: Scope, spec: EntitySpec, incoming: Sequence[Incoming], *, origin: Origin
) -> list[Changed]:
    """Store what a page brought; equal records are left alone, and so is what a later read has told of.

    Returns:
        The records made or changed, to be told as events (see `events_of`).
    """
    failed = {each.source_id: (each.raw, each.reason or "") for each in incoming if each.record is None}
    await raw.quarantine(session, scope, spec.entity, failed, now=origin.at)
    mapped = sorted((each for each in incoming if each.record is not None), key=lambda each: each.source_id)
    if not mapped:
        return []
    kept = await raw.keep(session, scope, spec.entity, [each.raw for each in mapped])
    staged = {new_id(): each for each in mapped if each.source_id in kept}
    return await _Store(session, scope, spec, origin).store(staged)


class _Store:
    """Stores the records of one page, whose locks are held."""

    def __init__(self, session: WriteSession, scope: Scope, spec: EntitySpec, origin: Origin) -> None:
        self._session = session
        self._scope = scope
        self._spec = spec
        self._origin = origin
        self._sql = _statements(spec)
        self._whose = {"organization": scope.organization_id, "connection": scope.connection_id}

    async def store(self, staged: dict[UUID, Incoming]) -> list[Changed]:
        """Make the records that are new, and change those that differ.

        Args:
            staged: The records by the ids that new ones get.
        """
        await self._stage(staged)
        made = await self._insert()
        changed = [Changed(id_, staged[id_].source_id, 1, Kind.CREATED) for id_ in staged if id_ in made]
        parents = {id_: id_ for id_ in made}
        if len(made) < len(staged):
            updated, moved = await self._update()
            changed += updated
            parents |= moved
        for sql in self._sql.insert_children if parents else ():
            await self._run(sql, staged=list(parents), ids=list(parents.values()))
        return changed

    async def _stage(self, staged: dict[UUID, Incoming]) -> None:
        await staging.prepare(self._session, self._sql.stage, *self._sql.child_stages)
        records = [(id_, each, each.record) for id_, each in staged.items() if each.record is not None]
        rows = [
            (id_, each.source_id, content_hash(record), each.updated_at, *record.values)
            for id_, each, record in records
        ]
        await staging.copy(self._session, self._sql.stage, rows)
        for n, stage in enumerate(self._sql.child_stages):
            children = [
                (id_, position, *row) for id_, _, record in records for position, row in enumerate(record.children[n])
            ]
            await staging.copy(self._session, stage, children)

    async def _insert(self) -> set[UUID]:
        origin = self._origin
        made = await self._run(
            self._sql.insert,
            now=origin.at,
            cause=origin.cause.value,
            run=origin.run_id,
            operation=origin.operation_id,
        )
        return set(made.scalars())

    async def _update(self) -> tuple[list[Changed], dict[UUID, UUID]]:
        """Change the records that differ; gives them, and staged id → id of all whose children are stored anew."""
        found = (await self._run(self._sql.compare)).all()
        if not found:
            return [], {}
        versions = []
        for row in found:
            before, after = orjson.loads(row.before), orjson.loads(row.after)
            diff = history.difference(self._spec, before, after)
            if diff:
                start = max(row.synced_at, self._origin.at)
                versions.append(Version(row.id, row.version + 1, start, diff, row.before))
        ids, told = [row.id for row in found], {each.record_id for each in versions}
        await self._run(self._sql.update, now=self._origin.at, ids=ids, told=list(told))
        for sql in self._sql.delete_children:
            await self._run(sql, ids=ids)
        await history.append(self._session, self._scope, self._spec, versions, origin=self._origin)
        changed = [Changed(row.id, row.source_id, row.version + 1, Kind.UPDATED) for row in found if row.id in told]
        return changed, {row.staged_id: row.id for row in found}

    async def delete(self, source_ids: Collection[str]) -> list[Changed]:
        """Mark records as gone; their lines stay with them."""
        found = (await self._run(self._sql.snapshots, ids=sorted(source_ids))).all()
        if not found:
            return []
        gone = [{"path": "deleted_at", "before": None, "after": self._origin.at.isoformat()}]
        versions = [
            Version(row.id, row.version + 1, max(row.synced_at, self._origin.at), gone, row.before) for row in found
        ]
        await self._run(self._sql.delete, now=self._origin.at, ids=[row.id for row in found])
        await history.append(self._session, self._scope, self._spec, versions, origin=self._origin)
        return [Changed(row.id, row.source_id, row.version + 1, Kind.DELETED) for row in found]

    async def _run(self, sql: str, **values: Any) -> Any:
        return await self._session.execute(text(sql), {**self._whose, **values})


async def delete(
    session: WriteSession,
    scope: Scope,
    spec: EntitySpec,
    source_ids: Collection[str],
    *,
    origin: Origin,
    read_at: datetime,
) -> list[Changed]:
    """Mark records as gone from the source, with a version each; their lines and raw items stay.

    Args:
        read_at: When the read that missed them began, by our clock: a record that a later one told of is left alone.

    Returns:
        The records that were there until now, to be told as events.
    """
    there = await raw.bury(session, scope, spec.entity, source_ids, at=read_at)
    return await _Store(session, scope, spec, origin).delete(set(source_ids) - there)


def content_hash(record: Record) -> bytes:
    """Hash a record's values, to tell a change from a touch."""
    return hashlib.blake2b(orjson.dumps((record.values, record.children)), digest_size=16).digest()
