"""The embedded PostgreSQL, as real processes in real folders."""

import asyncio
import os
import signal
import threading
from pathlib import Path
from stat import S_IMODE

import asyncpg
import pytest

from crosshead.embedded.errors import EmbeddedError
from crosshead.embedded.ports import BIND_ATTEMPTS, LOOPBACK, free_port
from crosshead.embedded.postgres import EmbeddedPostgres
from tests.fixtures.processes import alive, descendants, eventually


async def run_sql(dsn: str, *statements: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cluster, for tests that only start and stop: making one takes most of a second."""
    folder = tmp_path_factory.mktemp("made")
    with EmbeddedPostgres(folder, fsync=False):
        return folder


async def test_second_start_finds_data_in_path_with_spaces_and_umlauts(tmp_path: Path) -> None:
    folder = tmp_path / "my data ÄÖ 数据 'quoted' \"twice\""
    with EmbeddedPostgres(folder, fsync=False) as server:
        await run_sql(server.superuser_dsn(), "CREATE TABLE kept AS SELECT 42 AS value", "SELECT 1")

    with EmbeddedPostgres(folder) as server:
        assert await run_sql(server.superuser_dsn(), "SELECT value FROM kept") == 42


def test_stop_leaves_no_process_and_no_socket_folder(made: Path) -> None:
    server = EmbeddedPostgres(made, fsync=False)
    server.start()
    pids = [server.pid, *descendants(server.pid)]
    socket_dir = server.socket_dir
    assert len(pids) > 3
    assert S_IMODE(socket_dir.stat().st_mode) == 0o700

    server.stop()

    assert [pid for pid in pids if alive(pid)] == []
    assert not socket_dir.exists()
    with pytest.raises(EmbeddedError, match="not running"):
        _ = server.port


async def test_cluster_is_18_utf8_in_code_point_order(postgres_server: EmbeddedPostgres) -> None:
    dsn = postgres_server.superuser_dsn()

    assert str(await run_sql(dsn, "SHOW server_version")).startswith("18.")
    assert await run_sql(dsn, "SHOW server_encoding") == "UTF8"
    assert await run_sql(dsn, "SELECT 'Z' < 'a' AND lower('Ä') = 'ä'") is True
    assert await run_sql(dsn, "SHOW fsync") == "off"


async def test_two_run_side_by_side(tmp_path: Path) -> None:
    with (
        EmbeddedPostgres(tmp_path / "one", fsync=False) as one,
        EmbeddedPostgres(tmp_path / "two", fsync=False) as two,
    ):
        await run_sql(one.superuser_dsn(), "CREATE TABLE mine ()", "SELECT 1")

        assert await run_sql(one.superuser_dsn(), "SELECT to_regclass('mine') IS NOT NULL") is True
        assert await run_sql(two.superuser_dsn(), "SELECT to_regclass('mine') IS NOT NULL") is False


def test_second_server_in_one_folder_is_refused(made: Path) -> None:
    with EmbeddedPostgres(made, fsync=False) as server:
        with pytest.raises(EmbeddedError, match=f"in use by process {os.getpid()}"):
            EmbeddedPostgres(made).start()
        with pytest.raises(EmbeddedError, match="started already"):
            server.start()

        assert alive(server.pid)


async def test_password_guards_tcp(postgres_server: EmbeddedPostgres) -> None:
    password_file = postgres_server.data_dir / "superuser-password"
    assert S_IMODE(password_file.stat().st_mode) == 0o600

    with pytest.raises(asyncpg.InvalidPasswordError):
        await run_sql(postgres_server.dsn("postgres", user="postgres", password="guess"), "SELECT 1")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await run_sql(f"postgresql://postgres@{LOOPBACK}:{postgres_server.port}/postgres", "SELECT 1")


async def test_lost_password_file_is_renewed(made: Path) -> None:
    with EmbeddedPostgres(made, fsync=False) as server:
        old = server.superuser_dsn()
    (made / "superuser-password").unlink()

    with EmbeddedPostgres(made, fsync=False) as server:
        assert await run_sql(server.superuser_dsn(), "SELECT 1") == 1
        assert server.superuser_dsn().split("@")[0] != old.split("@")[0]


@pytest.mark.parametrize("name", ["crosshead_test", "Odd \"name' \\ ; with $1"])
async def test_role_and_database_are_made_once_and_kept(postgres_server: EmbeddedPostgres, name: str) -> None:
    password = "pä'ss \\word\n\""
    for current in ("first", password):
        postgres_server.ensure_role(name, current, createrole=True)
        postgres_server.ensure_database(name, name)
    dsn = postgres_server.dsn(name, user=name, password=password)

    await run_sql(dsn, "CREATE TABLE IF NOT EXISTS mine ()", "SELECT 1")
    rights = (
        "SELECT rolsuper OR rolbypassrls OR rolcreatedb OR rolreplication FROM pg_roles WHERE rolname = current_user"
    )
    assert await run_sql(dsn, rights) is False
    assert await run_sql(dsn, "SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user") is True

    postgres_server.ensure_role(name, password, createrole=False)
    assert await run_sql(dsn, "SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user") is False
    assert password not in postgres_server.log_file.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "reason"), [("pg_mine", "reserved"), ("postgres", "permission denied to alter role")])
def test_refusal_of_a_role_tells_why_and_keeps_the_password_out(
    postgres_server: EmbeddedPostgres, name: str, reason: str
) -> None:
    with pytest.raises(EmbeddedError, match=reason) as caught:
        postgres_server.ensure_role(name, "canary-password", createrole=False)

    assert "canary-password" not in str(caught.value)
    assert "canary-password" not in postgres_server.log_file.read_text(encoding="utf-8")
    with pytest.raises(EmbeddedError, match='role "nobody_such" does not exist'):
        postgres_server.ensure_database("orphaned", "nobody_such")


async def test_start_recovers_after_sigkill_of_the_postmaster(made: Path) -> None:
    server = EmbeddedPostgres(made)
    server.start()
    await run_sql(server.superuser_dsn(), "CREATE TABLE kept AS SELECT 7 AS value", "SELECT 1")
    busy = await asyncpg.connect(server.superuser_dsn())
    working = asyncio.ensure_future(busy.execute("DO $$ BEGIN LOOP END LOOP; END $$"))
    await asyncio.sleep(0.2)
    socket_dir = server.socket_dir
    pids = [server.pid, *descendants(server.pid)]
    os.kill(pids[0], signal.SIGKILL)
    assert eventually(lambda: not alive(pids[0]))

    server.start()
    try:
        assert await run_sql(server.superuser_dsn(), "SELECT value FROM kept") == 7
        assert [pid for pid in pids if alive(pid)] == []
        assert not socket_dir.exists()
    finally:
        server.stop()
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await working
        busy.terminate()


def test_stale_pid_file_that_names_another_living_program_is_no_obstacle(
    made: Path, postgres_server: EmbeddedPostgres
) -> None:
    with EmbeddedPostgres(made, fsync=False) as server:
        text = (made / "cluster" / "postmaster.pid").read_text(encoding="utf-8")
    lines = [str(postgres_server.pid), *text.splitlines()[1:]]
    (made / "cluster" / "postmaster.pid").write_text("\n".join(lines), encoding="utf-8")

    with EmbeddedPostgres(made, fsync=False) as server:
        assert alive(server.pid)
    assert alive(postgres_server.pid)


def test_start_from_a_short_lived_thread_does_not_tie_the_server_to_it(made: Path) -> None:
    server = EmbeddedPostgres(made, fsync=False)
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()

    try:
        assert not eventually(lambda: not alive(server.pid), timeout_s=0.5)
    finally:
        server.stop()


def test_failed_start_shows_the_log_and_gives_the_folder_back(made: Path) -> None:
    server = EmbeddedPostgres(made, fsync=False, settings={"work_mem": "much"})

    with pytest.raises(EmbeddedError, match='invalid value for parameter "work_mem"'):
        server.start()

    with EmbeddedPostgres(made, fsync=False) as again:
        assert alive(again.pid)


def test_taken_port_is_tried_anew(made: Path, postgres_server: EmbeddedPostgres) -> None:
    taken = EmbeddedPostgres(made, fsync=False, settings={"port": str(postgres_server.port)})

    with pytest.raises(EmbeddedError, match="Address already in use"):
        taken.start()

    assert taken.log_file.read_text(encoding="utf-8").count("Address already in use") == BIND_ATTEMPTS
    assert free_port() != postgres_server.port


def test_cluster_of_another_major_version_is_refused(made: Path) -> None:
    version = made / "cluster" / "PG_VERSION"
    version.write_text("17\n", encoding="ascii")

    try:
        with pytest.raises(EmbeddedError, match="made by PostgreSQL 17"):
            EmbeddedPostgres(made).start()
    finally:
        version.write_text("18\n", encoding="ascii")


def test_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "cluster.new").mkdir()
    (tmp_path / "cluster.new" / "PG_VERSION").write_text("18\n", encoding="ascii")

    with EmbeddedPostgres(tmp_path, fsync=False) as server:
        assert alive(server.pid)
