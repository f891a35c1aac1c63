"""Which due rows Celery is told of next.

Rows that run one by one take turns between users: a user's thousandth comes after everybody else's
first, also where the workers' threads are what is short. Batches take hundreds at a time, so there
the oldest come first.
"""

from collections.abc import Sequence

from django.conf import settings
from django.db import connection

from kafka_bridge.tasks.registry import HANDLERS

# Users take turns among so many of the oldest rows: a look at all of a huge backlog costs too much.
WINDOW = 2_000

_UNTOLD = """
    next_attempt_at <= clock_timestamp()
    AND (woken_at IS NULL OR woken_at < clock_timestamp() - make_interval(secs => %(again)s))
"""

# What was chosen is locked by its key, as rows are claimed (`leases`).
_TAKE = f"""
WITH oldest AS (
    SELECT id, message_id, next_attempt_at FROM kafka_bridge_messagetask
    WHERE name = %(name)s AND state = 'pending' AND {_UNTOLD}
    ORDER BY next_attempt_at LIMIT %(window)s
), placed AS (
    {{placed}}
), chosen AS (
    SELECT id, turn, next_attempt_at FROM placed ORDER BY turn, next_attempt_at LIMIT %(limit)s
), locked AS (
    SELECT id FROM kafka_bridge_messagetask
    WHERE id = ANY(ARRAY(SELECT id FROM chosen))
      AND name || '' = %(name)s AND state || '' = 'pending' AND {_UNTOLD}
    FOR UPDATE SKIP LOCKED
), told AS (
    UPDATE kafka_bridge_messagetask AS task SET woken_at = clock_timestamp()
    FROM locked WHERE task.id = locked.id RETURNING task.id
)
SELECT id FROM told JOIN chosen USING (id) ORDER BY turn, next_attempt_at
"""  # noqa: S608  built of constants alone

# The user by a subquery: for a join the planner may read the whole inbox.
_IN_TURNS = _TAKE.format(
    placed="""
    SELECT id, next_attempt_at,
           row_number() OVER (PARTITION BY user_id ORDER BY next_attempt_at) AS turn
    FROM (
        SELECT oldest.id, next_attempt_at, (
            SELECT user_id FROM kafka_bridge_inboxmessage AS message WHERE message.id = message_id
        ) FROM oldest
    ) AS owned
"""
)
_OLDEST = _TAKE.format(placed="SELECT id, next_attempt_at, 1 AS turn FROM oldest")

_NAMES = """
SELECT name FROM unnest(%(names)s::text[]) AS wanted(name) WHERE EXISTS (
    SELECT 1 FROM kafka_bridge_messagetask AS task
    WHERE task.name = wanted.name AND state = 'pending'
      AND next_attempt_at <= clock_timestamp()
      AND (woken_at IS NULL
           OR woken_at < clock_timestamp() - make_interval(secs => %(again)s)))
"""


def names_of(names: Sequence[str]) -> list[str]:
    """Those that have a row to tell of; one look for all, for most rounds find nothing to do."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, {"names": list(names), "again": settings.WAKE_AGAIN_SECONDS})
        return [name for (name,) in cursor.fetchall()]


def take(name: str, *, again: float, limit: int) -> list[int]:
    """Mark up to so many rows of one handler as told, in the order in which they shall be done.

    What was told of `again` seconds ago counts as untold.
    """
    is_batch = HANDLERS[name].is_batch
    with connection.cursor() as cursor:
        cursor.execute(
            _OLDEST if is_batch else _IN_TURNS,
            {
                "name": name,
                "again": again,
                "limit": limit,
                "window": limit if is_batch else max(limit, WINDOW),
            },
        )
        return [row[0] for row in cursor.fetchall()]
