"""A receiver of callbacks that remembers what it got, and misbehaves on request.

POST any path         recorded, answered 200
POST /status/N        recorded, answered N
POST /flaky/N/...     recorded, answered 500 the first N times that exact path is asked, then 200
POST /slow/SECONDS    recorded, answered 200 after that time
GET /received         all records as JSON, `?path=` for one path
DELETE /received      forgets them
GET /healthz          200

Run as `python -m devstack.callback_sink --port N`.
"""

import argparse
import json
import signal
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from devstack.ports import HOST


class Records:
    """What arrived, in order. Bodies are kept as text byte for byte: a signature covers them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[dict[str, Any]] = []
        self._seen: Counter[str] = Counter()

    def add(self, *, path: str, headers: dict[str, str], body: bytes) -> int:
        """Returns how often this path was posted to, this time included."""
        record = {
            "path": path,
            "headers": headers,
            "body": body.decode("utf-8", errors="surrogateescape"),
            "received_at": time.time(),
        }
        with self._lock:
            self._records.append(record)
            self._seen[path] += 1
            return self._seen[path]

    def list(self, path: str | None) -> "list[dict[str, Any]]":
        with self._lock:
            return [record for record in self._records if path in (None, record["path"])]

    def clear(self) -> None:
        with self._lock:
            self._records.clear()
            self._seen.clear()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    records = Records()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        headers = {name.lower(): value for name, value in self.headers.items()}
        times = self.records.add(path=path, headers=headers, body=body)
        match path.split("/")[1:]:
            case ["status", code, *_] if code.isdecimal():
                self._answer(int(code), {})
            case ["flaky", failures, *_] if failures.isdecimal():
                self._answer(500 if times <= int(failures) else 200, {})
            case ["slow", seconds, *_] if seconds.replace(".", "", 1).isdecimal():
                time.sleep(float(seconds))
                self._answer(200, {})
            case _:
                self._answer(200, {"status": "received"})

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/received":
            wanted = parse_qs(parts.query).get("path", [None])[0]
            self._answer(200, self.records.list(wanted))
        elif parts.path == "/healthz":
            self._answer(200, {"status": "OK"})
        else:
            self._answer(404, {"detail": "Not found."})

    def do_DELETE(self) -> None:
        self.records.clear()
        self._answer(200, {})

    def _answer(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if 300 <= status < 400:
            self.send_header("Location", "/redirected")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        print(f"{self.command} {self.path} {args[1] if len(args) > 1 else ''}", flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server = Server((HOST, arguments.port), Handler)
    except OSError as error:
        sys.exit(f"port {arguments.port}: {error.strerror}")
    print(f"listening on http://{HOST}:{arguments.port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
