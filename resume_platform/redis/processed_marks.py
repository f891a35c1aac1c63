"""The contract's Redis marks of processings that an app is done with.

They are written for neighbours. We never read them: a mark names a processing and no run, and may
outlive the database that it speaks of.
"""

import redis
from django.conf import settings

from resume_platform.redis.cache import cache_for


def mark(app: str, processing_id: int) -> None:
    """Redis being away costs nothing but the mark."""
    cache = cache_for(app)
    try:
        # Not Cache.set: the contract's value is a bare underscore, no JSON.
        cache.redis.set(
            cache.name(f"processed_messages:{processing_id}"),
            "_",
            ex=settings.STORAGE_TIME_PROCESSED_MESSAGES,
        )
    except redis.RedisError as error:
        cache.away(error)
