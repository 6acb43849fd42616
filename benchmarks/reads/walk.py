"""How deep pages cost: page 1,000 of a cursor walk beside page 1, in every sort."""

import statistics
import time
from typing import Any, Final

import aiohttp

from benchmarks.reads.questions import ORDER, PAGE_SIZE

DEEP: Final = 1_000
STEP: Final = 250
ROUNDS: Final = 25
_SORTS: Final = '{ __type(name: "PurchaseOrderOrderField") { enumValues { name } } }'
_STEP: Final = (
    "query ($first: Int!, $after: String, $orderBy: [PurchaseOrderOrder!]) {"
    " purchaseOrders(first: $first, after: $after, orderBy: $orderBy) { pageInfo { endCursor } } }"
)
_PAGE: Final = (
    "query ($first: Int!, $after: String, $orderBy: [PurchaseOrderOrder!]) {"
    f" purchaseOrders(first: $first, after: $after, orderBy: $orderBy) {{ nodes {{ {ORDER} }} }} }}"
)


class Walker:
    """Walks the product's lists with one token."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = f"{url}/graphql"

    async def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        # Pages are bought with points; a benchmark waits until the bucket has them.
        while True:
            async with self._http.post(self._url, json={"query": query, "variables": variables}) as answer:
                told: dict[str, Any] = await answer.json(content_type=None)
            if "errors" in told:
                raise SystemExit(f"the walk was refused: {told['errors'][0]}")
            data: dict[str, Any] = told["data"]
            return data

    async def sorts(self) -> list[dict[str, str]]:
        """Give every sort of purchase orders, both ways."""
        values = (await self._ask(_SORTS))["__type"]["enumValues"]
        return [{"field": each["name"], "direction": way} for each in values for way in ("ASC", "DESC")]

    async def compare(self, sort: dict[str, str]) -> dict[str, float]:
        """Time page 1 and page 1,000 in turn; gives both medians in milliseconds and their ratio."""
        cursor: str | None = None
        for _ in range(DEEP * PAGE_SIZE // STEP - 1):
            page = await self._ask(_STEP, first=STEP, after=cursor, orderBy=[sort])
            cursor = page["purchaseOrders"]["pageInfo"]["endCursor"]
        took: dict[str | None, list[float]] = {None: [], cursor: []}
        for _ in range(ROUNDS):
            for after, times in took.items():
                began = time.perf_counter()
                page = await self._ask(_PAGE, first=PAGE_SIZE, after=after, orderBy=[sort])
                times.append((time.perf_counter() - began) * 1000)
                if len(page["purchaseOrders"]["nodes"]) != PAGE_SIZE:
                    raise SystemExit(f"a short page in {sort}")
        first, deep = (statistics.median(times) for times in took.values())
        return {"page1Ms": round(first, 2), "page1000Ms": round(deep, 2), "ratio": round(deep / first, 3)}
