"""NetSuite as a connector: what is declared."""

import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from pydantic import SecretStr

from connectors.base import Feed, Form, Limits, SystemSpec, WriteSpec
from connectors.egress import Egress
from connectors.kit.auth import Auth
from connectors.kit.jwt_assertion import JwtAssertion
from connectors.kit.oauth1 import OAuth1
from connectors.mapping import EntityMapping
from connectors.netsuite.client import NetSuiteClient
from connectors.netsuite.forms import Credentials, WriteDefaults
from connectors.netsuite.mapping import INVENTORY_LEVEL, ITEM, LOCATION, PURCHASE_ORDER, VENDOR
from connectors.netsuite.source import NetSuiteSource
from connectors.netsuite.tables import FEEDS
from connectors.netsuite.units import units_of
from connectors.netsuite.write.specs import WRITES
from db.models.connection import SystemCategory
from db.types import Entity, Operation

_TOKEN_PATH: Final = "/services/rest/auth/oauth2/v1/token"  # noqa: S105  (a path)
_NONE: Final = SecretStr("")


class NetSuiteConnector:
    """Declares NetSuite; see connectors.base.Connector."""

    spec: SystemSpec = SystemSpec(
        slug="netsuite",
        name="Oracle NetSuite",
        vendor="Oracle",
        category=SystemCategory.ERP,
        credits=2,
        credentials=Credentials,
        write_defaults=WriteDefaults,
        identity=("account", "base_url"),
        # An account's limit (5 at once for the smallest, 15 for most) is shared by all its integrations.
        limits=Limits(at_once=3),
    )
    feeds: tuple[Feed, ...] = FEEDS
    mappings: Mapping[Entity, EntityMapping] = {
        Entity.PURCHASE_ORDER: PURCHASE_ORDER,
        Entity.VENDOR: VENDOR,
        Entity.ITEM: ITEM,
        Entity.INVENTORY_LEVEL: INVENTORY_LEVEL,
        Entity.LOCATION: LOCATION,
    }
    writes: Mapping[tuple[Entity, Operation], WriteSpec] = WRITES

    @asynccontextmanager
    async def open(self, credentials: Form, *, egress: Egress) -> AsyncIterator[NetSuiteSource]:
        """Open a conversation; the first call signs in."""
        if not isinstance(credentials, Credentials):
            raise TypeError(f"NetSuite is opened with Credentials, not {type(credentials).__name__}")
        yield NetSuiteSource(NetSuiteClient(egress, _auth(credentials), root=credentials.root), credentials)

    def units(self, defaults: Form) -> Mapping[str, str]:
        """Give NetSuite's units, the connection's own first."""
        return units_of(defaults.unit_map if isinstance(defaults, WriteDefaults) else {})

    def stamp(self, entity: Entity, body: Mapping[str, Any]) -> str | None:
        """Give the time of the last change, as NetSuite tells it; places and stock have none."""
        del entity
        return body.get("lastmodifieddate") or None


def _auth(told: Credentials) -> Auth:
    if told.auth_method == "TOKEN":
        return OAuth1(
            consumer_key=told.consumer_key or "",
            consumer_secret=told.consumer_secret or _NONE,
            token=told.token_id or "",
            token_secret=told.token_secret or _NONE,
            realm=told.realm,
            now=time.time,
            nonce=lambda: secrets.token_hex(16),
        )
    return JwtAssertion(
        f"{told.root}{_TOKEN_PATH}",
        told.client_id or "",
        told.certificate_id or "",
        told.private_key or _NONE,
        scope="rest_webservices",
        now=time.monotonic,
        wall=time.time,
    )


NETSUITE: Final = NetSuiteConnector()
