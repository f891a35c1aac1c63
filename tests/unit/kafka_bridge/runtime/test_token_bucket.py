"""A loop's rounds: at once while they are rare, bounded while they are many."""

from hypothesis import given
from hypothesis import strategies as st

from kafka_bridge.runtime.token_bucket import (
    CAPACITY,
    EXTRA_COST,
    MANY,
    TOKENS_PER_SECOND,
    TokenBucket,
)

BURST = int(CAPACITY)

MOST = 500


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_rare_rounds_never_wait() -> None:
    clock = Clock()
    bucket = TokenBucket(full_round=MOST, clock=clock)
    for _ in range(100):
        assert bucket.wait() == 0
        clock.now += 1 / TOKENS_PER_SECOND


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=200))
def test_busy_rounds_are_bounded_whatever_lies_between_them(work: list[float]) -> None:
    clock = Clock()
    bucket = TokenBucket(full_round=MOST, clock=clock)
    for seconds in work:
        clock.now += bucket.wait() + seconds
    assert len(work) <= BURST + clock.now * TOKENS_PER_SECOND + 1e-6


def test_a_rest_is_worth_no_more_than_one_burst() -> None:
    clock = Clock()
    bucket = TokenBucket(full_round=MOST, clock=clock)
    clock.now += 3600
    waits = [bucket.wait() for _ in range(BURST + 1)]
    assert waits == [0.0] * BURST + [1 / TOKENS_PER_SECOND]


def test_a_round_after_a_full_one_is_free_and_is_not_paid_for_later() -> None:
    bucket = TokenBucket(full_round=MOST, clock=Clock())
    for _ in range(BURST):
        bucket.wait()
    for _ in range(100):
        bucket.charge(MOST)
        assert bucket.wait() == 0
    bucket.charge(0)
    assert bucket.wait() == 1 / TOKENS_PER_SECOND


@given(st.integers(0, MOST - 1), st.floats(0, 0.05))
def test_the_more_rounds_carry_the_fewer_they_are(count: int, work: float) -> None:
    clock = Clock()
    bucket = TokenBucket(full_round=MOST, clock=clock)
    rounds = 500
    for _ in range(rounds):
        clock.now += bucket.wait() + work
        bucket.charge(count)
    cost = 1 + EXTRA_COST * min(1.0, count / MANY)
    # The last round's price is paid by the one that would come next.
    assert (rounds - 1) * cost <= BURST + clock.now * TOKENS_PER_SECOND + 1e-6
    expected = max(rounds * work, (rounds * cost - BURST) / TOKENS_PER_SECOND)
    assert clock.now <= expected + 2 * cost / TOKENS_PER_SECOND + work
