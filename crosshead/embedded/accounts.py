"""Whom PostgreSQL runs as: it refuses to run as root, so root lends it an unprivileged account."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

_NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Account:
    """A system account without rights of its own."""

    uid: int
    gid: int


def server_account(cluster: Path) -> Account | None:
    """Return the account the server must run as, or None for our own.

    Only root switches: to the owner of the existing cluster (so that root can serve a user's data folder), else to
    `nobody`, the one unprivileged account that every Unix has.
    """
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return Account(_NOBODY, _NOBODY)
    return Account(nobody.pw_uid, nobody.pw_gid)


def reachable(path: Path, account: Account) -> bool:
    """Tell by the mode bits whether `account` may read (and enter or run, where that applies) `path`."""
    real = path.resolve()
    return all(_allows(folder, account, stat.S_IXOTH) for folder in real.parents) and _allows(
        real, account, stat.S_IROTH | (stat.S_IXOTH if real.is_dir() or os.access(real, os.X_OK) else 0)
    )


def _allows(path: Path, account: Account, wanted: int) -> bool:
    """Compare permission bits, given in the 'others' position, for the class that `account` falls into."""
    status = path.stat()
    if status.st_uid == account.uid:
        wanted <<= 6
    elif status.st_gid == account.gid:
        wanted <<= 3
    return status.st_mode & wanted == wanted
