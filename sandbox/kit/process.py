"""A simulated system in a process of its own, for tests and benchmarks."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.kit.client import AdminClient

_ROOT: Final = Path(__file__).parents[2]
_READY_S: Final = 60.0
_END_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Process:
    """A running system: where it answers, its administration, its process id."""

    url: str
    admin: AdminClient
    pid: int


@asynccontextmanager
async def started(system: str, **options: int | str | bool) -> AsyncIterator[Process]:
    """Start `python -m sandbox.SYSTEM` on a free port, and end it with the block.

    Args:
        options: Of its command, with underscores: `orders=50_000, page_size=200`; True is a bare flag.

    Raises:
        RuntimeError: It ends before it says that it is ready, or says nothing for a minute.
    """
    given = ["--port", "0"]
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        given += [flag] if value is True else [flag, str(value)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"sandbox.{system}", *given, cwd=_ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        told = json.loads(await asyncio.wait_for(_ready(process), _READY_S))
        async with AdminClient.open(told["adminUrl"]) as admin:
            yield Process(told["url"], admin, process.pid)
    except TimeoutError as error:
        raise RuntimeError(f"sandbox.{system} did not say that it is ready") from error
    finally:
        await _end(process)


async def _ready(process: asyncio.subprocess.Process) -> bytes:
    if process.stdout is None:
        raise RuntimeError("the process has no standard output")
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"the process ended with {await process.wait()}")
    return line


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _END_S)
    except TimeoutError:
        process.kill()
        await process.wait()
