"""The files of a PostgreSQL cluster: made, checked, and cleared of what a crash left behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from crosshead.embedded.accounts import Account, reachable
from crosshead.embedded.binaries import POSTGRES_MAJOR
from crosshead.embedded.errors import EmbeddedError
from crosshead.embedded.process import launch_argv
from crosshead.embedded.psql import clean_environment

_INITDB_TIMEOUT_S = 120
_SHUTDOWN_S = 20.0
_BACKENDS_NOTICE_S = 2.0
_SOCKET_PREFIX = "crosshead-pg-"
# sockaddr_un holds 104 bytes on macOS and 108 on Linux, with the closing zero.
_SOCKET_PATH_BYTES = 103


def data_argument(cluster: Path, account: Account | None) -> str:
    """Return the -D argument for a server whose working folder is the cluster.

    An account that we lend to the server may be unable to walk down to the cluster (root's home is closed to others).
    On Linux it need not: its working folder is inherited, and this name leads there without a walk.
    """
    if account is not None and sys.platform == "linux":
        return "/proc/self/cwd"
    return str(cluster)


def initialize(initdb: Path, cluster: Path, account: Account | None, *, sync: bool) -> None:
    """Make a new cluster: UTF-8, built-in C.UTF-8 locale, checksums; made aside and renamed, so it is whole or absent.

    Raises:
        EmbeddedError: initdb failed; holds its last words.
    """
    fresh = cluster.with_name(f"{cluster.name}.new")
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700)
    _give(fresh, account)
    options = ["--username=postgres", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options += ["--locale=C", "--auth-local=trust", "--auth-host=scram-sha-256", "--no-instructions"]
    options += [] if sync else ["--no-sync"]
    command: list[str | Path] = [
        initdb,
        "-D",
        data_argument(fresh, account),
        *options,
        *([] if sync else ["--no-sync"]),
    ]
    done = subprocess.run(  # noqa: S603 - our own program and arguments
        launch_argv(command, death_signal=signal.SIGKILL, account=account),
        cwd=fresh,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=_INITDB_TIMEOUT_S,
    )
    if done.returncode != 0:
        nameless = "could not look up effective user ID" in done.stderr
        raise EmbeddedError(
            f"initdb failed: {done.stderr.strip()[-2000:]}",
            hint="PostgreSQL wants its user to have a name: run as a user that is in the password file." * nameless,
        )
    fresh.rename(cluster)


def check(cluster: Path, account: Account | None) -> None:
    """Refuse a cluster that this server cannot open.

    Raises:
        EmbeddedError: Another account owns it, or another major version made it.
    """
    uid = account.uid if account else os.geteuid()
    owner = cluster.stat().st_uid
    if owner != uid:
        raise EmbeddedError(
            f"{cluster} belongs to user {owner}, and we run as {uid}",
            hint="Another user made it, perhaps root. Use another data folder, or reset this one as that user.",
        )
    version = (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    if version != POSTGRES_MAJOR:
        raise EmbeddedError(
            f"{cluster} was made by PostgreSQL {version}, and this is {POSTGRES_MAJOR}",
            hint="Reset the data folder, or keep using the Crosshead version that made it.",
        )


def is_ready(cluster: Path, pid: int) -> bool:
    """Tell whether the postmaster `pid` takes connections, by line 8 of postmaster.pid (as pg_ctl does)."""
    lines = _pid_file_lines(cluster)
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def end_leftovers(cluster: Path) -> None:
    """End server processes that outlived the program that started them, and drop a stale postmaster.pid.

    The caller holds the folder's lock, so whatever still works in this folder is an orphan. A postmaster is shut down
    cleanly. Backends of a killed postmaster get a moment to notice it by themselves; one that computes does not, and is
    killed, which costs nothing: the next start recovers from the log in any case.

    Raises:
        EmbeddedError: A process does not end.
    """
    lines = _pid_file_lines(cluster)
    if not lines:
        return
    orphans = _processes_in(cluster)
    patience_s = _BACKENDS_NOTICE_S
    for process in orphans:
        if str(process.pid) == lines[0].strip():
            process.send_signal(signal.SIGINT)
            patience_s = _SHUTDOWN_S
    _, alive = psutil.wait_procs(orphans, timeout=patience_s)
    for process in alive:
        process.kill()
    _, alive = psutil.wait_procs(alive, timeout=5)
    if alive:
        raise EmbeddedError(f"old PostgreSQL processes do not end: {[process.pid for process in alive]}")
    # PostgreSQL takes any living process with the number in this file for its postmaster; in a container, where few
    # numbers are in use, that is soon some other program.
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def make_socket_dir(note: Path, account: Account | None) -> Path:
    """Make a private folder with a short name for the unix socket, and note its name in the file `note`.

    Raises:
        EmbeddedError: The temporary folder's name is too long, or closed to the server's account.
    """
    folder = Path(tempfile.mkdtemp(prefix=_SOCKET_PREFIX))
    note.write_text(str(folder), encoding="utf-8")
    _give(folder, account)
    if len(os.fsencode(folder / ".s.PGSQL.65535")) > _SOCKET_PATH_BYTES:
        raise EmbeddedError(
            f"the temporary folder's name is too long for a unix socket: {folder.parent}",
            hint="Set TMPDIR to a folder with a shorter name.",
        )
    if account is not None and not reachable(folder, account):
        raise EmbeddedError(
            f"the temporary folder {folder.parent} cannot be entered by the account PostgreSQL runs as",
            hint="Set TMPDIR to a folder that every user may enter, or do not run as root.",
        )
    return folder


def remove_socket_dir(note: Path) -> None:
    """Remove the socket folder that `make_socket_dir` noted, in this run or in one that crashed."""
    try:
        folder = Path(note.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    if folder.name.startswith(_SOCKET_PREFIX) and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
    note.unlink()


def _give(folder: Path, account: Account | None) -> None:
    if account is None:
        return
    try:
        os.chown(folder, account.uid, account.gid)
    except OSError as error:
        raise EmbeddedError(
            f"cannot hand {folder} to user {account.uid}, as whom PostgreSQL must run: {error.strerror}",
            hint="PostgreSQL does not run as root; in a container that knows no other user, start it as one.",
        ) from error


def _pid_file_lines(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _processes_in(cluster: Path) -> list[psutil.Process]:
    """Return the PostgreSQL processes whose working folder is the cluster; each of them changes into it."""
    real = str(cluster.resolve())
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and process.cwd() == real:
                found.append(process)
        except psutil.Error:
            continue
    return found
