"""Where texts of users are kept, told once per table, and how they go: by user or by age.

A row stays with its figures; only what `emptied` names goes. Rows are taken in small batches, each
in a transaction of its own, so nobody waits for long and what is cut off goes on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from resume_platform.caching import cache_for

BATCH_SIZE = 500


@dataclass(frozen=True)
class Copies:
    """Redis keys `<namespace>:<kind>:<id>` that repeat rows; `id` is the column that names them."""

    namespace: str
    kind: str
    id: str = "id"


@dataclass(frozen=True)
class Texts:
    """The texts of one table, in SQL; `t` is the row.

    `holds` finds rows that have text still, `emptied` sets what they are without it. `of_user`
    takes %(user)s. `unused` takes %(before)s: nobody has needed the row since; without it the
    texts have no age.
    """

    name: str
    table: str
    holds: str
    emptied: str
    of_user: str = "t.user_id = %(user)s"
    unused: str | None = None
    key: str = "id"
    copies: Copies | None = None


def count(texts: Texts, *, user_id: int) -> int:
    """How many rows hold texts of the user."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {texts.table} AS t WHERE {texts.of_user} AND ({texts.holds})",  # noqa: S608  SQL of our own
            {"user": user_id},
        )
        return int(cursor.fetchone()[0])


def empty_of_user(texts: Texts, *, user_id: int, batch_size: int = BATCH_SIZE) -> int:
    """Empty every row of the user; returns how many. Copies go also of rows emptied before.

    Raises redis.RedisError.
    """
    total, last = 0, None
    while rows := _empty(
        texts, texts.of_user, wait=True, user=user_id, last=last, limit=batch_size
    ):
        total += len(rows)
        last = max(key for key, _ in rows)
    if texts.copies:
        last = None
        while rows := _rows(texts, user_id=user_id, last=last, limit=batch_size):
            _forget(texts.copies, [copy for _, copy in rows])
            last = max(key for key, _ in rows)
    return total


def empty_unused(
    texts: Texts, *, before: datetime, batches: int, batch_size: int = BATCH_SIZE
) -> int:
    """Empty rows that nobody has needed since; at most so many batches. Raises redis.RedisError."""
    total, last = 0, None
    for _ in range(batches if texts.unused else 0):
        rows = _empty(
            texts, str(texts.unused), wait=False, before=before, last=last, limit=batch_size
        )
        if not rows:
            break
        total += len(rows)
        last = max(key for key, _ in rows)
    return total


def _empty(
    texts: Texts, which: str, *, wait: bool, last: Any, **parameters: Any
) -> list[tuple[Any, Any]]:
    copy = texts.copies.id if texts.copies else texts.key
    skip = "" if wait else "SKIP LOCKED"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {texts.table} SET {texts.emptied} WHERE {texts.key} IN (
                SELECT t.{texts.key} FROM {texts.table} AS t
                WHERE {_after(texts, last)} AND ({which}) AND ({texts.holds})
                ORDER BY t.{texts.key} LIMIT %(limit)s FOR UPDATE OF t {skip}
            ) RETURNING {texts.key}, {copy}
            """,  # noqa: S608
            {"last": last, **parameters},
        )
        rows = list(cursor.fetchall())
        if texts.copies and rows:
            # Before the commit: without Redis the rows keep their texts, and are found again.
            _forget(texts.copies, [copy for _, copy in rows])
    return rows


def _rows(texts: Texts, *, user_id: int, last: Any, limit: int) -> list[tuple[Any, Any]]:
    assert texts.copies is not None
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT t.{texts.key}, t.{texts.copies.id} FROM {texts.table} AS t
            WHERE {_after(texts, last)} AND {texts.of_user}
            ORDER BY t.{texts.key} LIMIT %(limit)s
            """,  # noqa: S608
            {"user": user_id, "last": last, "limit": limit},
        )
        return list(cursor.fetchall())


def _after(texts: Texts, last: Any) -> str:
    return "TRUE" if last is None else f"t.{texts.key} > %(last)s"


def _forget(copies: Copies, ids: Iterable[Any]) -> None:
    # Not Cache.delete, which does without Redis: a copy that stays would be a text that stays.
    cache = cache_for(copies.namespace)
    cache.redis.delete(*[cache.name(f"{copies.kind}:{id_}") for id_ in ids])
