"""The state of one slice of a run, and the ways in which a slice ends early."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import Feed, Window
from db.connections import Opened
from db.events import NewEvent
from db.models.sync import SyncMode, SyncRun
from db.scope import Scope
from db.types import Entity, encode_id
from jobs.lease import Lease
from jobs.sources import OpenSource


class Cancelled(Exception):
    """Somebody asked the run to stop."""


class Paused(Exception):
    """The connection rests; the run goes on from here once it is resumed."""


class SliceEnded(Exception):
    """The slice of time is over; the run goes on in the next."""


@dataclass(slots=True)
class Work:
    """The state of one slice of a run."""

    run: SyncRun
    scope: Scope
    opened: Opened
    source: OpenSource
    lease: Lease
    checkpoints: dict[str, Any]
    units: Mapping[str, str]
    until: float

    @property
    def entity(self) -> Entity:
        """What the run reads."""
        return Entity(self.run.entity)

    @property
    def first(self) -> bool:
        """True when there is nothing to resume from: a first run, or a full one."""
        return self.run.mode == SyncMode.FULL or not self.checkpoints

    @property
    def all_feeds(self) -> list[Feed]:
        """The entity's feeds, those included that a first or full run leaves out."""
        return [feed for feed in self.source.connector.feeds if feed.entity == self.entity]

    def feeds(self) -> list[Feed]:
        """Give the feeds that this pass reads."""
        return [feed for feed in self.all_feeds if feed.full] if self.first else self.all_feeds

    def window(self, feed: Feed) -> Window:
        """Tell what the pass reads of a feed."""
        start = self.run.window_start or datetime.now(UTC)
        if not self.first and feed.name in self.checkpoints:
            return Window(since=datetime.fromisoformat(self.checkpoints[feed.name]))
        days = timedelta(days=self.opened.historical_period_days)
        return Window(period_start=(start - days).date() if feed.period_field else None)


def run_event(run: SyncRun, name: str) -> NewEvent:
    """Tell what became of a run."""
    data = {"syncRunId": encode_id("SyncRun", run.id), "entity": str(run.entity), "mode": str(run.mode)}
    return NewEvent(name, data)
