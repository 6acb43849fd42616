"""The connect module's door: sessions by which a customer enters credentials that nobody else sees.

A session's link holds a secret that opens once. The opened page holds another, which lasts as long as the session and
does nothing but check credentials of this session's customer. Checked credentials are sealed and wait for the
organization: it trades the code that the page gives out for the token, and only then is anything connected or renewed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from connectors.base import Checked
from connectors.errors import ConnectorError, SourceUnavailable
from db import audit, connections, sessions
from db.audit import Actor
from db.engine import WriteSession
from db.models.audit import ActorKind
from db.models.connection import ConnectionStatus, CustomerRef, System
from db.models.session import ConnectSession
from db.scope import Scope
from db.secrets import Sealed
from db.tokens import hash_of
from db.types import Entity, ErrorCode, Problem, encode_id
from jobs.connect import Connected, ConnectRequest, Prepared
from jobs.failed_check import CheckFailed, failed_check, failed_form, no_room
from jobs.links import LinkDoor
from jobs.sources import revealed

CODE_TIME: Final = timedelta(minutes=5)
MAX_CHECKS: Final = 20
"""Live checks of one session; whoever needs more of them gets a new link."""
CHECK_SECONDS: Final = 60.0


class Refused(Exception):
    """The page may not go on; `code` and the message say why.

    Attributes:
        status: The HTTP status that tells it best.
    """

    def __init__(self, status: int, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Opened:
    """What the page needs.

    Attributes:
        ticket: The secret that stands for the session from now on.
        known: Of a connection that is renewed, the values that cannot change.
    """

    ticket: str
    organization: str
    customer: str
    systems: tuple[System, ...]
    known: Mapping[str, Any] | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Completed:
    """The code's only appearance, and where it goes."""

    code: str
    redirect_uri: str | None
    origin: str | None


class PortalDoor(LinkDoor):
    """Serves the pages of sessions, and trades their codes; what it inherits makes sessions."""

    async def embeddable_in(self, session_id: UUID) -> tuple[str, ...] | None:
        """Give the origins that may embed a session's page: those that its organization allows now.

        Returns:
            None where there is no such session; nothing where it was made for no page's origin.
        """
        scope = await sessions.scope_of(self._database, session_id)
        if scope is None:
            return None
        async with self._database.read(scope) as session:
            row = await sessions.found(session, scope, session_id)
            organization = await connections.organization(session, scope)
        if row is None or organization is None:
            return None
        return tuple(organization.allowed_origins) if row.origin in organization.allowed_origins else ()

    async def organization_of(self, session_id: UUID) -> Scope | None:
        """Give the organization of a session; None where there is none."""
        return await sessions.scope_of(self._database, session_id)

    async def open(self, scope: Scope, session_id: UUID, secret: str) -> Opened:
        """Open a link: once, and only for who has its secret.

        Raises:
            Refused: There is no such link, or it has ended or been opened.
        """
        ticket = sessions.make_secret("chd_page")
        async with self._database.write(scope) as session:
            row = await self._live(session, scope, session_id)
            if not sessions.matches(secret, row.secret_hash):
                raise _unknown()
            if row.opened_at is not None:
                raise Refused(410, ErrorCode.CONFLICT, "This link was opened before. Ask for a new one.")
            row.opened_at, row.page_hash = self._now(), hash_of(ticket)
            organization = await connections.organization(session, scope)
            systems = await connections.catalogue(session, row.systems)
            known = await self._known(session, scope, row) if row.renews else None
        name = organization.name if organization is not None else ""
        customer = CustomerRef.model_validate(row.customer).name
        return Opened(ticket, name, customer, systems, known, row.expires_at)

    async def check(
        self, scope: Scope, session_id: UUID, ticket: str, *, system: str, credentials: Mapping[str, Any]
    ) -> Checked | CheckFailed:
        """Check credentials against the live system; those that work are sealed, and wait for the exchange.

        Raises:
            Refused: The page may not ask, or has asked too often.
        """
        async with self._database.write(scope) as session:
            row = await self._opened(session, scope, session_id, ticket)
            if row.checks >= MAX_CHECKS:
                raise Refused(429, ErrorCode.RATE_LIMITED, "Too many attempts by this link. Ask for a new one.")
            row.checks += 1
        if row.systems and system not in row.systems:
            raise Refused(400, ErrorCode.BAD_USER_INPUT, "This system cannot be chosen here.")
        prepared, problems = await self._prepared(scope, row, system, credentials)
        if prepared is None:
            return failed_form(problems)
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                checked = await self._connect.checked_live(prepared)
        except ConnectorError as error:
            return failed_check(error)
        except TimeoutError:
            return failed_check(SourceUnavailable("The system took too long to answer.", reason="TIMEOUT", sent=False))
        if not row.renews and await self._lacks_room(scope, prepared):
            return no_room()
        sealed = self._sources.vault.seal(row.connection_id, revealed(prepared.credentials))
        async with self._database.write(scope) as session:
            row = await self._opened(session, scope, session_id, ticket)
            row.system_slug, row.refused = (
                prepared.connector.spec.slug,
                {entity.value: reason for entity, reason in checked.refused.items()},
            )
            row.key_id, row.wrapped_key, row.sealed = sealed.key_id, sealed.wrapped_key, sealed.sealed
        return checked

    async def complete(self, scope: Scope, session_id: UUID, ticket: str) -> Completed:
        """Give out the code for the credentials that were checked last; the page has done its work then.

        Raises:
            Refused: The page may not ask, or nothing was checked.
        """
        code, now = sessions.make_secret("chd_code"), self._now()
        async with self._database.write(scope) as session:
            row = await self._opened(session, scope, session_id, ticket)
            if row.sealed is None:
                raise Refused(409, ErrorCode.CONFLICT, "Nothing was checked yet.")
            row.code_hash, row.code_expires_at = hash_of(code), now + CODE_TIME
            held = scope.narrowed(row.connection_id) if row.renews else scope
            changes = {"system": row.system_slug, "credentials": audit.WITHHELD}
            with audit.acting(Actor(ActorKind.SESSION, encode_id("ConnectSession", row.id))):
                audit.record(
                    session, held, "completeConnectSession", target=("ConnectSession", row.id), changes=changes
                )
        return Completed(code, row.redirect_uri, row.origin)

    async def exchange(self, scope: Scope, code: str) -> tuple[Connected | None, list[Problem]]:
        """Trade a code for the token: now the connection is made, or its credentials are renewed; once."""
        async with self._database.write(scope) as session:
            row = await sessions.by_code(session, scope, code)
            problem = self._spent(row)
        if row is None or problem is not None:
            return None, [problem or _no_code()]
        values, own = self._values(row), scope.narrowed(row.connection_id)

        async def claim(session: WriteSession) -> None:
            again = await sessions.by_code(session, own, code)
            spent = self._spent(again)
            if again is None or spent is not None:
                raise _Claimed(spent or _no_code())
            sessions.spend(again, now=self._now())

        try:
            if row.renews:
                prepared, problems = await self._connect.prepare_renewal(own, row.connection_id, values)
                if prepared is None:
                    return None, problems
                return await self._connect.replace(
                    own, row.connection_id, prepared.credentials, first=claim, action=_EXCHANGE
                )
            request = _request(row, values)
            prepared, problems = self._connect.prepare(request)
            if prepared is None:
                return None, problems
            checked = Checked({}, {Entity(name): reason for name, reason in row.refused.items()})
            return await self._connect.store(scope, request, prepared, checked, first=claim, action=_EXCHANGE)
        except _Claimed as claimed:
            return None, [claimed.problem]

    async def _known(self, session: WriteSession, scope: Scope, row: ConnectSession) -> dict[str, Any]:
        opened = await connections.opened(session, scope.narrowed(row.connection_id), row.connection_id)
        if opened is None or opened.status is ConnectionStatus.DISCONNECTED:
            raise Refused(410, ErrorCode.CONFLICT, "The connection was disconnected.")
        connector = self._sources.connectors[opened.system]
        return {name: value for name, value in self._connect.identity(connector, opened).items() if value is not None}

    async def _live(self, session: WriteSession, scope: Scope, session_id: UUID) -> ConnectSession:
        row = await sessions.locked(session, scope, session_id)
        if row is None:
            raise _unknown()
        if row.expires_at <= self._now():
            raise Refused(410, ErrorCode.CONFLICT, "This link has expired. Ask for a new one.")
        return row

    async def _opened(self, session: WriteSession, scope: Scope, session_id: UUID, ticket: str) -> ConnectSession:
        row = await self._live(session, scope, session_id)
        if not sessions.matches(ticket, row.page_hash):
            raise _unknown()
        if row.code_hash is not None:
            raise Refused(410, ErrorCode.CONFLICT, "This is done; the page can be closed.")
        return row

    async def _prepared(
        self, scope: Scope, row: ConnectSession, system: str, given: Mapping[str, Any]
    ) -> tuple[Prepared | None, list[Problem]]:
        if row.renews:
            return await self._connect.prepare_renewal(scope.narrowed(row.connection_id), row.connection_id, given)
        row.system_slug = system
        return self._connect.prepare(_request(row, given))

    async def _lacks_room(self, scope: Scope, prepared: Prepared) -> bool:
        async with self._database.read(scope) as session:
            organization = await connections.organization(session, scope)
        if organization is None:
            return True
        return await self._connect.cost(prepared) > organization.credits_pool - organization.credits_used

    def _spent(self, row: ConnectSession | None) -> Problem | None:
        if row is None:
            return _no_code()
        if row.exchanged_at is not None:
            return Problem(ErrorCode.CONFLICT, "The code was used before; it works once.", ("code",))
        if row.code_expires_at is None or row.code_expires_at <= self._now():
            return Problem(ErrorCode.CONFLICT, "The code has expired; it lasts five minutes.", ("code",))
        return None

    def _values(self, row: ConnectSession) -> dict[str, Any]:
        if row.key_id is None or row.wrapped_key is None or row.sealed is None:
            raise TypeError("a session with a code has credentials")
        return self._sources.vault.open(row.connection_id, Sealed(row.key_id, row.wrapped_key, row.sealed))


_EXCHANGE: Final = "exchangeConnectCode"


class _Claimed(Exception):
    """Somebody else was faster with the code."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _request(row: ConnectSession, credentials: Mapping[str, Any]) -> ConnectRequest:
    """Give what a session connects."""
    customer = CustomerRef.model_validate(row.customer)
    settings = dict(row.settings)
    if "tags" in settings:
        settings["tags"] = tuple(settings["tags"])
    return ConnectRequest(
        system=row.system_slug or "",
        credentials=credentials,
        customer_ref=customer.ref,
        customer_name=customer.name,
        connection_id=row.connection_id,
        **settings,
    )


def _unknown() -> Refused:
    return Refused(404, ErrorCode.NOT_FOUND, "There is no such link.")


def _no_code() -> Problem:
    return Problem(ErrorCode.NOT_FOUND, "There is no such code.", ("code",))
