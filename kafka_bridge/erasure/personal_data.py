"""Where users' personal data are, declared once per table, and how they go: by user or by age.

A row stays with its figures; only what `without_text` names goes. Rows are taken in small batches,
each in a transaction of its own, so nobody waits for long and what is cut off goes on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from resume_platform.redis.cache import cache_for

BATCH_SIZE = 500


@dataclass(frozen=True)
class RedisCopies:
    """Redis keys `<namespace>:<kind>:<id>` that repeat rows; `id` is the column that names them."""

    namespace: str
    kind: str
    id: str = "id"


@dataclass(frozen=True)
class PersonalData:
    """The personal data of one table, in SQL; `t` is the row.

    `has_text` finds rows that have text still, `without_text` sets what they are without it.
    `of_user` takes %(user)s. `unused` takes %(before)s: nobody has needed the row since; without it
    the data have no age.
    """

    name: str
    table: str
    has_text: str
    without_text: str
    of_user: str = "t.user_id = %(user)s"
    unused: str | None = None
    key: str = "id"
    copies: RedisCopies | None = None


def count(data: PersonalData, *, user_id: int) -> int:
    """How many rows hold texts of the user."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {data.table} AS t WHERE {data.of_user} AND ({data.has_text})",  # noqa: S608  SQL of our own
            {"user": user_id},
        )
        return int(cursor.fetchone()[0])


def empty_of_user(data: PersonalData, *, user_id: int, batch_size: int = BATCH_SIZE) -> int:
    """Empty every row of the user; returns how many. Redis copies of all its rows go.

    Raises redis.RedisError.
    """
    total, last = 0, None
    while rows := _empty(data, data.of_user, wait=True, user=user_id, last=last, limit=batch_size):
        total += len(rows)
        last = max(key for key, _ in rows)
    if data.copies:
        last = None
        while rows := _rows(data, user_id=user_id, last=last, limit=batch_size):
            _forget(data.copies, [copy for _, copy in rows])
            last = max(key for key, _ in rows)
    return total


def empty_unused(
    data: PersonalData, *, before: datetime, batches: int, batch_size: int = BATCH_SIZE
) -> int:
    """Empty rows that nobody has needed since; at most so many batches. Raises redis.RedisError."""
    total, last = 0, None
    for _ in range(batches if data.unused else 0):
        rows = _empty(
            data, str(data.unused), wait=False, before=before, last=last, limit=batch_size
        )
        if not rows:
            break
        total += len(rows)
        last = max(key for key, _ in rows)
    return total


def _empty(
    data: PersonalData, which: str, *, wait: bool, last: Any, **parameters: Any
) -> list[tuple[Any, Any]]:
    copy = data.copies.id if data.copies else data.key
    skip = "" if wait else "SKIP LOCKED"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {data.table} SET {data.without_text} WHERE {data.key} IN (
                SELECT t.{data.key} FROM {data.table} AS t
                WHERE {_after(data, last)} AND ({which}) AND ({data.has_text})
                ORDER BY t.{data.key} LIMIT %(limit)s FOR UPDATE OF t {skip}
            ) RETURNING {data.key}, {copy}
            """,  # noqa: S608
            {"last": last, **parameters},
        )
        rows = list(cursor.fetchall())
        if data.copies and rows:
            # Before the commit: without Redis the rows keep their data, and are found again.
            _forget(data.copies, [copy for _, copy in rows])
    return rows


def _rows(data: PersonalData, *, user_id: int, last: Any, limit: int) -> list[tuple[Any, Any]]:
    assert data.copies is not None
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT t.{data.key}, t.{data.copies.id} FROM {data.table} AS t
            WHERE {_after(data, last)} AND {data.of_user}
            ORDER BY t.{data.key} LIMIT %(limit)s
            """,  # noqa: S608
            {"user": user_id, "last": last, "limit": limit},
        )
        return list(cursor.fetchall())


def _after(data: PersonalData, last: Any) -> str:
    return "TRUE" if last is None else f"t.{data.key} > %(last)s"


def _forget(copies: RedisCopies, ids: Iterable[Any]) -> None:
    # Not Cache.delete, which does without Redis: a copy that stays would be a text that stays.
    cache = cache_for(copies.namespace)
    cache.redis.delete(*[cache.name(f"{copies.kind}:{id_}") for id_ in ids])
