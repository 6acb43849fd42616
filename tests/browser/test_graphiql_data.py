"""GraphiQL on real data: orders by key and by token, a sync started and followed, a change made inside SAP."""

from itertools import pairwise
from typing import Any, Final

import pytest
from playwright.async_api import expect

from tests.browser.stage import Stage
from tests.browser.visit import Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

COUNT: Final = "{ purchaseOrders(first: 1) { totalCount } }"
NEWEST: Final = """
{ purchaseOrders(first: 1, orderBy: [{ field: SOURCE_ID, direction: DESC }]) { nodes { sourceId version } } }
"""
TRIGGER: Final = """
mutation ($connection: ID!) {
  triggerSync(input: { connectionId: $connection, entities: [PURCHASE_ORDER] }) { userErrors { message } }
}
"""


async def test_an_organization_key_shows_orders_with_vendor_and_lines(
    graphiql: Visit, stage: Stage, api_url: str, api_key: str
) -> None:
    await graphiql.use_key(api_key)

    answer = await graphiql.run()

    page = answer["data"]["purchaseOrders"]
    assert page["totalCount"] == await _count(stage, api_key)
    assert len(page["nodes"]) == 10
    assert [_as_in_sap(stage, order["orderNumber"]) for order in page["nodes"]] == [_shown(o) for o in page["nodes"]]
    await expect(graphiql.response).to_contain_text(f'"orderNumber": "{page["nodes"][0]["orderNumber"]}"')
    await expect(graphiql.response).to_contain_text(page["nodes"][0]["vendor"]["name"])
    assert graphiql.record.api_keys == [f"Bearer {api_key}"] * 2  # the schema, then the query
    graphiql.assert_clean(api_url)


async def test_a_connection_token_shows_the_orders_of_its_connection(
    graphiql: Visit, stage: Stage, api_url: str, api_key: str
) -> None:
    await graphiql.use_key(stage.token)

    page = (await graphiql.run())["data"]["purchaseOrders"]

    assert 0 < page["totalCount"] < await _count(stage, api_key)
    assert {order["connection"]["customer"]["name"] for order in page["nodes"]} == {"Demo customer-1"}
    assert graphiql.record.api_keys == [f"Bearer {stage.token}"] * 2
    graphiql.assert_clean(api_url)


async def test_a_sync_started_on_the_page_is_followed_there_to_its_end(
    graphiql: Visit, stage: Stage, api_url: str, api_key: str
) -> None:
    await graphiql.use_key(api_key)
    await graphiql.open_example("Start a sync")
    await graphiql.set_variables(
        {"input": {"connectionId": stage.connection, "entities": ["PURCHASE_ORDER"], "mode": "FULL"}}
    )

    started = (await graphiql.run())["data"]["triggerSync"]
    await graphiql.open_example("Follow sync runs")
    await graphiql.set_variables({"connectionId": stage.connection})
    await graphiql.follow()
    with stage.slow_sap(seconds=0.4):
        async with stage.working():
            await expect(graphiql.response).to_contain_text('"RUNNING"')
            await expect(graphiql.response).to_contain_text('"SUCCEEDED"')

    assert started["userErrors"] == []
    [run] = started["syncRuns"]
    told = graphiql.results("syncRunUpdated")
    assert {each["id"] for each in told} == {run["id"]}
    assert all(each["mode"] == "FULL" for each in told)
    _assert_progress(told)
    assert told[-1]["fetched"] == await _count(stage, stage.token)
    assert [socket.url for socket in graphiql.record.sockets] == [f"{api_url.replace('http', 'ws', 1)}/graphql"]
    assert graphiql.bearers_of_sockets() == [f"Bearer {api_key}"]
    graphiql.assert_clean(api_url)


async def test_a_change_made_inside_sap_is_told(graphiql: Visit, stage: Stage, api_url: str, api_key: str) -> None:
    [order] = (await stage.product.gql(NEWEST, key=stage.token))["purchaseOrders"]["nodes"]
    await graphiql.use_key(api_key)
    await graphiql.open_example("Follow record changes")
    await graphiql.set_variables({"connectionId": stage.connection, "entity": "PURCHASE_ORDER"})
    await graphiql.follow()

    await stage.change_in_sap(order["sourceId"], SupplierQuotationExternalID="OFFER-77")
    payload = (await stage.product.gql(TRIGGER, connection=stage.connection))["triggerSync"]
    async with stage.working():
        await expect(graphiql.response).to_contain_text('"vendorReference": "OFFER-77"')

    assert payload["userErrors"] == []
    [told] = graphiql.results("recordChanged")
    assert (told["type"], told["entity"]) == ("purchase_order.updated", "PURCHASE_ORDER")
    assert told["connectionId"] == stage.connection
    assert told["record"]["version"] == order["version"] + 1
    graphiql.assert_clean(api_url)


def _assert_progress(told: list[dict[str, Any]]) -> None:
    """Assert that a run was told several times: running with ever more fetched, then its success.

    A run is told as it is when it is told, so that two changes close together tell one state twice.
    """
    told = [each for n, each in enumerate(told) if n == 0 or each != told[n - 1]]
    statuses, fetched = [each["status"] for each in told], [each["fetched"] for each in told]
    assert statuses == ["RUNNING"] * (len(told) - 1) + ["SUCCEEDED"]
    assert len(told) >= 3
    assert all(before <= after for before, after in pairwise(fetched))
    assert len(set(fetched)) >= 2
    assert told[0]["finishedAt"] is None
    assert told[-1]["finishedAt"] is not None


async def _count(stage: Stage, key: str) -> int:
    count: int = (await stage.product.gql(COUNT, key=key))["purchaseOrders"]["totalCount"]
    return count


def _shown(order: dict[str, Any]) -> tuple[str, list[str | None]]:
    """Give vendor number and item codes of an order that the page shows."""
    return order["vendor"]["number"], [line["itemCode"] for line in order["lines"]]


def _as_in_sap(stage: Stage, number: str) -> tuple[str, list[str | None]]:
    """Give supplier and materials of an order as SAP's own tables hold them."""
    tables = stage.sap.app.system.tables
    order = tables["A_PurchaseOrder"].get(number)
    assert order is not None
    return order["Supplier"], [item["Material"] or None for item in tables["A_PurchaseOrderItem"].children(number)]
