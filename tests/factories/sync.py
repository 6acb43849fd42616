"""Sync runs, raw items, quarantine and events."""

from typing import Any

from db.engine import WriteSession
from db.models.event import EventCounter
from db.models.sync import QuarantinedItem, RawItem, SyncMode, SyncRun, SyncStatus, SyncTrigger
from db.scope import Scope
from db.types import Entity
from tests.factories.rows import EPOCH, owner_of


async def make_sync_run(session: WriteSession, *, scope: Scope, **values: Any) -> SyncRun:
    """Store a run that has ended."""
    given = {
        "entity": Entity.PURCHASE_ORDER,
        "mode": SyncMode.FULL,
        "trigger": SyncTrigger.INITIAL,
        "status": SyncStatus.SUCCEEDED,
        "created_at": EPOCH,
        **values,
    }
    row = SyncRun(**owner_of(scope), **given)
    session.add(row)
    await session.flush()
    return row


async def make_raw_item(session: WriteSession, *, scope: Scope, source_id: str = "o-1", **values: Any) -> RawItem:
    """Store a raw item."""
    given = {
        "entity": Entity.PURCHASE_ORDER,
        "item_hash": b"h",
        "body": {"id": 1},
        "fetched_at": EPOCH,
        "read_at": EPOCH,
        **values,
    }
    row = RawItem(**owner_of(scope), source_id=source_id, **given)
    session.add(row)
    await session.flush()
    return row


async def make_quarantined_item(
    session: WriteSession, *, scope: Scope, source_id: str = "o-9", **values: Any
) -> QuarantinedItem:
    """Store an item that could not be mapped."""
    given = {"entity": Entity.PURCHASE_ORDER, "body": {}, "reason": "no number", "quarantined_at": EPOCH, **values}
    row = QuarantinedItem(**owner_of(scope), source_id=source_id, **given)
    session.add(row)
    await session.flush()
    return row


async def make_event_counter(session: WriteSession, *, scope: Scope, **values: Any) -> EventCounter:
    """Store the counter of the connection's stream."""
    row = EventCounter(**owner_of(scope), **{"stream_id": scope.connection_id, "last_sequence": 1, **values})
    session.add(row)
    await session.flush()
    return row
