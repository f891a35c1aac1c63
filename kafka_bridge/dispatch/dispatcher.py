"""Wakes what is due and recovers what its worker left: the backlog stays in PostgreSQL.

Nothing depends on a Celery message arriving. What Redis lost is told again after
WAKE_AGAIN_SECONDS; a queue in Redis holds about WAKE_LIMIT messages at most, and the kinds of work
that share one get equal parts of what room there is, as do the users within a kind (`due`).
"""

import threading
import time
from collections import defaultdict
from collections.abc import Sequence

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from redis.exceptions import RedisError

from kafka_bridge.contract.routes import is_enabled
from kafka_bridge.dispatch import celery_wakeups, fair_queue
from kafka_bridge.runtime.database_deadline import DatabaseDeadline
from kafka_bridge.runtime.liveness import LoopLiveness
from kafka_bridge.tasks import leases
from kafka_bridge.tasks.registry import HANDLERS
from resume_platform.observability.error_description import describe

log = structlog.get_logger(__name__)

# While messages wait in the queue, a row that was told of is most likely among them.
AGAIN_WHILE_QUEUE_IS_BUSY = 12
# The pause after a round that left rows behind, so that quick workers are not kept waiting.
HURRY_SECONDS = 0.05
RECOVER_EVERY_SECONDS = 1.0
MAX_ROWS = 5_000


class Dispatcher:
    """Runs until `stop` is set. Several may run at once: rows are locked with SKIP LOCKED."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self.liveness = LoopLiveness()
        self._recover_from = 0.0
        self._round = 0
        self._deadline = DatabaseDeadline(settings.DATABASE_ANSWER_SECONDS)

    def run(self) -> None:
        while not self._stop.is_set():
            self.liveness.mark()
            pause = settings.DISPATCH_INTERVAL_SECONDS
            try:
                with self._deadline:
                    has_more = self.step()
                if has_more:
                    pause = min(pause, HURRY_SECONDS)
            except (OperationalError, InterfaceError) as error:
                log.warning("dispatcher.database_away", error=describe(error))
                connection.close()
                # The heartbeats could not reach it either: give them time to, before recovering.
                self._recover_from = time.monotonic() + settings.LEASE_SECONDS
            self._stop.wait(pause)
        self._deadline.close()
        connection.close()

    def step(self) -> bool:
        """One round over all queues; True if some queue could not take all there is."""
        if time.monotonic() >= self._recover_from:
            self._recover_from = time.monotonic() + RECOVER_EVERY_SECONDS
            recovered = leases.recover_expired()
            if recovered:
                log.warning("dispatcher.recovered", rows=recovered)
        self._round += 1
        kinds: dict[str, list[str]] = defaultdict(list)
        for name in fair_queue.names_of([name for name in HANDLERS if is_enabled(name)]):
            kinds[HANDLERS[name].queue].append(name)
        has_more = False
        for queue, names in kinds.items():
            # Another one begins each time: where room is short, its remainder goes to the first.
            turn = self._round % len(names)
            has_more |= self._fill(queue, names[turn:] + names[:turn])
        return has_more

    def _fill(self, queue: str, names: Sequence[str]) -> bool:
        """Tell of due rows until the queue is full; True if it could not take all of them."""
        try:
            waiting = celery_wakeups.waiting_in(queue)
        except RedisError as error:
            log.warning("dispatcher.redis_away", error=type(error).__name__)
            return False
        again = settings.WAKE_AGAIN_SECONDS * (AGAIN_WHILE_QUEUE_IS_BUSY if waiting else 1)
        room = settings.WAKE_LIMIT - waiting
        if room <= 0:
            return True  # most likely: a queue fills only when there is a backlog
        has_more = False
        for place, name in enumerate(names):
            part = -(-room // (len(names) - place))
            if part <= 0:
                break
            per_message = celery_wakeups.rows_per_message(name)
            limit = min(part * per_message, MAX_ROWS)
            ids = fair_queue.take(name, again=again, limit=limit)
            if ids and not celery_wakeups.publish(name, ids):
                leases.mark_unwoken(ids)
                return False
            room -= -(-len(ids) // per_message)
            has_more |= len(ids) == limit
        return has_more
