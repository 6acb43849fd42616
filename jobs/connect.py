"""The connect door: check credentials against the live system, then store the connection whole, or renewed."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from connectors.base import Checked, Connector, Form
from connectors.errors import AuthError, ConnectorError
from connectors.policy import feeds_of, full_every_hours
from db import audit, capabilities, connections, events, statuses, sync
from db import credentials as sealing
from db import credits as credit_ledger
from db import disconnect as ending
from db.connections import Opened
from db.credits import CreditsExhausted
from db.engine import WriteSession
from db.models.connection import ConnectedEntity, ConnectedSystem, ConnectionStatus, CustomerRef, EntityState
from db.models.sync import SyncMode, SyncTrigger
from db.scope import Scope
from db.secrets import SealBroken
from db.statuses import Change
from db.types import Entity, ErrorCode, Problem, new_id
from jobs import health
from jobs.access import connection_token, replace_token
from jobs.capabilities import declared, refusals
from jobs.check import Checks
from jobs.discreet import without_secrets
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
    connection_id: UUID | None = None
    """The id that the connection gets; None for a new one."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A connector with its forms filled."""

    connector: Connector
    credentials: Form
    defaults: Form


First = Callable[[WriteSession], Awaitable[None]]


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
        prepared, problems = self.prepare(request)
        if prepared is None:
            return None, problems
        try:
            checked = await self.checked_live(prepared)
        except ConnectorError as error:
            return None, [_refusal(error, remedy="Correct the credentials and connect again.")]
        return await self.store(scope, request, prepared, checked)

    def prepare(self, request: ConnectRequest) -> tuple[Prepared | None, list[Problem]]:
        """Fill the forms of a system with what was given for it; the source is not asked."""
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
        return Prepared(connector, credentials, defaults), []

    async def reauthorize(
        self, scope: Scope, connection_id: UUID, given: Mapping[str, Any]
    ) -> tuple[Connected | None, list[Problem]]:
        """Check new credentials against the connection's source, and put them in the place of the old ones.

        The connection keeps its id, history and mappings; its work goes on at once, under a new token.

        Args:
            given: The values of the credential form; those that tell which source it is may be left out.

        Returns:
            The connection with its new token, or what is wrong; then everything stays as it was.
        """
        own = scope.narrowed(connection_id)
        prepared, problems = await self.prepare_renewal(own, connection_id, given)
        if prepared is None:
            return None, problems
        try:
            await self.checked_live(prepared)
        except ConnectorError as error:
            return None, [_refusal(error, remedy="Correct the credentials and try again.")]
        return await self.replace(own, connection_id, prepared.credentials)

    async def prepare_renewal(
        self, own: Scope, connection_id: UUID, given: Mapping[str, Any]
    ) -> tuple[Prepared | None, list[Problem]]:
        """Fill the credential form of a connection's system anew; its source is not asked."""
        async with self._database.read(own) as session:
            opened = await connections.opened(session, own, connection_id)
        if opened is None or opened.status is ConnectionStatus.DISCONNECTED:
            return None, [_missing(opened)]
        connector = self._sources.connectors[opened.system]
        before = self.identity(connector, opened)
        known = {name: value for name, value in before.items() if value is not None}
        credentials, problems = fill(connector.spec.credentials, {**known, **given}, path=("credentials",))
        if credentials is None:
            return None, problems
        problems = _other_source(before, credentials)
        return (None, problems) if problems else (Prepared(connector, credentials, connector.spec.write_defaults()), [])

    async def check(self, scope: Scope, connection_id: UUID) -> tuple[Checked | None, list[Problem]]:
        """Ask a connection's source whether it works; what comes of that is recorded.

        Refused credentials are not tried again, for some sources lock an account after a few of them.
        """
        own = scope.narrowed(connection_id)
        async with self._database.read(own) as session:
            opened = await connections.opened(session, own, connection_id)
        if opened is None or opened.status in _NOT_CHECKED:
            return None, [_NOT_CHECKED[opened.status] if opened else _missing(None)]
        try:
            return await Checks(self._database, self._queue, self._sources, self._now).check(own), []
        except ConnectorError as error:
            told = f"{error.message} {error.remedy}"
            return None, [Problem(error.code, told, ("connectionId",), error.source_message)]

    def identity(self, connector: Connector, opened: Opened) -> dict[str, Any]:
        """Give the stored values that tell which source it is; none where the old credentials cannot be opened."""
        try:
            stored = self._sources.vault.open(opened.id, opened.sealed) if opened.sealed else None
        except SealBroken:
            stored = None
        return {name: stored.get(name) for name in connector.spec.identity} if stored is not None else {}

    async def replace(
        self,
        own: Scope,
        connection_id: UUID,
        credentials: Form,
        *,
        first: First | None = None,
        action: str = "reauthorizeConnection",
    ) -> tuple[Connected | None, list[Problem]]:
        """Put checked credentials in the place of a connection's, and issue a new token.

        Args:
            first: Done first in the transaction; what it raises ends it.
            action: What the audit log calls it.
        """
        now = self._now()
        async with self._database.write(own) as session:
            if first is not None:
                await first(session)
            await ending.fence_off(session, own)
            runs = await ending.resume_work(session, own, now=now)
            row = await connections.locked(session, own)
            if row is None or row.status == ConnectionStatus.DISCONNECTED:  # meanwhile
                return None, [_missing(row)]
            await sealing.reseal(session, own, self._sources.vault.seal(connection_id, revealed(credentials)))
            issued = await replace_token(session, own, now=now)
            changes = {"credentials": audit.WITHHELD, "lastFour": issued.token[-4:]}
            audit.record(session, own, action, changes=changes)
            moved = await statuses.change(session, own, Change.REAUTHORIZED)
            told = [moved] if moved else []
            told += await health.succeeded(session, own, operation=health.CHECK, now=now)
            await events.append(session, own, told)
        await self._queue.wake_revoked(own)
        await self._queue.wake_followers(own)
        for run_id in runs:
            await self._queue.wake_sync(own, run_id)
        return Connected(connection_id, issued.token), []

    async def checked_live(self, prepared: Prepared) -> Checked:
        """Make the cheapest calls that prove address, credentials and rights.

        Raises:
            ConnectorError: The source failed; no word of it holds a secret of the credentials.
        """
        with without_secrets(prepared.credentials):
            async with prepared.connector.open(prepared.credentials, egress=self._sources.egress) as source:
                return await source.check()

    async def cost(self, prepared: Prepared) -> int:
        """Tell how many credits a connection would take."""
        base_url = str(getattr(prepared.credentials, "base_url", "") or "")
        return prepared.connector.spec.credits * (2 if await self._sources.egress.on_premise(base_url) else 1)

    async def store(
        self,
        scope: Scope,
        request: ConnectRequest,
        prepared: Prepared,
        checked: Checked,
        *,
        first: First | None = None,
        action: str = "connectSystem",
    ) -> tuple[Connected | None, list[Problem]]:
        """Store a connection whose credentials were checked, with its token and its first runs.

        Args:
            first: Done first in the transaction; what it raises ends it.
            action: What the audit log calls it.

        Returns:
            The connection, or that there are not enough credits; then nothing was stored.
        """
        try:
            return await self._stored(scope, request, prepared, checked, first=first, action=action), []
        except CreditsExhausted as exhausted:
            return None, [_exhausted(exhausted, prepared.connector)]

    async def _stored(
        self,
        scope: Scope,
        request: ConnectRequest,
        prepared: Prepared,
        checked: Checked,
        *,
        first: First | None,
        action: str,
    ) -> Connected:
        now = self._now()
        connector, credentials = prepared.connector, prepared.credentials
        connection_id = request.connection_id or new_id()
        own = Scope(scope.organization_id, connection_id)
        token, token_row = connection_token(own, now=now)
        base_url = str(getattr(credentials, "base_url", "") or "")
        customer = CustomerRef(ref=request.customer_ref, name=request.customer_name)
        row = ConnectedSystem(
            organization_id=scope.organization_id,
            id=connection_id,
            system_slug=connector.spec.slug,
            status=ConnectionStatus.ACTIVE,
            customer=customer.model_dump(),  # type: ignore[arg-type]  # stored as JSON
            tags=list(request.tags),
            metadata_=dict(request.metadata),
            base_url=base_url or None,
            write_defaults=prepared.defaults.model_dump(mode="json", exclude_unset=True),
            historical_period_days=request.historical_period_days,
            credits=await self.cost(prepared),
            token_last_four=token_row.last_four,
            created_at=now,
        )
        sealed = self._sources.vault.seal(connection_id, revealed(credentials))
        synced = self._entities(own, connector, checked, now)
        async with self._database.write(own) as session:
            if first is not None:
                await first(session)
            await credit_ledger.hold(session, own, row.credits, now=now)
            await connections.add(session, connection=row, sealed=sealed, token=token_row, entities=synced)
            await capabilities.declare(session, declared(connector), connection=connection_id)
            await capabilities.refuse(session, own, refusals(connector, checked))
            told = {"system": connector.spec.slug, "credits": row.credits, "lastFour": token_row.last_four}
            audit.record(session, own, action, changes={**told, "credentials": audit.WITHHELD})
            runs = [
                await sync.request(
                    session, own, entity=Entity(each.entity), mode=SyncMode.INCREMENTAL, trigger=SyncTrigger.INITIAL
                )
                for each in synced
                if each.state == EntityState.ACTIVE
            ]
        for run_id, _ in runs:
            await self._queue.wake_sync(own, run_id, long=True)
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


def _refusal(error: ConnectorError, *, remedy: str) -> Problem:
    # Nothing is connected by these credentials, so what they need is no reauthorization.
    told = remedy if isinstance(error, AuthError) else error.remedy
    return Problem(error.code, f"{error.message} {told}", ("credentials",), error.source_message)


_ENDED: Final = Problem(
    ErrorCode.CONFLICT, "The connection was disconnected; connect the system anew.", ("connectionId",)
)
_NOT_CHECKED: Final = {
    ConnectionStatus.DISCONNECTED: _ENDED,
    ConnectionStatus.REAUTHORIZATION_REQUIRED: Problem(
        ErrorCode.REAUTHORIZATION_REQUIRED,
        "The source refused the credentials; they are not tried again. Enter working ones with reauthorizeConnection.",
        ("connectionId",),
    ),
}


def _missing(found: object) -> Problem:
    unknown = Problem(ErrorCode.NOT_FOUND, "There is no such connection.", ("connectionId",))
    return unknown if found is None else _ENDED


def _other_source(before: Mapping[str, Any], credentials: Form) -> list[Problem]:
    """Tell where new credentials name another source; a slash at the end and the case of an address do not count."""

    def plain(value: object) -> str:
        return str(value).rstrip("/").casefold()

    message = "The connection stays with its source; connect another one with connectSystem."
    return [
        Problem(ErrorCode.BAD_USER_INPUT, message, ("credentials", name))
        for name, value in before.items()
        if plain(getattr(credentials, name, None)) != plain(value)
    ]


def _exhausted(error: CreditsExhausted, connector: Connector) -> Problem:
    message = f"A connection to {connector.spec.name} costs {error.wanted} credits; {error.available} are left."
    return Problem(ErrorCode.CREDITS_EXHAUSTED, message, ("system",))
