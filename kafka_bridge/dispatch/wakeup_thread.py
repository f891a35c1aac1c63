"""Wake-ups from a thread of their own: a Redis that hangs must not hold up the intake."""

import queue
import threading
from collections.abc import Mapping, Sequence

import structlog
from django.db import connection

from kafka_bridge.dispatch import celery_wakeups
from resume_platform.observability.error_description import describe

log = structlog.get_logger(__name__)

# Batches that may wait to be told of; the dispatcher tells of what finds no room here.
ROOM = 100
CLOSE_SECONDS = 2.0

Tasks = Mapping[str, Sequence[int]]


class WakeupThread:
    """Starts with the first wake-up. One that finds no room is dropped: that costs seconds."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Tasks | None] = queue.Queue(ROOM)
        self._thread: threading.Thread | None = None

    def wake(self, tasks: Tasks) -> None:
        """Never waits."""
        if not tasks:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="wakeups", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(tasks)
        except queue.Full:
            log.warning("wakeups.full")

    def close(self) -> None:
        """Gives what waits a moment; a Redis that hangs does not delay the end for longer."""
        if self._thread is None:
            return
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        try:
            while (tasks := self._waiting.get()) is not None:
                for name, ids in tasks.items():
                    self._tell(name, ids)
        finally:
            connection.close()

    def _tell(self, name: str, ids: Sequence[int]) -> None:
        try:
            celery_wakeups.wake(name, ids)
        except Exception as error:  # noqa: BLE001  a thread that died would tell of nothing any more
            log.error("wakeups.failed", task=name, error=describe(error))
