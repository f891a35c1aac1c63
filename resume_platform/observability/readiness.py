"""Whether each part of the system works, with a reason: what /health/ready and `part_up` tell.

Servers are asked; the bridge, Kafka and the workers are judged by their signs of life. A reason
names no address, user or error text. What cannot be known, because something else is away, is
"unknown", so that the one culprit stands out.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg2
import redis
import requests
from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from resume_platform.observability import liveness, metrics
from resume_platform.observability.exporter import Values, figures
from resume_platform.redis.cache import cache_for, counters_for

# However often somebody asks, the servers are asked once in this time.
FRESH_SECONDS = 1.0
CONNECT_SECONDS = 2  # libpq knows no shorter patience
FLOWER_SECONDS = 1.0

NO_ANSWER = gettext_noop("No answer.")
SILENT = gettext_noop("No sign of life for {seconds} s.")
NEVER_SEEN = gettext_noop("No sign of life yet.")
WITHOUT_REDIS = gettext_noop("Not known while Redis is away.")
WITHOUT_BRIDGE = gettext_noop("Not known while no bridge runs.")
NOT_REACHED = gettext_noop("The bridge does not reach it.")
NO_RELAY = gettext_noop("No relay is active: events do not reach Kafka.")
NO_INTAKE = gettext_noop("Nothing is taken in from Kafka.")
NO_DISPATCHER = gettext_noop("Nobody wakes what is due.")


@dataclass(frozen=True)
class Part:
    """`is_up` is None when it is not known. One that is not `needed` may be away."""

    name: str
    is_up: bool | None
    reason: str = ""
    seconds: int = 0
    needed: bool = True

    @property
    def sentence(self) -> str:
        """The reason in the language of the request."""
        return gettext(self.reason).format(seconds=self.seconds) if self.reason else ""


def database_answers() -> bool:
    """By a connection of its own: an old one would wait for ever for a server that hangs."""
    try:
        db = psycopg2.connect(settings.DATABASE_URL, connect_timeout=CONNECT_SECONDS)
    except psycopg2.Error:
        return False
    try:
        with db.cursor() as cursor:
            cursor.execute("SELECT 1")
    except psycopg2.Error:
        return False
    finally:
        db.close()
    return True


def redis_answers() -> bool:
    return _pings(counters_for("health").redis)


def cache_answers() -> bool:
    """True without a question where the cache is the same server."""
    return settings.CACHE_URL == settings.REDIS_URL or _pings(cache_for("health").redis)


def _pings(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def _flower_answers() -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(settings.FLOWER_HEALTH_URL, timeout=FLOWER_SECONDS).ok
        except requests.RequestException:
            return False


def _signs() -> dict[str, float] | None:
    try:
        return liveness.ages()
    except redis.RedisError:
        return None


def judge(
    ages: Mapping[str, float] | None, *, is_database_up: bool, workers: list[str]
) -> list[Part]:
    """Kafka, bridge and workers by the age of their signs; None: Redis, which has them, is away."""
    if ages is None:
        names = (liveness.KAFKA, liveness.BRIDGE, *workers)
        return [Part(name, None, WITHOUT_REDIS) for name in names]

    def fresh(name: str) -> bool:
        return ages.get(name, liveness.SILENT_AFTER + 1) <= liveness.SILENT_AFTER

    def by_sign(name: str) -> Part:
        if name not in ages:
            return Part(name, False, NEVER_SEEN)
        if not fresh(name):
            return Part(name, False, SILENT, seconds=round(ages[name]))
        return Part(name, True)

    bridge = by_sign(liveness.BRIDGE)
    if not bridge.is_up:
        kafka = Part(liveness.KAFKA, None, WITHOUT_BRIDGE)
    elif not fresh(liveness.KAFKA):
        kafka = Part(liveness.KAFKA, False, NOT_REACHED)
    else:
        kafka = Part(liveness.KAFKA, True)
        # Without the database or Kafka a bridge stands still through no fault of its own.
        for name, reason in (
            (liveness.RELAY, NO_RELAY),
            (liveness.INTAKE, NO_INTAKE),
            (liveness.DISPATCHER, NO_DISPATCHER),
        ):
            if is_database_up and bridge.is_up and not fresh(name):
                bridge = Part(liveness.BRIDGE, False, reason)
    return [kafka, bridge, *map(by_sign, workers)]


@dataclass(frozen=True)
class State:
    """Every part, and the ages of the signs that the judgement rests on."""

    parts: list[Part]
    sign_ages: Mapping[str, float]


class _Watch:
    """The last look, shared by a process's threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = State([], {})
        self._at = 0.0

    def look(self) -> State:
        with self._lock:
            if not self._state.parts or time.monotonic() - self._at > FRESH_SECONDS:
                self._state = _ask()
                self._at = time.monotonic()
            return self._state


look = _Watch().look


def _ask() -> State:
    def server(name: str, is_up: bool, *, needed: bool = True) -> Part:
        return Part(name, is_up, "" if is_up else NO_ANSWER, needed=needed)

    database = server("database", database_answers())
    parts = [database, server("redis", redis_answers())]
    if settings.CACHE_URL != settings.REDIS_URL:
        parts.append(server("cache", cache_answers()))
    ages = _signs()
    parts += judge(ages, is_database_up=bool(database.is_up), workers=liveness.expected_workers())
    if settings.FLOWER_HEALTH_URL:
        parts.append(server("flower", _flower_answers(), needed=False))
    return State(parts, ages or {})


@figures("parts", process="web")
def _figures() -> Values:
    state = look()
    return {
        metrics.PART_UP: {
            (part.name,): float(part.is_up) for part in state.parts if part.is_up is not None
        },
        metrics.SIGN_AGE: {(part,): age for part, age in state.sign_ages.items()},
    }
