"""Redis marks of what was delivered: a hint that saves work, never a decision.

A mark names a processing and no run, and may outlive the database it speaks of; so all it does is
let a copy be ended by one plain read instead of a claim.
"""

import redis
import structlog
from django.conf import settings

from resume_platform.caching import cache_for

log = structlog.get_logger(__name__)
NAMESPACE = "notifications"


def is_marked(processing_id: int) -> bool:
    """Whether some run of the processing was delivered, as far as Redis remembers."""
    cache = cache_for(NAMESPACE)
    try:
        return cache.redis.get(cache.name(_key(processing_id))) is not None
    except redis.RedisError:
        return False


def mark(processing_id: int) -> None:
    cache = cache_for(NAMESPACE)
    try:
        # Not Cache.set: the contract's value is a bare underscore, not JSON.
        cache.redis.set(
            cache.name(_key(processing_id)), "_", ex=settings.STORAGE_TIME_PROCESSED_MESSAGES
        )
    except redis.RedisError as error:
        log.warning("callback.not_marked", error=type(error).__name__)


def _key(processing_id: int) -> str:
    return f"processed_messages:{processing_id}"
