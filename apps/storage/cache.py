"""Storage's Redis keys: the wide values of one id, each with the version it was read at.

The database decides on every request who owns a row, whether it exists and at which version it is
(one narrow lookup by an index); the cache only saves reading the texts. So a value that was set too
late, or that could not be dropped because Redis was away, is never served. Dropping it after the
commit is for memory and for privacy: a deleted text shall not linger.
"""

from collections.abc import Iterable
from typing import Any

from resume_platform.caching import cache_for

NAMESPACE = "storage"


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


def drop(names: Iterable[str]) -> None:
    cache_for(NAMESPACE).delete(*sorted(names))
