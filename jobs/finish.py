"""Beginnings and endings that a cancellation does not leave half-done: what was taken is given back first."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def finish(ending: Awaitable[object]) -> None:
    """Run an ending to its end; whoever is cancelled meanwhile learns of it afterwards.

    For `finally` blocks: a cancellation that comes while one runs would end it half-way.

    Args:
        ending: What gives back; its own errors are raised here.
    """
    task = asyncio.ensure_future(ending)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def take(taking: Awaitable[T], give_back: Callable[[T], Awaitable[None]]) -> T:
    """Take something that must be given back, also where whoever takes it is cancelled before it has it.

    Args:
        taking: What takes; a statement cut short may have been committed all the same.
        give_back: Undoes it.
    """
    task = asyncio.ensure_future(taking)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await finish(_undo(task, give_back))
        raise


async def _undo(task: asyncio.Future[T], give_back: Callable[[T], Awaitable[None]]) -> None:
    await asyncio.wait({task})
    if not task.cancelled() and task.exception() is None:
        await give_back(task.result())
