"""The table of failures: each class of error has its row, and like messages read alike."""

from collections.abc import Iterator

import pytest

import connectors.registry  # noqa: F401  (imports define the connectors' own errors)
from connectors import errors
from connectors.errors import ConnectorError
from jobs import budget
from jobs.budget import Refused
from jobs.health import POLICIES, Effect, normalised, policy_of

_ANY = POLICIES[ConnectorError]
ROWS = {
    "ConfigError": ("connection", Effect.NOTHING, True, False),
    "AuthError": ("connection", Effect.REAUTHORIZE, True, False),
    "PermissionRefused": ("entity", Effect.NOTHING, True, False),
    "RateLimited": ("connection", Effect.PAUSE, True, True),
    "SourceUnavailable": ("connection", Effect.UNANSWERED, True, True),
    "SourceFault": ("entity", Effect.UNANSWERED, True, True),
    "BadResponse": ("entity", Effect.NOTHING, True, False),
    "WriteRejected": ("entity", Effect.NOTHING, False, False),
    "VersionConflict": ("entity", Effect.NOTHING, False, False),
    "Unsupported": ("entity", Effect.NOTHING, False, False),
    "OutcomeUnknown": ("entity", Effect.NOTHING, True, False),
    "HeldBack": ("connection", Effect.NOTHING, False, True),
    "CutOff": ("connection", Effect.NOTHING, False, True),
}


def below(of: type[ConnectorError]) -> Iterator[type[ConnectorError]]:
    for each in of.__subclasses__():
        yield each
        yield from below(each)


OURS = [each for each in below(ConnectorError) if each.__module__ in {errors.__name__, budget.__name__}]


def test_every_failure_has_its_row() -> None:
    """A new class without one would be taken for the nearest above it unnoticed."""
    assert {each.__name__ for each in OURS if each is not Refused} == set(ROWS)
    assert {each.__name__ for each in below(ConnectorError) if policy_of(each.__new__(each)) is _ANY} == set()


@pytest.mark.parametrize("of", [each for each in OURS if each is not Refused])
def test_a_failure_has_the_consequences_that_its_row_tells(of: type[ConnectorError]) -> None:
    policy = policy_of(of.__new__(of))

    assert (policy.extent, policy.effect, policy.recorded, of.transient) == ROWS[of.__name__]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Order 4500000017 is locked by user 'MEIER'.", 'order 12 is locked by user "Ö"'),
        ("Failed at 2026-11-21T10:31:51.123Z", "failed at 2026-11-22"),
        ("Session 0193f4a27b1c7e9d8a5b6c7d8e9f0a1b expired", "session  99 expired"),
        ("id 0193f4a2-7b1c-7e9d-8a5b-6c7d8e9f0a1b", "id 1,234.50"),
    ],
)
def test_messages_that_differ_in_keys_numbers_and_times_read_alike(one: str, other: str) -> None:
    assert normalised(one).rstrip(".") == normalised(other)


def test_messages_that_say_something_else_do_not_read_alike() -> None:
    assert normalised("The source refuses connections.") != normalised("The source closed the connection.")
    assert len(normalised("x " * 500)) == 200
