"""Trying connectors from the command line: the suite on a sandbox or a live system, and the matrix of last results."""

import asyncio
import logging
import os
import pkgutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from connectors.addresses import Guard
from connectors.base import Connector
from connectors.kit.conformance.live import LiveRig
from connectors.kit.conformance.rig import Rig
from connectors.kit.conformance.run import ABILITIES, OUTCOMES, Report, Result, last, run
from connectors.registry import BY_SLUG, CONNECTORS

out, err = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)
_MARKS: Final = {"passed": "[green]✓[/]", "failed": "[red]✗[/]", "not tried": "[yellow]·[/]"}


def try_connector(name: str, *, live: bool, only: str, save: bool) -> int:
    """Run the suite and print what comes of it; gives the exit code."""
    connector = BY_SLUG.get(name)
    if connector is None:
        err.print(f"There is no connector {name}; there are {', '.join(BY_SLUG)}.", markup=False)
        return 2
    logging.basicConfig(handlers=[logging.NullHandler()])  # the suite listens to logs, and nobody wants to read them
    report = asyncio.run(_tried(connector, live=live, only=only))
    _tell(report)
    if save:
        out.print(f"Kept in {report.save()}", markup=False)
    return 1 if report.count("failed") else 0


def run_sandbox(system: str, *, port: int, orders: int, ready_file: Path | None) -> int:
    """Run a simulated system until SIGTERM or SIGINT; gives the exit code."""
    if find_spec(f"sandbox.{system}") is None or find_spec(f"sandbox.{system}.__main__") is None:
        err.print(f"There is no sandbox of {system}; there are {', '.join(sandboxes())}.", markup=False)
        return 2
    main = import_module(f"sandbox.{system}.__main__").main
    arguments = ["--port", str(port), *(["--ready-file", str(ready_file)] if ready_file else [])]
    if system != "tryton":
        main([*arguments, "--orders", str(orders)])
        return 0
    from crosshead.embedded.postgres import EmbeddedPostgres

    err.print("A real Tryton runs, with its own demo orders; the first start on a machine takes minutes.", markup=False)
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "postgres") as postgres:
        main([*arguments, "--postgres-url", postgres.superuser_dsn(), "--bin-dir", str(postgres.bin_dir)])
    return 0


def sandboxes() -> list[str]:
    """Give the systems that can be run."""
    import sandbox

    found = (module.name for module in pkgutil.iter_modules(sandbox.__path__) if module.ispkg)
    return [name for name in found if find_spec(f"sandbox.{name}.__main__")]


def show() -> None:
    """Show what each connector was last shown to do."""
    for connector in CONNECTORS:
        report = last(connector.spec.slug)
        title = f"{connector.spec.name} ({connector.spec.slug})"
        if report is None:
            out.print(f"{title}: never tried; run crosshead connector test {connector.spec.slug} --save", markup=False)
            continue
        out.print(_matrix(report, f"{title}, {report.against}, {report.day}"))


async def _tried(connector: Connector, *, live: bool, only: str) -> Report:
    day = datetime.now(UTC).date().isoformat()

    def after(result: Result) -> None:
        detail = f"  [dim]{escape(result.detail)}[/]" if result.detail else ""
        out.print(f"{_MARKS[result.outcome]} {escape(result.case)}{detail}")

    async with AsyncExitStack() as stack:
        rig, guard = await _rig(stack, connector, live=live)
        return await run(connector, rig, guard=guard, day=day, after=after, only=only)


async def _rig(stack: AsyncExitStack, connector: Connector, *, live: bool) -> tuple[Rig, Guard]:
    if live:
        allowed = os.environ.get("CROSSHEAD_EGRESS_ALLOWED_CIDRS", "")
        return LiveRig(connector, os.environ), Guard.of([each for each in allowed.split(",") if each])
    slug = connector.spec.slug
    options = await stack.enter_async_context(_server(slug))
    rig: Rig = await stack.enter_async_context(import_module(f"sandbox.{slug}.rig").rig(**options))
    return rig, Guard.of(["127.0.0.0/8"])


@asynccontextmanager
async def _server(slug: str) -> AsyncIterator[dict[str, Any]]:
    """Start what a sandbox runs on: a real Tryton needs a database."""
    if slug != "tryton":
        yield {}
        return
    from crosshead.embedded.postgres import EmbeddedPostgres
    from sandbox.tryton.server import TrytonServer

    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder) / "postgres") as postgres,
        TrytonServer(postgres_url=postgres.superuser_dsn(), bin_dir=postgres.bin_dir) as server,
    ):
        yield {"server": server}


def _tell(report: Report) -> None:
    out.print(_matrix(report, f"{report.slug}, {report.against}, {report.day}"))
    out.print(", ".join(f"{report.count(outcome)} {outcome}" for outcome in OUTCOMES))


def _matrix(report: Report, title: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("entity", *ABILITIES):
        table.add_column(name, no_wrap=True)
    for entity, told in report.matrix.items():
        table.add_row(entity, *(told.get(ability, "") for ability in ABILITIES))
    return table
