"""Ends the wait for a database that does not answer any more.

libpq waits for an answer as long as the kernel believes in the connection: for ever, if the server
hangs or something in between swallows what is sent. A timeout of the server's own hangs with it.
"""

import contextlib
import os
import socket
import threading
import time

import psycopg2
import structlog
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

log = structlog.get_logger(__name__)

CHECK_SECONDS = 0.5


class DatabaseDeadline:
    """`with deadline:` around work on the database, by one thread at a time.

    Work that takes longer than `seconds` loses its connection, and whatever waits on that raises
    OperationalError. Connecting itself ends by its own `connect_timeout`.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._until: float | None = None
        self._wrapper: BaseDatabaseWrapper | None = None
        self._closed = threading.Event()
        self._watchdog: threading.Thread | None = None

    def __enter__(self) -> None:
        if self._watchdog is None:
            self._watchdog = threading.Thread(
                target=self._watch, name="database-deadline", daemon=True
            )
            self._watchdog.start()
        with self._lock:
            # This thread's: each has a connection of its own.
            self._wrapper = connections[DEFAULT_DB_ALIAS]
            self._until = time.monotonic() + self._seconds

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._until = None

    def close(self) -> None:
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(CHECK_SECONDS):
            with self._lock:
                if self._until is not None and time.monotonic() > self._until:
                    self._hang_up()

    def _hang_up(self) -> None:
        raw = None if self._wrapper is None else self._wrapper.connection
        if raw is None:
            return  # still connecting
        log.warning("database.hung_up", seconds=self._seconds)
        with contextlib.suppress(OSError, psycopg2.Error), _socket_of(raw) as line:
            line.shutdown(socket.SHUT_RDWR)


def _socket_of(raw: "psycopg2.extensions.connection") -> socket.socket:
    return socket.socket(fileno=os.dup(raw.fileno()))
