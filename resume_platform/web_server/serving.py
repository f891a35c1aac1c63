"""One process of the web server: waitress, which gives whole requests to its threads.

Slow clients cost a connection each, no thread. Heads, bodies and connections are bounded here;
what a body may hold is bounded by route, in `resume_platform.http`.
"""

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import connection
from types import FrameType
from typing import Any

import waitress
from django.conf import settings

WSGIApplication = Callable[..., Any]

HEAD_BYTES = 16_384
# Above a file of the largest size: what is a little too large is still answered in JSON.
MARGIN_BYTES = 10_000_000
CONNECTIONS = 1_000
SILENT_SECONDS = 20
STOP_SECONDS = 20.0
# The last answers leave by the main thread's loop.
FLUSH_SECONDS = 0.2


def serve(application: WSGIApplication, listener: socket.socket, threads: int) -> None:
    """Serve until SIGTERM or until the parent is gone; then finish what was begun."""
    in_progress = InProgress(application)
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if not stopping.is_set():
            stopping.set()
            threading.Thread(target=_exit_when_idle, args=(in_progress,), daemon=True).start()

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells
    signal.signal(signal.SIGUSR1, leave)
    threading.Thread(target=_watch_parent, daemon=True).start()
    server = waitress.create_server(
        in_progress,
        sockets=[listener],
        threads=threads,
        ident=None,
        # `X-Forwarded-…` is judged by TRUSTED_PROXIES in our own middleware.
        clear_untrusted_proxy_headers=False,
        max_request_header_size=HEAD_BYTES,
        max_request_body_size=settings.MAX_FILE_BYTES + MARGIN_BYTES,
        connection_limit=CONNECTIONS,
        channel_timeout=SILENT_SECONDS,
        cleanup_interval=5,
        asyncore_use_poll=True,
        expose_tracebacks=False,
    )
    server.run()


class InProgress:
    """A WSGI application that counts the requests that it is answering.

    Without a Host, which HTTP/1.1 demands (RFC 9112, 3.2), it answers 400.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._lock = threading.Lock()
        self.count = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        with self._lock:
            self.count += 1
        response: Any = ()
        try:
            if environ["SERVER_PROTOCOL"] == "HTTP/1.1" and "HTTP_HOST" not in environ:
                start_response("400 Bad Request", [("Content-Type", "text/plain")])
                yield b"Host is missing"
                return
            response = self._application(environ, start_response)
            yield from response
        finally:
            with self._lock:
                self.count -= 1
            if hasattr(response, "close"):
                response.close()


def _exit_when_idle(in_progress: InProgress) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while in_progress.count and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(FLUSH_SECONDS)
    os.kill(os.getpid(), signal.SIGUSR1)


def _watch_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
