"""An HTTP client that costs less than what it measures, in a process of its own.

`run(...)` starts `python -m tools.bench.load`, which reads a job and writes a report, as JSON.
Requests are prepared bytes, sent over connections that are kept; a connection sends its next one
when it has the answer. Blocking sockets with a selector: some 20 microseconds a request.
"""

import json
import resource
import selectors
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from devstack.errors import StackError

TIMEOUT_SECONDS = 60.0
GRACE_SECONDS = 120.0


@dataclass(frozen=True)
class Report:
    """`bodies` are in the order of the requests, and only kept for a job without `seconds`."""

    seconds: float
    cpu_seconds: float
    started_at: float
    statuses: dict[str, int]
    latencies_ms: list[float]
    bodies: list[str]

    @property
    def answers(self) -> int:
        return len(self.latencies_ms)

    def must_all_be(self, status: int) -> "Report":
        """Raises StackError if any answer was another."""
        if set(self.statuses) != {str(status)}:
            raise StackError(f"answers by status: {self.statuses}, not all {status}.")
        return self


def request(
    method: str, path: str, *, token: str = "", body: bytes = b"", kind: str = "application/json"
) -> str:
    """A prepared request, as text of single bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Accept: application/json"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if method != "GET":
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]) + body.decode("latin-1")


def run(
    port: int, requests: Sequence[str], *, connections: int = 16, seconds: float | None = None
) -> Report:
    """Each request once; or, for `seconds`, all of them again and again."""
    job = {"port": port, "requests": requests, "connections": connections, "seconds": seconds}
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.load"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
        timeout=(seconds or len(requests)) + GRACE_SECONDS,
    )
    if done.returncode != 0:
        raise StackError(f"the load client failed: {done.stderr.strip()[-800:]}")
    return Report(**json.loads(done.stdout))


class _Connection:
    """One request at a time. An answer without a length, or a broken connection, is a failure.

    But for a kept connection that ends before the first byte of an answer: the server may have
    hung up while the request was on its way, so what may be repeated is sent once more, over a
    new one (RFC 9112, section 9.3.1).
    """

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self._port = port
        self._selector = selector
        self._socket: socket.socket | None = None
        self._received = b""
        self._to_repeat = b""
        self.number = -1
        self.sent_at = 0.0

    def send(self, number: int, data: bytes) -> None:
        self.number, self.sent_at, self._received = number, time.perf_counter(), b""
        if self._socket is None or self._is_closed():
            self._send_anew(data)
            return
        self._to_repeat = data if data.startswith(b"GET ") else b""
        with suppress(ConnectionError):  # `receive` sees it as well
            self._socket.sendall(data)

    def receive(self) -> tuple[int, bytes] | None:
        """Status and body, when they are there. Status 0: hung up without an answer."""
        assert self._socket is not None
        chunk = b""
        with suppress(ConnectionError):
            chunk = self._socket.recv(1 << 18)
        if not chunk:
            if self._to_repeat and not self._received:
                self._send_anew(self._to_repeat)
                return None
            self.close()
            return 0, b""
        self._received += chunk
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return None
        status, length, is_last = _head(head)
        if len(body) < length:
            return None
        if is_last:
            self.close()
        return status, body

    def close(self) -> None:
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def _send_anew(self, data: bytes) -> None:
        self.close()
        self._to_repeat = b""
        self._socket = socket.create_connection(("127.0.0.1", self._port), TIMEOUT_SECONDS)
        # With a timeout Python would wait in `_is_closed`; the selector bounds all waiting.
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._socket.sendall(data)

    def _is_closed(self) -> bool:
        """Whether the server hung up while nothing was asked."""
        assert self._socket is not None
        try:
            return self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


def _head(head: bytes) -> tuple[int, int, bool]:
    """Status, length of the body, and whether the server hangs up after it."""
    folded = head.lower()
    at = folded.find(b"\r\ncontent-length:")
    if at < 0:
        raise ValueError("an answer without Content-Length")
    length = int(folded[at + 17 : (folded + b"\r\n").index(b"\r\n", at + 17)])
    return int(head[9:12]), length, b"\r\nconnection: close" in folded


def _drive(job: dict[str, Any]) -> dict[str, Any]:
    requests = [text.encode("latin-1") for text in job["requests"]]
    keeps = job["seconds"] is None
    bodies: list[str] = [""] * (len(requests) if keeps else 0)
    statuses: Counter[str] = Counter()
    latencies: list[float] = []
    selector = selectors.DefaultSelector()
    started_at, began = time.time(), time.perf_counter()
    numbers = _numbers(len(requests), None if keeps else began + job["seconds"])
    waiting = 0
    for _ in range(job["connections"]):
        if (number := next(numbers, None)) is not None:
            _Connection(job["port"], selector).send(number, requests[number])
            waiting += 1
    while waiting:
        if not (events := selector.select(TIMEOUT_SECONDS)):
            raise TimeoutError(f"no answer within {TIMEOUT_SECONDS:.0f} s")
        for key, _mask in events:
            connection = key.data
            if (answer := connection.receive()) is None:
                continue
            status, body = answer
            statuses[str(status)] += 1
            latencies.append((time.perf_counter() - connection.sent_at) * 1000)
            if keeps:
                bodies[connection.number] = body.decode("latin-1")
            if (number := next(numbers, None)) is None:
                waiting -= 1
                connection.close()
            else:
                connection.send(number, requests[number])
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "started_at": started_at,
        "statuses": dict(statuses),
        "latencies_ms": latencies,
        "bodies": bodies,
    }


def _numbers(count: int, until: float | None) -> Iterator[int]:
    """Which request is next."""
    if until is None:
        yield from range(count)
        return
    number = 0
    while time.perf_counter() < until:
        yield number % count
        number += 1


if __name__ == "__main__":
    json.dump(_drive(json.load(sys.stdin)), sys.stdout)
