"""The door to webhooks: endpoints, their secrets, tests, and what is told again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from connectors.posting import Poster
from db import audit, endpoints, events, relay
from db.endpoints import Range
from db.engine import Database, WriteSession
from db.models.webhook import EndpointEnd, EndpointState, WebhookEndpoint
from db.scope import Scope
from db.secrets import Sealed, Vault
from db.types import ErrorCode, Problem, new_id
from jobs import signing
from jobs.event_types import EVENT_TYPES, example
from jobs.queue import Queue
from jobs.signing import Secret

MOST: Final = 20
"""Endpoints of an organization."""
MOST_REPLAYED: Final = 10_000
"""Events that one call tells again."""


@dataclass(frozen=True, slots=True)
class Made:
    """An endpoint that was made, or whose secret was rotated."""

    endpoint_id: UUID
    secret: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What is told again to an endpoint.

    Attributes:
        connection_id: Events of this connection; None takes all that the endpoint is sent.
        only_failed: Leave what succeeded.
    """

    endpoint_id: UUID
    connection_id: UUID | None = None
    first: int | None = None
    last: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    only_failed: bool = False


class WebhookDoor:
    """Manages endpoints and deliveries."""

    def __init__(
        self, *, database: Database, queue: Queue, vault: Vault, poster: Poster, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._queue = queue
        self._vault = vault
        self._poster = poster
        self._now = now

    async def create(
        self, scope: Scope, *, url: str, description: str | None, types: list[str], connection_id: UUID | None
    ) -> tuple[Made | None, list[Problem]]:
        """Make an endpoint; it is sent what is committed from now on."""
        problems = await self._problems({"url": url, "description": description, "types": types})
        if problems:
            return None, problems
        now, endpoint_id, secret = self._now(), new_id(), signing.new_secret()
        sealed = signing.seal(self._vault, endpoint_id, [Secret(secret)])
        async with self._database.write(scope) as session:
            if connection_id is not None and await events.bounds(session, scope.narrowed(connection_id)) is None:
                return None, [_no_connection()]
            if await endpoints.locked_count(session, scope) >= MOST:
                message = f"An organization has at most {MOST} endpoints; delete one first."
                return None, [Problem(ErrorCode.CONFLICT, message)]
            await relay.skip(session, scope)
            session.add(
                WebhookEndpoint(
                    organization_id=scope.organization_id,
                    id=endpoint_id,
                    connection_id=connection_id,
                    url=url,
                    description=description,
                    types=sorted(set(types)),
                    secret_last_four=secret[-4:],
                    created_at=now,
                    **_kept(sealed),
                )
            )
            told = {"url": url, "types": sorted(set(types)), "description": description, "lastFour": secret[-4:]}
            _record(session, scope, "createWebhookEndpoint", endpoint_id, told)
        return Made(endpoint_id, secret), []

    async def update(self, scope: Scope, endpoint_id: UUID, changes: Mapping[str, Any]) -> list[Problem]:
        """Change an endpoint: all that is given, or nothing.

        Args:
            changes: url, description, types, enabled; each where it is given.
        """
        problems = await self._problems(changes)
        if problems:
            return problems
        async with self._database.write(scope) as session:
            await endpoints.locked_count(session, scope)
            row = await endpoints.locked(session, scope, endpoint_id)
            if row is None:
                return [_unknown()]
            for name in changes.keys() - {"enabled"}:
                setattr(row, name, sorted(set(changes[name])) if name == "types" else changes[name])
            if "enabled" in changes:
                await self._switch(session, scope, row, enabled=changes["enabled"])
            _record(session, scope, "updateWebhookEndpoint", endpoint_id, dict(changes))
        await self._queue.wake_followers(scope)
        return []

    async def _switch(self, session: WriteSession, scope: Scope, row: WebhookEndpoint, *, enabled: bool) -> None:
        if enabled and row.state != EndpointState.ENABLED:
            await relay.skip(session, scope)
            row.state, row.disabled_as, row.disabled_at = EndpointState.ENABLED, None, None
            row.failing_since, row.last_failure_at = None, None
        elif not enabled and row.state != EndpointState.DISABLED:
            row.state, row.disabled_as, row.disabled_at = EndpointState.DISABLED, EndpointEnd.REQUESTED, self._now()

    async def delete(self, scope: Scope, endpoint_id: UUID) -> list[Problem]:
        """Delete an endpoint with its secrets; its log stays for as long as logs are kept."""
        async with self._database.write(scope) as session:
            row = await endpoints.locked(session, scope, endpoint_id)
            if row is None:
                return [_unknown()]
            row.deleted_at = self._now()
            row.state, row.disabled_as, row.disabled_at = EndpointState.DISABLED, EndpointEnd.REQUESTED, row.deleted_at
            row.key_id, row.wrapped_key, row.sealed = "", b"", b""
            _record(session, scope, "deleteWebhookEndpoint", endpoint_id)
        return []

    async def rotate(self, scope: Scope, endpoint_id: UUID) -> tuple[Made | None, list[Problem]]:
        """Give an endpoint a new secret; for 24 hours, the one before signs beside it."""
        now, secret = self._now(), signing.new_secret()
        async with self._database.write(scope) as session:
            row = await endpoints.locked(session, scope, endpoint_id)
            if row is None:
                return None, [_unknown()]
            before = signing.opened(self._vault, row.id, Sealed(row.key_id, row.wrapped_key, row.sealed))
            after = signing.rotated(before, secret, now=now)
            for name, value in _kept(signing.seal(self._vault, row.id, after)).items():
                setattr(row, name, value)
            row.secret_last_four = secret[-4:]
            row.old_secret_expires_at = max((each.expires_at for each in after if each.expires_at), default=None)
            _record(session, scope, "rotateWebhookSecret", endpoint_id, {"lastFour": secret[-4:]})
        return Made(endpoint_id, secret), []

    async def test(self, scope: Scope, endpoint_id: UUID, type_: str) -> tuple[UUID | None, list[Problem]]:
        """Send an event of a type that never happened; gives the delivery."""
        if type_ not in EVENT_TYPES:
            return None, [_no_type(type_, ("type",))]
        async with self._database.write(scope) as session:
            row = await endpoints.locked(session, scope, endpoint_id)
            if row is None:
                return None, [_unknown()]
            if row.state != EndpointState.ENABLED:
                return None, [_disabled()]
            event = example(type_, Scope(scope.organization_id, row.connection_id), now=self._now())
            delivery_id = await relay.deliver_test(session, scope, event, endpoint_id)
            _record(session, scope, "sendTestWebhook", endpoint_id, {"type": type_})
        await self._queue.wake_followers(scope)
        return delivery_id, []

    async def redeliver(self, scope: Scope, delivery_id: UUID) -> list[Problem]:
        """Begin a delivery anew."""
        async with self._database.write(scope) as session:
            why = await endpoints.redeliver(session, scope, delivery_id)
            if why is None:
                audit.record(session, scope, "redeliverWebhook", target=("WebhookDelivery", delivery_id))
        if why is not None:
            return [_NOT_REDELIVERED[why]]
        await self._queue.wake_followers(scope)
        return []

    async def replay(self, scope: Scope, asked: Replay) -> tuple[int, list[Problem]]:
        """Tell events of a range again; gives how many deliveries are to be sent."""
        problems = _replay_problems(asked)
        if problems:
            return 0, problems
        async with self._database.write(scope) as session:
            row = await endpoints.locked(session, scope, asked.endpoint_id)
            if row is None:
                return 0, [_unknown()]
            if row.state != EndpointState.ENABLED:
                return 0, [_disabled()]
            stream = asked.connection_id or row.connection_id
            if row.connection_id not in {None, stream}:
                return 0, [Problem(ErrorCode.BAD_USER_INPUT, "The endpoint is for another connection.", _CONNECTION)]
            own = scope.organization_id if asked.first is not None else None
            of = Range(stream or own, asked.first, asked.last, asked.since, asked.until)
            found = await endpoints.events_in(session, scope, of, types=row.types or None, limit=MOST_REPLAYED + 1)
            if len(found) > MOST_REPLAYED:
                message = f"These are more than {MOST_REPLAYED:,} events; ask for a shorter range."
                return 0, [Problem(ErrorCode.BAD_USER_INPUT, message)]
            count = 0
            for n in range(0, len(found), 1000):
                chunk = found[n : n + 1000]
                count += await relay.deliver_again(
                    session, scope, chunk, asked.endpoint_id, only_failed=asked.only_failed
                )
            _record(session, scope, "replayWebhooks", asked.endpoint_id, {"count": count})
        await self._queue.wake_followers(scope)
        return count, []

    async def _problems(self, given: Mapping[str, Any]) -> list[Problem]:
        problems = []
        if "url" in given:
            url: str = given["url"]
            objection = "has more than 2000 characters" if len(url) > 2000 else await self._poster.objection(url)
            if objection is not None:
                problems.append(Problem(ErrorCode.BAD_USER_INPUT, f"The url {objection}.", ("url",)))
        if len(given.get("description") or "") > 255:
            message = "A description has at most 255 characters."
            problems.append(Problem(ErrorCode.BAD_USER_INPUT, message, ("description",)))
        for n, name in enumerate(given.get("types", ())):
            if name not in EVENT_TYPES:
                problems.append(_no_type(name, ("types", str(n))))
        return problems


_CONNECTION: Final = ("connectionId",)
_NOT_REDELIVERED: Final = {
    "UNKNOWN": Problem(ErrorCode.NOT_FOUND, "There is no such delivery.", ("deliveryId",)),
    "DELETED": Problem(ErrorCode.CONFLICT, "Its endpoint was deleted.", ("deliveryId",)),
    "DISABLED": Problem(ErrorCode.CONFLICT, "Its endpoint is disabled; enable it first.", ("deliveryId",)),
    "SENDING": Problem(ErrorCode.CONFLICT, "It is being sent right now.", ("deliveryId",)),
}


def _record(
    session: WriteSession, scope: Scope, action: str, endpoint_id: UUID, changes: Mapping[str, Any] | None = None
) -> None:
    audit.record(session, scope, action, target=("WebhookEndpoint", endpoint_id), changes=changes)


def _kept(sealed: Sealed) -> dict[str, Any]:
    return {"key_id": sealed.key_id, "wrapped_key": sealed.wrapped_key, "sealed": sealed.sealed}


def _unknown() -> Problem:
    return Problem(ErrorCode.NOT_FOUND, "There is no such endpoint.", ("endpointId",))


def _no_connection() -> Problem:
    return Problem(ErrorCode.NOT_FOUND, "There is no such connection.", _CONNECTION)


def _disabled() -> Problem:
    return Problem(ErrorCode.CONFLICT, "The endpoint is disabled; enable it first.", ("endpointId",))


def _no_type(name: str, path: tuple[str, ...]) -> Problem:
    message = f"{name[:80]!r} is no type of event; `eventTypes` lists them."
    return Problem(ErrorCode.BAD_USER_INPUT, message, path)


def _replay_problems(asked: Replay) -> list[Problem]:
    part, time = (asked.first, asked.last), (asked.since, asked.until)
    if part == (None, None) and asked.since is not None:
        return []
    if time == (None, None) and asked.first is not None and asked.last is not None and asked.first <= asked.last:
        return []
    message = "Give fromSequence with toSequence, the lower first, or since; not both."
    return [Problem(ErrorCode.BAD_USER_INPUT, message)]
