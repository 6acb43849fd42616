"""The data folder of dev mode: its lock, and a reset that takes only what we made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crosshead.dev.lock import DataDir
from crosshead.embedded.errors import EmbeddedError

ROOT_DIR = Path(__file__).parents[2]
HOLD = "import sys; from pathlib import Path; from crosshead.dev.lock import DataDir; DataDir(Path(sys.argv[1])).lock()"


def test_other_process_in_the_folder_is_named_until_it_ends(tmp_path: Path) -> None:
    code = f"{HOLD}; print(flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "data")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT_DIR,
    )
    assert holder.stdout is not None
    holder.stdout.readline()

    with pytest.raises(EmbeddedError, match=f"in use by process {holder.pid}\n"):
        DataDir(tmp_path / "data").lock()
    holder.kill()
    holder.communicate(timeout=10)

    with DataDir(tmp_path / "data") as data:
        assert data.path == tmp_path / "data"


def test_reset_removes_what_we_made_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("theirs", encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").touch()
    with DataDir(tmp_path) as data:
        (data.folder("postgres") / "file").touch()
        (data.folder("postgres") / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
        data.claim("keys").write_text("ours", encoding="utf-8")
        data.claim("never made")

    with DataDir(tmp_path) as data:
        assert data.reset() == [tmp_path / "postgres", tmp_path / "keys"]
        assert data.reset() == []
        assert data.folder("postgres").is_dir()

    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"letter.txt", "elsewhere", "postgres", ".crosshead-lock", ".crosshead-made"}
    assert (tmp_path / "elsewhere" / "kept").exists()


def test_folder_that_was_there_before_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()

    with DataDir(tmp_path) as data:
        with pytest.raises(EmbeddedError, match="is not ours"):
            data.folder("postgres")
        assert data.reset() == []

    assert (tmp_path / "postgres").is_dir()


def test_folder_replaced_by_a_link_is_unlinked_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    with DataDir(tmp_path / "data") as data:
        data.folder("logs").rmdir()
        (data.path / "logs").symlink_to(tmp_path / "precious", target_is_directory=True)

        assert data.reset() == [tmp_path / "data" / "logs"]

    assert (tmp_path / "precious").is_dir()


@pytest.mark.parametrize("entry", ["../precious", "..", ".", "a/b"])
def test_list_that_leads_out_of_the_folder_deletes_nothing(tmp_path: Path, entry: str) -> None:
    (tmp_path / "precious").mkdir()
    with DataDir(tmp_path / "data") as data:
        ours = data.folder("logs")
        (data.path / ".crosshead-made").write_text(f"logs\n{entry}\n", encoding="utf-8")

        with pytest.raises(EmbeddedError, match="damaged"):
            data.reset()
        with pytest.raises(ValueError, match="not a plain file name"):
            data.claim(entry)

        assert ours.is_dir()
    assert (tmp_path / "precious").is_dir()


def test_nothing_works_without_the_lock(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="not locked"):
        DataDir(tmp_path).reset()
    with pytest.raises(EmbeddedError, match="not locked"):
        DataDir(tmp_path).folder("logs")

    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedError, match=f"cannot use the data folder {tmp_path / 'file'}{os.sep}data"):
        DataDir(tmp_path / "file" / "data").lock()
