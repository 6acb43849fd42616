"""The points of each token: a leaky bucket in Redis, shared by all processes; one of this process while Redis is away.

Charged before execution by what an operation may cost. A process takes points for some operations of a token at once,
so that not each waits for Redis; what it holds, and what an operation was charged and did not use, goes to the token's
next charges, or back within half a second. So no point is spent twice, and another process may miss a tenth of what is
left for as long.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from jobs.queue import stop

log = structlog.get_logger(__name__)

RETURN_SECONDS: Final = 0.5
AWAY_SECONDS: Final = 1.0
"""How long Redis is left alone after it did not answer."""
AHEAD: Final = 40
"""For how many more operations like it a charge takes points along."""
SPARED: Final = 10
"""Along with a charge goes at most one in so many of the points left."""
_LOCAL_BUCKETS: Final = 10_000
_SPEND: Final = """
local held = redis.call('HMGET', KEYS[1], 'level', 'at')
local capacity, rate, cost, back = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local ahead, spared = tonumber(ARGV[5]), tonumber(ARGV[6])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local level = capacity
if held[1] then
  level = math.min(capacity, held[1] + math.max(0, now - held[2]) * rate + back)
end
local spent, taken = 0, 0
if cost <= level then
  level = level - cost
  spent = 1
  if cost > 0 then
    taken = math.min(ahead, math.floor(level / spared / cost)) * cost
  end
  level = level - taken
end
redis.call('HSET', KEYS[1], 'level', string.format('%.3f', level), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((capacity - level) / rate * 1000) + 1000)
return {spent, math.floor(level), taken}
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much a token may spend.

    Attributes:
        capacity: Points of a full bucket.
        per_second: Points that come back each second.
    """

    capacity: int
    per_second: int


@dataclass(frozen=True, slots=True)
class Charge:
    """What became of a charge.

    Attributes:
        spent: The points were taken; else there were not enough, and none were.
        available: Points left.
        wait_seconds: After how long there are enough; 0 where they were taken.
    """

    spent: bool
    available: int
    wait_seconds: float = 0


@dataclass(slots=True)
class _Held:
    """What this process holds of a token's bucket: points that may be spent, and those left in Redis at some time."""

    points: int = 0
    left: int = 0
    at: float = 0


class Points:
    """The buckets of all tokens."""

    def __init__(self, redis: Redis, limit: Limit, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._script = redis.register_script(_SPEND)
        self._clock = clock
        self._away_until = 0.0
        self._held: dict[UUID, _Held] = {}
        self._local: OrderedDict[UUID, tuple[float, float]] = OrderedDict()

    @asynccontextmanager
    async def returning(self) -> AsyncIterator["Points"]:
        """Give back what is held until left."""
        task = asyncio.create_task(self._return())
        try:
            yield self
        finally:
            await stop(task)
            await self._pay()

    async def charge(self, token_id: UUID, points: int) -> Charge:
        """Take points from a token's bucket, if it has as many."""
        held = self._held.setdefault(token_id, _Held())
        if 0 < points <= held.points:
            held.points -= points
            left = held.left + int((self._clock() - held.at) * self.limit.per_second)
            return Charge(spent=True, available=min(self.limit.capacity, left + held.points))
        back, held.points = held.points, 0
        spent, held.left, taken = await self._asked(token_id, points, back)
        held = self._held.setdefault(token_id, held)
        held.points, held.at = held.points + taken, self._clock()
        level = held.left + taken
        return Charge(spent, level, 0 if spent else (points - level) / self.limit.per_second)

    def give_back(self, token_id: UUID, points: int) -> None:
        """Return what an operation was charged and did not use."""
        if points > 0:
            self._held.setdefault(token_id, _Held()).points += points

    async def _asked(self, token_id: UUID, points: int, back: int) -> tuple[bool, int, int]:
        """Ask Redis, or this process's bucket while it is away.

        Returns:
            Whether the points are spent, how many are left, how many came along.
        """
        if self._clock() >= self._away_until:
            try:
                spent, left, taken = await self._run(token_id, points, back)
            except (RedisError, OSError) as error:
                self._away_until = self._clock() + AWAY_SECONDS
                log.warning("points_counted_locally", error=type(error).__name__)
            else:
                return bool(spent), left, taken
        return *self._spend(token_id, points, back), 0

    async def _run(self, token_id: UUID, points: int, back: int) -> Any:
        limit = self.limit
        return await self._script(
            keys=[f"crosshead:points:{token_id.hex}"],
            args=[limit.capacity, limit.per_second, points, back, AHEAD, SPARED],
        )

    def _spend(self, token_id: UUID, points: int, back: int) -> tuple[bool, int]:
        """Do what the script does, with a bucket of this process."""
        now, limit = self._clock(), self.limit
        level, at = self._local.pop(token_id, (float(limit.capacity), now))
        level = min(limit.capacity, level + (now - at) * limit.per_second + back)
        spent = points <= level
        level -= points if spent else 0
        self._local[token_id] = level, now
        if len(self._local) > _LOCAL_BUCKETS:
            self._local.popitem(last=False)
        return spent, int(level)

    async def _return(self) -> None:
        while True:
            await asyncio.sleep(RETURN_SECONDS)
            await self._pay()

    async def _pay(self) -> None:
        for token_id, held in list(self._held.items()):
            if held.points:
                await self.charge(token_id, 0)
            elif self._held.get(token_id) is held:
                del self._held[token_id]
