"""Load from a process of its own: asks for a while at a fixed concurrency, and tells rate and percentiles.

Reads one JSON object from its input: url, headers, bodies (a list that is walked in turn; null asks by GET), paths,
concurrency, seconds, warm_seconds. Prints one JSON object.
"""

import asyncio
import itertools
import json
import sys
import time
from typing import Any

import aiohttp


async def measure(asked: dict[str, Any]) -> dict[str, Any]:
    """Ask, and tell what it took."""
    took: list[float] = []
    size = 0
    questions = itertools.cycle(list(zip(asked["paths"], asked["bodies"], strict=True)))
    counting_from = time.perf_counter() + asked["warm_seconds"]
    until = counting_from + asked["seconds"]
    async with aiohttp.ClientSession(
        headers=asked["headers"], connector=aiohttp.TCPConnector(limit=asked["concurrency"])
    ) as session:

        async def ask() -> None:
            nonlocal size
            while (began := time.perf_counter()) < until:
                path, body = next(questions)
                method = "GET" if body is None else "POST"
                async with session.request(method, asked["url"] + path, data=body) as answer:
                    told = await answer.read()
                    if answer.status != 200 or b'"errors"' in told[:200]:
                        raise RuntimeError(f"{answer.status}: {told[:500]!r}")
                if began >= counting_from:
                    took.append(time.perf_counter() - began)
                    size = len(told)

        await asyncio.gather(*(ask() for _ in range(asked["concurrency"])))
    took.sort()
    return {
        "rate": round(len(took) / asked["seconds"], 1),
        "p50": round(took[len(took) // 2] * 1000, 2),
        "p99": round(took[int(len(took) * 0.99)] * 1000, 2),
        "bytes": size,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(json.load(sys.stdin)))))
