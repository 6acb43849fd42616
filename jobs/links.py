"""Links for customers: an organization makes a session, and hands its link to the customer's browser."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from db import audit, connections, sessions
from db.engine import Database
from db.models.connection import ConnectionStatus, CustomerRef
from db.models.organization import Organization
from db.models.session import ConnectSession
from db.scope import Scope
from db.tokens import hash_of
from db.types import ErrorCode, Problem, new_id
from jobs.connect import ConnectDoor
from jobs.origins import origin_of
from jobs.settings import settings_problems
from jobs.sources import Sources

SESSION_TIME: Final = timedelta(minutes=30)
_LONGEST_URI: Final = 2000


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What an organization wants a session for.

    Attributes:
        customer: ref and name; None where a connection is renewed, whose customer it then is.
        connection_id: The connection whose credentials are renewed; None connects another one.
        settings: historical_period_days, tags and metadata of the new connection.
    """

    customer: Mapping[str, str] | None = None
    systems: tuple[str, ...] = ()
    redirect_uri: str | None = None
    origin: str | None = None
    connection_id: UUID | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MadeSession:
    """A new session, and its secret's only appearance."""

    session_id: UUID
    secret: str
    expires_at: datetime


class LinkDoor:
    """Makes connect sessions."""

    def __init__(
        self, *, database: Database, sources: Sources, connect: ConnectDoor, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._sources = sources
        self._connect = connect
        self._now = now

    async def create(self, scope: Scope, request: SessionRequest) -> tuple[MadeSession | None, list[Problem]]:
        """Make a session, for a new connection or to renew one's credentials."""
        customer, system, problems = await self._whose(scope, request)
        async with self._database.read(scope) as session:
            organization = await connections.organization(session, scope)
        problems += self._problems(request, organization, renewed=system)
        if customer is None or problems:
            return None, problems
        secret, now = sessions.make_secret("chd_link"), self._now()
        row = ConnectSession(
            organization_id=scope.organization_id,
            connection_id=request.connection_id or new_id(),
            renews=request.connection_id is not None,
            customer=customer.model_dump(),
            systems=[system] if system else list(dict.fromkeys(request.systems)),
            settings=dict(request.settings),
            redirect_uri=request.redirect_uri,
            origin=origin_of(request.origin) if request.origin else None,
            secret_hash=hash_of(secret),
            created_at=now,
            expires_at=now + SESSION_TIME,
        )
        async with self._database.write(scope) as session:
            session.add(row)
            told = {"systems": row.systems, "redirectUri": row.redirect_uri, "origin": row.origin}
            held = scope.narrowed(row.connection_id) if row.renews else scope
            changes = {**told, "customer": audit.WITHHELD}
            audit.record(session, held, "createConnectSession", target=("ConnectSession", row.id), changes=changes)
        return MadeSession(row.id, secret, row.expires_at), []

    async def _whose(
        self, scope: Scope, request: SessionRequest
    ) -> tuple[CustomerRef | None, str | None, list[Problem]]:
        """Give the customer, and the system of a connection that is renewed."""
        if request.connection_id is None:
            if request.customer is None:
                return None, None, [_bad("customer", "it is needed for a new connection")]
            problems = settings_problems({"customer": request.customer})
            return (None if problems else CustomerRef.model_validate(request.customer)), None, problems
        own = scope.narrowed(request.connection_id)
        async with self._database.write(own) as session:
            row = await connections.locked(session, own)
        if row is None:
            return None, None, [Problem(ErrorCode.NOT_FOUND, "There is no such connection.", ("connectionId",))]
        if row.status == ConnectionStatus.DISCONNECTED:
            message = "The connection was disconnected; connect the system anew."
            return None, None, [Problem(ErrorCode.CONFLICT, message, ("connectionId",))]
        return CustomerRef.model_validate(row.customer), row.system_slug, []

    def _problems(
        self, request: SessionRequest, organization: Organization | None, *, renewed: str | None
    ) -> list[Problem]:
        allowed = organization.allowed_origins if organization is not None else []
        problems = settings_problems(request.settings)
        unknown = [] if renewed else [slug for slug in request.systems if slug not in self._sources.connectors]
        if unknown:
            known = ", ".join(sorted(self._sources.connectors))
            problems.append(_bad("systems", f"there is no {', '.join(unknown)}; known are {known}"))
        if request.redirect_uri is None and request.origin is None:
            problems.append(_bad("origin", "say where the code goes: redirectUri, origin, or both"))
        for name, address in (("redirectUri", request.redirect_uri), ("origin", request.origin)):
            if address is None:
                continue
            try:
                origin = origin_of(address)
            except ValueError as error:
                problems.append(_bad(name, str(error)))
                continue
            if origin not in allowed:
                message = f"{origin} is none of the organization's allowedOrigins; updateOrganization adds it"
                problems.append(_bad(name, message))
        if request.redirect_uri is not None and (
            "#" in request.redirect_uri or len(request.redirect_uri) > _LONGEST_URI
        ):
            problems.append(_bad("redirectUri", f"it has no fragment and at most {_LONGEST_URI} characters"))
        return problems


def _bad(name: str, message: str) -> Problem:
    return Problem(ErrorCode.BAD_USER_INPUT, f"{name}: {message}.", (name,))
