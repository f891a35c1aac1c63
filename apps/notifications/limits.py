"""How often one user may ask for deliveries: counted in Redis by the minute."""

from typing import Any

import redis
from django.utils.translation import gettext as _

from resume_platform.api.errors import TooManyRequests
from resume_platform.caching import counters_for

WINDOW_SECONDS = 60

_TAKE = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
if count <= tonumber(ARGV[1]) then return 0 end
return math.max(redis.call('PTTL', KEYS[1]), 1)
"""


def take(*, user_id: int, what: str, per_minute: int, code: str) -> None:
    """Count one. Raises TooManyRequests; Redis being away lets through."""
    counters = counters_for("notifications")
    try:
        left: Any = counters.redis.eval(
            _TAKE, 1, counters.name(f"{what}:{user_id}"), per_minute, WINDOW_SECONDS
        )
    except redis.RedisError as error:
        counters.away(error)
        return
    if left > 0:
        raise TooManyRequests(
            _("Too many requests. Try again later."), code, retry_after=-(-int(left) // 1000)
        )
