"""A real PostgreSQL from a wheel, in one folder, for `crosshead dev` and for tests."""

import os
import secrets
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from crosshead.embedded import binaries, cluster, psql
from crosshead.embedded.accounts import Account, server_account
from crosshead.embedded.errors import EmbeddedError
from crosshead.embedded.lock import FileLock
from crosshead.embedded.ports import BIND_ATTEMPTS, LOOPBACK, free_port, lost_port
from crosshead.embedded.process import ServerProcess, log_tail, rotate_log

SUPERUSER = "postgres"
_START_TIMEOUT_S = 120.0  # crash recovery may have much to replay
_POLL_S = 0.02
# SIGINT is PostgreSQL's "fast" shutdown (sessions are ended, a checkpoint is written), SIGQUIT the "immediate" one.
_STOP_LADDER = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0))
_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One PostgreSQL 18 cluster, UTF-8 with code-point order, on a free loopback port and a private unix socket.

    TCP asks for a password (SCRAM); the superuser's is random and lies in `superuser-password`, mode 0600. The socket
    trusts whoever may enter its folder, mode 0700. The server ends with this process, even if that is killed (Linux).
    As root it runs as `nobody`, on the same folder. Calls block: use `asyncio.to_thread` in a running loop.

    Args:
        data_dir: Folder for the cluster, its password, lock and log; made if missing, found again by the next start.
        fsync: False for throw-away data: no write waits for the disk, and a machine crash loses the cluster.
        settings: Server settings by name, over ours (postgresql.conf's spelling).
    """

    def __init__(self, data_dir: Path, *, fsync: bool = True, settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self.log_file = self.data_dir / "postgres.log"
        self._fsync = fsync
        self._settings = dict(settings or {})
        self._cluster = self.data_dir / "cluster"
        self._password_file = self.data_dir / "superuser-password"
        self._socket_note = self.data_dir / "socket-folder"
        self._lock = FileLock(self.data_dir / "postgres.lock", what="the PostgreSQL folder")
        self._process: ServerProcess | None = None
        self._port = 0
        self._socket_dir = Path()

    @property
    def bin_dir(self) -> Path:
        """Folder with `psql`, `pg_dump` and the other programs of the same version."""
        return binaries.postgres_bin()

    @property
    def port(self) -> int:
        """TCP port on 127.0.0.1, new at each start."""
        self._running()
        return self._port

    @property
    def socket_dir(self) -> Path:
        """Folder of the unix socket, new at each start."""
        self._running()
        return self._socket_dir

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        return self._running().pid

    def start(self) -> None:
        """Make the cluster if there is none, clear away what a crash left, start and wait until it takes connections.

        Raises:
            EmbeddedError: Already in use, made by another account or major version, or it does not come up; with the
                end of the server's log.
        """
        if self._process is not None and self._process.running():
            raise EmbeddedError("PostgreSQL has been started already")
        self.stop()
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            account = server_account(self._cluster)
            programs = binaries.server_bin(account)
            cluster.remove_socket_dir(self._socket_note)
            if self._cluster.exists():
                cluster.check(self._cluster, account)
                cluster.end_leftovers(self._cluster)
            else:
                self._password_file.unlink(missing_ok=True)
                cluster.initialize(programs / "initdb", self._cluster, account, sync=self._fsync)
            self._socket_dir = cluster.make_socket_dir(self._socket_note, account)
            rotate_log(self.log_file)
            self._launch(programs / "postgres", account)
            if not self._password_file.exists():
                self._set_superuser_password()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut down cleanly and wait for the end; does nothing if it is not running."""
        try:
            if self._process is not None:
                self._process.stop(_STOP_LADDER)
        finally:
            self._process = None
            if self._lock.held:
                cluster.remove_socket_dir(self._socket_note)
            self._lock.release()

    def superuser_dsn(self, database: str = "postgres") -> str:
        """Return the superuser's URL, for set-up and tests; the application never uses it."""
        return self.dsn(database, user=SUPERUSER, password=self._password_file.read_text(encoding="ascii"))

    def dsn(self, database: str, *, user: str, password: str) -> str:
        """Return `postgresql://user:password@127.0.0.1:port/database`, each part percent-encoded."""
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{login}@{LOOPBACK}:{self.port}/{quote(database, safe='')}"

    def ensure_role(self, name: str, password: str, *, createrole: bool) -> None:
        """Make a login role if it is missing, and set its password and rights: no superuser, no BYPASSRLS.

        Args:
            name: Role name; quoted, so any case and character will do.
            password: Its password for TCP.
            createrole: Whether it may make other roles.

        Raises:
            EmbeddedError: PostgreSQL refuses, for example a name that begins with `pg_`.
        """
        option = "CREATEROLE" if createrole else "NOCREATEROLE"
        self._psql(psql.ENSURE_ROLE, {"role": name, "password": password, "createrole": option})

    def ensure_database(self, name: str, owner: str) -> None:
        """Make a database if it is missing, and give it to `owner`, an existing role.

        Raises:
            EmbeddedError: PostgreSQL refuses, for example because there is no such role.
        """
        self._psql(psql.ENSURE_DATABASE, {"database": name, "owner": owner})

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self, program: Path, account: Account | None) -> None:
        for _ in range(BIND_ATTEMPTS):
            self._port = free_port()
            seen = self.log_file.stat().st_size if self.log_file.exists() else 0
            self._process = ServerProcess(
                [program, "-D", cluster.data_argument(self._cluster, account), *self._arguments()],
                log=self.log_file,
                cwd=self._cluster,
                env=psql.clean_environment(),
                death_signal=signal.SIGINT,
                account=account,
            )
            if self._wait_until_ready(self._process):
                return
            with self.log_file.open("rb") as log:
                log.seek(seen)
                if not lost_port(log.read().decode(errors="replace")):
                    break
        raise EmbeddedError(f"PostgreSQL did not start; the end of {self.log_file}:\n{log_tail(self.log_file)}")

    def _wait_until_ready(self, process: ServerProcess) -> bool:
        """Wait for the postmaster's own word, as pg_ctl does; False if it ended instead."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while process.running():
            if cluster.is_ready(self._cluster, process.pid):
                return True
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"PostgreSQL was not ready in {_START_TIMEOUT_S:.0f} seconds:\n{log_tail(self.log_file)}"
                )
            time.sleep(_POLL_S)
        return False

    def _arguments(self) -> list[str]:
        socket_dir = str(self._socket_dir).replace('"', '""')
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self._port),
            "unix_socket_directories": f'"{socket_dir}"',
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **({} if self._fsync else _QUICK),
            **self._settings,
        }
        return [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]

    def _set_superuser_password(self) -> None:
        password = secrets.token_urlsafe(24)
        self._psql(psql.RENEW_ROLE, {"role": SUPERUSER, "password": password})
        descriptor = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(password)

    def _psql(self, script: str, values: Mapping[str, str]) -> None:
        psql.run_psql(
            self.bin_dir / "psql",
            script,
            socket_dir=self.socket_dir,
            port=self.port,
            user=SUPERUSER,
            values=values,
        )

    def _running(self) -> ServerProcess:
        if self._process is None or not self._process.running():
            raise EmbeddedError("PostgreSQL is not running", hint=log_tail(self.log_file, lines=5))
        return self._process
