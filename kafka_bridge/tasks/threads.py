"""The thread pool in which a worker runs its rows side by side.

A wake-up carries several ids, so that Celery's own work and the claim are shared among them. A row
is claimed when a thread is free for it and not before, so that another worker may take it.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from typing import Any, TypeVar

import structlog
from celery.signals import worker_init, worker_shutdown
from django.conf import settings
from django.db import close_old_connections

from resume_platform.observability.error_description import describe
from resume_platform.postgresql_pool.release import release_connection

log = structlog.get_logger(__name__)
Row = TypeVar("Row")

# Then the rest of a wake-up goes back, and the dispatcher tells an idle worker of it.
WAIT_SECONDS = 1.0


class RowThreads:
    """At most `size` rows at once; without a size, as outside of a worker, the caller runs them."""

    def __init__(self, size: int | None = None) -> None:
        self._free = Semaphore(size or 1)
        self._executor = ThreadPoolExecutor(size, "row") if size else None

    def run(
        self,
        ids: Sequence[int],
        *,
        claim: Callable[[Sequence[int]], Sequence[Row]],
        work: Callable[[Row], None],
    ) -> Sequence[int]:
        """Claim as many rows at once as threads are free, and run each in one of them.

        Returns the ids that found no free thread in WAIT_SECONDS, unclaimed.
        """
        if self._executor is None:
            for row in claim(ids):
                work(row)
            return []
        left = list(ids)
        while left and (free := self._take_free(len(left))):
            rows: Sequence[Row] = ()
            try:
                rows = claim(left[:free])
            finally:
                for _ in range(free - len(rows)):
                    self._free.release()
            for row in rows:
                self._executor.submit(self._run, work, row)
            left = left[free:]
        return left

    def finish(self) -> None:
        """Wait for the rows that run; each is bounded by its own deadline."""
        if self._executor is not None:
            self._executor.shutdown(wait=True)

    def _take_free(self, most: int) -> int:
        if not self._free.acquire(timeout=WAIT_SECONDS):
            return 0
        taken = 1
        while taken < most and self._free.acquire(blocking=False):
            taken += 1
        return taken

    def _run(self, work: Callable[[Row], None], row: Row) -> None:
        try:
            close_old_connections()
            work(row)
        except Exception as error:  # noqa: BLE001  nobody looks at the thread's end: the lease runs out
            log.error("worker.row_left", error=describe(error))
        finally:
            release_connection()
            self._free.release()


_threads = RowThreads()


def row_threads() -> RowThreads:
    """The process's own."""
    return _threads


@worker_init.connect(weak=False)
def _start(sender: Any, **_: Any) -> None:
    global _threads
    _threads = RowThreads(settings.WORKER_THREADS or sender.concurrency)


@worker_shutdown.connect(weak=False)
def _finish(**_: Any) -> None:
    began = time.monotonic()
    _threads.finish()
    log.info("worker.rows_finished", seconds=round(time.monotonic() - began, 1))
