"""SAP S/4HANA as a connector: what is declared."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from pydantic import SecretStr

from connectors.base import Feed, Form, SystemSpec, WriteSpec
from connectors.egress import Egress
from connectors.kit.auth import Auth, Basic
from connectors.kit.oauth2 import ClientCredentials
from connectors.mapping import EntityMapping
from connectors.sap_s4hana.client import SapClient
from connectors.sap_s4hana.forms import Credentials, WriteDefaults
from connectors.sap_s4hana.mapping.items import ITEM
from connectors.sap_s4hana.mapping.orders import PURCHASE_ORDER
from connectors.sap_s4hana.mapping.plant import ASSET, LOCATION
from connectors.sap_s4hana.mapping.stock import INVENTORY_LEVEL
from connectors.sap_s4hana.mapping.vendors import VENDOR
from connectors.sap_s4hana.mapping.work import WORK_ORDER
from connectors.sap_s4hana.services import FEEDS
from connectors.sap_s4hana.source import SapSource
from connectors.sap_s4hana.units import units_of
from connectors.sap_s4hana.write.specs import WRITES
from db.models.connection import SystemCategory
from db.types import Entity, Operation


class SapS4HanaConnector:
    """Declares S/4HANA; see connectors.base.Connector."""

    spec: SystemSpec = SystemSpec(
        slug="sap_s4hana",
        name="SAP S/4HANA",
        vendor="SAP",
        category=SystemCategory.ERP,
        credits=4,
        credentials=Credentials,
        write_defaults=WriteDefaults,
        identity=("base_url", "client"),
    )
    feeds: tuple[Feed, ...] = FEEDS
    mappings: Mapping[Entity, EntityMapping] = {
        Entity.PURCHASE_ORDER: PURCHASE_ORDER,
        Entity.WORK_ORDER: WORK_ORDER,
        Entity.VENDOR: VENDOR,
        Entity.ITEM: ITEM,
        Entity.INVENTORY_LEVEL: INVENTORY_LEVEL,
        Entity.ASSET: ASSET,
        Entity.LOCATION: LOCATION,
    }
    writes: Mapping[tuple[Entity, Operation], WriteSpec] = WRITES

    @asynccontextmanager
    async def open(self, credentials: Form, *, egress: Egress) -> AsyncIterator[SapSource]:
        """Open a conversation; the first call signs in."""
        if not isinstance(credentials, Credentials):
            raise TypeError(f"SAP S/4HANA is opened with Credentials, not {type(credentials).__name__}")
        client = SapClient(egress, _auth(credentials), root=credentials.root, client=credentials.client)
        yield SapSource(client, credentials)

    def units(self, defaults: Form) -> Mapping[str, str]:
        """Give SAP's units, the connection's own first."""
        return units_of(defaults.unit_map if isinstance(defaults, WriteDefaults) else {})

    def stamp(self, entity: Entity, body: Mapping[str, Any]) -> str | None:
        """Give SAP's stamp of the last change, or a partner's ETag; stock has neither."""
        return body.get("ETag" if entity is Entity.VENDOR else "LastChangeDateTime") or None


def _auth(credentials: Credentials) -> Auth:
    if credentials.auth_method == "BASIC":
        return Basic(credentials.username or "", credentials.password or SecretStr(""))
    client = f"?sap-client={credentials.client}" if credentials.client else ""
    token_url = credentials.token_url or f"{credentials.root}/sap/bc/sec/oauth2/token{client}"
    secret = credentials.client_secret or SecretStr("")
    return ClientCredentials(token_url, credentials.client_id or "", secret, now=time.monotonic)


SAP_S4HANA: Final = SapS4HanaConnector()
