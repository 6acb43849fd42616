"""Read a record after (or before) a write, and store it with the event and the settled operation together."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog

from connectors.base import Item, JsonObject
from connectors.errors import ConnectorError, MappingError
from connectors.mapping import project
from db import events, upsert, writes
from db.engine import Database, WriteSession
from db.history import Origin
from db.models.registry import SPECS
from db.models.write import WriteState
from db.raw import Fetched
from db.scope import Scope
from db.types import Cause, Entity, Operation, Problem, encode_id
from db.upsert import Incoming
from jobs import health
from jobs.health import Failure
from jobs.items import Mapper, hashed
from jobs.outcomes import stored
from jobs.queue import Queue
from jobs.settlement import Seen
from jobs.sources import OpenSource

log = structlog.get_logger(__name__)

_TRIES: Final = 3
_PAUSE_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class Read:
    """A record as the source had it; `item` is None where it has none of this key.

    Attributes:
        at: When the read began, by the database's clock: what an earlier one of a sync brings does not take its place.
        record: In our names; None where it could not be mapped.
    """

    entity: Entity
    source_id: str
    at: datetime
    item: Item | None
    incoming: list[Incoming]
    record: JsonObject | None = None

    @property
    def seen(self) -> Seen:
        """What settlement compares."""
        [incoming] = self.incoming
        return Seen(incoming.item_hash, self.record)


class Readback:
    """Reads single records and stores them."""

    def __init__(self, *, database: Database, queue: Queue, now: Callable[[], datetime]) -> None:
        self._database = database
        self._queue = queue
        self._now = now

    async def read(self, source: OpenSource, entity: Entity, source_id: str) -> Read:
        """Read one record.

        Raises:
            ConnectorError: The source failed.
        """
        at, connector = await self._database.clock(), source.connector
        items = (await source.source.fetch(entity, [source_id]))[:1]
        if not items:
            return Read(entity, source_id, at, None, [])
        units = connector.units(source.defaults)
        told = hashed(connector, entity, items)
        incoming = Mapper(connector, entity, units, Fetched(at)).all(told)
        try:
            record = project(connector.mappings[entity], items[0].body, units=units).model_dump()
        except MappingError:
            record = None
        return Read(entity, source_id, at, items[0], incoming, record)

    async def attempt(self, source: OpenSource, entity: Entity, source_id: str) -> Read | None:
        """Read one record, some times if need be; None where the source fails: the next sync brings it."""
        for attempt in range(_TRIES):
            try:
                return await self.read(source, entity, source_id)
            except ConnectorError as error:
                log.warning("read_back_failed", code=error.code.value)
                if not error.transient:
                    break
            await asyncio.sleep(_PAUSE_SECONDS * attempt)
        return None

    async def keep(self, scope: Scope, read: Read, *, operation_id: UUID) -> int | None:
        """Store what was read, where it is new, and give the record's version."""
        spec, origin = SPECS[read.entity], Origin(Cause.WRITE, self._now(), operation_id=operation_id)
        async with self._database.write(scope) as session:
            changed = await upsert.store(session, scope, spec, read.incoming, origin=origin)
            known = await writes.record_of(session, scope, spec.table, read.source_id)
            await events.append(session, scope, upsert.events_of(spec, changed))
        if changed:
            await self._queue.wake_followers(scope)
        return known[1] if known else None

    async def settle(
        self,
        scope: Scope,
        operation_id: UUID,
        *,
        fence: int,
        entity: Entity,
        operation: Operation,
        values: Mapping[str, Any],
        source_id: str | None,
        read: Read | None = None,
        problems: tuple[Problem, ...] = (),
        failure: Failure | None = None,
    ) -> None:
        """Store how a write ended, with what the source now has.

        Args:
            values: Columns of the operation, its state among them.
            source_id: The record that it made, changed or deleted.
            read: The record as it was read back.
            failure: The source's part in it, where it failed.

        Raises:
            LeaseLost: Another process holds the operation.
        """
        spec, now, state = SPECS[entity], self._now(), values["state"]
        origin = Origin(Cause.WRITE, now, operation_id=operation_id)
        async with self._database.write(scope) as session:
            await writes.change(session, scope, operation_id, fence=fence, **values)
            changed = []
            if read is not None and read.item is not None:
                changed = await upsert.store(session, scope, spec, read.incoming, origin=origin)
            elif state == WriteState.SUCCEEDED and operation is Operation.DELETE and source_id is not None:
                changed = await upsert.delete(session, scope, spec, [source_id], origin=origin, read_at=now)
            known = await writes.record_of(session, scope, spec.table, source_id) if source_id else None
            final = {"settled_at": now} if state != WriteState.OUTCOME_UNKNOWN else {}
            await writes.change(
                session,
                scope,
                operation_id,
                fence=fence,
                record_id=known[0] if known else None,
                user_errors=[stored(problem) for problem in problems],
                next_attempt_at=None,
                **final,
            )
            about = settled_event(operation_id, state, entity, operation, known[0] if known else None)
            fares = await self._noted(session, scope, entity, operation, state, failure)
            await events.append(session, scope, [*fares, *upsert.events_of(spec, changed), about])
            following = await writes.next_turn(session, scope, entity, source_id, now=now) if source_id else None
        await self._queue.wake_followers(scope)
        if following is not None:
            await self._queue.wake_write(scope, following)

    async def _noted(
        self,
        session: WriteSession,
        scope: Scope,
        entity: Entity,
        operation: Operation,
        state: WriteState,
        failure: Failure | None,
    ) -> list[events.NewEvent]:
        """Record how the source fared in it."""
        if failure is not None:
            return await health.failed(session, scope, failure, now=self._now())
        if state == WriteState.SUCCEEDED:
            return await health.succeeded(session, scope, operation=operation, entity=entity, now=self._now())
        return []


def settled_event(
    operation_id: UUID, state: WriteState, entity: Entity, operation: Operation, record_id: UUID | None
) -> events.NewEvent:
    """Tell a write that was settled."""
    data = {
        "operationId": encode_id("WriteOperation", operation_id),
        "state": state.value,
        "entity": entity.value,
        "operation": operation.value,
        "recordId": encode_id(SPECS[entity].type_name, record_id) if record_id else None,
    }
    return events.NewEvent("write.settled", data)
