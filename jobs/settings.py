"""The settings of connections: schedules, pauses, write defaults, and runs asked for by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from connectors.base import Connector
from db import audit, connections, events, statuses, sync
from db.audit import WITHHELD
from db.engine import Database
from db.models.connection import ConnectionStatus, CustomerRef, EntityState
from db.models.sync import SyncMode, SyncTrigger
from db.scope import Scope
from db.statuses import Change
from db.types import Entity, ErrorCode, Problem
from jobs.queue import Queue
from jobs.sources import Sources, fill


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


class SettingsDoor:
    """Changes connections' settings, and asks for their runs."""

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
        rest: Change | None = values.pop("rest", None)
        async with self._database.write(own) as session:
            for schedule in schedules:  # before the connection, in the order in which syncs lock them
                await connections.reschedule(
                    session, own, entity=schedule["entity"], values=self._schedule_values(schedule)
                )
            await connections.update(session, own, connection_id, values)
            audit.record(session, own, "updateConnection", changes=_told(changes, schedules))
            moved = await statuses.change(session, own, rest) if rest else None
            await events.append(session, own, [moved] if moved else [])
        await self._queue.wake_followers(own)
        return []

    def _checked(
        self, connector: Connector, opened: connections.Opened, changes: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[Problem]]:
        values: dict[str, Any] = {}
        problems = settings_problems(changes)
        for name, value in changes.items():
            if name == "write_defaults":
                form, wrong = fill(connector.spec.write_defaults, value, path=("writeDefaults",))
                problems += wrong
                if form is not None:
                    values[name] = form.model_dump(mode="json", exclude_unset=True)
            elif name == "paused":
                values["rest"] = Change.PAUSED if value else Change.RESUMED
                if opened.status not in {*connections.SYNCED, ConnectionStatus.PAUSED}:
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
            asked = {"entities": [entity.value for entity in wanted], "mode": mode.value}
            audit.record(session, own, "triggerSync", changes=asked)
        for run_id, _ in runs:
            await self._queue.wake_sync(own, run_id, long=mode is SyncMode.FULL)
        return [run_id for run_id, _ in runs], []


def _told(changes: Mapping[str, Any], schedules: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    """Tell changed settings to the audit log; what is the customer's is left out."""
    told = {_NAMES.get(name, name): WITHHELD if name in _CUSTOMERS else value for name, value in changes.items()}
    rows = [{_NAMES.get(name, name): value for name, value in each.items() if value is not None} for each in schedules]
    return {**told, **({"schedules": rows} if rows else {})}


_NAMES: Final = {
    "historical_period_days": "historicalPeriodDays",
    "write_defaults": "writeDefaults",
    "every_minutes": "everyMinutes",
}
_CUSTOMERS: Final = frozenset({"customer", "metadata", "write_defaults"})


def _bad(name: str, message: str) -> Problem:
    return Problem(ErrorCode.BAD_USER_INPUT, f"{name} {message}.", (name,))


def settings_problems(settings: Mapping[str, Any]) -> list[Problem]:
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
