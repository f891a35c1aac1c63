"""Whether a connection that lay idle still leads to its server."""

import select
import time
from typing import Any

import psycopg2

# A server that hangs up is seen at once. One that is gone without a word is not, so what lay idle
# for longer than this is asked.
TRUSTED_SECONDS = 10.0


def is_alive(connection: Any, *, idle_since: float) -> bool:
    """A look at the socket; a round trip only after some time, or where there is something to read.

    Of an idle connection that is an end, or a last word before one. `idle_since` is `monotonic`.
    """
    if connection.closed:
        return False
    if time.monotonic() - idle_since < TRUSTED_SECONDS and not _has_news(connection):
        return True
    return _answers(connection)


def _has_news(connection: Any) -> bool:
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN)
    return bool(socket.poll(0))


def _answers(connection: Any) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not connection.autocommit:
            connection.rollback()
    except psycopg2.Error:
        connection.close()
        return False
    return True
