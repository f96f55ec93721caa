"""How often a caller may ask: by default 100 times in any minute."""

import asyncio
import logging
import math
import time
from functools import lru_cache, partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Self

import limits

from feature_repo.errors import SettingsError
from feature_repo.settings import Settings
from serving.access.windows import MOST, Windows
from serving.limits import LIMITS, Limits
from serving.schemas.problems import ProblemError

if TYPE_CHECKING:
    from limits.aio.strategies import MovingWindowRateLimiter

LOG = logging.getLogger("talentml.serving")


class Limiter:
    """The hits of each subject in a moving window, over all workers: of all machines with Redis, else of this one.

    A batch is as many hits as it holds requests, for it costs as much as they do: one when it comes, the others once
    its body is read. One that holds more than the rate lets through takes all of it, so that it may pass at all.
    """

    def __init__(
        self,
        rate: limits.RateLimitItem,
        windows: Windows,
        redis: "RedisWindows | None" = None,
        bounds: Limits = LIMITS,
    ) -> None:
        self.rate, self._windows, self._redis = rate, windows, redis
        self._seconds = rate.get_expiry()
        self._key = lru_cache(bounds.tokens_known)(self._key_of)

    @classmethod
    def of(cls, settings: Settings, bounds: Limits = LIMITS) -> Self:
        """The limiter of a home.

        Raises SettingsError for a rate or an address that cannot be read.
        """
        redis = RedisWindows.at(settings.redis_url.get_secret_value(), bounds) if settings.redis_url else None
        return cls(rate_of(settings.rate_limit), Windows(settings.root / "run" / "limits"), redis, bounds)

    async def check(self, subject: str) -> None:
        """Count a request of a subject.

        Raises ProblemError 429, with the seconds to wait, where the subject has asked too often.
        """
        key = self._key(subject)
        if self._redis is None and self._windows.hit(key, self.rate.amount, self._seconds):
            return  # as nearly all are
        await self._count(key, 1, 1)

    async def check_batch(self, subject: str, count: int) -> None:
        """Count the other requests of a batch of so many. Raises as `check` does, and counts none of them then."""
        whole = min(count, self.rate.amount)
        if whole > 1:
            await self._count(self._key(subject), whole - 1, whole)

    async def _count(self, key: str, cost: int, again: int) -> None:
        """again: what it costs to ask once more."""
        said = await self._redis.hit(self.rate, key, cost) if self._redis else None
        # Counted here even if Redis says yes, so that nobody starts anew when it goes away.
        counted = said is not False and self._windows.hit(key, self.rate.amount, self._seconds, cost)
        if not (counted if said is None else said):
            raise self._refusal(await self._free_in(key, again))

    def _key_of(self, subject: str) -> str:
        return self.rate.key_for(blake2b(subject.encode(), digest_size=16).hexdigest())

    async def _free_in(self, key: str, cost: int) -> int:
        seconds = await self._redis.free_in(self.rate, key) if self._redis else None
        if seconds is None or cost > 1:  # Redis tells when the oldest hit is free, and not how many are
            here = self._windows.free_in(key, self.rate.amount, self._seconds, cost)
            seconds = max(seconds or 0.0, here)
        return max(1, math.ceil(seconds))

    def _refusal(self, wait: int) -> ProblemError:
        """Headers: RFC 9110 and draft-ietf-httpapi-ratelimit-headers-10."""
        policy = f'"subject";q={self.rate.amount};w={self._seconds}'
        headers = {"Retry-After": str(wait), "RateLimit-Policy": policy, "RateLimit": f'"subject";r=0;t={wait}'}
        return ProblemError(429, f"More than {self.rate}; try again in {wait} s.", headers=headers)


class RedisWindows:
    """The same in Redis. A question waits redis_seconds at most, and after a failure none does for a while."""

    def __init__(self, limiter: "MovingWindowRateLimiter", bounds: Limits = LIMITS) -> None:
        self._limiter, self._bounds = limiter, bounds
        self._is_up = True
        self._again_at = -math.inf

    @classmethod
    def at(cls, url: str, bounds: Limits = LIMITS) -> Self:
        """The windows in the Redis at a URL; connects when first asked.

        Raises SettingsError for a URL that is none.
        """
        from limits.aio.storage import RedisStorage
        from limits.aio.strategies import MovingWindowRateLimiter
        from redis.asyncio import ConnectionPool
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        wait = bounds.redis_seconds
        try:
            pool: Any = ConnectionPool.from_url(
                url, socket_timeout=wait, socket_connect_timeout=wait, retry=Retry(NoBackoff(), 0)
            )
            storage = RedisStorage(
                f"async+{url}", implementation="redispy", key_prefix="talentml", connection_pool=pool
            )
        except ValueError:
            raise SettingsError("redis_url: not an address of Redis, allowed: redis://host:port/0") from None
        return cls(MovingWindowRateLimiter(storage), bounds)

    async def hit(self, rate: limits.RateLimitItem, key: str, cost: int = 1) -> bool | None:
        """Count so many more, if they are free; None where Redis does not say."""
        found: bool | None = await self._asked(partial(self._limiter.hit, cost=cost), rate, key)
        return found

    async def free_in(self, rate: limits.RateLimitItem, key: str) -> float | None:
        """Seconds until something is free again; None where Redis does not say."""
        stats = await self._asked(self._limiter.get_window_stats, rate, key)
        return None if stats is None else stats.reset_time - time.time()

    async def _asked(self, question: Any, *about: Any) -> Any:
        now = time.monotonic()
        if now < self._again_at:
            return None
        if not self._is_up:
            self._again_at = now + self._bounds.redis_retry_seconds  # one request tries again, not all of them
        try:
            async with asyncio.timeout(self._bounds.redis_seconds):
                found = await question(*about)
        except Exception as error:  # noqa: BLE001  no answer depends on Redis
            self._down(error)
            return None
        self._up()
        return found

    def _down(self, error: Exception) -> None:
        if self._is_up:
            LOG.warning("Redis does not answer, limits are this machine's own: %r", error)
        self._is_up, self._again_at = False, time.monotonic() + self._bounds.redis_retry_seconds

    def _up(self) -> None:
        if not self._is_up:
            LOG.warning("Redis answers again")
        self._is_up, self._again_at = True, -math.inf


def rate_of(text: str) -> limits.RateLimitItem:
    """A rate as the `limits` library writes it.

    Raises SettingsError for anything but one rate of at least one request.
    """
    try:
        (rate,) = limits.parse_many(text)
    except ValueError:
        rate = None
    if rate is None or not 1 <= rate.amount <= MOST or rate.get_expiry() < 1:
        raise SettingsError(f"rate_limit: {text!r}, allowed: one rate such as 100/minute")
    return rate
