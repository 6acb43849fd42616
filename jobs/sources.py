"""Open a connection's source: its connector, with the credentials taken from the vault."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr, ValidationError

from connectors.base import Connector, Form, Source
from connectors.egress import Egress
from connectors.errors import AuthError, ConfigError
from db.connections import Opened
from db.secrets import Vault
from db.types import ErrorCode, Problem


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A connection's source with what it declares."""

    connector: Connector
    source: Source
    defaults: Form


class Sources:
    """Opens sources for a process: one way out, one vault, the connectors by slug."""

    def __init__(self, egress: Egress, vault: Vault, connectors: Mapping[str, Connector]) -> None:
        self.egress = egress
        self.vault = vault
        self.connectors = connectors

    @asynccontextmanager
    async def open(self, connection: Opened) -> AsyncIterator[OpenSource]:
        """Open a connection's source.

        Raises:
            AuthError: The credentials are gone. ConfigError: what is stored no longer fits the connector's forms.
        """
        connector = self.connectors[connection.system]
        if connection.sealed is None:
            raise AuthError("The connection's credentials were destroyed.")
        try:
            credentials = connector.spec.credentials.model_validate(self.vault.open(connection.id, connection.sealed))
            defaults = connector.spec.write_defaults.model_validate(connection.write_defaults)
        except ValidationError as error:
            raise ConfigError("What is stored of the connection no longer fits the connector.") from error
        async with connector.open(credentials, egress=self.egress) as source:
            yield OpenSource(connector, source, defaults)


def fill(form: type[Form], given: Any, *, path: tuple[str, ...]) -> tuple[Form | None, list[Problem]]:
    """Fill a connector's form from a caller's JSON; gives the form, or what is wrong with it."""
    try:
        return form.model_validate(given), []
    except ValidationError as error:
        return None, [
            Problem(
                ErrorCode.BAD_USER_INPUT,
                f"{'.'.join(map(str, each['loc'])) or 'The value'}: {each['msg']}.",
                (*path, *(str(step) for step in each["loc"])),
            )
            for each in error.errors(include_url=False, include_input=False)
        ]


def revealed(credentials: Form) -> dict[str, Any]:
    """Give a form's values with its secrets in the open, to be sealed at once."""
    values = credentials.model_dump(mode="json")
    for name in type(credentials).model_fields:
        value = getattr(credentials, name)
        if isinstance(value, SecretStr):
            values[name] = value.get_secret_value()
    return values
