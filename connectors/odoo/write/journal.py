"""The calls of one change to Odoo: prepared without effect, carried out over the wire that keeps them."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import Wire
from connectors.kit import journal
from connectors.odoo.client import Client
from connectors.odoo.lookups import Lookups


class Journal(journal.Journal):
    """One change's calls; reads go through `client`, changes through `do`."""

    def __init__(self, client: Client, lookups: Lookups, wire: Wire) -> None:
        super().__init__(client.carry, wire)
        self.client = client
        self.lookups = lookups

    async def do(
        self,
        model: str,
        method: str,
        ids: Sequence[int] | None = None,
        *,
        extra: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Any:
        """Make a call that changes something, and note it with its result; on a dry wire the result is None."""
        return await self.carry(await self.client.change(model, method, ids, extra=extra, **named))

    async def create(self, model: str, values: Mapping[str, Any]) -> int | None:
        """Create one record; gives its key, none on a dry wire."""
        keys = await self.do(model, "create", vals_list=[dict(values)])
        return int(keys[0] if isinstance(keys, list) else keys) if keys else None
