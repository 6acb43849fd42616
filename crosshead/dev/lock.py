"""The data folder of dev mode: one process at a time, and a list of what we made in it, so that reset takes no more."""

import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from crosshead.embedded.errors import EmbeddedError
from crosshead.embedded.lock import FileLock

_MANIFEST = ".crosshead-made"


class DataDir:
    """A folder that one `crosshead dev` works in; use it as a context manager, which holds its lock.

    Args:
        path: The folder; made when it is locked. It may hold other things, which are left alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._manifest = self.path / _MANIFEST
        self._lock = FileLock(self.path / ".crosshead-lock", what="the data folder")

    def lock(self) -> None:
        """Make the folder if it is missing, and take its lock.

        Raises:
            EmbeddedError: Another `crosshead dev` runs in it (with that process id), or it cannot be made.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire()
        except OSError as error:
            raise EmbeddedError(f"cannot use the data folder {self.path}: {error.strerror}") from error

    def release(self) -> None:
        """Give the lock back."""
        self._lock.release()

    def folder(self, name: str) -> Path:
        """Return a folder of ours in it, made at the first call and removed by `reset`.

        Raises:
            EmbeddedError: Something of that name is there that we have not made.
        """
        path = self.claim(name)
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def claim(self, name: str) -> Path:
        """Return the path of a file or folder that the caller is about to make there; `reset` will remove it.

        Raises:
            EmbeddedError: Something of that name is there that we have not made.
            ValueError: `name` is not a plain name.
        """
        self._require_lock()
        if not _plain(name):
            raise ValueError(f"not a plain file name: {name!r}")
        path = self.path / name
        made = self._made()
        if name not in made:
            if path.exists() or path.is_symlink():
                raise EmbeddedError(
                    f"{path} was there before and is not ours", hint="Choose another data folder, or move it away."
                )
            # Noted before it is made: a crash in between leaves a note too many, never a folder nobody owns up to.
            self._manifest.write_text("".join(f"{entry}\n" for entry in (*made, name)), encoding="utf-8")
        return path

    def reset(self) -> list[Path]:
        """Remove what we made, nothing else, and return what was there of it.

        Raises:
            EmbeddedError: Something belongs to another user.
        """
        self._require_lock()
        removed = []
        for name in self._made():
            path = self.path / name
            try:
                if path.is_symlink() or path.is_file():
                    path.unlink()
                elif path.exists():
                    shutil.rmtree(path)
                else:
                    continue
            except OSError as error:
                raise EmbeddedError(
                    f"cannot remove {path}: {error.strerror}", hint="Reset it as the user that made it, perhaps root."
                ) from error
            removed.append(path)
        self._manifest.unlink(missing_ok=True)
        return removed

    def __enter__(self) -> Self:
        self.lock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _made(self) -> list[str]:
        try:
            names = self._manifest.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        # The list decides what is deleted, so a damaged one must not lead out of the folder.
        if not all(_plain(name) for name in names):
            raise EmbeddedError(f"{self._manifest} is damaged", hint="Remove it and what we made by hand.")
        return names

    def _require_lock(self) -> None:
        if not self._lock.held:
            raise EmbeddedError(f"the data folder {self.path} is not locked")


def _plain(name: str) -> bool:
    return bool(name) and name not in {".", ".."} and not set(name) & {"/", "\\", "\0", "\n", "\r"}
