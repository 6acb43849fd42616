"""The state of one slice of a run, and the ways in which a slice ends early."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from connectors.base import Feed, Window
from connectors.policy import feeds_of, read_whole
from db.connections import Opened
from db.events import NewEvent
from db.models.sync import SyncMode, SyncRun
from db.scope import Scope
from db.sync import Resume
from db.types import Entity, encode_id
from jobs.lease import Lease
from jobs.pace import Pace, pace, total_of
from jobs.sources import OpenSource

DRIFT: Final = timedelta(minutes=1)
"""How far clocks may drift apart before it counts as one of them being set; well below every overlap."""


class Cancelled(Exception):
    """Somebody asked the run to stop."""


class Paused(Exception):
    """The connection rests; the run goes on from here once it is resumed."""


class SliceEnded(Exception):
    """The slice of time is over; the run goes on in the next."""


@dataclass(slots=True)
class Work:
    """The state of one slice of a run.

    Attributes:
        resume: Where the pass begins.
        units: Native unit → UN/ECE Rec 20 code.
        until: When the slice is over, on the monotonic clock.
        mark: When the last page was stored, on the monotonic clock.
        begun: When `resume` was read, on the monotonic clock.
    """

    run: SyncRun
    scope: Scope
    opened: Opened
    source: OpenSource
    lease: Lease
    resume: Resume
    units: Mapping[str, str]
    until: float
    mark: float
    begun: float

    @property
    def entity(self) -> Entity:
        """What the run reads."""
        return Entity(self.run.entity)

    @property
    def all_feeds(self) -> list[Feed]:
        """The entity's feeds, those included that a whole pass leaves out."""
        return feeds_of(self.source.connector.feeds, self.entity)

    @property
    def whole(self) -> bool:
        """True when the pass reads all there is: a full run, a first one, or a source without change stamps."""
        return self.run.mode == SyncMode.FULL or not self.resume.checkpoints or read_whole(self.all_feeds)

    @property
    def leaves_changes(self) -> bool:
        """True when documents outside the period may have changed since the checkpoint, which this pass does not see.

        Then the checkpoint stays, for the next incremental run to find them.
        """
        read_on = bool(self.resume.checkpoints) and not read_whole(self.all_feeds)
        return self.whole and read_on and self.run.period_start is not None

    def feeds(self) -> list[Feed]:
        """Give the feeds that this pass reads."""
        return [feed for feed in self.all_feeds if feed.full] if self.whole else self.all_feeds

    def clock(self) -> datetime:
        """Give the database's time.

        By it reads are ordered: processes' own clocks differ, and may be set back, and then what was read later would
        count as older and not be stored.
        """
        return self.resume.now + timedelta(seconds=time.monotonic() - self.begun)

    def pace(self, feeds: Mapping[str, Any], *, fetched: int, now: datetime) -> Pace:
        """Tell how far the run has come with a page more.

        Args:
            feeds: How each feed then stands.
            fetched: Items of the page.
        """
        worked_ms = self.run.worked_ms + round((time.monotonic() - self.mark) * 1000)
        total = total_of(self.feeds(), feeds)
        return pace(fetched=self.run.fetched + fetched, total=total, worked_ms=worked_ms, now=now)

    def advance(self, feeds: dict[str, Any], counts: Mapping[str, int], pace: Pace) -> None:
        """Keep in mind what the page that was stored has changed of the run."""
        self.run.feeds, self.run.worked_ms, self.mark = feeds, pace.worked_ms, time.monotonic()
        for name, count in counts.items():
            setattr(self.run, name, getattr(self.run, name) + count)

    def since(self, feed: Feed) -> datetime | None:
        """Tell from when on the pass reads a feed's changes, by the source's clock; None reads all."""
        known = self.resume.checkpoints
        if self.whole or feed.cursor is None or (feed.full and feed.name not in known):
            return None
        # A feed of changed parts that a newer connector brings begins where the others do.
        checkpoint = datetime.fromisoformat(known.get(feed.name, min(known.values())))
        return set_back(checkpoint, ahead_ms=self.resume.source_ahead_ms, now_ahead_ms=self.run.source_ahead_ms)

    def period_start(self, start: datetime) -> date | None:
        """Tell the day from which on documents are read in a pass that begins at `start`; None reads of any day."""
        if any(feed.period_field and self.since(feed) is None for feed in self.feeds()):
            return (start - timedelta(days=self.opened.historical_period_days)).date()
        return None

    def window(self, feed: Feed) -> Window:
        """Tell what the pass reads of a feed."""
        since = self.since(feed)
        return Window(since, self.run.period_start if feed.period_field and since is None else None)


def set_back(checkpoint: datetime, *, ahead_ms: int, now_ahead_ms: int) -> datetime:
    """Move a checkpoint back by as much as the source's clock was set back since.

    While that clock was fast, the checkpoint was set into what is now the future, and what is stamped by the right
    clock would lie before it.

    Args:
        checkpoint: By the source's clock as it was.
        ahead_ms: How far that was ahead of ours then.
        now_ahead_ms: How far it is ahead of ours now.
    """
    back = timedelta(milliseconds=ahead_ms - now_ahead_ms)
    return checkpoint - back if back > DRIFT else checkpoint


def run_event(run: SyncRun, name: str, **more: Any) -> NewEvent:
    """Tell what became of a run."""
    data = {"syncRunId": encode_id("SyncRun", run.id), "entity": str(run.entity), "mode": str(run.mode), **more}
    return NewEvent(name, data)
