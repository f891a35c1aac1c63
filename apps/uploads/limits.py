"""How often one user may start processings: counted and blocked in Redis, in one step."""

import redis
from django.conf import settings
from django.utils.translation import gettext as _

from resume_platform.api.errors import TooManyRequests
from resume_platform.caching import counters_for

WINDOW_SECONDS = 60

# The block takes the counter's place: who waits for Retry-After may start again.
_TAKE = """
local blocked = redis.call('PTTL', KEYS[2])
if blocked > 0 then return blocked end
local started = redis.call('INCR', KEYS[1])
if started == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
if started <= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], '_', 'EX', ARGV[3])
redis.call('DEL', KEYS[1])
return tonumber(ARGV[3]) * 1000
"""


def take_start(*, user_id: int) -> None:
    """Count one start. Raises TooManyRequests; Redis being away lets through."""
    counters = counters_for("uploads")
    try:
        left = counters.redis.call(
            "EVAL",
            _TAKE,
            2,
            counters.name(f"start_processing:{user_id}"),
            counters.name(f"start_processing_bloc:{user_id}"),
            settings.START_PROCESSING_PER_MINUTE,
            WINDOW_SECONDS,
            settings.START_PROCESSING_BLOCK_SECONDS,
        )
    except redis.RedisError as error:
        counters.away(error)
        return
    if left > 0:
        raise TooManyRequests(
            _("Too many processings were started. Try again later."),
            "too_many_starts",
            retry_after=-(-left // 1000),
        )
