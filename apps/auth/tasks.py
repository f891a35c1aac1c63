"""The one background task of accounts: a cached view of a user that Redis would not let us drop."""

import redis
from celery import shared_task

from apps.auth import (
    erasure,  # noqa: F401  registers its handler
    user_cache,
)

# Beyond that the entry has died of age.
MAX_RETRIES = user_cache.CACHE_SECONDS // 60


@shared_task(
    name=user_cache.RENEWAL_TASK,
    autoretry_for=(redis.RedisError,),
    retry_backoff=1,
    retry_backoff_max=60,
    max_retries=MAX_RETRIES,
)
def renew_cached_user(user_id: int) -> None:
    """Raises redis.RedisError, which is retried."""
    user_cache.renew(user_id)
