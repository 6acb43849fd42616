"""Raw items: what the source sent, beside each record; and the items that could not be mapped.

The row of a raw item is its record's lock: whoever stores a record writes its raw item first, and an older read
changes neither.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text

from db.engine import WriteSession, straight
from db.scope import Scope
from db.types import Entity


@dataclass(frozen=True, slots=True)
class Fetched:
    """How an item came.

    Attributes:
        at: When the read that brought it began, by the database's clock, UTC.
        run_id: The run that read it; None for a read-back after a write.
        feed: The feed it came by; None where it was read by its key.
    """

    at: datetime
    run_id: UUID | None = None
    feed: str | None = None


@dataclass(frozen=True, slots=True)
class RawText:
    """An item as it is kept."""

    source_id: str
    body: str
    item_hash: bytes
    fetched: Fetched
    dated_on: date | None = None


def body_text(body: Mapping[str, Any]) -> bytes:
    """Write an item as JSON, keys in the order they came."""
    try:
        return orjson.dumps(body)
    except TypeError:  # a key that is no text; allowing for it costs half as much again
        return orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)


def item_hash(told: bytes, *, mapping_version: bytes) -> bytes:
    """Hash a raw item's text together with the mapping that reads it: the same hash means nothing to do."""
    return hashlib.blake2b(told, digest_size=16, key=mapping_version).digest()


_STORED: Final = """
    SELECT source_id, item_hash FROM (
        SELECT k.source_id, (
            SELECT r.item_hash FROM raw_item r
            WHERE r.connection_id = :connection AND r.entity = :entity AND r.source_id = k.source_id) AS item_hash
        FROM unnest(CAST(:ids AS text[])) AS k(source_id)
        WHERE NOT EXISTS (
            SELECT FROM quarantined_item q
            WHERE q.connection_id = :connection AND q.entity = :entity AND q.source_id = k.source_id OFFSET 0)
        OFFSET 0) s
    WHERE item_hash IS NOT NULL
"""
"""Looked up one by one: joined, a table that has grown since it was last analysed would be read whole each time."""


async def stored(session: WriteSession, scope: Scope, entity: Entity, source_ids: Collection[str]) -> dict[str, bytes]:
    """Give the hash of each item that is stored; none of those in quarantine, which must be looked at again."""
    values = {**_whose(scope, entity), "ids": list(source_ids)}
    return {row["source_id"]: row["item_hash"] for row in await straight(session, _STORED, values)}


_HOLD: Final = text(
    "SELECT source_id, read_at > :at AS newer FROM raw_item"
    " WHERE connection_id = :connection AND entity = :entity AND source_id = ANY(:ids)"
    " ORDER BY source_id FOR UPDATE"
)
# The body stays; without its hash the same item counts as changed, should it come back.
_FORGET: Final = text(
    "UPDATE raw_item SET item_hash = '', read_at = :at"
    " WHERE connection_id = :connection AND entity = :entity AND source_id = ANY(:ids)"
)
_RELEASE: Final = text(
    "DELETE FROM quarantined_item WHERE connection_id = :connection AND entity = :entity AND source_id = ANY(:ids)"
)


async def bury(
    session: WriteSession, scope: Scope, entity: Entity, source_ids: Collection[str], *, at: datetime
) -> set[str]:
    """Mark the items of records that are gone, hold the records' locks, and let them go from quarantine.

    Args:
        at: When the read that missed them began, UTC.

    Returns:
        The items that a later read told of: they are there.
    """
    values = {**_whose(scope, entity), "ids": sorted(source_ids), "at": at}
    newer = {row.source_id for row in await session.execute(_HOLD, values) if row.newer}
    gone = {**values, "ids": [each for each in values["ids"] if each not in newer]}
    await session.execute(_FORGET, gone)
    await session.execute(_RELEASE, {**_whose(scope, entity), "ids": gone["ids"]})
    return newer


_QUARANTINE: Final = text(
    """
    INSERT INTO quarantined_item
        (organization_id, connection_id, entity, source_id, body, reason, run_id, quarantined_at, dated_on)
    SELECT CAST(:organization AS uuid), CAST(:connection AS uuid), :entity, source_id, CAST(body AS json), reason,
           run_id, CAST(:now AS timestamptz), dated_on
    FROM unnest(CAST(:ids AS text[]), CAST(:bodies AS text[]), CAST(:reasons AS text[]), CAST(:runs AS uuid[]),
                CAST(:dates AS date[])) AS f(source_id, body, reason, run_id, dated_on)
    ON CONFLICT (connection_id, entity, source_id) DO UPDATE
    SET body = excluded.body, reason = excluded.reason, run_id = excluded.run_id,
        quarantined_at = excluded.quarantined_at, dated_on = excluded.dated_on
    """
)


async def quarantine(
    session: WriteSession, scope: Scope, entity: Entity, failed: Mapping[str, tuple[RawText, str]], *, now: datetime
) -> None:
    """Keep items that could not be mapped.

    Args:
        failed: Source id → the item, and why.
    """
    if not failed:
        return
    items = [failed[each] for each in sorted(failed)]
    await session.execute(
        _QUARANTINE,
        {
            **_whose(scope, entity),
            "organization": scope.organization_id,
            "ids": [item.source_id for item, _ in items],
            "bodies": [item.body for item, _ in items],
            "reasons": [reason[:4000] for _, reason in items],
            "runs": [item.fetched.run_id for item, _ in items],
            "dates": [item.dated_on for item, _ in items],
            "now": now,
        },
    )


def _whose(scope: Scope, entity: Entity) -> dict[str, Any]:
    return {"connection": scope.connection_id, "entity": entity.value}
