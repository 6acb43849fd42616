"""Open a connection's source: its connector, with the credentials taken from the vault."""

from collections.abc import AsyncIterator, Callable, Mapping
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
from jobs.budget import Budget, Priority
from jobs.discreet import discreet


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A connection's source with what it declares."""

    connector: Connector
    source: Source
    defaults: Form


def _always() -> None:
    """Let every call go."""


class Sources:
    """Opens sources for a process: one way out, one vault, the connectors by slug, and the budget of every call."""

    def __init__(self, egress: Egress, vault: Vault, connectors: Mapping[str, Connector], *, budget: Budget) -> None:
        self.egress = egress
        self.vault = vault
        self.connectors = connectors
        self.budget = budget

    @asynccontextmanager
    async def open(
        self,
        connection: Opened,
        *,
        priority: Priority,
        probe: bool = False,
        dry: bool = False,
        ready: Callable[[], None] = _always,
        left: Callable[[], None] | None = None,
    ) -> AsyncIterator[OpenSource]:
        """Open a connection's source; each of its calls goes through the connection's budget.

        Args:
            connection: Whose source.
            priority: Writes go first.
            probe: Calls go through an open breaker.
            dry: Nothing can be changed through it.
            ready: Called before each call; it may raise, and the call does not go out.
            left: Called once a changing request is on its way, and its answer is not there yet.

        Raises:
            HeldBack, CutOff: From any call that is not let out; nothing of it was sent.
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

        @asynccontextmanager
        async def gate() -> AsyncIterator[None]:
            limits = connector.spec.limits
            async with self.budget.call(connection.scope, priority=priority, limits=limits, probe=probe):
                ready()  # last: the wait for room may have been long
                yield

        async with connector.open(credentials, egress=self.egress.through(gate, reads=dry, left=left)) as source:
            yield OpenSource(connector, discreet(source, credentials), defaults)


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
