"""What a customer enters to connect NetSuite, and what writes to it need beyond the model."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from connectors.base import Form
from connectors.kit.jwt_assertion import private_key

InternalId = Annotated[str, StringConstraints(pattern=r"^-?\d{1,12}$")]


class Credentials(Form):
    """The connect form."""

    account: str = Field(
        title="Account id",
        description="As in Setup > Company > Company Information, e.g. 1234567, or 1234567_SB1 for a sandbox.",
        pattern=r"^[A-Za-z0-9]{2,20}([_-][A-Za-z0-9]{2,8})?$",
    )
    base_url: str | None = Field(
        default=None,
        title="Address",
        description="Only where it is not https://ACCOUNT.suitetalk.api.netsuite.com.",
        pattern=r"^https?://[^/?#\s]+/?$",
    )
    auth_method: Literal["OAUTH2", "TOKEN"] = Field(
        default="OAUTH2",
        title="Sign-in",
        description="OAUTH2: client credentials with a certificate. TOKEN: token-based authentication (TBA), which "
        "NetSuite takes for integrations made before 2027.1 only.",
    )
    client_id: str | None = Field(default=None, title="Client id", description="For OAUTH2.", max_length=100)
    certificate_id: str | None = Field(
        default=None, title="Certificate id", description="For OAUTH2: the id of the mapping.", max_length=200
    )
    private_key: SecretStr | None = Field(
        default=None,
        title="Private key",
        description="For OAUTH2: the certificate's key in PEM form, RSA (3072 or 4096 bits) or P-256, P-384, P-521.",
    )
    consumer_key: str | None = Field(default=None, title="Consumer key", description="For TOKEN.", max_length=100)
    consumer_secret: SecretStr | None = Field(default=None, title="Consumer secret", description="For TOKEN.")
    token_id: str | None = Field(default=None, title="Token id", description="For TOKEN.", max_length=100)
    token_secret: SecretStr | None = Field(default=None, title="Token secret", description="For TOKEN.")
    time_zone: str | None = Field(
        default=None,
        title="Time zone",
        description="The account's, e.g. America/Los_Angeles (Set Preferences of the user that signs in). Without it "
        "each run reads the changes of one more day, and records do not tell when they changed.",
        max_length=60,
    )

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name:
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise ValueError("no such time zone: give an IANA name such as America/Los_Angeles") from error
        return name or None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.auth_method == "OAUTH2":
            if not (self.client_id and self.certificate_id and self.private_key):
                raise ValueError("client id, certificate id and private key are needed to sign in by OAUTH2")
            private_key(self.private_key.get_secret_value())
        elif not (self.consumer_key and self.consumer_secret and self.token_id and self.token_secret):
            raise ValueError("consumer key and secret, token id and secret are needed to sign in by TOKEN")
        if self.base_url and urlsplit(self.base_url).username is not None:
            raise ValueError("the address must not hold a user or password")
        return self

    @property
    def root(self) -> str:
        """Where the account answers: in its host name an account is in lower case, with a hyphen."""
        if self.base_url:
            return self.base_url.rstrip("/")
        return f"https://{self.account.lower().replace('_', '-')}.suitetalk.api.netsuite.com"

    @property
    def realm(self) -> str:
        """The account as token-based authentication names it: in upper case, with an underscore."""
        return self.account.upper().replace("-", "_")


class WriteDefaults(Form):
    """What NetSuite needs to write, where a call does not say it in `sourceFields`; all are internal ids."""

    subsidiary: InternalId | None = Field(
        default=None, title="Subsidiary", description="Who buys; accounts with several subsidiaries need it."
    )
    location: InternalId | None = Field(default=None, title="Location", description="Where goods go.")
    department: InternalId | None = Field(default=None, title="Department")
    classification: InternalId | None = Field(default=None, title="Class")
    adjustment_account: InternalId | None = Field(
        default=None, title="Adjustment account", description="Needed to adjust stock: where the difference is booked."
    )
    unit_map: dict[str, str] = Field(
        default_factory=dict,
        title="Units",
        description="NetSuite's unit → UN/ECE Rec 20 code, for units of your own, or to read others differently.",
    )
