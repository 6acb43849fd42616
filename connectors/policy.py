"""What a connector's feeds say together of one entity: which there are, and when all of it is read."""

from collections.abc import Iterable
from datetime import timedelta

from connectors.base import Feed
from db.types import Entity


def feeds_of(feeds: Iterable[Feed], entity: Entity) -> list[Feed]:
    """Give the feeds of an entity, in the order in which they are read."""
    return [feed for feed in feeds if feed.entity == entity]


def read_whole(feeds: Iterable[Feed]) -> bool:
    """Tell whether every pass over these feeds reads all there is, for want of a change stamp."""
    return all(feed.cursor is None for feed in feeds if feed.full)


def full_every_hours(feeds: Iterable[Feed], setting: int | None) -> int | None:
    """Tell how often a full run over these feeds is due by itself, to find what was deleted without a word.

    Args:
        setting: Hours in place of the system's own policy; 0 for never, None for the policy.

    Returns:
        Hours; None where none is due, since the source tells deletions or every run reads whole.
    """
    policy = min((feed.scan_every for feed in feeds if feed.scan_every is not None), default=None)
    if policy is None or setting == 0:
        return None
    return setting or max(1, policy // timedelta(hours=1))
