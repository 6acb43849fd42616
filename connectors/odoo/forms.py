"""The forms a customer fills in: how to reach Odoo, and what writes need beyond the model."""

from pydantic import Field, SecretStr

from connectors.base import Form


class OdooCredentials(Form):
    """How to reach and enter an Odoo."""

    base_url: str = Field(
        title="Address",
        description="Where Odoo answers, e.g. https://example.odoo.com",
        pattern=r"^https?://[^\s/?#]+[^\s?#]*$",
        max_length=2000,
    )
    database: str = Field(
        title="Database",
        description="Name of the database; on Odoo Online usually the first part of the address.",
        min_length=1,
        max_length=200,
    )
    username: str | None = Field(
        default=None,
        title="User name",
        description="The login of the user whose key it is. Odoo 16 to 18 ask for it; Odoo 19 does not.",
        max_length=500,
    )
    api_key: SecretStr = Field(
        title="API key",
        description="From the user's preferences, Account Security, New API Key. Odoo lets keys live three months at"
        " most unless an administrator makes them.",
        min_length=1,
    )


class OdooWriteDefaults(Form):
    """What writes need beyond the model."""

    warehouse: str | None = Field(
        default=None,
        title="Warehouse",
        description="Short name (code) of the warehouse that new orders are received in; empty takes Odoo's default.",
    )
    maintenance_team: str | None = Field(
        default=None,
        title="Maintenance team",
        description="Name of the team that new maintenance requests are for; empty takes Odoo's default.",
    )
    unit_map: dict[str, str] = Field(
        default_factory=dict,
        title="Units",
        description="Name of a unit in Odoo (in English) → UN/ECE Rec 20 code, for units beyond Odoo's own and instead"
        " of them.",
    )
