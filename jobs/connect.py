"""The connect door: check credentials against the live system, then store the connection whole."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from connectors.base import Checked, Connector, Form
from connectors.errors import AuthError, ConnectorError
from connectors.policy import feeds_of, full_every_hours
from db import connections, events, sync, tokens
from db.engine import Database
from db.models.connection import ConnectedEntity, ConnectedSystem, ConnectionStatus, CustomerRef, EntityState
from db.models.organization import TokenKind, TokenScope
from db.models.sync import SyncMode, SyncTrigger
from db.scope import Scope
from db.types import Entity, ErrorCode, Problem, new_id
from jobs.health import connection_event
from jobs.queue import Queue
from jobs.sources import Sources, fill, revealed


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


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits of the connect door.

    Attributes:
        every_minutes: Time between scheduled runs of a new connection.
        minimum_minutes: The shortest time a schedule may have.
        full_every_hours: Time between full runs that look for deletions; None for each system's own policy, 0 for none.
    """

    every_minutes: int = 60
    minimum_minutes: int = 15
    full_every_hours: int | None = None


class ConnectDoor:
    """Connects systems and changes connections' settings."""

    def __init__(
        self,
        *,
        database: Database,
        queue: Queue,
        sources: Sources,
        settings: Settings,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._queue = queue
        self._sources = sources
        self._settings = settings
        self._now = now

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
        more += _settings_problems(
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
        return await self._store(scope, request, connector, credentials, defaults, checked), []

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

    async def update(
        self, scope: Scope, connection_id: UUID, changes: Mapping[str, Any], schedules: tuple[Mapping[str, Any], ...]
    ) -> list[Problem]:
        """Change a connection's settings: all of them, or none where something is wrong.

        Args:
            changes: write_defaults, historical_period_days, customer, tags, metadata, paused.
            schedules: entity with every_minutes and paused, each optional.
        """
        own = scope.narrowed(connection_id)
        async with self._database.read(own) as session:
            opened = await connections.opened(session, own, connection_id)
            synced = await connections.entities_of(session, own)
        if opened is None:
            return [Problem(ErrorCode.NOT_FOUND, "There is no such connection.", ("connectionId",))]
        values, problems = self._checked(self._sources.connectors[opened.system], opened, changes)
        for n, schedule in enumerate(schedules):
            problems += self._schedule_problems(schedule, synced, path=("schedules", str(n)))
        if problems:
            return problems
        status = values.pop("status", None)
        async with self._database.write(own) as session:
            await connections.update(session, own, connection_id, values)
            for schedule in schedules:
                await connections.reschedule(
                    session, own, entity=schedule["entity"], values=self._schedule_values(schedule)
                )
            before = await connections.set_status(session, own, status, reason=None) if status else None
            if before is not None:
                await events.append(session, own, [connection_event(own, status, before, None)])
        await self._queue.wake_followers(own)
        return []

    def _checked(
        self, connector: Connector, opened: connections.Opened, changes: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[Problem]]:
        values: dict[str, Any] = {}
        problems = _settings_problems(changes)
        for name, value in changes.items():
            if name == "write_defaults":
                form, wrong = fill(connector.spec.write_defaults, value, path=("writeDefaults",))
                problems += wrong
                if form is not None:
                    values[name] = form.model_dump(mode="json", exclude_unset=True)
            elif name == "paused":
                if value and opened.status in connections.SYNCED:
                    values["status"] = ConnectionStatus.PAUSED
                elif not value and opened.status is ConnectionStatus.PAUSED:
                    values["status"] = ConnectionStatus.ACTIVE
                elif opened.status not in {*connections.SYNCED, ConnectionStatus.PAUSED}:
                    message = f"A connection that is {opened.status.value} can be neither paused nor resumed."
                    problems.append(Problem(ErrorCode.CONFLICT, message, ("paused",)))
            else:
                values["metadata_" if name == "metadata" else name] = value
        return values, problems

    def _schedule_problems(
        self, schedule: Mapping[str, Any], synced: list[str], *, path: tuple[str, ...]
    ) -> list[Problem]:
        problems = []
        if schedule["entity"] not in synced:
            message = f"The connection does not sync {schedule['entity']}."
            problems.append(Problem(ErrorCode.UNSUPPORTED, message, (*path, "entity")))
        every = schedule.get("every_minutes")
        if every is not None and not self._settings.minimum_minutes <= every <= 1440:
            message = f"everyMinutes must be {self._settings.minimum_minutes} to 1440."
            problems.append(Problem(ErrorCode.BAD_USER_INPUT, message, (*path, "everyMinutes")))
        return problems

    def _schedule_values(self, schedule: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if schedule.get("every_minutes") is not None:
            values["every_minutes"] = schedule["every_minutes"]
            values["next_run_at"] = self._now() + timedelta(minutes=schedule["every_minutes"])
        if schedule.get("paused") is not None:
            values["state"] = EntityState.PAUSED if schedule["paused"] else EntityState.ACTIVE
        return values

    async def trigger(
        self, scope: Scope, connection_id: UUID, entities: tuple[Entity, ...] | None, mode: SyncMode
    ) -> tuple[list[UUID], list[Problem]]:
        """Ask for a run of each entity (all by default); an open run is given instead of a second one."""
        own = scope.narrowed(connection_id)
        async with self._database.read(own) as session:
            opened = await connections.opened(session, own, connection_id)
            synced = await connections.entities_of(session, own)
        if opened is None:
            return [], [Problem(ErrorCode.NOT_FOUND, "There is no such connection.", ("connectionId",))]
        if opened.status not in connections.SYNCED:
            message = f"The connection is {opened.status.value}; it does not sync."
            return [], [Problem(ErrorCode.CONFLICT, message, ("connectionId",))]
        wanted = [Entity(name) for name in synced] if entities is None else list(dict.fromkeys(entities))
        unknown = [entity for entity in wanted if entity.value not in synced]
        if unknown:
            message = f"The connection does not sync {', '.join(unknown)}."
            return [], [Problem(ErrorCode.UNSUPPORTED, message, ("entities",))]
        async with self._database.write(own) as session:
            runs = [
                await sync.request(session, own, entity=entity, mode=mode, trigger=SyncTrigger.MANUAL)
                for entity in wanted
            ]
        for run_id, _ in runs:
            await self._queue.wake_sync(own, run_id)
        return [run_id for run_id, _ in runs], []


def _at(problem: Problem, *path: str) -> Problem:
    return Problem(problem.code, problem.message, path, problem.source_message)


def _bad(name: str, message: str) -> Problem:
    return Problem(ErrorCode.BAD_USER_INPUT, f"{name} {message}.", (name,))


def _settings_problems(settings: Mapping[str, Any]) -> list[Problem]:
    """Check what both connect and update set: customer, historical_period_days, tags; each where it is given."""
    problems = []
    days, tags = settings.get("historical_period_days"), settings.get("tags", ())
    if days is not None and not 1 <= days <= 3650:
        problems.append(_bad("historicalPeriodDays", "must be 1 to 3650"))
    if "customer" in settings:
        try:
            CustomerRef.model_validate(settings["customer"])
        except ValidationError as error:
            first = error.errors()[0]
            problems.append(_bad("customer", f"{first['loc'][0]}: {first['msg']}"))
    if len(tags) > 50 or any(len(tag) > 255 for tag in tags):
        problems.append(_bad("tags", "holds at most 50 texts of at most 255 characters"))
    return problems


def _refusal(error: ConnectorError) -> Problem:
    # Nothing is connected yet, so there is nothing to reauthorize.
    remedy = "Correct the credentials and connect again." if isinstance(error, AuthError) else error.remedy
    return Problem(error.code, f"{error.message} {remedy}", ("credentials",), error.source_message)
