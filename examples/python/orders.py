"""Read, write and follow purchase orders with Python: `pip install "gql[aiohttp,websockets]"`.

    CROSSHEAD_URL=http://127.0.0.1:8400 CROSSHEAD_TOKEN=chd_conn_… python orders.py VENDOR_CODE ITEM_CODE

The token is a connection's. The same documents work with every system that it may be connected to.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from gql import Client, GraphQLRequest, gql
from gql.client import AsyncClientSession
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

ORDERS = gql(
    """
    query Orders($after: String, $since: DateTime) {
      purchaseOrders(first: 20, after: $after, filter: { syncedAt: { gte: $since } }, orderBy: [{ field: SYNCED_AT }]) {
        nodes { id orderNumber sourceId status vendor { name } lines { itemCode quantity unit } }
        pageInfo { hasNextPage endCursor }
        incomplete { reason since }
      }
    }
    """
)
CREATE = gql(
    """
    mutation Create($input: CreatePurchaseOrderInput!) {
      createPurchaseOrder(input: $input) {
        purchaseOrder { id sourceId orderNumber status }
        operation { id state }
        userErrors { code path message sourceMessage }
      }
    }
    """
)
CHANGED = gql(
    """
    subscription Changed {
      recordChanged(entity: PURCHASE_ORDER) {
        sequence type recordId
        record { ... on PurchaseOrder { orderNumber status version } }
      }
    }
    """
)


def with_variables(document: GraphQLRequest, **variables: Any) -> GraphQLRequest:
    """Give a document with values for its variables."""
    return GraphQLRequest(document, variable_values=variables)


async def orders(session: AsyncClientSession, since: str) -> AsyncIterator[dict[str, Any]]:
    """Yield the orders that changed since an instant, page by page."""
    after = None
    while True:
        page = (await session.execute(with_variables(ORDERS, after=after, since=since)))["purchaseOrders"]
        for lack in page["incomplete"]:
            print(f"The list may lack something: {lack['reason']} since {lack['since']}")
        for order in page["nodes"]:
            yield order
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


async def create(session: AsyncClientSession, vendor: str, item: str, *, key: str) -> dict[str, Any] | None:
    """Make an order; gives None where it was refused, and prints why.

    Args:
        key: Idempotency key: sent again, it makes no second order and gives the first one's outcome.
    """
    line = {"item": {"code": item}, "quantity": "12", "unit": "EA", "unitPrice": "12.40"}
    order = {"vendor": {"code": vendor}, "currency": "EUR", "requiredDate": "2027-01-15", "lines": [line]}
    asked = with_variables(CREATE, input={"idempotencyKey": key, "purchaseOrder": order})
    payload = (await session.execute(asked))["createPurchaseOrder"]
    for error in payload["userErrors"]:
        print(f"Refused: {error['code']} at {'.'.join(error['path'] or [])}: {error['message']}")
    made: dict[str, Any] | None = payload["purchaseOrder"]
    return made


async def told(client: Client, record_id: asyncio.Future[str], following: asyncio.Event) -> dict[str, Any]:
    """Follow changes until the record's own is told."""
    async with client as session, aclosing(session.subscribe(CHANGED)) as changes:
        following.set()
        async for change in changes:
            if change["recordChanged"]["recordId"] == await record_id:
                return dict(change["recordChanged"])
    raise ConnectionError("The stream ended before the change was told; follow again from the last sequence number.")


async def main(url: str, token: str, vendor: str, item: str) -> None:
    """Show reading, writing and following."""
    headers = {"Authorization": f"Bearer {token}"}
    reading = Client(transport=AIOHTTPTransport(url=f"{url}/graphql", headers=headers))
    socket = f"{url.replace('http', 'ws', 1)}/graphql"
    live = Client(transport=WebsocketsTransport(url=socket, init_payload={"authorization": f"Bearer {token}"}))

    async with reading as session:
        numbers = [order["orderNumber"] async for order in orders(session, since="2026-01-01T00:00:00Z")]
        print(f"{len(numbers)} orders")
        await create(session, "no such vendor", item, key="refused-1")
        made_id: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        following = asyncio.Event()
        follower = asyncio.create_task(told(live, made_id, following))
        await following.wait()
        made = await create(session, vendor, item, key=f"order-{os.urandom(8).hex()}")
        if made is None:
            follower.cancel()
            return
        print(f"Made {made['orderNumber'] or made['sourceId']}: {made['status']}")
        made_id.set_result(made["id"])
        change = await asyncio.wait_for(follower, 30)
        print(f"Told: {change['type']}, version {change['record']['version']}")


if __name__ == "__main__":
    try:
        asyncio.run(main(os.environ["CROSSHEAD_URL"], os.environ["CROSSHEAD_TOKEN"], *sys.argv[1:3]))
    except TransportQueryError as error:
        first = (error.errors or [{}])[0]
        sys.exit(f"{first.get('message')} {first.get('extensions', {}).get('requestId')}")
