"""An end for waiting on a database that says nothing any more.

libpq waits for an answer as long as the kernel believes in the connection: for ever, if the server
hangs or something between swallows what is sent. A timeout of the server's own would hang with it.
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

LOOK_SECONDS = 0.5


class Patience:
    """`with patience:` around work on the database, by one thread at a time.

    What takes longer than `seconds` loses its connection, and whatever waits on that raises
    OperationalError. Connecting itself ends by its own `connect_timeout`.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._until: float | None = None
        self._wrapper: BaseDatabaseWrapper | None = None
        self._ended = threading.Event()
        self._watch: threading.Thread | None = None

    def __enter__(self) -> None:
        if self._watch is None:
            self._watch = threading.Thread(target=self._look, name="patience", daemon=True)
            self._watch.start()
        with self._lock:
            # This thread's: each has a connection of its own.
            self._wrapper = connections[DEFAULT_DB_ALIAS]
            self._until = time.monotonic() + self._seconds

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._until = None

    def close(self) -> None:
        self._ended.set()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            with self._lock:
                if self._until is not None and time.monotonic() > self._until:
                    self._hang_up()

    def _hang_up(self) -> None:
        wire = None if self._wrapper is None else self._wrapper.connection
        if wire is None:
            return  # still connecting
        log.warning("database.hung_up", seconds=self._seconds)
        with contextlib.suppress(OSError, psycopg2.Error), _socket_of(wire) as line:
            line.shutdown(socket.SHUT_RDWR)


def _socket_of(wire: "psycopg2.extensions.connection") -> socket.socket:
    return socket.socket(fileno=os.dup(wire.fileno()))
