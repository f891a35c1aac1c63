"""The contract's Redis marks of processings that an app is done with: they save work, no more.

A mark names a processing and no run, and may outlive the database that it speaks of. So all it says
is that a look into the database is worth its query, and the database decides.
"""

import redis
from django.conf import settings

from resume_platform.caching import cache_for


def is_marked(app: str, processing_id: int) -> bool:
    """Whether the app was done with some run of it, as far as Redis remembers."""
    cache = cache_for(app)
    try:
        return cache.redis.get(cache.name(_key(processing_id))) is not None
    except redis.RedisError as error:
        cache.away(error)
        return False


def mark(app: str, processing_id: int) -> None:
    """Redis being away only costs the work that the mark would have saved."""
    cache = cache_for(app)
    try:
        # Not Cache.set: the contract's value is a bare underscore, no JSON.
        cache.redis.set(
            cache.name(_key(processing_id)), "_", ex=settings.STORAGE_TIME_PROCESSED_MESSAGES
        )
    except redis.RedisError as error:
        cache.away(error)


def _key(processing_id: int) -> str:
    return f"processed_messages:{processing_id}"
