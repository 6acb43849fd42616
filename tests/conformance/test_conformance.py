"""Every connector does what connectors/kit/conformance asks; one test for each case of each connector.

A case that has nothing to try on a system is skipped, with its reason.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

import pytest

from connectors.kit.conformance.bench import Bench
from connectors.kit.conformance.run import benched, try_case
from connectors.kit.conformance.suite import Case, cases
from connectors.registry import CONNECTORS
from tests.fixtures.egress import LOOPBACK

Benches = dict[str, Bench]


def params() -> list[Any]:
    return [
        pytest.param(
            connector,
            case,
            id=f"{connector.spec.slug}: {case.id}",
            marks=[pytest.mark.xdist_group("tryton" if connector.spec.slug == "tryton" else connector.spec.slug)],
        )
        for connector in CONNECTORS
        for case in cases(connector)
    ]


@pytest.fixture(scope="session")
async def benches() -> AsyncIterator[tuple[AsyncExitStack, Benches]]:
    """Open benches; each system is started once."""
    async with AsyncExitStack() as stack:
        yield stack, {}


@pytest.fixture
async def bench(connector: Any, benches: tuple[AsyncExitStack, Benches], request: pytest.FixtureRequest) -> Bench:
    """The connector on its system."""
    stack, opened = benches
    slug = connector.spec.slug
    if slug not in opened:
        options = {"server": request.getfixturevalue("tryton_server")} if slug == "tryton" else {}
        rig = await stack.enter_async_context(import_module(f"sandbox.{slug}.rig").rig(**options))
        opened[slug] = await stack.enter_async_context(benched(connector, rig, guard=LOOPBACK))
    return opened[slug]


@pytest.mark.parametrize(("connector", "case"), params())
async def test_a_connector_does_as_it_must(connector: Any, case: Case, bench: Bench) -> None:
    """To see one fail, break the connector: the message says what it did instead."""
    assert bench.connector is connector

    result = await try_case(case, bench)

    assert result.outcome != "failed", result.detail
    if result.outcome == "not tried":
        pytest.skip(result.detail)
