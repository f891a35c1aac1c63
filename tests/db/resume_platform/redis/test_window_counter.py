"""One window counter: it counts, blocks and forgets in one step, over all processes."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from resume_platform.redis.cache import Namespace, connect, counters_for
from resume_platform.redis.window_counter import WindowCounter


@pytest.fixture
def key() -> str:
    return f"test:{uuid.uuid4()}"


def made(**options: float) -> WindowCounter:
    return WindowCounter(counters_for("test"), **{"most": 3, "window_seconds": 60} | options)


def test_one_more_than_the_limit_starts_the_block(key: str) -> None:
    limit = made(block_seconds=30)
    assert [limit.count(key, f"{key}:b") for _ in range(3)] == [0, 0, 0]
    assert limit.count(key, f"{key}:b") == 30
    assert 29 < limit.count(key, f"{key}:b") <= 30
    assert 29 < limit.blocked_for(f"{key}:b") <= 30


def test_who_waited_the_block_out_starts_from_nothing(key: str) -> None:
    limit = made(block_seconds=30)
    for _ in range(4):
        limit.count(key, f"{key}:b")
    counters = counters_for("test")
    counters.redis.delete(counters.name(f"{key}:b"))
    assert [limit.count(key, f"{key}:b") for _ in range(3)] == [0, 0, 0]


def test_the_limit_itself_may_start_the_block_for_those_after_it(key: str) -> None:
    limit = made(block_seconds=30, block_at_limit=True)
    assert [limit.count(key, f"{key}:b") for _ in range(3)] == [0, 0, 0]
    assert limit.blocked_for(f"{key}:b") > 29
    assert limit.count(key, f"{key}:b") > 29


def test_without_a_block_the_rest_of_the_window_is_waited_for(key: str) -> None:
    limit = made()
    assert [limit.count(key) for _ in range(3)] == [0, 0, 0]
    assert 59 < limit.count(key) <= 60
    limit.reset(key)
    assert limit.count(key) == 0


def test_parallel_events_are_counted_one_by_one(key: str) -> None:
    limit = made(most=10, block_seconds=30)
    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(lambda _: limit.count(key, f"{key}:b"), range(40)))
    assert waits.count(0) == 10


def test_redis_being_away_lets_through(key: str) -> None:
    away = Namespace(connect("redis://127.0.0.1:1/0"), "test")
    limit = WindowCounter(away, most=1, window_seconds=60, block_seconds=30)
    assert [limit.count(key) for _ in range(3)] == [0, 0, 0]
    assert limit.blocked_for(key) == 0
