"""What is told of each connector is what it declares and was shown to do."""

from pathlib import Path
from typing import Any

import pytest

from connectors.kit.conformance.run import Report, last
from connectors.kit.conformance.suite import cases
from connectors.kit.docs import page
from connectors.registry import CONNECTORS
from db.types import Entity

PAGES = Path(__file__).resolve().parents[2] / "docs" / "systems"
EVERY = pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.spec.slug)


@EVERY
def test_a_systems_page_is_the_one_that_its_connector_makes(connector: Any) -> None:
    """`crosshead connector docs` makes it fresh."""
    assert (PAGES / f"{connector.spec.slug}.md").read_text("utf-8") == page(connector)


def results(connector: Any) -> Report:
    report = last(connector.spec.slug)
    assert report is not None, "the suite was never run: crosshead connector test NAME --save"
    return report


@EVERY
def test_the_last_results_are_of_the_cases_that_there_are(connector: Any) -> None:
    """`crosshead connector test NAME --save` makes them fresh."""
    report = results(connector)

    assert set(report.cases) ^ {case.id for case in cases(connector)} == set()
    assert [name for name, told in report.cases.items() if told.startswith("failed")] == []


@EVERY
def test_the_matrix_shows_every_entity_and_write_that_is_declared(connector: Any) -> None:
    """To see it fail, declare an operation that the connector cannot do: the suite proves nothing of it."""
    report = results(connector)
    shown = {(entity, ability) for entity, told in report.matrix.items() for ability in told}
    declared = {(entity.value, "read") for entity in connector.mappings}
    declared |= {(entity.value, operation.value.lower()) for entity, operation in connector.writes}

    assert declared - shown == set()
    assert {Entity(entity) for entity, _ in shown} == set(connector.mappings)
