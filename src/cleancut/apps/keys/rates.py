"""How fast a key may be used: megapixels in any 60 seconds, counted by the library `limits`.

The counters are in memory, or in Redis where several services share them. A Redis that does not answer refuses every
request that has a rate: to let all of them through would be the day without limits that an attacker waits for.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from cleancut.errors import BadSetting, KeysFailed, TooManyRequests

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool

_NAMESPACE = "cleancut"
_SECONDS = 60
_REDIS_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Window:
    """What a key has left of its minute.

    Attributes:
        limit, remaining: megapixels.
        reset: when all of it is there again, in seconds since the epoch.
    """

    limit: int
    remaining: int
    reset: int


class Rates:
    """Counters of megapixels, by key.

    Args:
        redis: address of the Redis that holds them, `redis://…`; in memory without one.

    Raises:
        BadSetting: it is no address of a Redis, or the package for it is not installed.
    """

    def __init__(self, redis: str | None = None) -> None:
        self._pool = _pool(redis) if redis is not None else None
        self._limiter = MovingWindowRateLimiter(_shared(self._pool) if self._pool else MemoryStorage())

    async def spend(self, key: str, rate: int | None, cost: int) -> None:
        """Take megapixels from a key's minute. A picture larger than the rate takes the minute whole.

        Raises:
            TooManyRequests: there are not as many left; it tells after how many seconds there should be.
            KeysFailed: Redis does not answer.
        """
        if rate is None:
            return
        cost = min(cost, rate)
        try:
            if await self._limiter.hit(_item(rate), key, cost=cost):
                return
        except StorageError as error:
            raise _unreachable(error) from error
        wait = await self._wait(key, rate, cost)
        raise TooManyRequests(f"This key may cut {rate} megapixels a minute; try again in {wait} s.", wait)

    async def window(self, key: str, rate: int | None) -> Window | None:
        """Tell what a key has left of its minute; None where it has no rate.

        Raises:
            KeysFailed: Redis does not answer.
        """
        if rate is None:
            return None
        try:
            stats = await self._limiter.get_window_stats(_item(rate), key)
        except StorageError as error:
            raise _unreachable(error) from error
        full = stats.remaining >= rate
        return Window(rate, max(0, stats.remaining), math.ceil(time.time() + (0 if full else _SECONDS)))

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._pool:
            await self._pool.aclose()

    async def _wait(self, key: str, rate: int, cost: int) -> int:
        """Guess after how many seconds so many megapixels are there.

        The oldest must have been given back, and so many trickle in at an even pace.
        """
        stats = await self._limiter.get_window_stats(_item(rate), key)
        oldest = stats.reset_time - time.time()
        evenly = (cost - stats.remaining) * _SECONDS / rate
        return min(_SECONDS, max(1, math.ceil(max(oldest, evenly))))


def _item(rate: int) -> RateLimitItemPerMinute:
    return RateLimitItemPerMinute(rate, namespace=_NAMESPACE)


def _pool(redis: str) -> ConnectionPool:
    """Make the connections to Redis; they are opened when they are used."""
    if not redis.startswith(("redis://", "rediss://")):
        raise BadSetting("CLEANCUT_REDIS_URL begins with redis:// or rediss://.")
    try:
        from redis.asyncio import ConnectionPool  # noqa: PLC0415 - of an extra of its own
    except ModuleNotFoundError as error:
        raise BadSetting('Redis needs a package of its own; install it with pip install "cleancut[redis]".') from error
    try:
        return ConnectionPool.from_url(redis, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS)
    except ValueError as error:
        raise BadSetting(f"CLEANCUT_REDIS_URL cannot be used: {error}.") from error


def _shared(pool: ConnectionPool) -> Storage:
    return RedisStorage("async+redis://", wrap_exceptions=True, implementation="redispy", connection_pool=pool)  # type: ignore[arg-type]  # it is handed on to redis-py


def _unreachable(error: StorageError) -> KeysFailed:
    return KeysFailed(f"The Redis that counts rates does not answer: {error.storage_error}.")
