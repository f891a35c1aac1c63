"""The rate limiter: requests and tokens a minute, requests a day and a circuit breaker, for all
workers together.

One atomic Lua script in Redis per question, by Redis' own clock. A question that must wait gets the
exact time at which it may be asked, and waits in its row; who is nearer to the front of the queue
is counted before it. The queue is fair: a row's place is its number among its own user's rows,
counted on from what that user had in the current minute. Of the day's requests a user may have a
share of what the others leave; who waits because of others waits on, however long that takes.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import redis
import structlog

from apps.ai.provider.errors import LimitReached, ProviderUnavailable
from resume_platform.observability import metrics
from resume_platform.redis import circuit_breaker
from resume_platform.redis.cache import Namespace

log = structlog.get_logger(__name__)

# What a call takes from our booking to the provider's own clock must not bring one call too many
# into its minute: ours is longer by this.
_MARGIN_SECONDS = 1.0
DAY_SECONDS = 86_400.0
_DAY_STEP = 60.0
# The part of the calls a minute that is kept for users who have had none in this minute.
_NEWCOMERS_SHARE = 0.05
# A waiting row that did not come by then gives up its place.
_GRACE_SECONDS = 5.0

CIRCUIT_THRESHOLD = 5
CIRCUIT_SECONDS = 10.0
CIRCUIT_MOST_SECONDS = 120.0
# A provider's own waiting time is everybody's, but not for longer: it may have been a mistake.
MOST_HOLD_SECONDS = 900.0

REDIS_AWAY_SECONDS = 5.0
# A day's budget may be raised while rows wait for it.
_LOOK_AGAIN_SECONDS = 1800.0


@dataclass(frozen=True)
class Quota:
    """What the provider allows; tests have a shorter `minute`."""

    rpm: int
    rpd: int
    tpm: int
    max_wait: float
    timeout: float
    user_day_share: float = 1.0
    minute: float = 60.0

    @property
    def reserve(self) -> int:
        return int(self.rpm * _NEWCOMERS_SHARE)


@dataclass(frozen=True)
class Caller:
    """Whose question it is: `row` is the waiting row's name, `arrival` orders a user's rows."""

    user_id: int
    row: str
    arrival: float


@dataclass(frozen=True)
class LimiterState:
    """Calls and tokens of this minute, calls of this day, and how many rows wait."""

    calls: int
    tokens: int
    day: int
    waiting: int
    is_circuit_open: bool


class RateLimiter:
    def __init__(self, namespace: Namespace, quota: Quota, *, now: float | None = None) -> None:
        """`now` stops the clock for tests; None is Redis' own."""
        self._redis = namespace.redis
        self._prefix = namespace.name("limits:")
        self._away = namespace.away
        self._quota = quota
        self.now = now

    def acquire(self, caller: Caller, *, tokens: int) -> str:
        """Reserve one call with so many tokens; returns the permit to be settled after the call.

        Raises LimitReached with the time to wait, also while Redis cannot be asked: without it
        nobody knows who else is calling. Raises ProviderUnavailable while the circuit is open.
        """
        quota = self._quota
        try:
            verdict, wait, what = self._run(
                "acquire", caller.user_id, caller.row, _ms(caller.arrival), max(1, tokens),
                quota.rpm, quota.tpm, quota.rpd,
                _ms(quota.minute + _MARGIN_SECONDS), _ms(DAY_SECONDS), _ms(_DAY_STEP),
                _ms(quota.max_wait), quota.reserve,
                _ms(_GRACE_SECONDS), _ms(quota.timeout + 5),
                quota.user_day_share,
            )  # fmt: skip
        except redis.RedisError as error:
            self._away(error)
            raise LimitReached("limits_away", REDIS_AWAY_SECONDS, is_final=False) from None
        if verdict == "go":
            return str(what)
        if verdict == "circuit":
            raise ProviderUnavailable("circuit_open", int(wait) / 1000)
        seconds, is_final = int(wait) / 1000, verdict == "over"
        if not is_final:
            seconds = min(seconds, max(quota.max_wait, _LOOK_AGAIN_SECONDS))
        raise LimitReached(f"limit_{what}", seconds, is_final=is_final)

    def settle(
        self, permit: str, *, used: int | None, is_available: bool, hold: float = 0.0
    ) -> None:
        """Correct the reservation by the real usage; None keeps it. Tells the circuit breaker.

        `hold` seconds nobody calls. Redis being away here only leaves the reservation standing.
        """
        try:
            state, seconds, _ = self._run(
                "settle", permit, -1 if used is None else used, "up" if is_available else "down",
                _ms(min(hold, MOST_HOLD_SECONDS)), CIRCUIT_THRESHOLD, _ms(CIRCUIT_SECONDS),
                _ms(CIRCUIT_MOST_SECONDS),
            )  # fmt: skip
        except redis.RedisError as error:
            self._away(error)
            return
        if state == "opened":
            metrics.AI_CIRCUIT_OPENED.inc()
            log.error("ai.circuit_opened", seconds=int(seconds) / 1000)

    def state(self) -> LimiterState:
        """For the metrics; changes nothing. Raises RedisError."""
        redis, prefix = self._redis, self._prefix
        seconds, microseconds = redis.time()
        now = self._now_ms or seconds * 1000 + microseconds // 1000
        begin = now - _ms(self._quota.minute + _MARGIN_SECONDS)
        calls: Any = redis.zrangebyscore(f"{prefix}calls", f"({begin}", "+inf")
        tokens = redis.hmget(f"{prefix}tokens", calls) if calls else []
        first_bucket = (now - _ms(DAY_SECONDS)) // _ms(_DAY_STEP)
        days = redis.hgetall(f"{prefix}days")
        open_until = redis.hget(f"{prefix}state", "open_until")
        return LimiterState(
            calls=len(calls),
            tokens=sum(int(count or 0) for count in tokens),
            day=sum(int(n) for bucket, n in days.items() if int(float(bucket)) >= first_bucket),
            waiting=redis.zcard(f"{prefix}due"),
            is_circuit_open=float(open_until or 0) > 0,
        )

    def _run(self, action: str, *arguments: Any) -> Any:
        """(verdict, milliseconds, permit or limit). Raises RedisError."""
        return _script(self._redis)(keys=[self._prefix], args=[action, self._now_ms, *arguments])

    @property
    def _now_ms(self) -> int:
        """0: Redis' own clock."""
        return 0 if self.now is None else _ms(self.now)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


@cache
def _script(client: redis.Redis) -> Any:
    script = files("apps.ai.provider").joinpath("rate_limiter.lua").read_text("utf-8")
    return client.register_script(circuit_breaker.LUA + script)
