"""Storage's Redis keys: the wide values of one id, each with the version it was read at.

Of a text the key is kept for neighbours alone: the row that must be asked for its owner gives the
text for less than a trip to Redis costs.

The database decides on every request who owns a row, whether it exists and at which version it is
(one narrow lookup by an index); the cache only saves reading the texts. So a value that was set too
late, or that could not be dropped because Redis was away, is never served. Dropping it after the
commit is for memory and for privacy: a deleted text shall not linger.
"""

import time
from collections.abc import Iterable
from typing import Any

from resume_platform.redis.cache import cache_for

NAMESPACE = "storage"
# How long a process takes it for granted that what it put is still there: Redis may be flushed.
KEPT_SECONDS = 60.0
_KEPT_AT_MOST = 10_000
_kept: dict[str, tuple[str, float]] = {}
"""The version this process put last under a key, and when."""


def keys(kind: str, ids: Iterable[int]) -> set[str]:
    return {f"{kind}:{id_}" for id_ in ids}


def get(kind: str, id_: int, version: str) -> Any | None:
    """The value, if it was stored at just this version."""
    entry = cache_for(NAMESPACE).get(f"{kind}:{id_}")
    if isinstance(entry, dict) and entry.get("version") == version:
        return entry.get("value")
    return None


def put(kind: str, id_: int, version: str, value: Any) -> None:
    cache_for(NAMESPACE).set(f"{kind}:{id_}", {"version": version, "value": value}, None)


def keep(kind: str, id_: int, version: str, value: Any) -> None:
    """Put what was just read, unless this process did so within the last minute."""
    name, now = f"{kind}:{id_}", time.monotonic()
    put_version, put_at = _kept.get(name, ("", -KEPT_SECONDS))
    if put_version == version and now - put_at < KEPT_SECONDS:
        return
    if len(_kept) >= _KEPT_AT_MOST:
        _kept.clear()
    _kept[name] = (version, now)
    put(kind, id_, version, value)


def drop(names: Iterable[str]) -> None:
    cache_for(NAMESPACE).delete(*sorted(names))
