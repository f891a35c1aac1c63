"""Who owns a task row: claim, renew, finish, retry, end as dead, recover; by the database's clock.

A lease is (row, lease_token, end). Whoever writes a row's end proves the token in the same
transaction, so a worker that was given up for dead can never finish what another took over.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from kafka_bridge.tasks.registry import LeaseLost
from resume_platform.observability import metrics

MAX_CRASHES_ALONE = 3
MAX_ERROR_LENGTH = 500


@dataclass(frozen=True)
class Claimed:
    """One row this worker owns now, with the message it is about."""

    task_id: int
    message_id: int
    name: str
    attempts: int
    lease_token: uuid.UUID
    topic: str
    key: str
    value: bytes | None
    content_hash: bytes
    occurred_at: datetime
    event_id: str
    traceparent: str
    request_id: str


_CLAIM = """
WITH due AS (
    SELECT id FROM kafka_bridge_messagetask
    WHERE {which} AND next_attempt_at <= clock_timestamp()
    ORDER BY id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE kafka_bridge_messagetask AS task
SET state = 'leased', lease_token = %(token)s::uuid, leased_alone = %(alone)s,
    lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
FROM due, kafka_bridge_inboxmessage AS message
WHERE task.id = due.id AND message.id = task.message_id
RETURNING task.id, task.message_id, task.attempts, message.topic, message.key, message.value,
          message.content_hash, message.occurred_at, message.event_id, message.traceparent,
          message.request_id
"""
# By the key: with statistics from before a burst the planner takes another index for nearly empty,
# and would read all that is due, or was, to find the few. The empty words keep it from that.
_CLAIM_TOGETHER = _CLAIM.format(
    which="id = ANY(%(ids)s::bigint[]) AND name || '' = %(name)s::text"
    " AND state || '' = 'pending' AND NOT suspect"
)
_CLAIM_ALONE = _CLAIM.format(which="name = %(name)s::text AND state = 'pending' AND suspect")


def claim(*, name: str, ids: Sequence[int]) -> list[Claimed]:
    """Lease those of `ids` that are due and free, under one token, in the order of their ids."""
    return _claim(_CLAIM_TOGETHER, name=name, ids=list(ids), limit=len(ids), alone=False)


def claim_suspect(*, name: str) -> Claimed | None:
    """Lease one due row whose worker died before; the caller runs nothing suspect beside it."""
    rows = _claim(_CLAIM_ALONE, name=name, ids=[], limit=1, alone=True)
    return rows[0] if rows else None


def _claim(sql: str, *, name: str, **parameters: Any) -> list[Claimed]:
    token = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {"name": name, "token": token, "lease": settings.LEASE_SECONDS, **parameters},
        )
        rows = sorted(cursor.fetchall(), key=itemgetter(0))
    return [
        # psycopg2 hands bytea over as memoryviews on its own buffer.
        Claimed(
            task_id,
            message_id,
            name,
            attempts,
            token,
            topic,
            key,
            None if value is None else bytes(value),
            bytes(content_hash),
            *others,
        )
        for task_id, message_id, attempts, topic, key, value, content_hash, *others in rows
    ]


def mark_unwoken(ids: Sequence[int]) -> None:
    """Let the dispatcher tell of these rows as soon as there is room."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kafka_bridge_messagetask SET woken_at = NULL"
            " WHERE id = ANY(%s) AND state = 'pending'",
            [list(ids)],
        )


def renew(tokens: Sequence[uuid.UUID]) -> int:
    """Move the end of these leases; rows that are being finished just now are skipped."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH held AS (
                SELECT id FROM kafka_bridge_messagetask
                WHERE state = 'leased' AND lease_token = ANY(%s) ORDER BY id
                FOR UPDATE SKIP LOCKED
            )
            UPDATE kafka_bridge_messagetask AS task
            SET lease_expires_at = clock_timestamp() + make_interval(secs => %s)
            FROM held WHERE task.id = held.id
            """,
            [list(tokens), settings.LEASE_SECONDS],
        )
        return int(cursor.rowcount)


# By the key, as above.
_END = """
UPDATE kafka_bridge_messagetask SET {changes}, lease_token = NULL, lease_expires_at = NULL
WHERE id = ANY(%(ids)s::bigint[]) AND lease_token = %(token)s::uuid
  AND state || '' = 'leased'
"""
_DONE = "state = 'done', finished_at = clock_timestamp(), last_error = ''"
_FINISH = _END.format(changes=_DONE)
_RETRY = _END.format(
    changes="state = 'pending', woken_at = NULL, attempts = attempts + %(counted)s,"
    " last_error = %(reason)s,"
    " next_attempt_at = clock_timestamp() + make_interval(secs => %(seconds)s)"
)
_DEAD = _END.format(
    changes="state = 'dead', finished_at = clock_timestamp(), attempts = attempts + 1,"
    " last_error = %(reason)s"
)


def finish(ids: Sequence[int], token: uuid.UUID) -> None:
    """Mark rows done inside the caller's transaction. Raises LeaseLost if any is another's now."""
    _end(_FINISH, ids, token)


def retry(
    ids: Sequence[int], token: uuid.UUID, *, seconds: float, reason: str, counted: bool
) -> None:
    """Give rows back, due again in `seconds`. Raises LeaseLost."""
    _end(
        _RETRY,
        ids,
        token,
        counted=int(counted),
        seconds=seconds,
        reason=reason[:MAX_ERROR_LENGTH],
    )


def dead_letter(task_id: int, token: uuid.UUID, *, reason: str, detail: str) -> None:
    """End a row as a dead letter, inside or outside of a transaction. Raises LeaseLost."""
    with transaction.atomic():
        _end(_DEAD, [task_id], token, reason=reason[:MAX_ERROR_LENGTH])
        _insert_dead_letter(task_id, reason, detail)


def _end(sql: str, ids: Sequence[int], token: uuid.UUID, **parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"ids": list(ids), "token": token, **parameters})
        if cursor.rowcount != len(ids):
            metrics.LEASES_LOST.inc()
            raise LeaseLost(f"{len(ids) - cursor.rowcount} of {len(ids)} rows")


def _insert_dead_letter(task_id: int, reason: str, detail: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kafka_bridge_deadletter
                (source, reason, detail, topic, partition, "offset", key, value, headers,
                 occurred_at, task_id, user_id, created_at)
            SELECT 'handler', %s, %s, message.topic, message.partition, message."offset",
                   convert_to(message.key, 'UTF8'), message.value, '[]', message.occurred_at,
                   task.id, message.user_id, clock_timestamp()
            FROM kafka_bridge_messagetask AS task
            JOIN kafka_bridge_inboxmessage AS message ON message.id = task.message_id
            WHERE task.id = %s
            """,
            [reason[:100], detail[:1000], task_id],
        )
    metrics.DEAD_LETTERS.labels("handler").inc()


def recover_expired(limit: int = 1000) -> int:
    """Give back the rows whose worker fell silent; returns how many.

    A crash is no verdict: the row becomes a suspect and is claimed alone from then on. Only
    crashes while alone count, and the third makes a dead letter.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            WITH silent AS (
                SELECT id FROM kafka_bridge_messagetask
                WHERE state = 'leased' AND lease_expires_at < clock_timestamp()
                ORDER BY lease_expires_at LIMIT %s
                FOR UPDATE SKIP LOCKED
            )
            UPDATE kafka_bridge_messagetask AS task
            SET suspect = TRUE, crashes_alone = crashes_alone + leased_alone::int,
                state = CASE WHEN crashes_alone + leased_alone::int >= %s
                        THEN 'dead' ELSE 'pending' END,
                woken_at = NULL, lease_token = NULL, lease_expires_at = NULL,
                next_attempt_at = clock_timestamp(), last_error = 'crashed'
            FROM silent WHERE task.id = silent.id
            RETURNING task.id, task.state
            """,
            [limit, MAX_CRASHES_ALONE],
        )
        rows = cursor.fetchall()
        for task_id, state in rows:
            if state == "dead":
                _insert_dead_letter(
                    task_id, "crashed", "The worker died three times while it ran this alone."
                )
    metrics.LEASES_EXPIRED.inc(len(rows))
    return len(rows)
