"""Caches over redis-py: values live as long as is said, and nobody waits for a dead Redis."""

import os
import time
from collections.abc import Iterator

import pytest
from django.conf import settings

from resume_platform.redis.cache import Cache, cache_for, connect


@pytest.fixture
def cache() -> Iterator[Cache]:
    client = connect(settings.CACHE_URL)
    cache = Cache(client, f"calls-{os.getpid()}")
    yield cache
    cache.delete("a", "b")
    client.close()


def test_values_live_as_long_as_is_said(cache: Cache) -> None:
    cache.set("a", {"x": [1, "ж"]}, 60)
    cache.set("b", 1, None)
    assert cache.get_many(["a", "b", "c"]) == {"a": {"x": [1, "ж"]}, "b": 1}
    assert 55 <= int(cache.redis.ttl(cache.name("a"))) <= 60
    assert cache.redis.ttl(cache.name("b")) == -1


def test_a_value_that_is_none_of_ours_is_a_miss(cache: Cache) -> None:
    cache.redis.set(cache.name("a"), "{")
    assert cache.get("a") is None


def test_a_connection_that_the_server_closed_is_replaced(cache: Cache) -> None:
    cache.set("a", 1, 60)
    cache.redis.client_kill_filter(_id=str(cache.redis.client_id()))
    assert cache.get("a") == 1


def test_a_server_that_is_away_is_a_miss_each_time_and_soon() -> None:
    away = Cache(connect("redis://127.0.0.1:1/0"), "calls")
    began = time.monotonic()
    for _ in range(3):
        assert away.get_many(["a"]) == {}
        away.set("a", 1, 60)
        away.delete("a")
    assert time.monotonic() - began < 5


def test_a_forked_process_uses_no_connection_of_its_parents() -> None:
    parents = cache_for("calls").redis.client_id()
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.write(write, str(cache_for("calls").redis.client_id()).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    assert int(os.read(read, 100)) != parents
    os.close(read)
    assert cache_for("calls").redis.client_id() == parents
