"""The keys of apps in Redis, which outlive the test that made them."""

from collections.abc import Iterator
from contextlib import contextmanager

from apps.storage.reads import cache as storage_cache
from resume_platform.redis.cache import cache_for, counters_for


@contextmanager
def emptied(*apps: str) -> Iterator[None]:
    """Before and after, the cache and the counters have nothing of these apps.

    The connections are those from before: a test may have taken Redis away.
    """
    kept = [(app, of(app).redis) for app in apps for of in (cache_for, counters_for)]

    def empty() -> None:
        # What this process takes for granted in Redis.
        storage_cache._kept.clear()
        for app, redis in kept:
            if names := list(redis.scan_iter(f"{app}:*")):
                redis.delete(*names)

    empty()
    yield
    empty()
