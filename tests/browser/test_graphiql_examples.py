"""GraphiQL's example queries against the schema of the API under test; needs no browser."""

import json
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from graphql import DocumentNode, OperationDefinitionNode, build_client_schema, get_introspection_query, parse, validate
from graphql.execution.values import get_variable_values

FOLDER: Final = Path(__file__).parents[2] / "dashboard" / "src" / "graphiql" / "examples"
EXAMPLES: Final = sorted(path.stem for path in FOLDER.glob("*.graphql"))


def test_the_examples_are_found() -> None:
    expected = {"purchaseOrders", "systems", "connections", "createPurchaseOrder", "syncRunUpdated", "recordChanged"}

    assert expected <= set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_example_is_valid_with_its_variables(name: str, api_url: str, api_key: str) -> None:
    schema = build_client_schema(await _introspect(api_url, api_key))
    document = parse((FOLDER / f"{name}.graphql").read_text(encoding="utf-8"))
    values = FOLDER / f"{name}.json"
    variables = json.loads(values.read_text(encoding="utf-8")) if values.exists() else {}

    assert validate(schema, document) == []
    assert not isinstance(get_variable_values(schema, _operation(document).variable_definitions or (), variables), list)


async def _introspect(api_url: str, api_key: str) -> Any:
    # input_value_deprecation off: the query must not ask for more than the oldest server answers.
    query = get_introspection_query(input_value_deprecation=False)
    headers = {"authorization": f"Bearer {api_key}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{api_url}/graphql", json={"query": query}, headers=headers) as response,
    ):
        return (await response.json(content_type=None))["data"]


def _operation(document: DocumentNode) -> OperationDefinitionNode:
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    return operation
