"""What connectors declare of their feeds, and what follows from it."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import Connector
from connectors.policy import feeds_of, full_every_hours, read_whole
from connectors.registry import CONNECTORS
from db.types import Entity
from jobs.work import DRIFT, set_back

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTES = timedelta(minutes=1)


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.spec.slug)
def test_every_entity_has_a_feed_that_a_whole_pass_reads(connector: Connector) -> None:
    """Each feed with a change stamp allows for late commits by more than clocks may drift apart unnoticed."""
    for entity in {feed.entity for feed in connector.feeds}:
        assert [feed.name for feed in feeds_of(connector.feeds, entity) if feed.full] != []
    assert [feed.name for feed in connector.feeds if feed.cursor and feed.overlap <= 2 * DRIFT] == []
    assert [feed.name for feed in connector.feeds if feed.scan_every and not feed.full] == []
    assert [feed.name for feed in connector.feeds if feed.cursor is None and feed.scan_every] == []


@pytest.mark.parametrize(
    ("slug", "policy"),
    [
        (
            "sap_s4hana",
            {
                Entity.PURCHASE_ORDER: ("LastChangeDateTime", 5 * MINUTES, "PurchaseOrder", 168),
                Entity.WORK_ORDER: ("LastChangeDateTime", 5 * MINUTES, "MaintenanceOrder", 168),
                Entity.VENDOR: ("LastChangeDate", timedelta(days=1), "BusinessPartner", 168),
                Entity.ITEM: ("LastChangeDateTime", 5 * MINUTES, "Product", 168),
                Entity.INVENTORY_LEVEL: (None, timedelta(0), "Material", None),
                Entity.ASSET: ("LastChangeDateTime", 5 * MINUTES, "Equipment", 168),
                Entity.LOCATION: (None, timedelta(0), "FunctionalLocation", None),
            },
        ),
        (
            "tryton",
            {
                Entity.PURCHASE_ORDER: ("write_date", 15 * MINUTES, "id", 24),
                Entity.VENDOR: ("write_date", 15 * MINUTES, "id", 24),
                Entity.WORK_ORDER: ("write_date", 15 * MINUTES, "id", 24),
                Entity.INVENTORY_LEVEL: (None, timedelta(0), "id", None),
                Entity.ITEM: ("write_date", 15 * MINUTES, "id", 24),
                Entity.LOCATION: ("write_date", 15 * MINUTES, "id", 24),
            },
        ),
    ],
)
def test_each_systems_policy_is_declared(slug: str, policy: dict[Entity, tuple[object, ...]]) -> None:
    feeds = next(connector.feeds for connector in CONNECTORS if connector.spec.slug == slug)

    told = {}
    for entity in dict.fromkeys(feed.entity for feed in feeds):
        own = feeds_of(feeds, entity)
        assert len({(feed.cursor, feed.overlap, feed.tie_break) for feed in own}) == 1
        told[entity] = (own[0].cursor, own[0].overlap, own[0].tie_break, full_every_hours(own, None))

    assert told == policy
    assert [e for e in told if read_whole(feeds_of(feeds, e))] == [e for e, p in policy.items() if p[0] is None]


@pytest.mark.parametrize(("setting", "hours"), [(None, 24), (0, None), (6, 6)])
def test_a_setting_takes_the_place_of_the_policy(setting: int | None, hours: int | None) -> None:
    feeds = next(connector.feeds for connector in CONNECTORS if connector.spec.slug == "tryton")

    assert full_every_hours(feeds_of(feeds, Entity.VENDOR), setting) == hours
    assert full_every_hours([], setting) is None


@pytest.mark.parametrize(
    ("ahead_ms", "now_ahead_ms", "expected"),
    [
        (0, 0, NOON),
        (0, 3_600_000, NOON),  # set forward: what was stamped before still lies behind the checkpoint
        (60_000, 0, NOON),  # clocks drift
        (60_001, 0, NOON - timedelta(milliseconds=60_001)),
        (86_400_000, 0, NOON - timedelta(days=1)),
        (-1_000, -86_400_000, NOON - timedelta(milliseconds=86_399_000)),
    ],
)
def test_a_checkpoint_moves_back_with_the_sources_clock(ahead_ms: int, now_ahead_ms: int, expected: datetime) -> None:
    assert set_back(NOON, ahead_ms=ahead_ms, now_ahead_ms=now_ahead_ms) == expected
