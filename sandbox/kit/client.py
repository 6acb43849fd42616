"""The administration of a running simulated system, from another process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp

from sandbox.kit.oracle import document_of
from sandbox.kit.system import Document

JsonObject = dict[str, Any]


class AdminClient:
    """Speaks to `/_sandbox`; see sandbox.kit.admin for what each call does."""

    def __init__(self, admin_url: str, session: aiohttp.ClientSession) -> None:
        self._url = admin_url
        self._session = session

    @classmethod
    @asynccontextmanager
    async def open(cls, admin_url: str) -> AsyncIterator[Self]:
        """Open it on what the system said of itself: adminUrl."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as session:
            yield cls(admin_url, session)

    async def overview(self) -> JsonObject:
        """Tell how much there is."""
        told: JsonObject = await self._call("GET", "")
        return told

    async def add_fault(self, kind: str, **more: Any) -> int:
        """Add a fault; gives its number."""
        faults = await self._call("POST", "/faults", {"kind": kind, **more})
        number: int = faults[-1]["number"]
        return number

    async def faults(self) -> list[JsonObject]:
        """Show the faults with their counters."""
        told: list[JsonObject] = await self._call("GET", "/faults")
        return told

    async def remove_fault(self, number: int) -> None:
        """Take a fault away, and let go what it holds."""
        await self._call("DELETE", f"/faults/{number}")

    async def clear_faults(self) -> None:
        """Take all faults away."""
        await self._call("DELETE", "/faults")

    async def calls(self, *, after: int = 0) -> list[JsonObject]:
        """Give the calls after a number."""
        told: list[JsonObject] = await self._call("GET", f"/calls?after={after}")
        return told

    async def edits(self, *, after: int = 0) -> list[JsonObject]:
        """Give the true changes after a number."""
        told: list[JsonObject] = await self._call("GET", f"/edits?after={after}")
        return told

    async def edit(self, count: int, **how: Any) -> list[str]:
        """Make edits at random: seed, mix, late_seconds, late_calls; gives the keys."""
        keys: list[str] = (await self._call("POST", "/edits", {"count": count, **how}))["keys"]
        return keys

    async def start_edits(self, *, per_second: float, seed: int, mix: Mapping[str, int] | None = None) -> None:
        """Let edits go on all the time."""
        chosen = {"mix": dict(mix)} if mix else {}
        await self._call("POST", "/edits/stream", {"per_second": per_second, "seed": seed, **chosen})

    async def stop_edits(self) -> None:
        """Let edits end, and all of them be seen."""
        await self._call("DELETE", "/edits/stream")
        await self._call("POST", "/edits/commit")

    async def clock(self, **settings: Any) -> JsonObject:
        """Set the clock, and show it."""
        told: JsonObject = await self._call("POST", "/clock", settings)
        return told

    async def options(self, **settings: Any) -> None:
        """Set the system's own options."""
        await self._call("POST", "/options", settings)

    async def go_offline(self, *, seconds: float | None = None) -> None:
        """Refuse connections."""
        await self._call("POST", "/offline", {} if seconds is None else {"seconds": seconds})

    async def go_online(self) -> None:
        """Take connections again."""
        await self._call("POST", "/online")

    async def documents(self, entity: str) -> dict[str, Document]:
        """Give every document that can be seen, by key."""
        text: bytes = await self._call("GET", f"/oracle/{entity}")
        return {each.key: each for each in map(document_of, text.splitlines())}

    async def references(self) -> JsonObject:
        """Give what callers made: `made`, reference → [entity, key] of each; `effects`, reference → calls."""
        told: JsonObject = await self._call("GET", "/oracle")
        return told

    async def _call(self, method: str, path: str, body: JsonObject | None = None) -> Any:
        async with self._session.request(method, f"{self._url}{path}", json=body) as answer:
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {await answer.text()}")
            if answer.content_type == "application/json":
                return await answer.json()
            return await answer.read()
