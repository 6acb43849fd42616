"""One server process: started through launch.py, logged to a file, stopped by a ladder of signals."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from crosshead.embedded.accounts import Account
from crosshead.embedded.errors import EmbeddedError

_LAUNCHER = Path(__file__).with_name("launch.py")
_LOG_GENERATIONS = 3

# Linux sends the death signal when the *thread* that forked ends, not the process (prctl(2)). So all servers are forked
# from one thread that lives as long as the interpreter, whatever short-lived thread asked for them.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="crosshead-spawner")


def launch_argv(
    argv: Sequence[str | Path], *, death_signal: signal.Signals, account: Account | None = None
) -> list[str]:
    """Return the command that runs `argv` as `account` and sends it `death_signal` when this process dies (Linux)."""
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER)]
    return [*launcher, str(os.getpid()), str(int(death_signal)), str(uid), str(gid), *map(str, argv)]


def rotate_log(path: Path) -> None:
    """Move `path` to `path.1`, `path.1` to `path.2` and so on, keeping three old logs."""
    for generation in range(_LOG_GENERATIONS, 0, -1):
        older = path.with_name(f"{path.name}.{generation}")
        newer = path.with_name(f"{path.name}.{generation - 1}") if generation > 1 else path
        if newer.exists():
            newer.replace(older)


def log_tail(path: Path, *, lines: int = 20) -> str:
    """Return the last lines of a log, or an empty string if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 64 * 1024))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


class ServerProcess:
    """A running server in a session of its own, so that Ctrl-C in a terminal reaches only us.

    Args:
        argv: Program and arguments.
        log: File that takes stdout and stderr, appended.
        cwd: Folder to run in.
        env: The whole environment.
        death_signal: What the server gets when our process dies without stopping it (Linux).
        account: Whom to run as; None for ourselves.
        stdin: Text to hand over on standard input, then end of file.

    Raises:
        EmbeddedError: The process could not be created at all.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path,
        env: Mapping[str, str],
        death_signal: signal.Signals,
        account: Account | None = None,
        stdin: str = "",
    ) -> None:
        command = launch_argv(argv, death_signal=death_signal, account=account)

        def spawn() -> subprocess.Popen[bytes]:
            with log.open("ab") as output:
                return subprocess.Popen(  # noqa: S603 - argv is built by us, no shell
                    command,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=cwd,
                    env=dict(env),
                    start_new_session=True,
                )

        try:
            self._popen = _spawner.submit(spawn).result()
        except OSError as error:
            raise EmbeddedError(f"cannot start {argv[0]}: {error}") from error
        self._hand_over(stdin)

    @property
    def pid(self) -> int:
        """Process id of the server itself: the launcher becomes it."""
        return self._popen.pid

    def running(self) -> bool:
        """Tell whether the process has not ended yet."""
        return self._popen.poll() is None

    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal's number, or None while it runs."""
        return self._popen.poll()

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the process and all it has started, except what left its process group."""
        # macOS answers EPERM, not ESRCH, for a group of which only a zombie is left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def stop(self, ladder: Sequence[tuple[signal.Signals, float]]) -> None:
        """Send each signal of the ladder and wait its seconds, until the process has ended; SIGKILL comes last.

        Raises:
            EmbeddedError: The process outlived SIGKILL, which only an uninterruptible disk wait explains.
        """
        for number, seconds in (*ladder, (signal.SIGKILL, 10.0)):
            if self.running():
                self._popen.send_signal(number)
            try:
                self._popen.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            return
        raise EmbeddedError(f"process {self.pid} does not end")

    def _hand_over(self, stdin: str) -> None:
        pipe = self._popen.stdin
        if pipe is None:
            return
        try:
            with pipe:
                pipe.write(stdin.encode())
        except BrokenPipeError:
            # The process ended at once; whoever waits for it to be ready finds out why from its log.
            return
