"""Wake-ups from a thread of their own: a Redis that hangs must not hold up the intake."""

import queue
import threading
from collections.abc import Mapping, Sequence

import structlog

from kafka_bridge import wakeups

log = structlog.get_logger(__name__)

# Batches that may wait to be told of; the dispatcher tells of what finds no room here.
ROOM = 100
CLOSE_SECONDS = 2.0

Tasks = Mapping[str, Sequence[int]]


class Waker:
    """Starts with the first wake-up. What it cannot tell is dropped: losing one costs seconds."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Tasks | None] = queue.Queue(ROOM)
        self._thread: threading.Thread | None = None

    def wake(self, tasks: Tasks) -> None:
        """Never waits."""
        if not tasks:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(tasks)
        except queue.Full:
            log.warning("waker.full")

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
        while (tasks := self._waiting.get()) is not None:
            # All names share one broker: after one failure the others would only wait as long.
            if not all(wakeups.wake(name, ids) for name, ids in tasks.items()):
                self._drop_all()

    def _drop_all(self) -> None:
        """What piled up meanwhile is left to the dispatcher, so that we do not lag behind it."""
        try:
            while True:
                if self._waiting.get_nowait() is None:
                    self._waiting.put_nowait(None)
                    return
        except queue.Empty:
            return
