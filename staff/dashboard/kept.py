"""Figures that took long to count are shown again for a while.

With a million processings in two weeks the start page's sums take a second, with a hundred
thousand a fifth of one; with a few thousand they take milliseconds, and are counted each time.
"""

import time
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

SLOW_SECONDS = 0.02
KEPT_FOR_TIMES = 300
"""What was counted is shown for as many times as long as the counting took, so that a page asked
for again and again has the database count a third of a percent of the time."""
KEPT_FOR_AT_MOST_SECONDS = 60.0

T = TypeVar("T")


class Kept:
    """Of one process; what is kept is what the last slow count of each key gave."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._values: dict[Hashable, tuple[float, object]] = {}

    def get(self, key: Hashable, count: Callable[[], T]) -> T:
        began = self._clock()
        until, value = self._values.get(key, (began, None))
        if began < until:
            return cast(T, value)
        counted = count()
        self._values.pop(key, None)
        ended = self._clock()
        took = ended - began
        if took >= SLOW_SECONDS:
            kept_for = min(KEPT_FOR_AT_MOST_SECONDS, KEPT_FOR_TIMES * took)
            self._values[key] = (ended + kept_for, counted)
        return counted
