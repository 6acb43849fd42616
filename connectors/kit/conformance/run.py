"""Running the cases, and keeping what came out: a JSON file a connector, from which the matrix is read."""

import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from connectors.addresses import Guard
from connectors.base import Connector
from connectors.egress import Egress
from connectors.kit.conformance.bench import Bench, Listener, NotTried
from connectors.kit.conformance.expect import Failed
from connectors.kit.conformance.rig import Rig
from connectors.kit.conformance.suite import Case, cases

Outcome = Literal["passed", "failed", "not tried"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("passed", "failed", "not tried")
RESULTS: Final = Path(__file__).parents[1] / "results"
ABILITIES: Final = ("read", "incremental", "deletions", "create", "update", "cancel", "delete", "adjust")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a case.

    Attributes:
        detail: Why it failed or was not tried.
        proved: (entity, ability, value) of what it has shown.
    """

    case: str
    area: str
    outcome: Outcome
    detail: str = ""
    seconds: float = 0.0
    proved: tuple[tuple[str, str, str], ...] = ()


@dataclass(slots=True)
class Report:
    """What came of a run.

    Attributes:
        against: `sandbox` or `live`.
        day: When it ran.
        matrix: Entity → ability → how it was shown.
        cases: Case → its outcome, with the reason where it did not pass.
    """

    slug: str
    against: str
    day: str
    matrix: dict[str, dict[str, str]] = field(default_factory=dict)
    cases: dict[str, str] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        """Add a case."""
        self.cases[result.case] = result.outcome + (f": {result.detail}" if result.detail else "")
        if result.outcome == "passed":
            for entity, ability, value in result.proved:
                self.matrix.setdefault(entity, {})[ability] = value

    def count(self, outcome: Outcome) -> int:
        """Count the cases of an outcome."""
        return sum(told.startswith(outcome) for told in self.cases.values())

    def save(self, folder: Path = RESULTS) -> Path:
        """Keep it as the connector's last."""
        path = folder / f"{self.slug}.json"
        folder.mkdir(exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", "utf-8")
        return path


def last(slug: str, folder: Path = RESULTS) -> Report | None:
    """Read a connector's last results; None where the suite never ran."""
    path = folder / f"{slug}.json"
    return Report(**json.loads(path.read_text("utf-8"))) if path.is_file() else None


@asynccontextmanager
async def benched(connector: Connector, rig: Rig, *, guard: Guard) -> AsyncIterator[Bench]:
    """Put a connector on a rig."""
    async with Egress.open(guard=guard) as egress, Egress.open(guard=guard, read_seconds=rig.hasty_seconds) as hasty:
        bench = Bench(connector, rig, egress, hasty)
        async with bench.open() as patient, bench.open(hasty=True) as quick:
            bench.kept = {False: patient, True: quick}
            yield bench


async def try_case(case: Case, bench: Bench) -> Result:
    """Run one case on a system put back to its beginning, and look whether any secret was told."""
    bench.proved, bench.told = [], []
    listener, root = Listener(), logging.getLogger()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    started = time.perf_counter()
    outcome, detail = "passed", ""
    try:
        await bench.rig.reset()
        await case.run(bench)
        _secret(bench, listener.lines)
    except (NotTried, NotImplementedError) as error:
        outcome, detail = "not tried", str(error)
    except Failed as error:
        outcome, detail = "failed", str(error)
    except Exception as error:
        outcome, detail = "failed", f"{type(error).__name__}: {error}"
        logging.getLogger(__name__).debug("%s", case.id, exc_info=error)
    finally:
        root.removeHandler(listener)
        root.setLevel(level)
        await bench.rig.mend()
    told: Any = outcome
    seconds = round(time.perf_counter() - started, 3)
    return Result(case.id, case.area, told, detail, seconds, tuple(bench.proved))


def _secret(bench: Bench, lines: Iterable[str]) -> None:
    text = "\n".join([*lines, *bench.told])
    for secret in bench.secrets():
        if secret in text:
            raise Failed(f"a secret was told: {secret[:1]}…, in a log line, an error or a wire")


async def run(
    connector: Connector,
    rig: Rig,
    *,
    guard: Guard,
    day: str,
    after: Callable[[Result], None] = lambda _: None,
    only: str = "",
) -> Report:
    """Run the cases one after the other.

    Args:
        guard: Which addresses may be called.
        day: The day, for the report.
        after: Told of each case.
        only: A part of the names of the cases to run.
    """
    report = Report(connector.spec.slug, rig.against, day)
    async with benched(connector, rig, guard=guard) as bench:
        for case in cases(connector):
            if only and only not in case.id:
                continue
            result = await try_case(case, bench)
            report.add(result)
            after(result)
    return report
