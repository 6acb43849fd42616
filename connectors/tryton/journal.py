"""The calls of one change to Tryton: prepared without effect, carried out over the wire that keeps them."""

from collections.abc import Mapping
from typing import Any

from connectors.base import JsonObject, Wire, Written
from connectors.kit import journal
from connectors.tryton.client import Client


class Journal(journal.Journal):
    """One change's calls; reads go through `client`, changes through `do`."""

    def __init__(self, client: Client, wire: Wire) -> None:
        super().__init__(client.carry, wire)
        self.client = client

    async def do(self, model: str, method: str, *args: Any, extra: Mapping[str, Any] | None = None) -> Any:
        """Make a call that changes something, and note it with its result; on a dry wire the result is None."""
        return await self.carry(await self.client.change(model, method, *args, extra=extra))

    async def made(self, model: str, values: Mapping[str, Any]) -> Written:
        """Create one record; a dry wire makes none and gives no key."""
        keys = await self.do(model, "create", [values])
        return Written(str(keys[0]) if keys else "")

    async def work_out(self, model: str, values: Mapping[str, Any], *fields: str) -> JsonObject:
        """Let Tryton fill in what follows from fields, as its client does when a person enters them; stores nothing."""
        filled: JsonObject = await self.client.call(model, "on_change", values, list(fields), purpose="prepare")
        return filled
