"""Counts events in a window of time, and blocks for a while who had too many: one step in Redis."""

from functools import cache
from typing import Any

import redis

from resume_platform.redis.cache import Namespace

# KEYS: counter, block. ARGV: most, window and block in milliseconds, 1 to block at the limit.
# The block takes the counter's place: who waited it out starts from nothing.
_COUNT = """
local blocked = redis.call('PTTL', KEYS[2])
if blocked > 0 then return blocked end
local most, window, block = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], window) end
if count < most or count == most and ARGV[4] == '0' then return 0 end
if block == 0 then return math.max(redis.call('PTTL', KEYS[1]), 1) end
redis.call('SET', KEYS[2], '_', 'PX', block)
redis.call('DEL', KEYS[1])
return ARGV[4] == '1' and 0 or block
"""


class WindowCounter:
    """At most `most` events in `window_seconds`; one more starts a block of `block_seconds`.

    `block_at_limit`: the event that reaches the limit passes, and starts the block for those after
    it. Without a block the rest of the window is waited for. Atomic over all processes. Redis being
    away lets through and raises the metric. `counter` and `block` are keys of the namespace.
    """

    def __init__(
        self,
        namespace: Namespace,
        *,
        most: int,
        window_seconds: float,
        block_seconds: float = 0,
        block_at_limit: bool = False,
    ) -> None:
        self._namespace = namespace
        self._arguments = (
            *(most, int(window_seconds * 1000), int(block_seconds * 1000)),
            int(block_at_limit),
        )

    def count(self, counter: str, block: str = "") -> float:
        """Count one; seconds until the next may be tried, 0 if this one was within the limit."""
        names = [self._namespace.name(key) for key in (counter, block or f"{counter}:block")]
        try:
            left = _script(self._namespace.redis)(keys=names, args=self._arguments)
        except redis.RedisError as error:
            self._namespace.away(error)
            return 0.0
        return int(left) / 1000

    def blocked_for(self, block: str) -> float:
        """Seconds that a block has still to last, 0 if there is none; counts nothing."""
        try:
            left = self._namespace.redis.pttl(self._namespace.name(block))
        except redis.RedisError as error:
            self._namespace.away(error)
            return 0.0
        return max(0, int(left)) / 1000

    def reset(self, counter: str) -> None:
        try:
            self._namespace.redis.delete(self._namespace.name(counter))
        except redis.RedisError as error:
            self._namespace.away(error)


@cache
def _script(client: redis.Redis) -> Any:
    return client.register_script(_COUNT)
