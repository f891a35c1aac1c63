"""How the web server treats connections: it keeps, ends and finishes them; see decision 0140."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from devstack.paths import ROOT
from devstack.ports import HOST, free_port
from devstack.readiness import http_answers
from tests.api.live import Server

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
    """One worker with one thread: the slow application's address and its process."""
    (directory / "slow_application.py").write_text(SLOW.format(path=str(directory / "go")))
    base = f"http://{HOST}:{free_port()}"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "slow_application", "--no-control-socket"),
            *("--pythonpath", str(directory), "--bind", urlsplit(base).netloc),
            *("--workers", "1", "--threads", "1", *options),
        ],
        cwd=ROOT,
        env={**os.environ, "LOG_DIR": ""},
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


def test_a_silent_connection_is_ended_and_holds_up_nobody(tmp_path: Path) -> None:
    with serving(tmp_path) as (base, _process):
        silent = [connected(base) for _ in range(5)]
        with connected(base) as kept:
            kept.sendall(REQUEST)
            assert answer(kept).startswith(b"HTTP/1.1 200")
            assert kept.recv(1) == b""
        assert [it.recv(1) for it in silent] == [b""] * 5


def test_a_request_waits_for_a_thread_however_long_that_takes(tmp_path: Path) -> None:
    with serving(tmp_path, "--keep-alive", "1") as (base, _process):
        kept, silent = connected(base), connected(base)
        for connection in (kept, silent):
            connection.sendall(REQUEST)
            assert b"keep-alive" in answer(connection).lower()
        busy, new = connected(base), connected(base)
        busy.sendall(REQUEST.replace(b"/health/live", b"/slow"))
        while not (tmp_path / "go.began").exists():
            time.sleep(0.01)
        for connection in (kept, new):
            connection.sendall(REQUEST)
        assert silent.recv(1) == b""  # so the other's time is over, too
        (tmp_path / "go").touch()
        assert [answer(it)[:12] for it in (busy, kept, new)] == [b"HTTP/1.1 200"] * 3


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


def test_a_request_over_a_kept_connection_is_answered_while_the_server_ends(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, "--keep-alive", "30") as (base, process), connected(base) as kept:
        kept.sendall(REQUEST)
        assert b"keep-alive" in answer(kept).lower()
        process.send_signal(signal.SIGTERM)
        while http_answers(f"{base}/"):
            time.sleep(0.01)
        kept.sendall(REQUEST)
        assert b"connection: close" in answer(kept).lower()
        assert kept.recv(1) == b""
        assert process.wait(30) == 0
