"""The read path's way to Postgres: asyncpg itself, with as few round trips as a scoped read can have.

A session of SQLAlchemy costs a read of one order more than Postgres does. Here a
request is one look-up of its token and one transaction: BEGIN with its scope in
one message, the data statement, COMMIT. Statements are prepared once a connection.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final
from uuid import UUID

import asyncpg

from db.scope import Scope

ACQUIRE_SECONDS: Final = 30.0
_BEGIN: Final = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
    " SELECT set_config('crosshead.organization', '{organization}', true),"
    " set_config('crosshead.connection', '{connection}', true)"
)
OUTAGES: Final[tuple[type[Exception], ...]] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
"""What a database tells that is down or going down."""
LOST: Final[tuple[type[Exception], ...]] = (*OUTAGES, asyncpg.InterfaceError)
"""The same, and what asyncpg says of a connection that has ended."""

Watcher = Callable[[str, tuple[Any, ...]], None]


class Fetch:
    """Runs statements on one connection, and tells them to whoever watches.

    Attributes:
        watchers: Are told each statement with its values: tests count them.
    """

    watchers: ClassVar[set[Watcher]] = set()

    __slots__ = ("_connection",)

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def row(self, statement: str, *values: Any) -> asyncpg.Record | None:
        """Give the first row."""
        for watcher in self.watchers:
            watcher(statement, values)
        row: asyncpg.Record | None = await self._connection.fetchrow(statement, *values)
        return row

    async def value(self, statement: str, *values: Any) -> Any:
        """Give the first row's first value; None where there is no row."""
        row = await self.row(statement, *values)
        return None if row is None else row[0]

    async def script(self, statements: str) -> None:
        """Run statements without values in one round trip."""
        for watcher in self.watchers:
            watcher(statements, ())
        await self._connection.execute(statements)


class FetchPool:
    """Connections that run as one role; nothing is connected before the first use."""

    def __init__(self, url: str, *, role: str, size: int, application: str) -> None:
        self._settings = {"application_name": application, "timezone": "UTC", "jit": "off", "role": role}
        self._url = url
        self._size = size
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def _opened(self) -> asyncpg.Pool:
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await asyncpg.create_pool(
                        self._url,
                        min_size=0,
                        max_size=self._size,
                        timeout=10,
                        command_timeout=60,
                        max_cacheable_statement_size=0,  # however long: documents are bounded before
                        server_settings=self._settings,
                        reset=_nothing,  # what is set is set for a transaction only
                    )
        return self._pool

    async def close(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    @asynccontextmanager
    async def fetch(self) -> AsyncIterator[Fetch]:
        """Give a connection without a transaction: each statement is one of its own."""
        pool = await self._opened()
        async with pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            yield Fetch(connection)

    @asynccontextmanager
    async def reading(self, scope: Scope) -> AsyncIterator[Fetch]:
        """Give one read-only transaction that sees one moment of the scope's rows."""
        pool = await self._opened()
        connection, fetch = await _begun(pool, scope)
        try:
            yield fetch
        finally:
            with contextlib.suppress(*LOST):  # what was read stays read
                if not connection.is_closed():
                    await fetch.script("COMMIT")
            await pool.release(connection)


async def _begun(pool: asyncpg.Pool, scope: Scope) -> tuple[Any, Fetch]:
    """Begin a transaction, once more where the connection died while it rested: nothing has been asked on it yet."""
    for last in (False, True):
        connection = await pool.acquire(timeout=ACQUIRE_SECONDS)
        fetch = Fetch(connection)
        try:
            await fetch.script(_begin(scope))
        except BaseException as error:
            await pool.release(connection)
            if last or not isinstance(error, LOST):
                raise
        else:
            return connection, fetch
    raise AssertionError


def _begin(scope: Scope) -> str:
    # Only ids go into the text: UUID() of them cannot hold anything else.
    connection = "" if scope.connection_id is None else str(UUID(str(scope.connection_id)))
    return _BEGIN.format(organization=UUID(str(scope.organization_id)), connection=connection)


async def _nothing(_: Any) -> None:
    """Leave a connection as it is."""
