"""Run trytond and its tools as subprocesses, with the Python that runs us."""

import importlib.util
import os
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import IO, Self

from sandbox.tryton.client import TrytonClient

# Trytond's server takes a thread a request, each with its own connection; more requests wait for one.
_MAX_POSTGRES_CONNECTIONS = 16
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_START_ATTEMPTS = 3
_LOG_TAIL_CHARACTERS = 4000


class TrytonProcessError(Exception):
    """Tryton is not installed, did not start or failed; the message ends with the end of its log."""


def run_to_end(program: str, arguments: list[str], environment: dict[str, str], *, tryton_uri: str) -> None:
    """Run one of Tryton's programs and wait for its end; `environment` is added to the settings.

    Raises:
        TrytonProcessError: It is not installed, or its exit status is not 0.
    """
    with tempfile.TemporaryFile() as log:
        process = _spawn(program, arguments, _environment(tryton_uri) | environment, log)
        try:
            process.wait()
        finally:
            _end(process)
        if process.returncode != 0:
            raise TrytonProcessError(f"{program} ended with {process.returncode}:\n{_tail(log)}")


class TrytonProcess:
    """A running trytond for one database on a loopback port; 0 takes a free one."""

    def __init__(self, tryton_uri: str, database: str, *, port: int = 0) -> None:
        self._tryton_uri = tryton_uri
        self._database = database
        self._wanted_port = port
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers, without a path."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process id, None when it does not run."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start trytond and wait until it answers.

        Raises:
            TrytonProcessError: The port is taken, or trytond ended or did not answer within a minute.
        """
        # Between choosing a free port and trytond's taking it, another process may be quicker.
        attempts = 1 if self._wanted_port else _START_ATTEMPTS
        for attempt in range(1, attempts + 1):
            # Looked at even when the port is given: another server's answer there must not pass for ours.
            self._port = _free_port(self._wanted_port)
            try:
                self._start_once()
            except TrytonProcessError:
                if attempt == attempts:
                    raise
            else:
                return

    def stop(self) -> None:
        """End trytond; nothing is left of it when this returns. Does nothing when it does not run."""
        if self._process is not None:
            _end(self._process)
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_once(self) -> None:
        environment = _environment(self._tryton_uri) | {"TRYTOND_WEB__LISTEN": f"127.0.0.1:{self._port}"}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = _spawn("trytond", ["-d", self._database], environment, self._log)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                reason = f"trytond did not start on port {self._port}:\n{_tail(self._log)}"
                self.stop()
                raise TrytonProcessError(reason)
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return bool(TrytonClient(self.url, "", timeout_seconds=5).rpc("common.server.version"))
        except OSError:
            return False


def _environment(tryton_uri: str) -> dict[str, str]:
    # By environment, not by a file: the address may hold a password. The caller's own TRYTOND_… settings stay out.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TRYTON")}
    return inherited | {
        "TRYTOND_DATABASE__URI": tryton_uri,
        "TRYTOND_DATABASE__MAXCONN": str(_MAX_POSTGRES_CONNECTIONS),
        "TRYTOND_SESSION__AUTHENTICATIONS": "password",
        "PYTHONWARNINGS": "ignore",
    }


def _spawn(program: str, arguments: list[str], environment: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    if importlib.util.find_spec("trytond") is None:
        raise TrytonProcessError("trytond is not installed: uv sync --group realsystems")
    script = Path(sysconfig.get_path("scripts")) / program
    command = [sys.executable, "-P", str(Path(__file__).with_name("daemon.py")), str(script), *arguments]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log)  # noqa: S603


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise TrytonProcessError(f"Port {wanted} cannot be used: {error.strerror}") from error
        return int(probe.getsockname()[1])


def _tail(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")[-_LOG_TAIL_CHARACTERS:]
