"""What the Tryton connector declares."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final, Literal

from pydantic import Field, SecretStr

from connectors.base import Form, SystemSpec, WriteSpec
from connectors.egress import Egress
from connectors.errors import ConnectorError
from connectors.tryton.client import Client
from connectors.tryton.fields import FEEDS
from connectors.tryton.mapping import MAPPINGS
from connectors.tryton.session import SessionAuth
from connectors.tryton.source import TrytonSource
from connectors.tryton.units import REC20
from db.models.connection import SystemCategory
from db.types import Entity, Operation


class TrytonCredentials(Form):
    """How to reach and enter a Tryton."""

    base_url: str = Field(
        title="Address",
        description="Where the Tryton server answers, without the database, e.g. https://erp.example.com:8000",
        pattern=r"^https?://[^\s/?#]+[^\s?#]*$",
        max_length=2000,
    )
    database: str = Field(
        title="Database", description="Name of the database, as in Tryton's sign-in window.", min_length=1
    )
    username: str = Field(
        title="User name",
        description="A user of the group Purchase, with a company; best one of its own for this connection.",
        min_length=1,
    )
    password: SecretStr = Field(title="Password", description="The user's password.", min_length=1)


class TrytonWriteDefaults(Form):
    """What writes need beyond the model."""

    warehouse: str | None = Field(
        default=None,
        title="Warehouse",
        description="Code or name of the warehouse that new orders are for; empty takes Tryton's default.",
    )
    invoice_address: Literal["invoice", "first"] = Field(
        default="invoice",
        title="Invoice address",
        description="The vendor's address on new orders: `invoice` takes the one marked for invoices, else the first; "
        "`first` always takes the first.",
    )
    unit_map: dict[str, str] = Field(
        default_factory=dict,
        title="Units",
        description="Unit symbol in Tryton → UN/ECE Rec 20 code, for units beyond Tryton's own and instead of them.",
    )


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
    )
    feeds = FEEDS
    mappings = MAPPINGS
    writes: Mapping[tuple[Entity, Operation], WriteSpec] = {}

    @asynccontextmanager
    async def open(self, credentials: Form, *, egress: Egress) -> AsyncIterator[TrytonSource]:
        """Open a conversation; the session it opens on the first call is closed at the end."""
        if not isinstance(credentials, TrytonCredentials):
            raise TypeError(f"Tryton is opened with TrytonCredentials, not {type(credentials).__name__}")
        auth = SessionAuth(
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
        own = defaults.unit_map if isinstance(defaults, TrytonWriteDefaults) else {}
        return {**REC20, **own}


TRYTON: Final = TrytonConnector()
