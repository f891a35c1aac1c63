"""Drops what is over its days, a small batch per transaction: payloads, done rows, identities.

A dead letter keeps the bytes itself, so the payload of a message whose task is dead goes as well.
A batch skips rows that somebody holds, and what is cut off goes on at the next round.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction

from kafka_bridge.jobs.periodic import periodic
from resume_platform.observability import metrics

log = structlog.get_logger(__name__)

BATCH_SIZE = 500
# A round's end, so that one job never has the thread for hours.
MAX_BATCHES = 200

# Ended for so many days: a payload may still be wanted for a replay or a look.
_OVER = "{column} < clock_timestamp() - make_interval(secs => %(days)s * 86400)"

PAYLOADS = f"""
UPDATE kafka_bridge_inboxmessage SET value = NULL WHERE id IN (
    SELECT message.id FROM kafka_bridge_inboxmessage AS message
    WHERE message.value IS NOT NULL AND {_OVER.format(column="message.received_at")}
      AND NOT EXISTS (
          SELECT 1 FROM kafka_bridge_messagetask AS task WHERE task.message_id = message.id
          AND (task.state IN ('pending', 'leased') OR NOT {_OVER.format(column="task.finished_at")})
      )
    ORDER BY message.received_at LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
"""  # noqa: S608  built of constants alone

DONE_ROWS = f"""
WITH over AS (
    SELECT id FROM kafka_bridge_messagetask
    WHERE state = 'done' AND {_OVER.format(column="finished_at")}
    ORDER BY finished_at LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), told AS (
    UPDATE kafka_bridge_deadletter SET task_id = NULL WHERE task_id IN (SELECT id FROM over)
)
DELETE FROM kafka_bridge_messagetask WHERE id IN (SELECT id FROM over)
"""  # noqa: S608

IDENTITIES = f"""
DELETE FROM kafka_bridge_inboxmessage WHERE id IN (
    SELECT message.id FROM kafka_bridge_inboxmessage AS message
    WHERE {_OVER.format(column="message.received_at")}
      AND NOT EXISTS (
          SELECT 1 FROM kafka_bridge_messagetask AS task WHERE task.message_id = message.id
      )
    ORDER BY message.received_at LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
"""  # noqa: S608


@dataclass(frozen=True)
class Dropped:
    """How many rows a round dropped."""

    payloads: int
    done_rows: int
    identities: int


def keep_house(
    *, batch_size: int = BATCH_SIZE, progress: Callable[[str, int], None] = lambda what, rows: None
) -> Dropped:
    """One round, at most MAX_BATCHES batches of each kind; `progress` hears of every batch."""

    def drop(what: str, sql: str, days: float) -> int:
        total = 0
        for _ in range(MAX_BATCHES):
            rows = _run(sql, days=days, limit=batch_size)
            total += rows
            progress(what, rows)
            if rows < batch_size:
                break
        metrics.HOUSEKEEPING_ROWS.labels(what).inc(total)
        return total

    return Dropped(
        payloads=drop("payloads", PAYLOADS, _payload_days()),
        done_rows=drop("done_rows", DONE_ROWS, settings.KEEP_DONE_DAYS),
        identities=drop("identities", IDENTITIES, settings.KEEP_INBOX_DAYS),
    )


def _payload_days() -> float:
    """A payload is a text, so it is kept no longer than texts are."""
    return float(min(settings.KEEP_PAYLOAD_DAYS, settings.RETENTION_DAYS or float("inf")))


@periodic("bridge.housekeeping", every=settings.HOUSEKEEPING_INTERVAL_SECONDS)
def housekeeping() -> None:
    dropped = keep_house()
    if dropped != Dropped(0, 0, 0):
        log.info("housekeeping.dropped", **vars(dropped))


def _run(sql: str, **parameters: Any) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)
