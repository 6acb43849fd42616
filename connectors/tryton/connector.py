"""What the Tryton connector declares."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from connectors.base import Form, SystemSpec
from connectors.egress import Egress
from connectors.errors import ConnectorError
from connectors.tryton import read
from connectors.tryton.client import Client
from connectors.tryton.fields import FEEDS
from connectors.tryton.forms import TrytonCredentials, TrytonWriteDefaults
from connectors.tryton.mapping import MAPPINGS
from connectors.tryton.session import session_login
from connectors.tryton.source import TrytonSource
from connectors.tryton.units import unit_map
from connectors.tryton.write import WRITES
from db.models.connection import SystemCategory
from db.types import Entity


class TrytonConnector:
    """Tryton 7.4, the free ERP, over JSON-RPC."""

    spec: SystemSpec = SystemSpec(
        slug="tryton",
        name="Tryton",
        vendor="Tryton Foundation",
        category=SystemCategory.ERP,
        # Tier 2: an ERP with a documented interface and no approval by its vendor.
        credits=2,
        credentials=TrytonCredentials,
        write_defaults=TrytonWriteDefaults,
        identity=("base_url", "database"),
    )
    feeds = FEEDS
    mappings = MAPPINGS
    writes = WRITES

    @asynccontextmanager
    async def open(self, credentials: Form, *, egress: Egress) -> AsyncIterator[TrytonSource]:
        """Open a conversation; the session it opens on the first call is closed at the end."""
        if not isinstance(credentials, TrytonCredentials):
            raise TypeError(f"Tryton is opened with TrytonCredentials, not {type(credentials).__name__}")
        auth = session_login(
            base_url=credentials.base_url,
            database=credentials.database,
            username=credentials.username,
            password=credentials.password,
        )
        client = Client(egress, auth, base_url=credentials.base_url, database=credentials.database)
        yield TrytonSource(client)
        with suppress(ConnectorError):  # Tryton ends forgotten sessions by itself
            await client.close()

    def units(self, defaults: Form) -> Mapping[str, str]:
        """Give the unit map: Tryton's own units, and the connection's over them."""
        return unit_map(defaults.unit_map if isinstance(defaults, TrytonWriteDefaults) else {})

    def stamp(self, entity: Entity, body: Mapping[str, Any]) -> str | None:
        """Give the newest stamp of a record and its parts; levels have none."""
        return None if entity is Entity.INVENTORY_LEVEL else read.version(body) or None


TRYTON: Final = TrytonConnector()
