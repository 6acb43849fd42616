"""Store a page of records: changed rows, their lines, raw items and versions, in the caller's transaction.

The one way in, for syncs and writes alike. Raw items go first: their rows are the records' locks (see db/raw.py).
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from db import history, raw, staging
from db.engine import WriteSession, straight
from db.events import NewEvent
from db.history import Origin, Version
from db.models.registry import EntitySpec
from db.models.rows import Record
from db.raw import Fetched, RawText
from db.scope import Scope
from db.storing import statements
from db.types import encode_id, new_ids, tell_instant


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


async def store(
    session: WriteSession, scope: Scope, spec: EntitySpec, incoming: Sequence[Incoming], *, origin: Origin
) -> list[Changed]:
    """Store what a page brought; equal records are left alone, and so is what a later read has told of.

    Returns:
        The records made or changed, to be told as events (see `events_of`).
    """
    batch = Batch(session, scope, spec, origin=origin)
    for item in sorted(incoming, key=lambda each: each.source_id):
        batch.add(item)
    await batch.store()
    return batch.changed()


class Batch:
    """Items made ready to be stored: what costs our own time is done before the database is asked.

    Items are added in the order of their source ids, so that two who hold several locks never wait for each other.
    """

    def __init__(self, session: WriteSession, scope: Scope, spec: EntitySpec, *, origin: Origin) -> None:
        self._session = session
        self._scope = scope
        self._spec = spec
        self._origin = origin
        self._sql = statements(spec)
        self._batch = staging.number(session)
        self._failed: dict[str, tuple[RawText, str]] = {}
        self._staged: dict[UUID, str] = {}
        self._made: set[UUID] = set()
        self._updated: list[Changed] = []
        self._rows: list[tuple[Any, ...]] = []
        self._children: list[list[tuple[Any, ...]]] = [[] for _ in self._sql.child_stages]

    def __len__(self) -> int:
        """Give how many items it holds."""
        return len(self._rows) + len(self._failed)

    def add(self, item: Incoming) -> None:
        """Make an item ready."""
        record = item.record
        if record is None:
            self._failed[item.source_id] = (item.raw, item.reason or "")
            return
        (id_,), fetched, batch = new_ids(1), item.fetched, self._batch
        came = (fetched.at, fetched.run_id, fetched.feed, item.dated_on)
        own = (batch, id_, item.source_id, item.item_hash, *came, item.body, content_hash(record), item.updated_at)
        self._staged[id_] = item.source_id
        self._rows.append((*own, *record.values))
        for of_kind, found in zip(self._children, record.children, strict=True):
            of_kind += [(batch, id_, position, *row) for position, row in enumerate(found)]

    async def store(self) -> None:
        """Make the records that are new, change those that differ, and keep what could not be mapped."""
        await raw.quarantine(self._session, self._scope, self._spec.entity, self._failed, now=self._origin.at)
        staged = self._staged
        if not staged:
            return
        await self._stage()
        (entered,) = await self._run(self._sql.enter, count=len(staged))
        made = self._made = set(entered["made"])
        if len(made) == len(staged):
            return
        parents = {id_: id_ for id_ in made}
        if len(made) < len(entered["kept"]):
            new = {staged[id_] for id_ in made}
            self._updated, moved = await self._update([each for each in entered["kept"] if each not in new])
            parents |= moved
        for sql in self._sql.insert_children if parents else ():
            await self._run(sql, staged=list(parents), ids=list(parents.values()))

    def changed(self) -> list[Changed]:
        """Give the records that were made or changed, once they are stored."""
        made = ((id_, source_id) for id_, source_id in self._staged.items() if id_ in self._made)
        return [Changed(id_, source_id, 1, Kind.CREATED) for id_, source_id in made] + self._updated

    async def _stage(self) -> None:
        sql = self._sql
        await staging.make(self._session, sql.stage, *sql.child_stages)
        await staging.copy(self._session, sql.stage, self._rows)
        for stage, rows in zip(sql.child_stages, self._children, strict=True):
            await staging.copy(self._session, stage, rows)

    async def _update(self, kept: list[str]) -> tuple[list[Changed], dict[UUID, UUID]]:
        """Change the records that differ; gives them, and staged id → id of all whose children are stored anew."""
        found = await self._run(self._sql.compare, kept=kept)
        if not found:
            return [], {}
        versions = []
        for row in found:
            diff = history.difference(self._spec, orjson.loads(row["before"]), orjson.loads(row["after"]))
            if diff:
                start = max(row["synced_at"], self._origin.at)
                versions.append(Version(row["id"], row["version"] + 1, start, diff, row["before"]))
        ids, told = [row["id"] for row in found], {each.record_id for each in versions}
        await self._run(self._sql.update, ids=ids, told=list(told))
        for sql in self._sql.delete_children:
            await self._run(sql, ids=ids)
        await history.append(self._session, self._scope, self._spec, versions, origin=self._origin)
        changed = [_changed(row, Kind.UPDATED) for row in found if row["id"] in told]
        return changed, {row["staged_id"]: row["id"] for row in found}

    async def _run(self, sql: str, **values: Any) -> list[Any]:
        scope, origin = self._scope, self._origin
        own = {
            "organization": scope.organization_id,
            "connection": scope.connection_id,
            "entity": self._spec.entity.value,
            "batch": self._batch,
            "now": origin.at,
            "cause": origin.cause.value,
            "run": origin.run_id,
            "operation": origin.operation_id,
        }
        return await straight(self._session, sql, {**own, **values})


def _changed(row: Mapping[str, Any], kind: Kind) -> Changed:
    return Changed(row["id"], row["source_id"], row["version"] + 1, kind)


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
        read_at: When the read that missed them began, by the database's clock: a record that a later one told of is
            left alone.

    Returns:
        The records that were there until now, to be told as events.
    """
    there = await raw.bury(session, scope, spec.entity, source_ids, at=read_at)
    sql, values = statements(spec), {"connection": scope.connection_id, "now": origin.at}
    found = await straight(session, sql.snapshots, {**values, "ids": sorted(set(source_ids) - there)})
    if not found:
        return []
    gone = [{"path": ["deletedAt"], "before": None, "after": tell_instant(origin.at)}]
    versions = [
        Version(row["id"], row["version"] + 1, max(row["synced_at"], origin.at), gone, row["before"]) for row in found
    ]
    await straight(session, sql.delete, {**values, "ids": [row["id"] for row in found]})
    await history.append(session, scope, spec, versions, origin=origin)
    return [_changed(row, Kind.DELETED) for row in found]


def content_hash(record: Record) -> bytes:
    """Hash a record's values, to tell a change from a touch."""
    return hashlib.blake2b(orjson.dumps((record.values, record.children)), digest_size=16).digest()
