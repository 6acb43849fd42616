"""The forms a customer fills in: how to reach Tryton, and what writes need beyond the model."""

from typing import Literal

from pydantic import Field, SecretStr

from connectors.base import Form


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
