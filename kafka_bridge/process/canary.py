"""Shows that a kind of workers takes its work: a canary goes the way that every wake-up goes.

Each worker sends one to its own queue when nothing waits there; whichever worker of the queue runs
it leaves a sign of life. A worker whose slots are all in use is seen to work without it. A canary
is only sent by who can take it, so they never pile up, and no database is touched.
"""

import threading
from typing import Any

import structlog
from celery import current_app, shared_task
from celery.signals import worker_ready, worker_shutting_down
from celery.worker import state
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from kafka_bridge.dispatch.celery_wakeups import waiting_in
from resume_platform.observability import exporter, liveness

log = structlog.get_logger(__name__)


# No events: Flower would show little else.
@shared_task(name="platform.canary", send_events=False)
def canary(queue: str) -> None:
    """Leave the sign of life of this queue's workers."""
    try:
        liveness.report(liveness.worker(queue))
    except RedisError as error:
        log.warning("canary.redis_away", error=type(error).__name__)


class Canaries:
    """A worker's thread; `slots` is how many tasks it runs at once."""

    def __init__(self, queues: list[str], slots: int) -> None:
        self._queues = queues
        self._slots = slots
        self._stop = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="canaries", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while True:
            for queue in self._queues:
                try:
                    self._look_at(queue)
                except (RedisError, BrokerError, OSError) as error:
                    log.warning("canary.redis_away", error=type(error).__name__)
            if self._stop.wait(liveness.REPORT_SECONDS):
                return

    def _look_at(self, queue: str) -> None:
        if len(state.reserved_requests) >= self._slots:
            liveness.report(liveness.worker(queue))
        elif waiting_in(queue) == 0:
            canary.apply_async(args=(queue,), queue=queue, retry=False)


_running: list[Canaries] = []


@worker_ready.connect
def _begin(sender: Any = None, **kwargs: Any) -> None:
    """`sender` is the worker's consumer; its queues are those of `-Q`."""
    queues = list(current_app.amqp.queues.consume_from)
    exporter.serve(*queues)
    canaries = Canaries(queues, slots=sender.controller.concurrency)
    canaries.start()
    _running.append(canaries)


@worker_shutting_down.connect
def _end(**kwargs: Any) -> None:
    for canaries in _running:
        canaries.stop()
