"""What a scrape of the bridge asks PostgreSQL and Redis: the outbox, the inbox, the dead letters.

Cheap on purpose: every query reads an index from its beginning for at most LIMIT rows, within
STATEMENT_MS, on a connection that lives as long as the scrape.
"""

import contextlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import psycopg2
from django.conf import settings

from kafka_bridge.contract.routes import is_enabled
from kafka_bridge.dispatch.celery_wakeups import waiting_in
from kafka_bridge.tasks.registry import HANDLERS
from resume_platform.observability import metrics
from resume_platform.observability.exporter import Values, figures

LIMIT = 10_000
CONNECT_SECONDS = 2
STATEMENT_MS = 2_000
# Reasons are constant words; should they ever be many, the rest are one series.
MOST_REASONS = 40

_OUTBOX = """
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(occurred_at)), 0)
FROM (SELECT occurred_at FROM kafka_bridge_outboxmessage ORDER BY id LIMIT %(limit)s) AS first
"""

_TASKS = """
SELECT task.name,
    (SELECT count(*) FROM (SELECT 1 FROM kafka_bridge_messagetask
        WHERE state = 'pending' AND name = task.name AND next_attempt_at <= now()
        LIMIT %(limit)s) AS due),
    (SELECT count(*) FROM (SELECT 1 FROM kafka_bridge_messagetask
        WHERE state = 'pending' AND name = task.name AND next_attempt_at > now()
        LIMIT %(limit)s) AS later),
    coalesce((SELECT extract(epoch FROM clock_timestamp() - next_attempt_at)
        FROM kafka_bridge_messagetask
        WHERE state = 'pending' AND name = task.name AND next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT 1), 0)
FROM unnest(%(names)s::text[]) AS task (name)
"""

_LEASED = """
SELECT name, count(*) FROM (SELECT name FROM kafka_bridge_messagetask WHERE state = 'leased'
    LIMIT %(limit)s) AS leased
GROUP BY name
"""

_DEAD_LETTERS = """
SELECT source, reason, count(*)
FROM (SELECT source, reason, replayed_at FROM kafka_bridge_deadletter
    ORDER BY created_at DESC LIMIT %(limit)s) AS newest
WHERE replayed_at IS NULL GROUP BY source, reason ORDER BY 3 DESC
"""

_TABLES = """
SELECT relname, greatest(reltuples, 0) FROM pg_class
WHERE relkind = 'r' AND relname = ANY(%(tables)s) AND pg_table_is_visible(oid)
"""
TABLES = ("inboxmessage", "messagetask", "outboxmessage", "deadletter")


@figures("pipeline", process="bridge")
def pipeline() -> Values:
    """Raises psycopg2.Error when the database is away or slower than the bound."""
    names = sorted(name for name in HANDLERS if is_enabled(name))
    with contextlib.closing(_connect()) as db:
        [(rows, age)] = _query(db, _OUTBOX)
        tasks = _query(db, _TASKS, names=names)
        leased = dict.fromkeys(names, 0) | dict(_query(db, _LEASED))
        letters = _query(db, _DEAD_LETTERS)
        tables = _query(db, _TABLES, tables=[f"kafka_bridge_{table}" for table in TABLES])
    return {
        metrics.OUTBOX_ROWS: {(): rows},
        metrics.OUTBOX_AGE: {(): max(0.0, float(age))},
        metrics.INBOX_TASKS: {
            **{(name, "due"): due for name, due, _, _ in tasks},
            **{(name, "later"): later for name, _, later, _ in tasks},
            **{(name, "leased"): count for name, count in leased.items()},
        },
        metrics.INBOX_OLDEST_DUE: {(name,): float(age) for name, _, _, age in tasks},
        metrics.DEAD_LETTERS_OPEN: _bounded(letters),
        metrics.TABLE_ROWS: {(table,): rows for table, rows in tables},
    }


@figures("queues", process="bridge")
def queues() -> Values:
    """Raises RedisError."""
    names = {spec.queue for spec in HANDLERS.values() if is_enabled(spec.name)}
    return {metrics.QUEUE_MESSAGES: {(name,): waiting_in(name) for name in sorted(names)}}


def _bounded(letters: Sequence[tuple[str, str, int]]) -> dict[tuple[str, ...], float]:
    counts: Counter[tuple[str, ...]] = Counter()
    for place, (source, reason, count) in enumerate(letters):
        counts[source, reason if place < MOST_REASONS else "other"] += count
    return dict(counts)


def _connect() -> Any:
    # Never a pooler, which may refuse the option; see DATABASE_DIRECT_URL.
    return psycopg2.connect(
        settings.DATABASE_DIRECT_URL,
        connect_timeout=CONNECT_SECONDS,
        options=f"-c statement_timeout={STATEMENT_MS}",
    )


def _query(db: Any, sql: str, **parameters: Any) -> list[Any]:
    with db.cursor() as cursor:
        cursor.execute(sql, {"limit": LIMIT, **parameters})
        return list(cursor.fetchall())
