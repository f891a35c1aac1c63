"""A Redis namespace for each app: caches, which may vanish at any moment, and counters.

Caches live in CACHE_URL, which may evict: what is read there can also be had from the database, and
Redis being away is a miss, never an error. Counters and blocks live in REDIS_URL, which does not
evict; Redis being away raises there, and each limit decides what that means.
"""

import json
from functools import cache
from typing import Any

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from resume_platform.observability import metrics

log = structlog.get_logger(__name__)


class Namespace:
    """Keys under `<namespace>:<key>`. `redis` is the client itself, which raises."""

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self.redis = client
        self.namespace = namespace

    def name(self, key: str) -> str:
        return f"{self.namespace}:{key}"

    def away(self, error: Exception) -> None:
        """To be told of each failed call that is done without."""
        metrics.REDIS_ERRORS.labels(self.namespace).inc()
        log.warning("redis.away", namespace=self.namespace, error=type(error).__name__)


class Cache(Namespace):
    """JSON values; the server being away, or a value that is none of ours, is a miss."""

    def get(self, key: str) -> Any | None:
        return self.get_many([key]).get(key)

    def get_many(self, keys: list[str]) -> dict[str, Any]:
        """The values that are there; a missing key has no entry."""
        if not keys:
            return {}
        try:
            values: Any = self.redis.mget(list(map(self.name, keys)))
            return {
                key: json.loads(value)
                for key, value in zip(keys, values, strict=True)
                if value is not None
            }
        except (redis.RedisError, ValueError) as error:
            self.away(error)
            return {}

    def set(self, key: str, value: Any, ttl: int | None) -> None:
        """Store for `ttl` seconds; None leaves the end to the server's eviction policy."""
        try:
            self.redis.set(self.name(key), json.dumps(value, ensure_ascii=False), ex=ttl)
        except redis.RedisError as error:
            self.away(error)

    def delete(self, *keys: str) -> None:
        if not keys:
            return
        try:
            self.redis.delete(*[self.name(key) for key in keys])
        except redis.RedisError as error:
            self.away(error)


def connect(url: str) -> redis.Redis:
    """A client whose calls end within about a second, whatever the server does.

    It is not asked again and again: a call fails at the first attempt that does. Its connections
    are shared by the process's threads; a forked process makes its own.
    """
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=1,
        socket_connect_timeout=0.5,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),
    )


@cache
def cache_for(namespace: str) -> Cache:
    """The cache of one app."""
    return Cache(connect(settings.CACHE_URL), namespace)


@cache
def counters_for(namespace: str) -> Namespace:
    """The counters and blocks of one app."""
    return Namespace(connect(settings.REDIS_URL), namespace)
