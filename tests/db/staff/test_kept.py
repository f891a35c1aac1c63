"""What is quick to count is counted each time; what is slow is kept, a minute at most."""

import pytest

from staff.dashboard.kept import KEPT_FOR_AT_MOST_SECONDS, KEPT_FOR_TIMES, SLOW_SECONDS, Kept


class Work:
    def __init__(self, seconds: float) -> None:
        self.now, self.times, self._seconds = 0.0, 0, seconds
        self.kept = Kept(clock=lambda: self.now)

    def ask(self, key: str = "page") -> int:
        return self.kept.get(key, self._count)

    def _count(self) -> int:
        self.now += self._seconds
        self.times += 1
        return self.times


def test_quick_figures_are_never_old() -> None:
    work = Work(SLOW_SECONDS / 2)
    assert [work.ask() for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("took", "kept_for"),
    [(SLOW_SECONDS * 2, SLOW_SECONDS * 2 * KEPT_FOR_TIMES), (1.0, KEPT_FOR_AT_MOST_SECONDS)],
)
def test_slow_figures_are_kept_by_what_they_cost_and_each_has_its_own(
    took: float, kept_for: float
) -> None:
    work = Work(took)
    assert [work.ask() for _ in range(3)] == [1, 1, 1]
    work.now += kept_for - 0.01
    assert work.ask() == 1
    work.now += 0.01
    assert [work.ask(), work.ask("another")] == [2, 3]
