"""Wakes what is due and recovers what its worker left: the backlog stays in PostgreSQL.

Nothing depends on a Celery message arriving. What Redis lost is told again after
WAKE_AGAIN_SECONDS; what is outstanding in Redis never exceeds WAKE_LIMIT per queue by much.
"""

import threading
import time
from typing import Any

import redis
import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from kafka_bridge import leases, wakeups
from kafka_bridge.failures import describe
from kafka_bridge.handlers import HANDLERS, HandlerSpec
from kafka_bridge.routes import is_enabled

log = structlog.get_logger(__name__)

# While messages wait in the queue, a row that was told of is most likely among them.
PATIENCE_WITH_A_BUSY_QUEUE = 12


class Dispatcher:
    """Runs until `stop` is set. Several may run at once: rows are locked with SKIP LOCKED."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._queues = redis.Redis.from_url(
            settings.CELERY_BROKER_URL, socket_timeout=2, socket_connect_timeout=1
        )
        self._recover_from = 0.0

    def run(self) -> None:
        while not self._stop.is_set():
            try:
                self.step()
            except (OperationalError, InterfaceError) as error:
                log.warning("dispatcher.database_away", error=describe(error))
                connection.close()
                # The heartbeats could not reach it either: give them time to, before recovering.
                self._recover_from = time.monotonic() + settings.LEASE_SECONDS
            self._stop.wait(settings.DISPATCH_INTERVAL_SECONDS)
        connection.close()

    def step(self) -> None:
        """One round over all handlers."""
        if time.monotonic() >= self._recover_from:
            recovered = leases.recover_expired()
            if recovered:
                log.warning("dispatcher.recovered", rows=recovered)
        for spec in HANDLERS.values():
            if is_enabled(spec.name):
                self._wake_due(spec)

    def _wake_due(self, spec: HandlerSpec) -> None:
        try:
            waiting = int(self._queues.llen(spec.queue))
        except redis.RedisError as error:
            log.warning("dispatcher.redis_away", error=type(error).__name__)
            return
        per_message = wakeups.BATCH_SIZE if spec.is_batch else 1
        room = (settings.WAKE_LIMIT - waiting) * per_message
        if room <= 0:
            return
        again = settings.WAKE_AGAIN_SECONDS * (PATIENCE_WITH_A_BUSY_QUEUE if waiting else 1)
        ids = _mark_woken(spec.name, again, limit=min(room, 5_000))
        if ids and not wakeups.wake(spec.name, ids):
            _mark_asleep(ids)


def _mark_woken(name: str, again: float, limit: int) -> list[int]:
    return _ids(
        """
        WITH due AS (
            SELECT id FROM kafka_bridge_messagetask
            WHERE name = %s AND state = 'pending' AND next_attempt_at <= clock_timestamp()
              AND (woken_at IS NULL
                   OR woken_at < clock_timestamp() - make_interval(secs => %s))
            ORDER BY next_attempt_at LIMIT %s
            FOR UPDATE SKIP LOCKED
        )
        UPDATE kafka_bridge_messagetask AS task SET woken_at = clock_timestamp()
        FROM due WHERE task.id = due.id RETURNING task.id
        """,
        [name, again, limit],
    )


def _mark_asleep(ids: list[int]) -> None:
    _ids(
        "UPDATE kafka_bridge_messagetask SET woken_at = NULL"
        " WHERE id = ANY(%s) AND state = 'pending' RETURNING id",
        [ids],
    )


def _ids(sql: str, parameters: list[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return sorted(row[0] for row in cursor.fetchall())
