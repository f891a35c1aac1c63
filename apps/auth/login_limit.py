"""The brute-force block: failed logins of one user name from one address, counted in Redis."""

import hashlib

import redis
import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from resume_platform.api.errors import TooManyRequests
from resume_platform.caching import REDIS_ERRORS, cache_for

log = structlog.get_logger(__name__)

# Counting and blocking are one step, so that parallel guesses learn no more than serial ones:
# whoever settles after the block learns nothing, a right password included.
_SETTLE = """
local blocked = redis.call('PTTL', KEYS[2])
if blocked > 0 then return blocked end
if ARGV[1] == '1' then redis.call('DEL', KEYS[1]) return 0 end
local failures = redis.call('INCR', KEYS[1])
if failures == 1 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
if failures >= tonumber(ARGV[2]) then
  redis.call('SET', KEYS[2], '_', 'EX', ARGV[3])
  redis.call('DEL', KEYS[1])
end
return 0
"""


def refuse_blocked(*, username: str, address: str) -> None:
    """Raises TooManyRequests while the block lasts. Redis being away lets through."""
    cache = cache_for("auth")
    try:
        left = cache.redis.pttl(_names(username, address)[1])
    except redis.RedisError as error:
        _away(error)
        return
    _refuse(left)


def settle(*, username: str, address: str, success: bool) -> None:
    """Count a judged attempt; the last allowed failure starts the block.

    Raises TooManyRequests if a block began while the password was being checked.
    """
    cache = cache_for("auth")
    try:
        left = cache.redis.eval(
            _SETTLE,
            2,
            *_names(username, address),
            "1" if success else "0",
            settings.LOGIN_MAX_ATTEMPTS,
            settings.LOGIN_BLOCK_SECONDS,
        )
    except redis.RedisError as error:
        _away(error)
        return
    _refuse(left)


def _names(username: str, address: str) -> tuple[str, str]:
    # A digest, for an address typed by anybody may be long, and need not be readable in Redis.
    who = hashlib.sha256(f"{username}\n{address}".encode()).hexdigest()
    cache = cache_for("auth")
    return cache.name(f"login_failed:{who}"), cache.name(f"login_block:{who}")


def _refuse(milliseconds: int) -> None:
    if milliseconds > 0:
        raise TooManyRequests(
            _("Too many failed logins. Try again later."),
            "login_blocked",
            retry_after=-(-milliseconds // 1000),
        )


def _away(error: redis.RedisError) -> None:
    REDIS_ERRORS.labels("auth").inc()
    log.warning("login_limit.redis_away", error=type(error).__name__)
