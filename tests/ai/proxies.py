"""A proxy on a port of its own that counts who went through it: HTTP and SOCKS5."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    passed = 0


class _Handler(socketserver.BaseRequestHandler):
    server: _Proxy
    whole = b""

    def handle(self) -> None:
        first = self.request.recv(1, socket.MSG_PEEK)
        with suppress(OSError), self._socks() if first == b"\x05" else self._http() as target:
            self.server.passed += 1
            back = threading.Thread(target=_pump, args=(target, self.request), daemon=True)
            back.start()
            _pump(self.request, target, drop=self.whole)

    def _socks(self) -> socket.socket:
        self.request.recv(2 + self.request.recv(2, socket.MSG_PEEK)[1])
        self.request.sendall(b"\x05\x00")
        head = self.request.recv(5)
        if head[3] == 1:
            address = socket.inet_ntoa(head[4:] + self.request.recv(3))
        else:
            address = self.request.recv(head[4]).decode()
        port = int.from_bytes(self.request.recv(2), "big")
        self.request.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        return socket.create_connection((address, port))

    def _http(self) -> socket.socket:
        # A plain HTTP request to a proxy names the whole address in its first line.
        line = self.request.recv(65_536, socket.MSG_PEEK).partition(b"\r\n")[0]
        parts = urlsplit(line.split()[1].decode())
        self.whole = f"http://{parts.netloc}".encode()
        return socket.create_connection((parts.hostname, parts.port))


def _pump(source: socket.socket, target: socket.socket, drop: bytes = b"") -> None:
    with suppress(OSError):
        while chunk := source.recv(65_536):
            target.sendall(chunk.replace(drop, b"") if drop else chunk)


@contextmanager
def running_proxy() -> Iterator[_Proxy]:
    with _Proxy(("127.0.0.1", 0), _Handler) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join(5)
