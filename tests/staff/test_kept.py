"""What is quick to count is counted each time; what is slow is kept for a minute."""

from staff.kept import KEPT_FOR_SECONDS, SLOW_SECONDS, Kept


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


def test_slow_figures_are_at_most_a_minute_old_and_each_has_its_own() -> None:
    work = Work(SLOW_SECONDS * 2)
    assert [work.ask() for _ in range(3)] == [1, 1, 1]
    assert work.ask("another") == 2
    work.now += KEPT_FOR_SECONDS
    assert work.ask() == 3
