"""Keeps the web server's processes alive, and ends them when it is told to."""

import multiprocessing
import signal
import socket
import time
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

import structlog

from resume_platform.web_server.serving import STOP_SECONDS, serve

log = structlog.get_logger(__name__)

BACKLOG = 1024
LOOK_SECONDS = 0.2
# Between two starts of a process that dies at once.
RESTART_SECONDS = 1.0


def serve_in_processes(application: Any, *, bind: str, processes: int, threads: int) -> int:
    """Serve until SIGTERM or SIGINT; returns 0. What a process has begun it finishes first.

    A process that dies is replaced. Raises OSError where `bind` cannot be listened on.
    """
    stop: list[int] = []

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    with _listener(bind) as listener:
        running = [_start(application, listener, threads) for _ in range(processes)]
        log.info("web.started", bind=bind, processes=processes, threads=threads)
        while not stop:
            for sentinel in connection.wait([one.sentinel for one in running], LOOK_SECONDS):
                [dead] = [one for one in running if one.sentinel == sentinel]
                running.remove(dead)
                _forget(dead)
                if not stop:
                    log.error("web.process_died", pid=dead.pid, exit_code=dead.exitcode)
                    time.sleep(RESTART_SECONDS)
                    running.append(_start(application, listener, threads))
    _end(running)
    log.info("web.stopped")
    return 0


def _listener(bind: str) -> socket.socket:
    host, _, port = bind.rpartition(":")
    return socket.create_server(
        (host.strip("[]"), int(port)),
        family=socket.AF_INET6 if ":" in host else socket.AF_INET,
        backlog=BACKLOG,
    )


def _start(application: Any, listener: socket.socket, threads: int) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(
        target=serve, args=(application, listener, threads)
    )
    process.start()
    return process


def _end(running: list[BaseProcess]) -> None:
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS + 2
    for process in running:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.exitcode is None:
            process.kill()
            process.join()
        _forget(process)


def _forget(process: BaseProcess) -> None:
    """Forget what a process had in progress; what it counted stays."""
    from prometheus_client.multiprocess import mark_process_dead  # after its directory is known

    process.join()
    mark_process_dead(process.pid)
