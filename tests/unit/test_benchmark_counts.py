"""A benchmark of nothing, or of less than it takes, is refused before anything is started."""

import argparse
import sys
from importlib import import_module
from typing import Final

import pytest

from benchmarks.counts import COUNT, PART, at_least

LEAST: Final = {
    "connectors": {"--orders": 1, "--tryton-orders": 1},
    "crash": {"--orders": 1, "--page-size": 1, "--connections": 1, "--workers": 1, "--kills": 0, "--rounds": 0},
    "first_sync": {"--orders": 1},
    "hostile": {"--orders": 1, "--rounds": 1},
    "keys": {"--connections": 1},
    "read": {"--orders": 1, "--most-orders": 1},
    "revocation": {"--disconnects": 20, "--held": 1},
    "schedule": {"--connections": 1},
    "sync": {"--orders": 1, "--rounds": 1, "--memory-orders": 0},
    "webhooks": {"--events": 10, "--heap": 4, "--paced": 1, "--followed": 20, "--sockets": 1, "--published": 1},
    "writes": {"--mutations": 1, "--kills": 0},
}


def refusal(name: str, *arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a benchmark that is refused; gives the last line that it says."""
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    with pytest.raises(SystemExit) as ended:
        import_module(f"benchmarks.{name}").main()
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(("name", "flag", "least"), [(n, f, least) for n in LEAST for f, least in LEAST[n].items()])
def test_a_count_that_is_too_small_is_refused(
    name: str, flag: str, least: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Off: `type=int` for it."""
    said = refusal(name, f"{flag}={least - 1}", monkeypatch=monkeypatch, capsys=capsys)

    allowed = "1 to 30" if flag == "--held" else f"{least} or more"
    assert said == f"{name}: error: argument {flag}: {least - 1} is not {allowed}"


@pytest.mark.parametrize("count", ["1000", "20500"])
def test_memory_is_measured_from_the_first_pages_on(
    count: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refusal("sync", "--memory-orders", count, monkeypatch=monkeypatch, capsys=capsys)

    assert said == f"sync: error: argument --memory-orders: {count} is not a multiple of 1,000, 20,000 or more"


def test_counts_within_their_bounds_are_taken() -> None:
    assert (COUNT("1"), PART("0"), at_least(1, most=30)("30")) == (1, 0, 30)
    with pytest.raises(argparse.ArgumentTypeError, match="31 is not 1 to 30"):
        at_least(1, most=30)("31")
