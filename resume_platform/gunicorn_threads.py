"""gunicorn's threaded worker, whose threads wait for requests themselves. See decision 0140."""

import math
import os
import select
import selectors
import time
from typing import Any

import structlog
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

log = structlog.get_logger(__name__)

# How long a new connection may be silent; one that was answered has gunicorn's `keepalive`.
FIRST_REQUEST_SECONDS = 5.0
_ONE_EVENT = select.EPOLLIN | select.EPOLLONESHOT


class SelfServingThreads(ThreadWorker):
    """gunicorn's own hands each request from its main thread to another, and its end back.

    Here the main thread accepts connections, ends those that are silent for too long, and stops the
    worker. A connection of which nothing is being answered lies in `_waiting`: whoever takes it out
    there, which is one step, owns it.
    """

    def init_process(self) -> None:
        self._epoll = select.epoll()
        self._waiting: dict[int, TConn] = {}
        self.keepalived_conns: Any = self._waiting  # gunicorn compares its length with a bound
        self._none_waits_after = math.inf
        # Is readable, for every thread, once its other end is closed.
        self._end, self._end_of_threads = os.pipe()
        self._epoll.register(self._end, select.EPOLLIN)
        super().init_process()

    def run(self) -> None:
        queue = self.method_queue
        self.poller.register(queue.fileno(), selectors.EVENT_READ, queue.run_callbacks)
        for _ in range(self.cfg.threads):
            self.tpool.submit(self._serve)
        while self.alive and self.is_parent_alive():
            self.notify()
            self.set_accept_enabled(self.nr_conns < self.worker_connections)
            self.wait_for_and_dispatch_events(timeout=1.0)
            self._end_silent()
        self.set_accept_enabled(False)
        self._finish()
        for listener in self.sockets:
            listener.close()

    def enqueue_req(self, conn: TConn) -> None:
        """A connection is new."""
        conn.data_ready = True  # at least when a thread takes it
        conn.timeout = time.monotonic() + FIRST_REQUEST_SECONDS
        fd = conn.sock.fileno()
        self._waiting[fd] = conn
        self._epoll.register(fd, _ONE_EVENT)

    def handle_quit(self, sig: int, frame: Any) -> None:
        self._end_threads()
        super().handle_quit(sig, frame)

    def handle_abort(self, sig: int, frame: Any) -> None:
        self._end_threads()
        super().handle_abort(sig, frame)

    def _finish(self) -> None:
        """A request that is on its way over a kept connection is still answered."""
        now = time.monotonic()
        self._none_waits_after = now + STOP_KEEPALIVE_LINGER
        latest = now + self.cfg.graceful_timeout
        while self.nr_conns > 0 and time.monotonic() < latest:
            self.notify()
            self.wait_for_and_dispatch_events(timeout=0.1)
            self._end_silent()
        self._end_threads()
        self.tpool.shutdown(wait=False)

    def _end_silent(self) -> None:
        now = time.monotonic()
        for fd, conn in self._waiting.copy().items():
            is_over = now >= min(conn.timeout, self._none_waits_after)
            if not is_over or self._waiting.pop(fd, None) is not conn:
                continue
            if _has_something_to_read(fd):
                self._wait(fd, conn)  # for a thread: every one is busy
                continue
            self._epoll.unregister(fd)
            conn.close()
            self.nr_conns -= 1

    def _end_threads(self) -> None:
        """Those that answer somebody end when they have done so."""
        if self._end_of_threads >= 0:
            os.close(self._end_of_threads)
            self._end_of_threads = -1

    def _serve(self) -> None:
        """A thread: takes what has something to read, answers one request, and looks again."""
        while True:
            [(fd, _)] = self._epoll.poll(maxevents=1)
            if fd == self._end:
                return
            if (conn := self._waiting.pop(fd, None)) is None:
                continue  # it was silent for too long
            try:
                if self._keeps_after_answering(conn):
                    conn.timeout = time.monotonic() + self.cfg.keepalive
                    self._wait(fd, conn)
                    continue
            except BaseException as error:  # noqa: BLE001  a SystemExit of a view too
                # gunicorn did what could be done for the request; the thread must stay.
                log.error("web.thread_failed", error=type(error).__name__)
                self._waiting.pop(fd, None)
            conn.close(graceful=True)
            self.method_queue.defer(self._forget_one)

    def _wait(self, fd: int, conn: TConn) -> None:
        self._waiting[fd] = conn
        self._epoll.modify(fd, _ONE_EVENT)

    def _keeps_after_answering(self, conn: TConn) -> bool:
        keeps = self.handle(conn)
        while keeps and conn.parser.unreader.buf.getvalue():
            keeps = self.handle(conn)  # a request that was read with the last one's body
        return bool(keeps)

    def _forget_one(self) -> None:
        self.nr_conns -= 1


def _has_something_to_read(fd: int) -> bool:
    looking = select.poll()
    looking.register(fd, select.POLLIN)
    return bool(looking.poll(0))
