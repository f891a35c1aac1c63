"""Checks that a part of the stack really answers, each quick and without exceptions."""

import socket
from contextlib import suppress
from typing import cast
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import psycopg2
import redis

TIMEOUT_SECONDS = 1
# HTTP_PROXY must not come between the supervisor and its own loopback.
_direct = build_opener(ProxyHandler({}))


def http_answers(url: str) -> bool:
    try:
        with _direct.open(url, timeout=TIMEOUT_SECONDS) as response:
            return bool(response.status == 200)
    except (URLError, OSError, ValueError):
        return False


def port_answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True


def redis_answers(url: str) -> bool:
    client = redis.Redis.from_url(
        url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def postgres_answers(url: str) -> bool:
    parts = urlsplit(url)
    if not port_answers(parts.hostname or "", parts.port or 5432):
        return False
    try:
        connection = psycopg2.connect(url, connect_timeout=TIMEOUT_SECONDS)
    except psycopg2.Error:
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone() == (1,)
    except psycopg2.Error:
        return False
    finally:
        connection.close()


class WorkerMailbox:
    """A Celery worker's entry among those that listen for control messages.

    It is the last thing a worker does before it takes tasks, and needs no log line and no answer
    from the worker; but a killed worker leaves it behind, so it is removed before each start.
    """

    _KEY = "_kombu.binding.celery.pidbox"

    def __init__(self, broker_url: str, *, node: str) -> None:
        self._broker_url = broker_url
        self._node = node.encode()

    def exists(self) -> bool:
        with self._client() as client:
            try:
                return bool(self._entries(client))
            except redis.RedisError:
                return False

    def remove(self) -> None:
        with self._client() as client, suppress(redis.RedisError):
            for entry in self._entries(client):
                client.srem(self._KEY, entry)

    def _entries(self, client: redis.Redis) -> list[bytes]:
        """`<routing key> <pattern> <node>@<host>.celery.pidbox`, with separators between."""
        members = cast("set[bytes]", client.smembers(self._KEY))
        return [member for member in members if b"\x16" + self._node + b"@" in member]

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(
            self._broker_url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
        )
