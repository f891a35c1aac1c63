"""RPM, RPD and TPM over all workers, the circuit breaker and the order in which users take turns.

One atomic Lua script in Redis per question, by Redis' own clock. A question that must wait gets the
exact time at which its turn comes, and waits in its row; who is nearer to the front of the line is
counted before it. Users take turns: a row's place is its number among its own user's rows, counted
on from what that user had in the current minute.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import redis
import structlog

from resume_platform import metrics
from resume_platform.caching import Namespace

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

Outcome = Literal["up", "down"]


class LimitsAway(Exception):
    """Redis cannot be asked. Without it nobody knows who else is calling, so nobody calls."""


@dataclass(frozen=True)
class Quota:
    """What the provider allows; tests have a shorter `minute`."""

    rpm: int
    rpd: int
    tpm: int
    max_wait: float
    timeout: float
    minute: float = 60.0

    @property
    def reserve(self) -> int:
        return int(self.rpm * _NEWCOMERS_SHARE)


@dataclass(frozen=True)
class Turn:
    """Whose question it is: `row` is the waiting row's name, `arrival` orders a user's rows."""

    user_id: int
    row: str
    arrival: float


@dataclass(frozen=True)
class Standing:
    """How things stand now: calls and tokens of this minute, calls of this day, rows in line."""

    calls: int
    tokens: int
    day: int
    waiting: int
    is_circuit_open: bool


@dataclass(frozen=True)
class Granted:
    permit: str


@dataclass(frozen=True)
class Refused:
    """`why`: wait (in the row), over (longer than anybody waits), circuit (provider down)."""

    why: Literal["wait", "over", "circuit"]
    seconds: float
    limit: str


class Limits:
    def __init__(self, namespace: Namespace, quota: Quota, *, now: float | None = None) -> None:
        """`now` stops the clock for tests; None is Redis' own."""
        self._redis = namespace.redis
        self._prefix = namespace.name("limits:")
        self._away = namespace.away
        self._quota = quota
        self.now = now

    def acquire(self, turn: Turn, *, tokens: int) -> Granted | Refused:
        """Reserve one call with so many tokens, or say how long to wait. Raises LimitsAway."""
        quota = self._quota
        verdict, wait, what = self._run(
            "acquire", turn.user_id, turn.row, _ms(turn.arrival), max(1, tokens),
            quota.rpm, quota.tpm, quota.rpd,
            _ms(quota.minute + _MARGIN_SECONDS), _ms(DAY_SECONDS), _ms(_DAY_STEP),
            _ms(quota.max_wait), quota.reserve,
            _ms(_GRACE_SECONDS), _ms(quota.timeout + 5),
        )  # fmt: skip
        if verdict == "go":
            return Granted(what)
        return Refused(verdict, int(wait) / 1000, what)

    def settle(self, permit: str, *, used: int | None, outcome: Outcome, hold: float = 0.0) -> None:
        """Correct the reservation by the real usage; None keeps it. Tells the circuit breaker.

        `hold` seconds nobody calls. Redis being away here only leaves the reservation standing.
        """
        try:
            state, seconds, _ = self._run(
                "settle", permit, -1 if used is None else used, outcome,
                _ms(min(hold, MOST_HOLD_SECONDS)), CIRCUIT_THRESHOLD, _ms(CIRCUIT_SECONDS),
                _ms(CIRCUIT_MOST_SECONDS),
            )  # fmt: skip
        except LimitsAway:
            return
        if state == "opened":
            metrics.AI_CIRCUIT_OPENED.inc()
            log.error("ai.circuit_opened", seconds=int(seconds) / 1000)

    def standing(self) -> Standing:
        """For the figures; changes nothing. Raises RedisError."""
        redis, prefix = self._redis, self._prefix
        seconds, microseconds = redis.time()
        now = self._now_ms or seconds * 1000 + microseconds // 1000
        begin = now - _ms(self._quota.minute + _MARGIN_SECONDS)
        calls: Any = redis.zrangebyscore(f"{prefix}calls", f"({begin}", "+inf")
        tokens = redis.hmget(f"{prefix}tokens", calls) if calls else []
        first_bucket = (now - _ms(DAY_SECONDS)) // _ms(_DAY_STEP)
        days = redis.hgetall(f"{prefix}days")
        open_until = redis.hget(f"{prefix}state", "open_until")
        return Standing(
            calls=len(calls),
            tokens=sum(int(count or 0) for count in tokens),
            day=sum(int(n) for bucket, n in days.items() if int(float(bucket)) >= first_bucket),
            waiting=redis.zcard(f"{prefix}due"),
            is_circuit_open=float(open_until or 0) > 0,
        )

    def _run(self, action: str, *arguments: Any) -> tuple[Any, Any, str]:
        try:
            verdict, wait, what = _script(self._redis)(
                keys=[self._prefix], args=[action, self._now_ms, *arguments]
            )
        except redis.RedisError as error:
            self._away(error)
            raise LimitsAway from None
        return verdict, wait, what

    @property
    def _now_ms(self) -> int:
        """0: Redis' own clock."""
        return 0 if self.now is None else _ms(self.now)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


@cache
def _script(client: redis.Redis) -> Any:
    return client.register_script(files("apps.ai").joinpath("limits.lua").read_text("utf-8"))
