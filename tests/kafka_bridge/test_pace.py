"""A loop's rounds: at once while they are rare, bounded while they are many."""

from hypothesis import given
from hypothesis import strategies as st

from kafka_bridge.pace import BURST, MANY, MANY_COST_MORE, ROUNDS_PER_SECOND, Pace

MOST = 500


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_rare_rounds_never_wait() -> None:
    clock = Clock()
    pace = Pace(most=MOST, clock=clock)
    for _ in range(100):
        assert pace.take() == 0
        clock.now += 1 / ROUNDS_PER_SECOND


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=200))
def test_busy_rounds_are_bounded_whatever_lies_between_them(work: list[float]) -> None:
    clock = Clock()
    pace = Pace(most=MOST, clock=clock)
    for seconds in work:
        clock.now += pace.take() + seconds
    assert len(work) <= BURST + clock.now * ROUNDS_PER_SECOND + 1e-6


def test_a_rest_is_worth_no_more_than_one_burst() -> None:
    clock = Clock()
    pace = Pace(most=MOST, clock=clock)
    clock.now += 3600
    waits = [pace.take() for _ in range(BURST + 1)]
    assert waits == [0.0] * BURST + [1 / ROUNDS_PER_SECOND]


def test_a_round_after_a_full_one_is_free_and_is_not_paid_for_later() -> None:
    pace = Pace(most=MOST, clock=Clock())
    for _ in range(BURST):
        pace.take()
    for _ in range(100):
        pace.carried(MOST)
        assert pace.take() == 0
    pace.carried(0)
    assert pace.take() == 1 / ROUNDS_PER_SECOND


@given(st.integers(0, MOST - 1), st.floats(0, 0.05))
def test_the_more_rounds_carry_the_fewer_they_are(count: int, work: float) -> None:
    clock = Clock()
    pace = Pace(most=MOST, clock=clock)
    rounds = 500
    for _ in range(rounds):
        clock.now += pace.take() + work
        pace.carried(count)
    cost = 1 + MANY_COST_MORE * min(1.0, count / MANY)
    # The last round's price is paid by the one that would come next.
    assert (rounds - 1) * cost <= BURST + clock.now * ROUNDS_PER_SECOND + 1e-6
    expected = max(rounds * work, (rounds * cost - BURST) / ROUNDS_PER_SECOND)
    assert clock.now <= expected + 2 * cost / ROUNDS_PER_SECOND + work
