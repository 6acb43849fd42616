"""GraphiQL's example documents: each fits the schema, and runs on the product. Needs no browser.

The subscriptions run in test_graphiql_data.py, on the page.
"""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from graphql import DocumentNode, OperationDefinitionNode, OperationType, build_schema, parse, validate
from graphql.execution.values import get_variable_values

from tests.browser.stage import WRITE_DEFAULTS, Stage, sap_credentials

# With the browser tests, because they share one product.
pytestmark = pytest.mark.xdist_group("browser")

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "dashboard" / "src" / "graphiql" / "examples"
SCHEMA: Final = build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))
PLACEHOLDER: Final = "conn_…"


def read(name: str) -> tuple[str, dict[str, Any]]:
    """Give an example's document and its variables."""
    values = FOLDER / f"{name}.json"
    variables = json.loads(values.read_text(encoding="utf-8")) if values.exists() else {}
    return (FOLDER / f"{name}.graphql").read_text(encoding="utf-8"), variables


def operation(document: DocumentNode) -> OperationDefinitionNode:
    [only] = document.definitions
    assert isinstance(only, OperationDefinitionNode)
    return only


def names(*kinds: OperationType) -> list[str]:
    found = sorted(path.stem for path in FOLDER.glob("*.graphql"))
    return [name for name in found if operation(parse(read(name)[0])).operation in kinds]


@pytest.mark.parametrize("name", names(*OperationType))
def test_an_example_fits_the_schema(name: str) -> None:
    text, variables = read(name)
    document = parse(text)

    coerced = get_variable_values(SCHEMA, operation(document).variable_definitions or (), variables)

    assert validate(SCHEMA, document) == []
    assert not isinstance(coerced, list)


@pytest.mark.parametrize("name", names(OperationType.QUERY))
async def test_an_example_query_finds_something(name: str, stage: Stage) -> None:
    text, variables = read(name)

    [found] = (await stage.product.gql(text, **variables)).values()

    assert found["nodes"] if isinstance(found, dict) else found


async def test_the_example_of_connecting_connects(stage: Stage) -> None:
    text, variables = read("connectSystem")
    given = variables["input"]
    reachable = {**given, "credentials": sap_credentials(stage.sap)}

    payload = (await stage.product.gql(text, input=reachable))["connectSystem"]

    assert set(given["credentials"]) <= set(reachable["credentials"])
    assert given["writeDefaults"] == WRITE_DEFAULTS
    assert payload["userErrors"] == []
    assert payload["connection"]["status"] == "ACTIVE"


async def test_the_example_of_an_order_makes_it_in_sap(stage: Stage) -> None:
    text, variables = read("createPurchaseOrder")
    assert variables["input"]["connectionId"] == PLACEHOLDER

    payload = (await stage.product.gql(text, input={**variables["input"], "connectionId": stage.connection}))[
        "createPurchaseOrder"
    ]

    assert payload["userErrors"] == []
    assert payload["operation"]["state"] == "SUCCEEDED"
    made = stage.sap.app.system.tables["A_PurchaseOrder"].get(payload["purchaseOrder"]["orderNumber"])
    assert made is not None
    assert made["Supplier"] == variables["input"]["purchaseOrder"]["vendor"]["code"]


async def test_the_example_of_a_sync_starts_it(stage: Stage) -> None:
    text, variables = read("triggerSync")
    assert variables["input"]["connectionId"] == PLACEHOLDER

    payload = (await stage.product.gql(text, input={**variables["input"], "connectionId": stage.connection}))[
        "triggerSync"
    ]
    await stage.product.work()

    assert payload["userErrors"] == []
    assert [(run["entity"], run["mode"], run["status"]) for run in payload["syncRuns"]] == [
        ("PURCHASE_ORDER", "FULL", "QUEUED")
    ]
