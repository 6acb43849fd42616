"""What the Odoo connector declares."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from connectors.base import Form, SystemSpec
from connectors.egress import Egress
from connectors.mapping import EntityMapping
from connectors.odoo import read
from connectors.odoo.client import Client
from connectors.odoo.forms import OdooCredentials, OdooWriteDefaults
from connectors.odoo.mapping.maintenance import ASSET, WORK_ORDER
from connectors.odoo.mapping.masters import INVENTORY_LEVEL, ITEM, LOCATION, VENDOR
from connectors.odoo.mapping.orders import PURCHASE_ORDER
from connectors.odoo.resources import FEEDS
from connectors.odoo.source import OdooSource
from connectors.odoo.units import unit_map
from connectors.odoo.write.specs import WRITES
from db.models.connection import SystemCategory
from db.types import Entity


class OdooConnector:
    """Odoo 16 to 19, Community and Enterprise."""

    spec: SystemSpec = SystemSpec(
        slug="odoo",
        name="Odoo",
        vendor="Odoo S.A.",
        category=SystemCategory.ERP,
        # Tier 2: an ERP with a documented interface and no approval by its vendor.
        credits=2,
        credentials=OdooCredentials,
        write_defaults=OdooWriteDefaults,
        identity=("base_url", "database"),
    )
    feeds = FEEDS
    mappings: Mapping[Entity, EntityMapping] = {
        Entity.PURCHASE_ORDER: PURCHASE_ORDER,
        Entity.VENDOR: VENDOR,
        Entity.ITEM: ITEM,
        Entity.INVENTORY_LEVEL: INVENTORY_LEVEL,
        Entity.WORK_ORDER: WORK_ORDER,
        Entity.ASSET: ASSET,
        Entity.LOCATION: LOCATION,
    }
    writes = WRITES

    @asynccontextmanager
    async def open(self, credentials: Form, *, egress: Egress) -> AsyncIterator[OdooSource]:
        """Open a conversation; the first call asks for the version and signs in."""
        if not isinstance(credentials, OdooCredentials):
            raise TypeError(f"Odoo is opened with OdooCredentials, not {type(credentials).__name__}")
        yield OdooSource(Client(egress, credentials))

    def units(self, defaults: Form) -> Mapping[str, str]:
        """Give the unit map: Odoo's own units, and the connection's over them."""
        return unit_map(defaults.unit_map if isinstance(defaults, OdooWriteDefaults) else {})

    def stamp(self, entity: Entity, body: Mapping[str, Any]) -> str | None:
        """Give the newest stamp of a record and its lines; levels have none."""
        return None if entity is Entity.INVENTORY_LEVEL else read.version(body)


ODOO: Final = OdooConnector()
