"""The read path's way to Postgres: asyncpg itself, with as few round trips as a scoped read can have.

A session of SQLAlchemy costs a read of one order more than Postgres does. Here a
request is one look-up of its token and one transaction: BEGIN with its scope in
one message, the data statement, COMMIT. Statements are prepared once a connection.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, ClassVar, Final
from uuid import UUID

import asyncpg

from db.scope import Scope

ACQUIRE_SECONDS: Final = 30.0
_BEGIN: Final = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"  # and no SELECT of set_config(), which has to be planned
    " SET LOCAL crosshead.organization = '{organization}'; SET LOCAL crosshead.connection = '{connection}'"
)
_KEPT: Final = {"plan_cache_mode": "force_generic_plan"}
"""Left to itself, Postgres plans a page anew each time, for half of what reading it costs: of a limit that is not known
it thinks that it is a tenth of all rows, and of a plan for the limit that was given that it must be cheaper."""
_BY_VALUES: Final = "plan_cache_mode = force_custom_plan"
OUTAGES: Final[tuple[type[Exception], ...]] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
"""What a database tells that is down or going down, and what is told of a connection that has ended."""

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
        with _told(self._closed):
            row: asyncpg.Record | None = await self._connection.fetchrow(statement, *values)
        return row

    async def rows(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Give all rows."""
        for watcher in self.watchers:
            watcher(statement, values)
        with _told(self._closed):
            rows: list[asyncpg.Record] = await self._connection.fetch(statement, *values)
        return rows

    async def value(self, statement: str, *values: Any) -> Any:
        """Give the first row's first value; None where there is no row."""
        row = await self.row(statement, *values)
        return None if row is None else row[0]

    async def plan_by_values(self) -> None:
        """Plan the transaction's further statements for their own values, and not for any.

        A range of yesterday's changes is a hundred rows; one of which nothing is known is taken for a third of all.
        """
        await self.script(f"SET LOCAL {_BY_VALUES}")

    async def script(self, statements: str) -> None:
        """Run statements without values in one round trip."""
        for watcher in self.watchers:
            watcher(statements, ())
        with _told(self._closed):
            await self._connection.execute(statements)

    def _closed(self) -> bool:
        return _is_over(self._connection)


def session_settings(*, role: str | None, application: str) -> dict[str, str]:
    """Give what every session of ours begins with."""
    return {
        "application_name": application,
        "timezone": "UTC",
        "jit": "off",
        "random_page_cost": "1.1",  # no disk moves a head: the next page of an index costs what any page does
        **({"role": role} if role else {}),
    }


class FetchPool:
    """Connections that run as one role; nothing is connected before the first use.

    Args:
        kept: Statements are planned once a connection, for any values, where nobody asks for plans by values.
    """

    def __init__(self, url: str, *, role: str, size: int, application: str, kept: bool = False) -> None:
        self._settings = {**session_settings(role=role, application=application), **(_KEPT if kept else {})}
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
        connection = await _acquired(pool)
        try:
            yield Fetch(connection)
        finally:
            await pool.release(connection)

    @asynccontextmanager
    async def reading(self, scope: Scope, *, by_values: bool = False) -> AsyncIterator[Fetch]:
        """Give one read-only transaction that sees one moment of the scope's rows."""
        pool = await self._opened()
        connection, fetch = await _begun(pool, _begin(scope, by_values=by_values))
        try:
            yield fetch
        finally:
            await _ended(pool, connection, fetch)


@contextmanager
def _told(ended: Callable[[], bool]) -> Iterator[None]:
    """Tell what has ended as an outage: asyncpg tells it as it tells a caller's mistake, which is none."""
    try:
        yield
    except asyncpg.InterfaceError as error:
        if not ended():
            raise
        raise asyncpg.ConnectionDoesNotExistError(str(error)) from error


def _is_over(connection: Any) -> bool:
    """Tell whether a connection has ended; its pool takes back one that ends while it is lent."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


def _terminate(connection: Any) -> None:
    with suppress(asyncpg.InterfaceError):  # taken back already
        connection.terminate()


async def _acquired(pool: asyncpg.Pool) -> Any:
    with _told(pool.is_closing):
        return await pool.acquire(timeout=ACQUIRE_SECONDS)


async def _begun(pool: asyncpg.Pool, begin: str) -> tuple[Any, Fetch]:
    """Begin a transaction, once more where the connection died while it rested: nothing has been asked on it yet."""
    for last in (False, True):
        connection = await _acquired(pool)
        fetch = Fetch(connection)
        try:
            await fetch.script(begin)
        except BaseException as error:
            _terminate(connection)  # it may be within a transaction
            await pool.release(connection)
            if last or not isinstance(error, OUTAGES):
                raise
        else:
            return connection, fetch
    raise AssertionError


async def _ended(pool: asyncpg.Pool, connection: Any, fetch: Fetch) -> None:
    """Commit and give the connection back; one that does not say that it committed may be within the transaction."""
    try:
        if not _is_over(connection):
            await fetch.script("COMMIT")
    except BaseException as error:
        _terminate(connection)
        if not isinstance(error, OUTAGES):  # what was read stays read
            raise
    finally:
        await pool.release(connection)


def _begin(scope: Scope, *, by_values: bool) -> str:
    # Only ids go into the text: UUID() of them cannot hold anything else.
    connection = "" if scope.connection_id is None else str(UUID(str(scope.connection_id)))
    begin = _BEGIN.format(organization=UUID(str(scope.organization_id)), connection=connection)
    return f"{begin}; SET LOCAL {_BY_VALUES}" if by_values else begin


async def _nothing(_: Any) -> None:
    """Leave a connection as it is."""
