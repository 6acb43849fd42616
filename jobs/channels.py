"""Follow a stream from any number on: first what is stored, then what is committed, without gap and without repeats.

What is committed is read once for all followers of a stream, or of all streams of an organization, in this process, and
handed to each in memory. A follower that falls behind costs no memory: it goes on from what is stored, at its own pace,
until it has caught up.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import structlog

from db import events
from db.engine import Database, ReadSession
from db.events import StoredEvent
from db.scope import Scope
from jobs.queue import stop

log = structlog.get_logger(__name__)

PAGE: Final = 500
MOST_WAITING: Final = 1_000
"""Events that wait in memory for a follower before it goes on from what is stored."""


class NoStream(Exception):
    """The scope sees no such stream."""


class Expired(Exception):
    """The events asked for were deleted by retention.

    Args:
        oldest: The first number that is kept.
    """

    def __init__(self, oldest: int) -> None:
        super().__init__(f"the oldest is {oldest}")
        self.oldest = oldest


class Ahead(Exception):
    """The number asked for has not been given.

    Args:
        last: The last number that has.
    """

    def __init__(self, last: int) -> None:
        super().__init__(f"the last is {last}")
        self.last = last


@dataclass(slots=True)
class Live:
    """An event on its way to followers.

    Attributes:
        shared: What one follower has made of it and others can use, by a key of theirs.
    """

    event: StoredEvent
    shared: dict[Any, Any] = field(default_factory=dict)


async def positions(session: ReadSession, scope: Scope) -> dict[UUID, int]:
    """Give the last number of each stream that the scope sees.

    Raises:
        NoStream: The scope is held to a connection that is not there.
    """
    found = await events.positions(session, scope)
    if scope.connection_id is not None and not found:
        raise NoStream
    return found


class _Follower:
    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[Live] = deque()
        self._came = asyncio.Event()
        self.behind = False
        self.failed = False
        self.seen = 0

    def fail(self) -> None:
        """Let it end: nothing more will come."""
        self.failed = True
        self._came.set()

    def put(self, live: Live) -> None:
        self.seen = live.event.sequence
        if self.behind:
            return
        if len(self._waiting) >= self._most:
            self.behind = True
            self._waiting.clear()
        else:
            self._waiting.append(live)
        self._came.set()

    async def take(self) -> Live | None:
        """Wait for the next one; None once it is behind.

        Raises:
            RuntimeError: The stream cannot be read any more.
        """
        while not self._waiting:
            if self.behind:
                return None
            if self.failed:
                raise RuntimeError("the stream is no longer read")
            self._came.clear()
            await self._came.wait()
        return self._waiting.popleft()


class _Tail:
    """The end of a stream, or of all that a scope sees, as it grows, read by one task."""

    def __init__(self, scope: Scope, known: Mapping[UUID, int], *, one: bool) -> None:
        self.scope = scope
        self.known = dict(known)
        self.one = one
        self.followers: set[_Follower] = set()
        self.task: asyncio.Task[None] | None = None

    def put(self, found: list[StoredEvent]) -> None:
        for event in found:
            self.known[event.stream_id] = event.sequence
            live = Live(event)
            for follower in self.followers:
                follower.put(live)

    async def more(self, session: ReadSession) -> list[StoredEvent]:
        """Read what came behind what is known."""
        if not self.one:
            return await events.after(session, self.scope, self.known, limit=PAGE)
        last = self.known.get(events.stream_of(self.scope), 0)
        return await events.of_stream(session, self.scope, after=last, limit=PAGE)


Woken = Callable[[Scope], AbstractAsyncContextManager[asyncio.Event]]


class Channels:
    """The streams that are followed in this process.

    Args:
        woken: Gives an event that is set whenever something of a scope was committed.
        poll_seconds: How often a stream is looked at though nobody said that there is something.
        most_waiting: How many events may wait for a follower.
    """

    def __init__(
        self, database: Database, woken: Woken, *, poll_seconds: float, most_waiting: int = MOST_WAITING
    ) -> None:
        self._database = database
        self._woken = woken
        self._poll_seconds = poll_seconds
        self._most_waiting = most_waiting
        self._tails: dict[tuple[UUID, bool], _Tail] = {}

    async def follow(self, scope: Scope, *, after: int | None) -> AsyncIterator[Live]:
        """Yield the events of the scope's stream behind a number, stored ones first, then new ones for ever.

        Args:
            after: The last number that the caller has; None begins after what is there now.

        Raises:
            NoStream: There is none.
            Expired: What was asked for is gone.
            Ahead: The number has not been given.
        """
        async with self._database.read(scope) as session:
            bounds = await events.bounds(session, scope)
        if bounds is None:
            raise NoStream
        position = bounds.last if after is None else after
        if position < bounds.oldest - 1:
            raise Expired(bounds.oldest)
        if position > bounds.last:
            raise Ahead(bounds.last)
        until = bounds.last
        while True:
            async for live in self._replay(scope, after=position, until=until):
                position = live.event.sequence
                yield live
            stream = events.stream_of(scope)
            async with self._attached(scope, {stream: position}, one=True) as (follower, start):
                async for live in self._replay(scope, after=position, until=start.get(stream, 0)):
                    position = live.event.sequence
                    yield live
                while (new := await follower.take()) is not None:
                    if new.event.sequence > position:  # the tail may have been behind
                        position = new.event.sequence
                        yield new
                until = follower.seen

    async def follow_all(self, scope: Scope, *, known: Mapping[UUID, int] | None = None) -> AsyncIterator[Live]:
        """Yield the events of all streams that the scope sees, in the order of each stream, for ever.

        Args:
            known: Stream → last number that the caller has, others begin at 1; None begins after what is there now.

        Raises:
            NoStream: The scope sees no such connection.
        """
        async with self._database.read(scope) as session:
            there = await positions(session, scope)
        seen = dict(there if known is None else known)
        while True:
            async with self._attached(scope, seen, one=scope.connection_id is not None) as (follower, start):
                while any(seen.get(stream, 0) < number for stream, number in start.items()):
                    async with self._database.read(scope) as session:
                        found = await events.after(session, scope, seen, limit=PAGE)
                    for event in found:
                        seen[event.stream_id] = event.sequence
                        yield Live(event)
                    if not found:  # retention came in between
                        break
                while (new := await follower.take()) is not None:
                    if new.event.sequence > seen.get(new.event.stream_id, 0):  # the tail may have been behind
                        seen[new.event.stream_id] = new.event.sequence
                        yield new

    async def _replay(self, scope: Scope, *, after: int, until: int) -> AsyncIterator[Live]:
        """Yield what is stored behind a number, up to another one at least."""
        while after < until:
            async with self._database.read(scope) as session:
                found = await events.of_stream(session, scope, after=after, limit=PAGE)
            for event in found:
                if event.sequence != after + 1:  # retention came in between
                    raise Expired(event.sequence)
                after = event.sequence
                yield Live(event)
            if not found:
                raise Expired(until + 1)

    @asynccontextmanager
    async def _attached(
        self, scope: Scope, known: Mapping[UUID, int], *, one: bool
    ) -> AsyncIterator[tuple[_Follower, dict[UUID, int]]]:
        """Hear of all that is read from now on; gives the numbers up to which it was read before.

        Args:
            known: Where reading begins, if nobody reads yet.
            one: The scope's own stream only.
        """
        key = (events.stream_of(scope), one)
        tail = self._tails.get(key)
        if tail is None:
            tail = self._tails[key] = _Tail(scope, known, one=one)
            tail.task = asyncio.create_task(self._kept(key, tail))
        follower = _Follower(self._most_waiting)
        tail.followers.add(follower)
        try:
            yield follower, dict(tail.known)
        finally:
            tail.followers.discard(follower)
            if not tail.followers and tail.task is not None:
                self._forget(key, tail)
                await stop(tail.task)

    def _forget(self, key: tuple[UUID, bool], tail: _Tail) -> None:
        if self._tails.get(key) is tail:
            del self._tails[key]

    async def _kept(self, key: tuple[UUID, bool], tail: _Tail) -> None:
        """Read a tail until nobody follows; should that fail for good, its followers end and the next begin anew."""
        try:
            await self._read(tail)
        except Exception:
            log.exception("stream_given_up")
            self._forget(key, tail)
            for follower in tail.followers:
                follower.fail()

    async def _read(self, tail: _Tail) -> None:
        async with self._woken(tail.scope) as woken:
            while True:
                found: list[StoredEvent] = []
                try:
                    async with self._database.read(tail.scope) as session:
                        found = await tail.more(session)
                except self._database.failures as error:
                    log.warning("stream_not_read", error=type(error).__name__)
                tail.put(found)
                if len(found) == PAGE:
                    await asyncio.sleep(0)  # followers may take what they were given
                    continue
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_seconds):
                        await woken.wait()
                woken.clear()
