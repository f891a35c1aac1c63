"""`Client.call`: one command over a kept connection of redis-py's."""

import os
import threading
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from resume_platform.caching import Cache, cache_for, connect


@pytest.fixture
def cache() -> Iterator[Cache]:
    client = connect(settings.CACHE_URL)
    cache = Cache(client, f"calls-{os.getpid()}")
    yield cache
    cache.delete("a", "b")
    client.close()


def connection_id(cache: Cache) -> int:
    return int(cache.redis.call("CLIENT", "ID"))


def test_it_answers_like_the_client_and_keeps_its_connection(cache: Cache) -> None:
    first = connection_id(cache)
    assert cache.redis.call("SET", cache.name("a"), "ж", "EX", 60) == "OK"
    assert cache.redis.call("MGET", cache.name("a"), cache.name("b")) == ["ж", None]
    assert cache.redis.get(cache.name("a")) == "ж"
    assert connection_id(cache) == first


def test_values_live_as_long_as_is_said(cache: Cache) -> None:
    cache.set("a", {"x": [1, "ж"]}, 60)
    cache.set("b", 1, None)
    assert cache.get_many(["a", "b"]) == {"a": {"x": [1, "ж"]}, "b": 1}
    assert 55 <= int(cache.redis.call("TTL", cache.name("a"))) <= 60
    assert cache.redis.call("TTL", cache.name("b")) == -1


def test_a_connection_that_the_server_closed_is_replaced(cache: Cache) -> None:
    first = connection_id(cache)
    cache.redis.client_kill_filter(_id=str(first))
    assert connection_id(cache) != first


def test_a_refused_command_raises_and_leaves_the_connection_usable(cache: Cache) -> None:
    first = connection_id(cache)
    with pytest.raises(redis.ResponseError):
        cache.redis.call("GET")
    assert connection_id(cache) == first


def test_a_server_that_is_away_raises_each_time() -> None:
    away = Cache(connect("redis://127.0.0.1:1/0"), "calls")
    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            away.redis.call("PING")
    assert away.get_many(["a"]) == {}


def test_threads_never_share_a_connection(cache: Cache) -> None:
    wrong: list[object] = []

    def ask(number: int) -> None:
        for _ in range(200):
            if (answer := cache.redis.call("ECHO", f"{number}")) != f"{number}":
                wrong.append(answer)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_forked_process_uses_no_connection_of_its_parents() -> None:
    parents = connection_id(cache_for("calls"))
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.write(write, str(connection_id(cache_for("calls"))).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    assert int(os.read(read, 100)) != parents
    os.close(read)
    assert connection_id(cache_for("calls")) == parents
