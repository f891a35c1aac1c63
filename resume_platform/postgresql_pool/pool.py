"""At most so many connections for all threads of a process; who comes later waits for one.

psycopg2's own pool raises when it is exhausted, and Django's needs psycopg 3.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from resume_platform.postgresql_pool.alive import is_alive

WAIT_SECONDS = 30.0


class Pool:
    def __init__(self, size: int, wait_seconds: float = WAIT_SECONDS) -> None:
        self._slots = threading.BoundedSemaphore(size)
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Any]] = []

    def take(self, connect: Callable[[], Any]) -> Any:
        """An idle connection that works, or a new one.

        Raises psycopg2.OperationalError when none became free in time.
        """
        if not self._slots.acquire(timeout=self._wait_seconds):
            raise psycopg2.OperationalError("every connection of the pool is in use")
        try:
            while (connection := self._newest()) is not None:
                if _works(connection):
                    return connection
                connection.close()
            return connect()
        except BaseException:
            self._slots.release()
            raise

    def give_back(self, connection: Any, *, is_good: bool) -> None:
        try:
            if is_good and not connection.closed and _is_idle(connection):
                with self._lock:
                    self._idle.append((time.monotonic(), connection))
            else:
                connection.close()
        finally:
            self._slots.release()

    def close_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    def forget(self) -> None:
        """After a fork: the connections are the parent's."""
        self._idle = []

    def _newest(self) -> Any | None:
        with self._lock:
            if not self._idle:
                return None
            since, connection = self._idle.pop()
        return connection if is_alive(connection, idle_since=since) else self._newest()


def _is_idle(connection: Any) -> bool:
    return connection.info.transaction_status == TRANSACTION_STATUS_IDLE


def _works(connection: Any) -> bool:
    return not connection.closed and _is_idle(connection)
