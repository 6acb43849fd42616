"""What a customer enters to connect S/4HANA, and what writes to it need beyond the model."""

from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, model_validator
from pydantic.config import JsonDict

from connectors.base import Form

Code4 = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,4}$")]
Code3 = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,3}$")]


_FOR_BASIC: Final[JsonDict] = {"showWhen": {"auth_method": "BASIC"}}
_FOR_OAUTH2: Final[JsonDict] = {"showWhen": {"auth_method": "OAUTH2"}}
"""Forms show a field only while another one has a value."""


class Credentials(Form):
    """The connect form."""

    base_url: str = Field(
        title="Address",
        description="Address of the API host, e.g. https://my000000-api.s4hana.cloud.sap; in the cloud not the address "
        "people sign in at.",
        pattern=r"^https?://[^/?#\s]+/?$",
    )
    client: str | None = Field(
        default=None,
        title="Client",
        description="SAP client of three digits; without it the system's default client answers.",
        pattern=r"^\d{3}$",
    )
    auth_method: Literal["BASIC", "OAUTH2"] = Field(
        default="BASIC",
        title="Sign-in",
        description="BASIC: a communication or technical user. OAUTH2: client credentials.",
    )
    username: str | None = Field(
        default=None, title="User", description="For BASIC.", max_length=40, json_schema_extra=_FOR_BASIC
    )
    password: SecretStr | None = Field(
        default=None, title="Password", description="For BASIC.", json_schema_extra=_FOR_BASIC
    )
    client_id: str | None = Field(
        default=None, title="Client id", description="For OAUTH2.", json_schema_extra=_FOR_OAUTH2
    )
    client_secret: SecretStr | None = Field(
        default=None, title="Client secret", description="For OAUTH2.", json_schema_extra=_FOR_OAUTH2
    )
    token_url: str | None = Field(
        default=None,
        title="Token address",
        description="For OAUTH2; without it /sap/bc/sec/oauth2/token of the address above.",
        pattern=r"^https?://\S+$",
        json_schema_extra=_FOR_OAUTH2,
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.auth_method == "BASIC" and not (self.username and self.password):
            raise ValueError("user and password are needed to sign in by BASIC")
        if self.auth_method == "OAUTH2" and not (self.client_id and self.client_secret):
            raise ValueError("client id and client secret are needed to sign in by OAUTH2")
        if urlsplit(self.base_url).username is not None:
            raise ValueError("the address must not hold a user or password")
        return self

    @property
    def root(self) -> str:
        """The address without a slash at its end."""
        return self.base_url.rstrip("/")


class WriteDefaults(Form):
    """What SAP needs to write, where a call does not say it in `sourceFields`."""

    company_code: Code4 | None = Field(default=None, title="Company code", description="Who buys.")
    purchasing_organization: Code4 | None = Field(default=None, title="Purchasing organization")
    purchasing_group: Code3 | None = Field(default=None, title="Purchasing group")
    purchase_order_type: Code4 = Field(default="NB", title="Purchase order type")
    plant: Code4 | None = Field(default=None, title="Plant", description="Where goods go and work is done.")
    storage_location: Code4 | None = Field(default=None, title="Storage location")
    material_group: str | None = Field(
        default=None, title="Material group", description="For lines without a material.", max_length=9
    )
    account_assignment_category: str | None = Field(
        default=None,
        title="Account assignment category",
        description="For lines without a material, e.g. K for a cost centre.",
        max_length=1,
    )
    cost_center: str | None = Field(
        default=None, title="Cost centre", description="For lines without a material.", max_length=10
    )
    gl_account: str | None = Field(
        default=None, title="G/L account", description="For lines without a material.", max_length=10
    )
    tax_code: str | None = Field(default=None, title="Tax code", description="For purchase order lines.", max_length=2)
    language: str = Field(default="EN", title="Language", description="Of texts we write.", pattern=r"^[A-Z]{2}$")
    maintenance_order_type: Code4 | None = Field(default=None, title="Maintenance order type", description="e.g. YA01")
    work_center: str | None = Field(
        default=None, title="Main work center", description="For maintenance orders.", max_length=8
    )
    supplier_grouping: Code4 | None = Field(
        default=None, title="Business partner grouping", description="Decides the number range of new suppliers."
    )
    reconciliation_account: str | None = Field(
        default=None, title="Reconciliation account", description="Of new suppliers.", max_length=10
    )
    tax_number_category: Code4 | None = Field(
        default=None, title="Tax number category", description="Of a new supplier's tax id, e.g. DE0."
    )
    goods_movement_code: str | None = Field(
        default=None,
        title="Goods movement code",
        description="Code under which the system lets the movement types below be posted (table T158G, 01 to 06).",
        pattern=r"^0[1-7]$",
    )
    increase_movement_type: Code3 | None = Field(
        default=None,
        title="Movement type that adds stock",
        description="Needed to adjust stock; inventory differences are 701 in the standard system.",
    )
    decrease_movement_type: Code3 | None = Field(
        default=None,
        title="Movement type that takes stock away",
        description="Needed to adjust stock; inventory differences are 702 in the standard system.",
    )
    unit_map: dict[str, str] = Field(
        default_factory=dict,
        title="Units",
        description="SAP's unit → UN/ECE Rec 20 code, for units of your own or to read a standard one differently.",
    )
