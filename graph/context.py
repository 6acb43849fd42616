"""What a resolver may use: who asks, the request's read transaction, and the doors to the work."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from strawberry.types import Info

from db.audit import Actor
from db.engine import Database
from db.fetch import Fetch
from db.models.audit import ActorKind
from db.models.organization import TokenKind, TokenScope
from db.page import by_values, read_each, read_json
from db.scope import Scope
from db.selection import OneById, Root, Slots
from db.tokens import Holder
from db.told import Refused
from db.types import ErrorCode, encode_id
from graph.door.recorder import Recorder
from graph.errors import ApiError, refusal_of
from graph.limits.points import Points
from graph.together import Together
from graph.versions.catalogue import VERSIONS, Version, Versions
from jobs.access import AccessDoor
from jobs.connect import ConnectDoor
from jobs.disconnect import DisconnectDoor
from jobs.events import Events
from jobs.organization import OrganizationDoor
from jobs.portal import PortalDoor
from jobs.queue import Queue
from jobs.revocation import Revocations
from jobs.runs import RunDoor
from jobs.webhooks import WebhookDoor
from jobs.write import WriteDoor

_RIGHTS = (TokenScope.READ, TokenScope.WRITE, TokenScope.ADMIN)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a live token and what it opens.

    Attributes:
        last_four: The token's last four characters.
        api_version: The version of the API that it is pinned to.
        unreachable: What its answers say beside the stored data while the connection's source cannot be reached.
    """

    token_id: UUID
    kind: TokenKind
    may: TokenScope
    scope: Scope
    unreachable: Mapping[str, Any] | None = None
    last_four: str = ""
    api_version: str | None = None

    @property
    def actor(self) -> Actor:
        """Who it is in the audit log."""
        kind = ActorKind.KEY if self.kind is TokenKind.ORGANIZATION else ActorKind.TOKEN
        return Actor(kind, encode_id("ApiKey", self.token_id), self.last_four)

    def require(self, right: TokenScope) -> None:
        """Refuse the request unless the token has the right.

        Raises:
            ApiError: FORBIDDEN.
        """
        if _RIGHTS.index(self.may) < _RIGHTS.index(right):
            message = f"This token may not do this: it needs the scope {right.value}."
            raise ApiError(ErrorCode.FORBIDDEN, message, requiredScope=right.value)

    def require_organization(self, right: TokenScope) -> None:
        """Refuse the request unless the token is an organization key with the right."""
        if self.kind is not TokenKind.ORGANIZATION:
            raise ApiError(ErrorCode.FORBIDDEN, "This needs an organization key; a connection token cannot do it.")
        self.require(right)


class Reader:
    """Runs the reads of one request in one read-only transaction, opened by the first of them.

    With `together` each read has a transaction of its own, if need be with those of others: in a request that has
    only one, and, where the newest state is what the caller asks for, after a mutation and for each event of a
    subscription.
    """

    def __init__(self, database: Database, scope: Scope, *, together: Together | None) -> None:
        self._database = database
        self._scope = scope
        self._together = together
        self._lock = asyncio.Lock()
        self._session: Fetch | None = None
        self._by_values = False
        self._over = False

    async def json(self, root: Root, slots: Slots, *, scope: Scope | None = None) -> str | None:
        """Answer a read as JSON text; None where no row has the id."""
        scope = scope or self._scope
        if self._together is not None and not by_values(root):
            if isinstance(root, OneById) and root.as_of_slot is None and isinstance(slots[root.id_slot], UUID):
                return await self._together.one(root, slots, scope=scope)
            return await read_json(self._database.reads, root, slots, scope=scope)
        async with self._reading(scope, by_values=by_values(root)) as session:
            return None if session is None else await read_json(session, root, slots, scope=scope)

    async def each(self, root: OneById, slots: Slots, keys: Collection[UUID]) -> dict[UUID, str | None]:
        """Answer a read of several objects, each by its key in the place of the first slot; gives key → JSON text."""
        ids = list(dict.fromkeys(keys))
        async with self._reading(self._scope, by_values=by_values(root)) as session:
            if session is None:
                return {}
            told = await read_each(session, root, ids, slots[1:], scope=self._scope)
        return dict(zip(ids, told, strict=True))

    @asynccontextmanager
    async def _reading(self, scope: Scope, *, by_values: bool) -> AsyncIterator[Fetch | None]:
        if self._together is not None:
            async with self._database.fetch(scope, by_values=by_values) as session:
                yield session
            return
        async with self._lock:  # one connection answers one statement at a time
            if self._session is None and not self._over:
                self._session = await self._database.reads.begin(self._scope, by_values=by_values)
                self._by_values = by_values
            elif by_values and not self._by_values and self._session is not None:
                await self._session.plan_by_values()
                self._by_values = True
            yield self._session

    async def close(self) -> None:
        """End the transaction.

        Where one list of a request is refused, graphql-core answers at once and leaves the lists beside it to end in
        the background: one that has begun is waited for, the others read nothing.
        """
        async with self._lock:
            self._over = True
            session, self._session = self._session, None
            if session is not None:
                await self._database.reads.end(session)


@dataclass(slots=True)
class Services:
    """The built parts that the API works with."""

    database: Database
    queue: Queue
    events: Events
    revocations: Revocations
    access: AccessDoor
    organizations: OrganizationDoor
    portal: PortalDoor
    connect: ConnectDoor
    disconnect: DisconnectDoor
    runs: RunDoor
    write: WriteDoor
    webhooks: WebhookDoor
    points: Points
    portal_points: Points
    recorder: Recorder
    together: Together
    public_url: str | None = None
    """Where browsers reach the API, where the operator says it."""
    versions: Versions = VERSIONS


@dataclass(slots=True)
class Context:
    """The context of one operation, or of a socket.

    Attributes:
        fresh: Each read sees the newest state instead of one moment.
        reads: How many reads it has at most, once that is known.
        operation_name: What its caller calls the operation.
        operation_type: QUERY, MUTATION or SUBSCRIPTION, once it is known.
        cost: What the operation costs, as the caller is told.
        codes: The codes of the errors of its last answer.
        status: The HTTP status; None over a socket.
        holder: Who held the token, where it is dead and there is no principal.
        once: What is read once for the operation, by name.
        base_url: Tells where its caller reached the API.
        version: The version of the API that it gets; None until that is known.
    """

    services: Services
    request_id: str
    principal: Principal | None = None
    fresh: bool = False
    reads: int | None = None
    connection_params: dict[str, Any] | None = None
    operation_name: str | None = None
    operation_type: str | None = None
    cost: dict[str, Any] | None = None
    codes: set[str] = field(default_factory=set)
    status: int | None = None
    holder: Holder | None = None
    once: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    base_url: Callable[[], str] = str
    version: Version | None = None
    begun_at: float = field(default_factory=time.monotonic)
    _reader: Reader | None = field(default=None, repr=False)

    @property
    def who(self) -> Principal:
        """Who asks.

        Raises:
            ApiError: UNAUTHENTICATED.
        """
        if self.principal is None:
            raise ApiError(ErrorCode.UNAUTHENTICATED, "Send a bearer token in the Authorization header.")
        return self.principal

    @property
    def public_url(self) -> str:
        """Where browsers reach the API; no slash at the end."""
        return (self.services.public_url or self.base_url()).rstrip("/")

    @property
    def reader(self) -> Reader:
        """The request's reader."""
        if self._reader is None:
            together = self.services.together if self.fresh or self.reads == 1 else None
            self._reader = Reader(self.services.database, self.who.scope, together=together)
        return self._reader

    def of_operation(self) -> "Context":
        """Make the context of one operation of this socket."""
        return Context(self.services, self.request_id, self.principal, fresh=True, base_url=self.base_url)

    async def close(self) -> None:
        """Give back what the operation held, and note it in the request log."""
        self._note()
        if self._reader is not None:
            await self._reader.close()

    def _note(self) -> None:
        who = self.principal or self.holder
        if who is None:
            return
        self.services.recorder.note(
            organization_id=who.scope.organization_id,
            connection_id=who.scope.connection_id,
            token_id=encode_id("ApiKey", who.token_id),
            request_id=self.request_id,
            operation_name=self.operation_name[:255] if self.operation_name else None,
            operation_type=self.operation_type,
            cost=self.cost["actual"] if self.cost else 0,
            duration_ms=round((time.monotonic() - self.begun_at) * 1000),
            status=self.status,
            code=min(self.codes, default=None),
        )


ApiInfo = Info[Context, None]


@dataclass(slots=True)
class Batch:
    """Objects that are read together, one statement a type.

    Attributes:
        keys: Type → the ids asked for.
        found: Type → its read, once the first of its objects was met.
    """

    keys: dict[str, list[UUID]]
    found: dict[str, "asyncio.Task[dict[UUID, str | None]]"] = field(default_factory=dict)

    async def one(self, type_name: str, key: UUID) -> str | None:
        """Wait for the read of a type, and give one of its objects."""
        return (await asyncio.shield(self.found[type_name])).get(key)


@dataclass(frozen=True, slots=True)
class Read:
    """A resolver's answer: what to read. The executor knows which fields were asked for.

    Attributes:
        type_name: The type to read.
        one: The id to read; None reads a list.
        paged: A Relay list (its arguments are the field's), else the whole short list.
        scope: Read within this scope instead of the caller's.
        missing: What no row means: None tells null, an error is raised.
        arguments: Arguments of a list in place of the field's own, in GraphQL names.
        batch: The objects that it is read together with.
        as_of: Read the record as of this instant.
        numbered: A window of a connection's sequence of events.
        summary: The type's records, counted and summed by groups.
    """

    type_name: str
    one: UUID | str | None = None
    paged: bool = False
    scope: Scope | None = None
    missing: ApiError | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    batch: Batch | None = None
    as_of: datetime | None = None
    numbered: bool = False
    summary: bool = False


async def answered(pending: Awaitable[str | None], *, missing: ApiError | None) -> Any:
    """Put the JSON text into the answer untouched."""
    try:
        text = await pending
    except Refused as refused:
        raise refusal_of(refused.what, refused.detail) from refused
    if text is None:
        if missing is not None:
            raise missing
        return None
    return orjson.Fragment(text)
