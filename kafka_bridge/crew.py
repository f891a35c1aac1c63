"""The threads of a worker that run rows side by side, however few Celery messages told of them.

A wake-up carries several ids, so that Celery's own work and the claim are shared among them. A row
is claimed when a thread is free for it and not before, so that another worker may take it. There
are many threads, for rows that wait for others; those at work are few: as many as have a database
connection.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog
from celery.signals import worker_init, worker_shutdown
from django.conf import settings
from django.db import close_old_connections

from kafka_bridge.failures import describe
from resume_platform.postgresql_pool.release import release_connection

log = structlog.get_logger(__name__)
Row = TypeVar("Row")

# Then the rest of a wake-up goes back to the queue, where an idle worker may find it.
PATIENCE_SECONDS = 1.0
# One claim for several rows, where their threads become free one shortly after another.
GATHERING_SECONDS = 0.02


class Crew:
    """At most `size` rows at once; without a size, as outside of a worker, the caller runs them.

    No more than `at_work` of them do anything but wait for others (`wait_for_others`).
    """

    def __init__(self, size: int | None = None, *, at_work: int | None = None) -> None:
        self._free = threading.Semaphore(size or 1)
        self._at_work = threading.Semaphore(at_work or size or 1)
        self._threads = ThreadPoolExecutor(size, "crew") if size else None

    def run(
        self,
        ids: Sequence[int],
        *,
        claim: Callable[[Sequence[int]], Sequence[Row]],
        work: Callable[[Row], None],
    ) -> Sequence[int]:
        """Claim as many at once as threads are free, and hand each row over to one of them.

        The ids that found no free thread in PATIENCE_SECONDS are returned, unclaimed.
        """
        if self._threads is None:
            for row in claim(ids):
                work(row)
            return []
        left = list(ids)
        while left:
            places = self._take(len(left))
            if not places:
                return left
            now, left = left[:places], left[places:]
            handed_over = 0
            try:
                for row in claim(now):
                    self._threads.submit(self._work, work, row)
                    handed_over += 1
            finally:
                for _ in range(places - handed_over):
                    self._free.release()
                    self._at_work.release()
        return left

    def finish(self) -> None:
        """Wait for the rows at work; each is bounded by its own deadline."""
        if self._threads is not None:
            self._threads.shutdown(wait=True)

    def _take(self, wanted: int) -> int:
        """At least one place if one becomes free in time, and what others do so soon after."""
        if not self._free.acquire(timeout=PATIENCE_SECONDS):
            return 0
        if not self._at_work.acquire(timeout=PATIENCE_SECONDS):
            self._free.release()
            return 0
        taken, until = 1, time.monotonic() + GATHERING_SECONDS
        while taken < wanted and self._free.acquire(timeout=max(0.0, until - time.monotonic())):
            if not self._at_work.acquire(timeout=max(0.0, until - time.monotonic())):
                self._free.release()
                break
            taken += 1
        return taken

    def _work(self, work: Callable[[Row], None], row: Row) -> None:
        _thread.stop_working = self._at_work.release
        _thread.leave_place = self._free.release
        try:
            close_old_connections()
            work(row)
            close_old_connections()
            release_connection()
        except Exception as error:  # noqa: BLE001  nobody looks at the thread's end: the lease runs out
            log.error("crew.row_left", error=describe(error))
        finally:
            _once("stop_working")
            _once("leave_place")


_thread = threading.local()


def wait_for_others() -> None:
    """To be called by a row's thread before it waits for a server of somebody else's.

    Gives back its database connection, and lets another row be claimed and work meanwhile.
    """
    release_connection()
    _once("stop_working")


def nearly_done() -> None:
    """To be called by a row's thread when nothing slow is left, of others' or of its own.

    The next row is claimed meanwhile, and waits for a thread for as long as that takes.
    """
    _once("leave_place")


def _once(name: str) -> None:
    """Each thing is given back once, however often a row says so; outside of a crew nothing is."""
    give_back, _thread.__dict__[name] = _thread.__dict__.get(name), None
    if give_back is not None:
        give_back()


_crew = Crew()


def crew() -> Crew:
    """The process's own."""
    return _crew


@worker_init.connect(weak=False)
def _hire(sender: Any, **_: Any) -> None:
    global _crew
    size = settings.WORKER_THREADS or sender.concurrency
    # Beside the rows, Celery's threads claim and the heartbeat renews.
    at_work = max(1, settings.DATABASE_POOL_SIZE - 2) if settings.DATABASE_POOL_SIZE else size
    _crew = Crew(size, at_work=at_work)


@worker_shutdown.connect(weak=False)
def _let_go(**_: Any) -> None:
    began = time.monotonic()
    _crew.finish()
    log.info("crew.finished", seconds=round(time.monotonic() - began, 1))
