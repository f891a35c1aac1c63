"""How the web server treats connections: slow ones hold up nobody, what was begun is finished."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from devstack.paths import ROOT
from devstack.ports import HOST, free_port
from devstack.readiness import http_answers
from tests.stack.resume_platform.http.live import Server

REQUEST = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
LOGIN = (
    b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\n\r\n{}"
)
# Answers /slow once the file that it names is there.
SLOW = """
import os, time
def application(environ, start_response):
    while environ["PATH_INFO"] == "/slow" and not os.path.exists({path!r}):
        open({path!r} + ".began", "w").close()
        time.sleep(0.01)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


def connected(base: str) -> socket.socket:
    host, port = urlsplit(base).netloc.split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def answer(connection: socket.socket) -> bytes:
    """The next answer on a connection; b"" once it is closed."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (piece := connection.recv(1)):
            return b""
        received += piece
    head = received.lower()
    length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    while length:
        piece = connection.recv(length)
        received += piece
        length -= len(piece)
    return received


@contextmanager
def serving(directory: Path, *options: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """One process with one thread: the slow application's address and its process."""
    (directory / "slow_application.py").write_text(SLOW.format(path=str(directory / "go")))
    base = f"http://{HOST}:{free_port()}"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "resume_platform.web_server"),
            *("--application", "slow_application.application", "--bind", urlsplit(base).netloc),
            *("--processes", "1", "--threads", "1", *options),
        ],
        cwd=ROOT,
        env={**os.environ, "LOG_DIR": "", "PYTHONPATH": str(directory)},
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while not http_answers(f"{base}/"):
            assert time.monotonic() < deadline, "it does not answer"
            time.sleep(0.05)
        yield base, process
    finally:
        process.kill()
        process.wait()


def test_a_connection_is_kept_and_more_of_them_than_threads(server: Server) -> None:
    connections = [connected(server.base) for _ in range(40)]
    for _round in range(3):
        for connection in connections:
            connection.sendall(REQUEST)
        assert all(answer(it).startswith(b"HTTP/1.1 200") for it in connections)
    for connection in connections:
        connection.close()


def test_requests_that_are_sent_at_once_are_answered_in_order(server: Server) -> None:
    with connected(server.base) as connection:
        connection.sendall(LOGIN + REQUEST + LOGIN)
        statuses = [answer(connection).split()[1] for _ in range(3)]
    assert statuses == [b"422", b"200", b"422"]


def trickle(base: str, beginning: bytes, stop: threading.Event) -> None:
    """A client that sends a byte now and then, and never all of its request."""
    with contextlib.suppress(OSError), connected(base) as connection:
        connection.sendall(beginning)
        while not stop.wait(0.2):
            connection.sendall(b"x")


@pytest.mark.parametrize("part", ["head", "body"])
def test_forty_clients_that_trickle_hold_up_nobody(tmp_path: Path, part: str) -> None:
    beginning = {
        "head": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        "body": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n",
    }[part]
    stop = threading.Event()
    with serving(tmp_path) as (base, _process):
        slow = [
            threading.Thread(target=trickle, args=(base, beginning, stop), daemon=True)
            for _ in range(40)
        ]
        for thread in slow:
            thread.start()
        for _ in range(5):
            with connected(base) as connection:
                began = time.monotonic()
                connection.sendall(REQUEST)
                assert answer(connection).endswith(b"ok")
                assert time.monotonic() - began < 2
        stop.set()
        for thread in slow:
            thread.join(10)


def test_a_request_waits_for_a_thread_however_long_that_takes(tmp_path: Path) -> None:
    with serving(tmp_path) as (base, _process):
        busy, new = connected(base), connected(base)
        busy.sendall(REQUEST.replace(b"/health/live", b"/slow"))
        while not (tmp_path / "go.began").exists():
            time.sleep(0.01)
        new.sendall(REQUEST)
        (tmp_path / "go").touch()
        assert [answer(it)[:12] for it in (busy, new)] == [b"HTTP/1.1 200"] * 2


def test_a_process_that_dies_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path) as (base, process):
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        [first] = children.read_text().split()
        os.kill(int(first), signal.SIGKILL)
        deadline = time.monotonic() + 20
        while children.read_text().split() in ([], [first]) or not http_answers(f"{base}/"):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_the_processes_end_with_their_parent(tmp_path: Path) -> None:
    with serving(tmp_path) as (base, process):
        process.kill()
        process.wait()
        deadline = time.monotonic() + 20
        while http_answers(f"{base}/"):
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_what_was_begun_is_finished_when_the_server_ends(
    tmp_path: Path, ending: signal.Signals
) -> None:
    with serving(tmp_path) as (base, process), connected(base) as connection:
        connection.sendall(REQUEST.replace(b"/health/live", b"/slow"))
        while not (tmp_path / "go.began").exists():
            time.sleep(0.01)
        process.send_signal(ending)
        (tmp_path / "go").touch()
        assert answer(connection).endswith(b"ok")
        assert process.wait(30) == 0


def test_an_idle_server_ends_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as (_base, process):
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
