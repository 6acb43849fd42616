"""Beside the event loop: what takes so long that those who ask for little would wait for it.

It is worked off by one thread, so the loop shares the interpreter with this one and not with more, and gets it back
within `sys.setswitchinterval` (`crosshead/serve.py`). What is done here takes its arguments and gives its result: what
is kept of it, the loop keeps. Whoever no longer waits for what has not begun takes it out of the line.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")

_THREAD: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aside")


async def aside(work: Callable[[], T]) -> T:
    """Do what takes long, and give or raise what it does."""
    return await asyncio.get_running_loop().run_in_executor(_THREAD, work)
