"""A real Tryton with demo data, from a cached dump, for as long as a `with` block lasts."""

import datetime as dt
from pathlib import Path
from typing import Self

from sandbox.tryton.client import TrytonClient
from sandbox.tryton.databases import Databases
from sandbox.tryton.image import default_cache_dir, new_database_name, restore_seeded
from sandbox.tryton.initialise import ADMIN_PASSWORD, ADMIN_USERNAME
from sandbox.tryton.masterdata import LIMITED_PASSWORD, LIMITED_USERNAME
from sandbox.tryton.process import TrytonProcess


class TrytonServer:
    """Tryton on loopback over a database of its own: a fresh one, dropped at the end, or a named one, kept.

    The first start on a machine builds the database (two to four minutes); later ones take seconds. See image.py.

    Args:
        postgres_url: `postgresql://user:password@host:port/` of a role that may create databases.
        bin_dir: Folder with Postgres' client programs (createdb, dropdb, pg_dump, pg_restore).
        cache_dir: Where the dumps are kept; None is `default_cache_dir()`.
        port: Port to serve on; 0 takes a free one.
        today: The day the orders' dates are counted from; None is the current day in UTC.
        database: Name of a database that outlives the run and is used again; None makes a fresh one.

    Attributes:
        username, password: The administrator's, who may do everything.
        limited_username, limited_password: A user of the same company without access to purchasing and stock.
    """

    username = ADMIN_USERNAME
    password = ADMIN_PASSWORD
    limited_username = LIMITED_USERNAME
    limited_password = LIMITED_PASSWORD

    def __init__(
        self,
        *,
        postgres_url: str,
        bin_dir: Path,
        cache_dir: Path | None = None,
        port: int = 0,
        today: dt.date | None = None,
        database: str | None = None,
    ) -> None:
        self._databases = Databases(postgres_url, bin_dir)
        self._cache_dir = cache_dir or default_cache_dir()
        self._today = today or dt.datetime.now(dt.UTC).date()
        self._kept = database is not None
        self.database = database or new_database_name()
        self._process = TrytonProcess(self._databases.tryton_uri, self.database, port=port)

    @property
    def url(self) -> str:
        """Where it answers, such as http://127.0.0.1:41234; without a path."""
        return self._process.url

    @property
    def pid(self) -> int | None:
        """The process id of trytond, None when it does not run."""
        return self._process.pid

    def start(self) -> None:
        """Restore the database, start trytond on it and wait until it answers.

        Raises:
            PostgresToolError: Postgres refused.
            TrytonProcessError: Tryton is not installed or did not start.
            TrytonError: Tryton refused the seed data.
        """
        if not (self._kept and self._databases.filled(self.database)):
            self._databases.drop(self.database)  # a restore that was cut off leaves an empty one
            restore_seeded(self._databases, self.database, cache_dir=self._cache_dir, today=self._today)
        try:
            self._process.start()
        except BaseException:
            self._forget()
            raise

    def stop(self) -> None:
        """End trytond, and drop its database unless it was named to be kept."""
        self._process.stop()
        self._forget()

    def _forget(self) -> None:
        if not self._kept:
            self._databases.drop(self.database)

    def client(self) -> TrytonClient:
        """Return a new session of the administrator."""
        return TrytonClient(self.url, self.database).login(self.username, self.password)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
