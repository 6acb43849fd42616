"""Whom PostgreSQL runs as: it refuses to run as root, so root lends it an unprivileged account."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from crosshead.embedded.errors import EmbeddedError


@dataclass(frozen=True, slots=True)
class Account:
    """A system account without rights of its own."""

    uid: int
    gid: int


def server_account(cluster: Path) -> Account | None:
    """Return the account the server must run as, or None for our own.

    Only root switches: to the owner of the existing cluster (so that root can serve a user's data folder), else to
    `nobody`, else to the first account that is not root. It must have a name, or initdb refuses.

    Raises:
        EmbeddedError: There is no account but root.
    """
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    others = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not others:
        raise EmbeddedError(
            "PostgreSQL does not run as root, and there is no other account",
            hint="Add one, or set CROSSHEAD_DATABASE_URL to a server of your own.",
        )
    chosen = next((entry for entry in others if entry.pw_name == "nobody"), others[0])
    return Account(chosen.pw_uid, chosen.pw_gid)


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
