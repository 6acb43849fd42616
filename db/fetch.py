"""The read path's way to Postgres: asyncpg itself, with as few round trips as a scoped read can have.

A session of SQLAlchemy costs a read of one order more than Postgres does, and so
does the pool of asyncpg itself. Here a request is one look-up of its token and one
data statement that sets its scope itself; several are one transaction: BEGIN with
the scope in one message, the data statements, COMMIT. Statements are prepared once a connection.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, ClassVar, Final
from uuid import UUID

import asyncpg

from db.scope import Scope

ACQUIRE_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 300.0
_BEGIN: Final = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"  # and no SELECT of set_config(), which has to be planned
    " SET LOCAL crosshead.organization = '{organization}'; SET LOCAL crosshead.connection = '{connection}'"
)
_READING: Final = {"default_transaction_read_only": "on", "plan_cache_mode": "force_generic_plan"}
"""Left to itself, Postgres plans a page anew each time, for half of what reading it costs: of a limit that is not known
it thinks that it is a tenth of all rows, and of a plan for the limit that was given that it must be cheaper."""
_HELD: Final = (
    "WITH held AS MATERIALIZED (SELECT set_config('crosshead.organization', $1::uuid::text, true) IS NOT NULL"
    " AND set_config('crosshead.connection', coalesce($2::uuid::text, ''), true) IS NOT NULL AS done)"
)
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

    __slots__ = ("connection",)

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    async def row(self, statement: str, *values: Any) -> asyncpg.Record | None:
        """Give the first row."""
        self._tell(statement, values)
        row: asyncpg.Record | None = await self._told(self.connection.fetchrow(statement, *values))
        return row

    async def rows(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Give all rows."""
        self._tell(statement, values)
        rows: list[asyncpg.Record] = await self._told(self.connection.fetch(statement, *values))
        return rows

    async def value(self, statement: str, *values: Any) -> Any:
        """Give the first row's first value; None where there is no row."""
        row = await self.row(statement, *values)
        return None if row is None else row[0]

    async def held(self, statement: str, *values: Any) -> Any:
        """Give what `value` gives, as a scope sees it: the one that the values begin with.

        Args:
            values: $1 is the organization and $2 the connection or null, as in all statements of the read path.
        """
        self._tell(_HELD, values[:2])
        self._tell(statement, values)
        row = await self._told(self.connection.fetchrow(setting_scope(statement), *values))
        return None if row is None else row[0]

    async def plan_by_values(self) -> None:
        """Plan the transaction's further statements for their own values, and not for any.

        A range of yesterday's changes is a hundred rows; one of which nothing is known is taken for a third of all.
        """
        await self.script(f"SET LOCAL {_BY_VALUES}")

    async def script(self, statements: str) -> None:
        """Run statements without values in one round trip."""
        self._tell(statements, ())
        await self._told(self.connection.execute(statements))

    async def copy(self, table: str, rows: Sequence[tuple[Any, ...]], *, columns: Sequence[str]) -> None:
        """COPY rows into a table."""
        self._tell(f"COPY {table}", ())
        await self._told(self.connection.copy_records_to_table(table, records=rows, columns=columns))

    async def _told(self, pending: Awaitable[Any]) -> Any:
        """Tell what has ended as an outage: asyncpg tells it as it tells a caller's mistake, or one of its own."""
        try:
            return await pending
        except asyncpg.InternalClientError as error:  # the server has said that it ends, and the socket not yet
            self.connection.terminate()
            raise asyncpg.ConnectionDoesNotExistError(str(error)) from error
        except asyncpg.InterfaceError as error:
            if not self.connection.is_closed():
                raise
            raise asyncpg.ConnectionDoesNotExistError(str(error)) from error

    def _tell(self, statement: str, values: tuple[Any, ...]) -> None:
        for watcher in self.watchers:
            watcher(statement, values)


@lru_cache(maxsize=2048)
def setting_scope(statement: str) -> str:
    """Give a statement that sets the scope before it reads, and for itself alone.

    The scope's row is made first, as a CTE that is not folded away, and CASE reads only once it is there. If a planner
    ever did otherwise, no scope would be set and no row seen: between statements a connection has none.
    """
    return f"{_HELD} SELECT CASE WHEN held.done THEN ({statement}) END FROM held"


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
        reading: Nothing is written, and statements are planned once a connection, for any values, where nobody asks
            for plans by values.
        idle_seconds: After how long unused a connection is closed, before something on the way forgets it.
    """

    def __init__(
        self,
        url: str,
        *,
        role: str,
        size: int,
        application: str,
        reading: bool = False,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._idle_seconds = idle_seconds
        self._settings = {**session_settings(role=role, application=application), **(_READING if reading else {})}
        self._url = url
        self._places = asyncio.Semaphore(size)
        self._rested: deque[tuple[Any, float]] = deque()
        self._closed = False

    async def close(self) -> None:
        """Close the connections that rest; the others follow once they are given back."""
        self._closed = True
        rested, self._rested = [connection for connection, _ in self._rested], deque()
        closing = (connection.close(timeout=CLOSE_SECONDS) for connection in rested)
        await asyncio.gather(*closing, return_exceptions=True)  # what does not answer is cut off

    def fetch(self) -> "_Lent":
        """Give a connection without a transaction: each statement is one of its own."""
        return _Lent(self)

    async def value(self, statement: str, *values: Any) -> Any:
        """Give what `Fetch.held` gives, as a transaction of its own; once more where the connection died at rest."""
        for last in (False, True):
            async with self.fetch() as fetch:
                try:
                    return await fetch.held(statement, *values)
                except OUTAGES:
                    fetch.connection.terminate()
                    if last:
                        raise
        raise AssertionError

    @asynccontextmanager
    async def reading(self, scope: Scope, *, by_values: bool = False) -> AsyncIterator[Fetch]:
        """Give one read-only transaction that sees one moment of the scope's rows."""
        fetch = await self.begin(scope, by_values=by_values)
        try:
            yield fetch
        finally:
            await self.end(fetch)

    async def begin(self, scope: Scope, *, by_values: bool = False) -> Fetch:
        """Begin such a transaction; once more where the connection died at rest, for nothing was asked on it yet."""
        begin = _begin(scope, by_values=by_values)
        for last in (False, True):
            connection = await self.take()
            fetch = Fetch(connection)
            try:
                await fetch.script(begin)
            except BaseException as error:
                connection.terminate()  # it may be within a transaction
                self.give(connection)
                if last or not isinstance(error, OUTAGES):
                    raise
            else:
                return fetch
        raise AssertionError

    async def end(self, fetch: Fetch) -> None:
        """Commit, and give the connection back."""
        await self.ended(fetch.connection, "COMMIT")

    async def ended(self, connection: Any, how: str) -> None:
        """End a transaction; a connection that does not say that it did may be within it."""
        try:
            if not connection.is_closed():
                await Fetch(connection).script(how)
        except BaseException as error:
            connection.terminate()
            if not isinstance(error, OUTAGES):  # what was read stays read
                raise
        finally:
            self.give(connection)

    async def take(self) -> Any:
        """Take a connection: the one used last, else a new one, else what another gives back in time.

        Those long unused are closed, even where all are.
        """
        if self._closed:
            raise asyncpg.ConnectionDoesNotExistError("the pool is closed")
        if self._places.locked():
            async with asyncio.timeout(ACQUIRE_SECONDS):
                await self._places.acquire()
        else:
            await self._places.acquire()
        try:
            since = time.monotonic() - self._idle_seconds
            while self._rested and self._rested[0][1] < since:
                self._rested.popleft()[0].terminate()
            while self._rested:
                connection, _ = self._rested.pop()
                if not connection.is_closed():
                    return connection
            return await self._connected()
        except BaseException:
            self._places.release()
            raise

    async def _connected(self) -> Any:
        return await asyncpg.connect(
            self._url,
            timeout=10,
            command_timeout=60,
            max_cacheable_statement_size=0,  # however long: documents are bounded before
            server_settings=self._settings,
        )

    def give(self, connection: Any) -> None:
        """Take a connection back; what is set on it is set for a transaction only."""
        if self._closed:
            connection.terminate()
        elif not connection.is_closed():
            self._rested.append((connection, time.monotonic()))
        self._places.release()


class _Lent:
    """A connection that is lent: `async with` without a generator, which costs a tenth of what it is lent for."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: FetchPool) -> None:
        self._pool = pool
        self._connection: Any = None

    async def __aenter__(self) -> Fetch:
        self._connection = await self._pool.take()
        return Fetch(self._connection)

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or issubclass(kind, (asyncpg.PostgresError, asyncpg.InterfaceError)):
            self._pool.give(self._connection)
        else:
            await self._pool.ended(self._connection, "ROLLBACK")  # waits for what was cut off


def _begin(scope: Scope, *, by_values: bool) -> str:
    # Only ids go into the text: UUID() of them cannot hold anything else.
    connection = "" if scope.connection_id is None else str(UUID(str(scope.connection_id)))
    begin = _BEGIN.format(organization=UUID(str(scope.organization_id)), connection=connection)
    return f"{begin}; SET LOCAL {_BY_VALUES}" if by_values else begin
