"""The connect door: check credentials against the live system, then store the connection whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from connectors.base import Checked, Connector, Form
from connectors.errors import AuthError, ConnectorError
from connectors.policy import feeds_of, full_every_hours
from db import connections, sync, tokens
from db import credits as credit_ledger
from db.credits import CreditsExhausted
from db.models.connection import ConnectedEntity, ConnectedSystem, ConnectionStatus, CustomerRef, EntityState
from db.models.organization import TokenKind, TokenScope
from db.models.sync import SyncMode, SyncTrigger
from db.scope import Scope
from db.types import Entity, ErrorCode, Problem, new_id
from jobs.settings import SettingsDoor, settings_problems
from jobs.sources import fill, revealed


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """What a caller wants connected."""

    system: str
    credentials: Mapping[str, Any]
    customer_ref: str
    customer_name: str
    base_url: str | None = None
    historical_period_days: int = 90
    write_defaults: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Connected:
    """A new connection, and its token's only appearance."""

    connection_id: UUID
    token: str


class ConnectDoor(SettingsDoor):
    """Connects systems; what it inherits changes what is connected."""

    async def connect(self, scope: Scope, request: ConnectRequest) -> tuple[Connected | None, list[Problem]]:
        """Check the credentials against the live system, and store the connection on success only.

        Returns:
            The connection with its token, or what is wrong; then nothing was stored.
        """
        connector = self._sources.connectors.get(request.system)
        if connector is None:
            known = ", ".join(sorted(self._sources.connectors))
            problem = Problem(ErrorCode.BAD_USER_INPUT, f"There is no system {request.system!r}; known are {known}.")
            return None, [_at(problem, "system")]
        given = {**request.credentials, **({"base_url": request.base_url} if request.base_url else {})}
        credentials, problems = fill(connector.spec.credentials, given, path=("credentials",))
        defaults, more = fill(connector.spec.write_defaults, dict(request.write_defaults), path=("writeDefaults",))
        more += settings_problems(
            {
                "customer": {"ref": request.customer_ref, "name": request.customer_name},
                "historical_period_days": request.historical_period_days,
                "tags": request.tags,
            }
        )
        if credentials is None or defaults is None or more:
            return None, problems + more
        try:
            async with connector.open(credentials, egress=self._sources.egress) as source:
                checked = await source.check()
        except ConnectorError as error:
            return None, [_refusal(error)]
        try:
            return await self._store(scope, request, connector, credentials, defaults, checked), []
        except CreditsExhausted as exhausted:
            return None, [_exhausted(exhausted, connector)]

    async def _store(
        self,
        scope: Scope,
        request: ConnectRequest,
        connector: Connector,
        credentials: Form,
        defaults: Form,
        checked: Checked,
    ) -> Connected:
        now = self._now()
        connection_id = new_id()
        own = Scope(scope.organization_id, connection_id)
        token, token_row = tokens.issue(
            TokenKind.CONNECTION, scope=own, may=TokenScope.WRITE, name=request.customer_name, now=now
        )
        customer = CustomerRef(ref=request.customer_ref, name=request.customer_name)
        row = ConnectedSystem(
            organization_id=scope.organization_id,
            id=connection_id,
            system_slug=connector.spec.slug,
            status=ConnectionStatus.ACTIVE,
            customer=customer.model_dump(),  # type: ignore[arg-type]  # stored as JSON
            tags=list(request.tags),
            metadata_=dict(request.metadata),
            base_url=str(getattr(credentials, "base_url", "") or "") or None,
            write_defaults=defaults.model_dump(mode="json", exclude_unset=True),
            historical_period_days=request.historical_period_days,
            credits=connector.spec.credits,
            token_last_four=token_row.last_four,
            created_at=now,
        )
        sealed = self._sources.vault.seal(connection_id, revealed(credentials))
        synced = self._entities(own, connector, checked, now)
        async with self._database.write(own) as session:
            await credit_ledger.hold(session, own, row.credits, now=now)
            await connections.add(session, connection=row, sealed=sealed, token=token_row, entities=synced)
            runs = [
                await sync.request(
                    session, own, entity=Entity(each.entity), mode=SyncMode.INCREMENTAL, trigger=SyncTrigger.INITIAL
                )
                for each in synced
                if each.state == EntityState.ACTIVE
            ]
        for run_id, _ in runs:
            await self._queue.wake_sync(own, run_id)
        return Connected(connection_id, token)

    def _entities(self, own: Scope, connector: Connector, checked: Checked, now: datetime) -> list[ConnectedEntity]:
        if own.connection_id is None:
            raise TypeError("entities belong to a connection")
        names = dict.fromkeys(feed.entity for feed in connector.feeds)
        every = self._settings.every_minutes
        return [
            ConnectedEntity(
                organization_id=own.organization_id,
                connection_id=own.connection_id,
                entity=entity,
                state=EntityState.DEGRADED if entity in checked.refused else EntityState.ACTIVE,
                every_minutes=every,
                next_run_at=now + timedelta(minutes=every),
                full_every_hours=full_every_hours(feeds_of(connector.feeds, entity), self._settings.full_every_hours),
            )
            for entity in names
        ]


def _at(problem: Problem, *path: str) -> Problem:
    return Problem(problem.code, problem.message, path, problem.source_message)


def _refusal(error: ConnectorError) -> Problem:
    # Nothing is connected yet, so there is nothing to reauthorize.
    remedy = "Correct the credentials and connect again." if isinstance(error, AuthError) else error.remedy
    return Problem(error.code, f"{error.message} {remedy}", ("credentials",), error.source_message)


def _exhausted(error: CreditsExhausted, connector: Connector) -> Problem:
    message = f"A connection to {connector.spec.name} costs {error.wanted} credits; {error.available} are left."
    return Problem(ErrorCode.CREDITS_EXHAUSTED, message, ("system",))
