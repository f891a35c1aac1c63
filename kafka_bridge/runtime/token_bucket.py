"""Limits how often a busy loop turns, so that each round carries more.

A round costs nearly the same whether it carries one message or a hundred: its statements, its
commit, the wake-ups it causes. A loop that has little to do turns at once; a busy one waits a
moment first. A round that was full is followed by the next at once: waiting would gain nothing.
"""

import time
from collections.abc import Callable

# A processing that is alone in the system needs a few rounds of each loop in quick succession.
CAPACITY = 15.0
TOKENS_PER_SECOND = 15.0
# A round that carried MANY messages or more costs 2.5 tokens, so there are six a second of them.
MANY = 15
EXTRA_COST = 1.5


class TokenBucket:
    """One token a round, and more for one that carried much; `full_round` messages are a full one.

    The tokens may run into debt: then `wait` says how long to pause.
    """

    def __init__(self, *, full_round: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._full_round = full_round
        self._clock = clock
        self._was_full = False
        self._tokens = CAPACITY
        self._counted_at = clock()

    def wait(self) -> float:
        """Take the token of a round that is about to begin; how many seconds to pause before it."""
        if self._was_full:
            return 0.0
        now = self._clock()
        earned = (now - self._counted_at) * TOKENS_PER_SECOND
        self._tokens = min(CAPACITY, self._tokens + earned) - 1
        self._counted_at = now
        return max(0.0, -self._tokens / TOKENS_PER_SECOND)

    def charge(self, messages: int) -> None:
        """Tell how many messages the round carried."""
        self._was_full = messages >= self._full_round
        if not self._was_full:
            self._tokens -= EXTRA_COST * min(1.0, messages / MANY)
