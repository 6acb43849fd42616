"""One conversation with one Tryton database: the protocol's methods, each handed to its module."""

from collections.abc import AsyncIterator
from datetime import datetime

from connectors.base import Change, Checked, Feed, Form, Item, JsonObject, Page, Referable, Window, Wire, Written
from connectors.tryton import check, read, references, write
from connectors.tryton.client import Client
from connectors.tryton.forms import TrytonWriteDefaults
from connectors.tryton.units import unit_map
from db.types import Entity


class TrytonSource:
    """See connectors.base.Source."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def check(self) -> Checked:
        """Prove address, database, credentials, company and rights."""
        return await check.check(self._client)

    async def clock(self) -> datetime:
        """Give the server's time."""
        return (await self._client.server())[1]

    def read(self, feed: Feed, *, window: Window, position: JsonObject | None) -> AsyncIterator[Page]:
        """Yield the pages of a pass."""
        return read.pages(self._client, feed, window=window, position=position)

    async def fetch(self, entity: Entity, source_ids: list[str]) -> list[Item]:
        """Read whole items by key."""
        return await read.fetch(self._client, entity, source_ids)

    async def resolve(self, kind: Referable, code: str) -> list[str]:
        """Find what people call by a code."""
        return await references.resolve(self._client, kind, code)

    async def write(self, change: Change, *, defaults: Form, wire: Wire) -> Written:
        """Carry a change to Tryton; see connectors.tryton.write."""
        if not isinstance(defaults, TrytonWriteDefaults):
            raise TypeError(f"Tryton's write defaults are TrytonWriteDefaults, not {type(defaults).__name__}")
        return await write.write(
            self._client,
            change,
            units=unit_map(defaults.unit_map),
            warehouse=defaults.warehouse,
            first_address=defaults.invoice_address == "first",
            wire=wire,
        )

    async def find(self, change: Change, *, defaults: Form) -> list[str]:
        """Find what carries a change's reference."""
        del defaults
        return await write.find(self._client, change)
