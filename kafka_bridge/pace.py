"""How often a loop turns: at once while there is little to do, and not too often under load.

A round costs nearly the same whether it carries one message or a hundred: its statements, its
commit, the wake-ups it causes. So a busy loop waits a moment and carries more; but for one that had
all it can carry, for which waiting would gain nothing.
"""

import time
from collections.abc import Callable

# A processing that is alone in the system needs a few rounds of each loop in quick succession.
BURST = 15
ROUNDS_PER_SECOND = 15.0
# The more a round carried the longer the pause: what it saves is shared by more, and the machine is
# busy. From MANY messages on a round counts for 2.5, which makes six a second.
MANY = 15
MANY_COST_MORE = 1.5


class Pace:
    """A token bucket: BURST rounds at once, then ROUNDS_PER_SECOND, or fewer that carry much.

    `most`: what a round can carry; after one that had so much the next is free.
    """

    def __init__(self, *, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._was_full = False
        self._rounds = float(BURST)
        self._counted_at = clock()

    def take(self) -> float:
        """Count a round that is about to begin; how many seconds it has to wait first."""
        if self._was_full:
            return 0.0
        now = self._clock()
        earned = (now - self._counted_at) * ROUNDS_PER_SECOND
        self._rounds = min(float(BURST), self._rounds + earned) - 1
        self._counted_at = now
        return max(0.0, -self._rounds / ROUNDS_PER_SECOND)

    def carried(self, count: int) -> None:
        """To be told what the round had."""
        self._was_full = count >= self._most
        if not self._was_full:
            self._rounds -= MANY_COST_MORE * min(1.0, count / MANY)
