"""Deletions: what a complete pass did not meet, and what the source told of, is looked up before it counts as gone."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from connectors.base import Item
from db import sweep, upsert
from db.engine import Database, WriteSession
from db.history import Origin
from db.models.registry import SPECS
from db.models.sync import SourceError, SyncRun
from db.raw import Fetched
from db.types import Cause, ErrorCode
from jobs.pages import Brought, Pages
from jobs.protections import Protections
from jobs.work import SliceEnded, Work

log = structlog.get_logger(__name__)

BATCH: Final = 100
"""Keys looked up at a time, in one transaction; a connector asks its source for fewer where it must."""
PERCENT: Final = 20


class Sweeps:
    """Judges what is gone, and deletes it.

    Args:
        percent: Where more of what a pass should have met vanished, people are asked first.
    """

    def __init__(
        self,
        *,
        database: Database,
        pages: Pages,
        now: Callable[[], datetime],
        protections: Protections,
        percent: int = PERCENT,
    ) -> None:
        self._database = database
        self._pages = pages
        self._now = now
        self._protections = protections
        self._percent = percent

    async def judge(self, session: WriteSession, work: Work) -> bool:
        """Note what a pass that is complete did not meet; True where people have to be asked about it.

        A pass over changes alone judges nothing: what it did not meet has not changed.
        """
        run = work.run
        if not work.whole and self._protections.complete_pass:
            return False
        judged = await sweep.judge(session, work.scope, SPECS[work.entity], run)
        await sweep.forget_met(session, work.scope, run)
        run.judged, run.vanished = judged.judged, judged.vanished
        return self._protections.guard and judged.too_many(self._percent)

    async def pending(self, session: WriteSession, work: Work) -> bool:
        """Tell whether anything is left to be looked up."""
        return bool(await sweep.pending(session, work.scope, work.run, limit=1))

    async def look_up(self, work: Work) -> None:
        """Look up what may be gone, and delete what is.

        Raises:
            SliceEnded, Cancelled, Paused: It goes no further for now. LeaseLost: another worker holds it.
            ConnectorError: The source failed.
        """
        while keys := await self._next(work):
            looked = await self._ask(work, keys)
            await self._pages.commit(work, work.run.feeds, partial(self._settle, work, looked))
            log.info("sweep_looked_up", keys=len(keys), there=len(looked.there))
            if time.monotonic() > work.until:
                raise SliceEnded

    async def _next(self, work: Work) -> list[str]:
        async with self._database.read(work.scope) as session:
            return await sweep.pending(session, work.scope, work.run, limit=BATCH)

    async def _ask(self, work: Work, keys: list[str]) -> "_Looked":
        read_at = work.clock()
        found = await work.source.source.fetch(work.entity, keys) if self._protections.confirm else []
        return _Looked(keys, [item for item in found if item.source_id in keys], read_at)

    async def _settle(self, work: Work, looked: "_Looked", session: WriteSession) -> Brought:
        """Store what is there after all, and delete the rest."""
        spec, scope, run = SPECS[work.entity], work.scope, work.run
        brought = await self._pages.bring(session, work, looked.there, fetched=Fetched(looked.read_at, run.id))
        gone = set(looked.keys) - {item.source_id for item in looked.there}
        origin = Origin(Cause.SYNC, self._now(), run_id=run.id)
        deleted = await upsert.delete(session, scope, spec, gone, origin=origin, read_at=looked.read_at)
        await sweep.settle(session, scope, run, looked.keys)
        counts = {**brought.counts, "deleted": brought.counts["deleted"] + len(deleted)}
        return Brought([*brought.told, *upsert.events_of(spec, deleted)], counts)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What the source says of keys.

    Attributes:
        there: The items of those that it has.
        read_at: When it was asked.
    """

    keys: list[str]
    there: list[Item]
    read_at: datetime


def question(run: SyncRun) -> SourceError:
    """Say what people are asked about a run's deletions."""
    return SourceError(
        code=ErrorCode.CONFLICT,
        message=f"The source no longer lists {run.vanished} of {run.judged} records; none was deleted yet.",
        remedy="Look whether they should be gone, or whether the connection's user has lost rights; then answer with"
        " confirmDeletions.",
    )
