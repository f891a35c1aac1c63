"""A Redis namespace for each app: caches, which may vanish at any moment, and counters.

Caches live in CACHE_URL, which may evict: what is read there can also be had from the database, and
Redis being away is a miss, never an error. Counters and blocks live in REDIS_URL, which does not
evict; Redis being away raises there, and each limit decides what that means.
"""

import json
import os
from functools import cache
from typing import Any, cast

import redis
import structlog
from django.conf import settings

from resume_platform import metrics

log = structlog.get_logger(__name__)


class Client(redis.Redis):
    """redis-py's client, with a quick way to send one command.

    `execute_command`, by which its methods go, does much more than to send a command and to read
    the answer, and takes four times as long. See decision 0142.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unused: list[Any] = []

    def call(self, *command: str | int) -> Any:
        """The answer as the server gave it. Raises redis.RedisError."""
        if self._unused:
            try:
                return self._ask(self._unused.pop(), command)
            except (IndexError, redis.ConnectionError):
                pass  # another thread took it, or the server hung up while it lay there
        connection = self.connection_pool.make_connection()
        connection.connect()
        return self._ask(connection, command)

    def _ask(self, connection: Any, command: tuple[str | int, ...]) -> Any:
        """Whatever fails but for a refused command leaves the connection closed."""
        try:
            connection.send_command(*command)
            answer = connection.read_response()
        except redis.ResponseError:
            self._unused.append(connection)
            raise
        self._unused.append(connection)
        return answer


class Namespace:
    """Keys under `<namespace>:<key>`. `redis` is the plain client, which raises."""

    def __init__(self, client: Client, namespace: str) -> None:
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
            values = self.redis.call("MGET", *map(self.name, keys))
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
            life = () if ttl is None else ("EX", ttl)
            self.redis.call("SET", self.name(key), json.dumps(value, ensure_ascii=False), *life)
        except redis.RedisError as error:
            self.away(error)

    def delete(self, *keys: str) -> None:
        if not keys:
            return
        try:
            self.redis.delete(*[self.name(key) for key in keys])
        except redis.RedisError as error:
            self.away(error)


def connect(url: str) -> Client:
    """A client whose calls end within about a second, whatever the server does."""
    options = {"socket_timeout": 1, "socket_connect_timeout": 0.5, "health_check_interval": 30}
    return cast(Client, Client.from_url(url, decode_responses=True, **options))


@cache
def cache_for(namespace: str) -> Cache:
    """The cache of one app; the connection pool is shared by the process's threads."""
    return Cache(connect(settings.CACHE_URL), namespace)


@cache
def counters_for(namespace: str) -> Namespace:
    """The counters and blocks of one app."""
    return Namespace(connect(settings.REDIS_URL), namespace)


def _forget_connections() -> None:
    cache_for.cache_clear()
    counters_for.cache_clear()


# After a fork they are the parent's.
os.register_at_fork(after_in_child=_forget_connections)
