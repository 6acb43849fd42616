"""Engines and sessions: three roles, and a scope on every transaction.

One login reaches Postgres; each pool takes one of the roles that the first
migration makes. `read` and `write` are app sessions held to a Scope, `system`
sees schedules, leases, tokens and deliveries of all, never records.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, NewType

import asyncpg
import orjson
from sqlalchemy import event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from db.fetch import OUTAGES, Fetch, FetchPool, session_settings
from db.scope import Scope

OWNER_ROLE = "crosshead_owner"
APP_ROLE = "crosshead_app"
SYSTEM_ROLE = "crosshead_system"

ReadSession = NewType("ReadSession", AsyncSession)
WriteSession = NewType("WriteSession", ReadSession)
SystemSession = NewType("SystemSession", AsyncSession)

_NAMED = re.compile(r"(?<!:):([a-z_]\w*)")
_SET_SCOPE = text(
    "SELECT set_config('crosshead.organization', :organization, true),"
    " set_config('crosshead.connection', :connection, true)"
)


def async_url(url: str) -> str:
    """Give the URL for SQLAlchemy's asyncpg driver, from any Postgres URL."""
    for prefix in ("postgresql+asyncpg://", "postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+asyncpg://" + url.removeprefix(prefix)
    raise ValueError("The database URL must begin with postgresql://.")


def plain_url(url: str) -> str:
    """Give the URL for asyncpg itself, from any Postgres URL."""
    return "postgresql://" + async_url(url).removeprefix("postgresql+asyncpg://")


def make_engine(url: str, *, role: str | None, pool_size: int, application: str) -> AsyncEngine:
    """Open a pool whose sessions run as `role` from their first statement."""
    settings = session_settings(role=role, application=application)
    engine = create_async_engine(
        async_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,  # values of records and keys stay out of errors and logs
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={"server_settings": settings, "timeout": 10, "command_timeout": 60},
    )
    event.listen(engine.sync_engine, "handle_error", _outage)
    return engine


def _outage(context: ExceptionContext) -> OperationalError | None:
    """Tell an outage as such: SQLAlchemy's asyncpg dialect makes a bare DBAPIError of most of them.

    A connection that has ended is told by asyncpg as it tells a caller's mistake.
    """
    error = context.original_exception
    ended = isinstance(error.__cause__, asyncpg.InterfaceError) and context.is_disconnect
    if not ended and not isinstance(error.__cause__, OUTAGES):
        return None
    return OperationalError(None, None, error, connection_invalidated=context.is_disconnect)


@dataclass(frozen=True, slots=True)
class Database:
    """The pools that a process works with: sessions for work, and plain fetches for the read path."""

    app: AsyncEngine
    system_engine: AsyncEngine
    reads: FetchPool
    lookups: FetchPool
    failures: ClassVar[tuple[type[Exception], ...]] = (
        SQLAlchemyError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        OSError,
    )
    """What a database that is down, or a statement that fails, raises."""
    unreachable: ClassVar[tuple[type[Exception], ...]] = (OperationalError, PoolTimeout, OSError, *OUTAGES)
    """What a database that is down, or that has no connection to spare, raises."""

    @classmethod
    def open(cls, url: str, *, pool_size: int = 10, application: str = "crosshead") -> "Database":
        """Open the pools; nothing is connected before its first use."""
        few = max(2, pool_size // 2)
        return cls(
            make_engine(url, role=APP_ROLE, pool_size=pool_size, application=application),
            make_engine(url, role=SYSTEM_ROLE, pool_size=few, application=application),
            FetchPool(plain_url(url), role=APP_ROLE, size=pool_size, application=application, reading=True),
            FetchPool(plain_url(url), role=SYSTEM_ROLE, size=few, application=application),
        )

    async def close(self) -> None:
        """Close the pools."""
        await self.reads.close()
        await self.lookups.close()
        await self.app.dispose()
        await self.system_engine.dispose()

    async def reachable(self) -> bool:
        """Tell whether the database answers."""
        try:
            async with self.system() as session:
                await session.execute(text("SELECT 1"))
        except self.unreachable:
            return False
        return True

    async def clock(self) -> datetime:
        """Give the database's own time, UTC: the one clock that all processes share."""
        now: datetime = (await self.at_once("SELECT clock_timestamp() AS now", {}))[0]["now"]
        return now

    def fetch(self, scope: Scope, *, by_values: bool = False) -> AbstractAsyncContextManager[Fetch]:
        """One read-only transaction that sees one moment of the scope's rows, for the read path's statements.

        Args:
            by_values: Plan statements for their own values, as `Fetch.plan_by_values` does.
        """
        return self.reads.reading(scope, by_values=by_values)

    @asynccontextmanager
    async def read(self, scope: Scope) -> AsyncIterator[ReadSession]:
        """One read-only transaction that sees one moment of the scope's rows."""
        engine = self.app.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            await _hold(session, scope)
            yield ReadSession(session)

    @asynccontextmanager
    async def write(self, scope: Scope) -> AsyncIterator[WriteSession]:
        """One transaction over the scope's rows; commits at the end, rolls back on an error."""
        async with AsyncSession(self.app, expire_on_commit=False) as session, session.begin():
            await _hold(session, scope)
            yield WriteSession(ReadSession(session))

    @asynccontextmanager
    async def system(self) -> AsyncIterator[SystemSession]:
        """One transaction over schedules, leases, tokens and deliveries of all."""
        async with AsyncSession(self.system_engine, expire_on_commit=False) as session, session.begin():
            yield SystemSession(session)

    async def at_once(self, statement: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run one statement of the system role that commits by itself: one round trip, without a session.

        Args:
            statement: SQL with `:name` for each value.
            values: Name → value; further ones are left alone.
        """
        sql, names = _numbered(statement)
        async with self.lookups.fetch() as fetch:
            return await fetch.rows(sql, *(values[name] for name in names))


@cache
def _numbered(statement: str) -> tuple[str, tuple[str, ...]]:
    """Give a statement with numbers in the place of names, and the names in that order."""
    names = list(dict.fromkeys(_NAMED.findall(statement)))
    return _NAMED.sub(lambda found: f"${names.index(found[1]) + 1}", statement), tuple(names)


async def _hold(session: AsyncSession, scope: Scope) -> None:
    settings = scope.settings
    await session.execute(
        _SET_SCOPE,
        {"organization": settings["crosshead.organization"], "connection": settings["crosshead.connection"]},
    )


async def driver(session: AsyncSession) -> Any:
    """Give the asyncpg connection behind a session; its transaction has begun."""
    connection: Any = session.info.get("driver")
    if connection is None:
        raw = await (await session.connection()).get_raw_connection()
        connection = session.info["driver"] = raw.driver_connection
    return connection


@asynccontextmanager
async def fetching(session: AsyncSession) -> AsyncIterator[Fetch]:
    """Reach Postgres by a session's connection itself; an outage is told as the session's own statements tell it.

    For COPY, and for statements of which SQLAlchemy's own part would be a third.
    """
    fetch = Fetch(await driver(session))
    try:
        yield fetch
    except OUTAGES as error:
        raise OperationalError(None, None, error) from error


async def straight(session: AsyncSession, statement: str, values: Mapping[str, Any]) -> list[asyncpg.Record]:
    """Run a statement on a session's connection by the driver alone, prepared once a connection; gives its rows.

    Args:
        statement: SQL with `:name` for each value, casts as `::`.
        values: Name → value; further ones are left alone.
    """
    sql, names = _numbered(statement)
    async with fetching(session) as fetch:
        return await fetch.rows(sql, *(values[name] for name in names))
