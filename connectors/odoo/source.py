"""One conversation with one Odoo: the protocol's methods, each handed to its module."""

from collections.abc import AsyncIterator
from datetime import datetime

from connectors.base import Change, Checked, Feed, Form, Item, JsonObject, Page, Referable, Window, Wire, Written
from connectors.odoo import check, read, references
from connectors.odoo.client import Client
from connectors.odoo.forms import OdooWriteDefaults
from connectors.odoo.lookups import Lookups
from connectors.odoo.write import specs
from connectors.odoo.write.journal import Journal
from db.types import Entity


class OdooSource:
    """See connectors.base.Source."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lookups = Lookups(client)

    async def check(self) -> Checked:
        """Prove address, database, key and rights."""
        return await check.check(self._client)

    async def clock(self) -> datetime:
        """Give the server's time."""
        return await self._client.server()

    def read(self, feed: Feed, *, window: Window, position: JsonObject | None) -> AsyncIterator[Page]:
        """Yield the pages of a pass."""
        return read.pages(self._client, self._lookups, feed, window=window, position=position)

    async def fetch(self, entity: Entity, source_ids: list[str]) -> list[Item]:
        """Read whole items by key."""
        return await read.fetch(self._client, self._lookups, entity, source_ids)

    async def resolve(self, kind: Referable, code: str) -> list[str]:
        """Find what people call by a code."""
        return await references.resolve(self._client, kind, code)

    async def write(self, change: Change, *, defaults: Form, wire: Wire) -> Written:
        """Carry a change to Odoo; see connectors.odoo.write."""
        told = defaults if isinstance(defaults, OdooWriteDefaults) else OdooWriteDefaults()
        return await specs.write(Journal(self._client, self._lookups, wire), change, told)

    async def find(self, change: Change, *, defaults: Form) -> list[str]:
        """Find what carries a change's reference."""
        del defaults
        return await specs.find(self._client, change)
