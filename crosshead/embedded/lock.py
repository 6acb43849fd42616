"""A lock file that the kernel releases when its holder dies."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from crosshead.embedded.errors import EmbeddedError


class FileLock:
    """An exclusive lock on a file, held by an open file description and thus gone with the process.

    The file stays behind on release: removing it would let two processes lock two files of one name.

    Args:
        path: The lock file; its folder must exist. The holder's process id is written into it.
        what: What is locked, for the error message, as in "the data folder".
    """

    def __init__(self, path: Path, *, what: str) -> None:
        self.path = path
        self._what = what
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self) -> None:
        """Take the lock at once.

        Raises:
            EmbeddedError: Another process (or another object in this one) holds it, or another user owns it.
        """
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise EmbeddedError(
                f"{self._what} {self.path.parent} is closed to us",
                hint="Another user made it, perhaps root. Choose another data folder.",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise EmbeddedError(
                f"{self._what} {self.path.parent} is in use by process {holder}",
                hint="Stop that process, or choose another data folder.",
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; does nothing if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
