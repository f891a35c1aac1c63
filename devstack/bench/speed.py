"""How fast the machine itself is while something is measured: its cores may be lent ones.

The same small work is done again and again; its CPU time counts, so that waiting for a core does
not. It is Python's, so it also tells one build of the interpreter from another.
"""

import statistics
import time
from collections.abc import Mapping

from devstack.bench.sampling import Sampling

PAUSE_SECONDS = 1.0
_STEPS = 50_000  # a few milliseconds


class Speed(Sampling):
    """`with Speed() as speed: ...` then `speed.as_json()`; its own cost is below 1 % of a core."""

    def __init__(self, pause_seconds: float = PAUSE_SECONDS) -> None:
        super().__init__()
        self._pause_seconds = pause_seconds
        self._loops_ms: list[float] = []

    def as_json(self) -> dict[str, float]:
        """Milliseconds of the loop: smaller is faster."""
        loops = self._loops_ms
        return {
            "median": round(statistics.median(loops), 2),
            "min": round(min(loops), 2),
            "max": round(max(loops), 2),
        }

    def _sample(self) -> None:
        self._loops_ms.append(_loop_ms())
        while not self._stop.wait(self._pause_seconds):
            self._loops_ms.append(_loop_ms())


def _loop_ms() -> float:
    began, total = time.thread_time_ns(), 0
    for number in range(_STEPS):
        total += number * number % 7
    return (time.thread_time_ns() - began) / 1e6


def best_ms(scenarios: Mapping[str, Mapping[str, Mapping[str, float]]]) -> float:
    """The fastest loop of a whole bench: what its machine can do."""
    return min(result["loop_ms"]["min"] for result in scenarios.values())
