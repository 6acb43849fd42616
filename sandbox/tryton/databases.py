"""Create, fill, dump and drop Postgres databases with Postgres' own programs."""

import os
import subprocess
import urllib.parse
from pathlib import Path


class PostgresToolError(Exception):
    """A Postgres program failed; the message holds its name and what it said."""


class Databases:
    """The databases of one Postgres server, reached over TCP.

    Args:
        postgres_url: `postgresql://user:password@host:port[/…]` of a role that may create databases. A user named in it
            is required; password and port (5432) are optional; the database part is ignored.
        bin_dir: Folder with createdb, dropdb, pg_dump and pg_restore, not older than the server.

    Raises:
        ValueError: The URL is not of that form, or a program is missing from bin_dir.
    """

    def __init__(self, postgres_url: str, bin_dir: Path) -> None:
        parts = urllib.parse.urlsplit(postgres_url)
        if parts.scheme not in {"postgres", "postgresql"} or not parts.hostname or not parts.username:
            raise ValueError("The Postgres address must look like postgresql://user:password@host:port/")
        self._parts = parts
        self._bin_dir = bin_dir
        for program in ("createdb", "dropdb", "pg_dump", "pg_restore", "psql"):
            if not (bin_dir / program).is_file():
                raise ValueError(f"There is no {program} in {bin_dir}")

    @property
    def tryton_uri(self) -> str:
        """The server's address as Tryton's configuration wants it: without a database."""
        return f"postgresql://{self._parts.netloc}/"

    def version(self) -> str:
        """Return what pg_dump says of itself; dumps are only restored by the same version."""
        return self._run("pg_dump", "--version").decode().strip()

    def create(self, name: str) -> None:
        """Create an empty UTF-8 database."""
        self._run("createdb", "--no-password", "--template=template0", "--encoding=UTF8", name)

    def filled(self, name: str) -> bool:
        """Tell whether a database is there and holds Tryton's tables."""
        question = "SELECT to_regclass('public.purchase_purchase') IS NOT NULL"
        try:
            told = self._run("psql", "--no-password", "--no-psqlrc", "-At", f"--dbname={name}", f"--command={question}")
        except PostgresToolError:
            return False
        return told.strip() == b"t"

    def drop(self, name: str) -> None:
        """Drop a database if it is there, closing what is connected to it."""
        self._run("dropdb", "--no-password", "--if-exists", "--force", name)

    def dump(self, name: str) -> bytes:
        """Return a database as a compressed pg_dump archive."""
        return self._run("pg_dump", "--no-password", "--format=custom", "--no-owner", "--no-acl", name)

    def restore(self, name: str, archive: bytes) -> None:
        """Fill an empty database from a pg_dump archive, in one transaction."""
        options = ("--no-password", "--no-owner", "--no-acl", "--single-transaction", f"--dbname={name}")
        self._run("pg_restore", *options, given=archive)

    def _run(self, program: str, *arguments: str, given: bytes | None = None) -> bytes:
        # Through the environment, so that the password shows in no process list.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment |= {"PGHOST": self._parts.hostname or "", "PGPORT": str(self._parts.port or 5432)}
        environment["PGUSER"] = urllib.parse.unquote(self._parts.username or "")
        if self._parts.password is not None:
            environment["PGPASSWORD"] = urllib.parse.unquote(self._parts.password)
        done = subprocess.run(  # noqa: S603 - a program of the folder we were given, no shell
            [str(self._bin_dir / program), *arguments],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            env=environment,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise PostgresToolError(f"{program} failed: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout
