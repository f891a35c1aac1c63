"""A proxy on a port of its own that counts who went through it: HTTP, HTTPS and SOCKS5."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

CERTIFICATE = Path(__file__).parent / "tls" / "cert.pem"  # self-signed, for 127.0.0.1
_KEY = CERTIFICATE.with_name("key.pem")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    is_tls = False
    passed = 0
    target: tuple[str, int] = ("", 0)

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        # In the connection's own thread, where a handshake may take its time.
        if self.is_tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE, _KEY)
            request = context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)


class _Proxy(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        with suppress(OSError):
            first = self.request.recv(1)
            self._socks() if first == b"\x05" else self._http(first)

    def _socks(self) -> None:
        self._exactly(self._exactly(1)[0])
        self.request.sendall(b"\x05\x00")
        kind = self._exactly(4)[3]
        if kind == 1:
            host = socket.inet_ntoa(self._exactly(4))
        else:
            host = self._exactly(self._exactly(1)[0]).decode()
        port = int.from_bytes(self._exactly(2), "big")
        self.request.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        self._pass_on(host, port)

    def _http(self, head: bytes) -> None:
        while b"\r\n\r\n" not in head:
            head += self._exactly(1)
        method, address, _ = head.split(b"\r\n")[0].decode().split()
        if method == "CONNECT":
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            host, port = address.split(":")
            self._pass_on(host, int(port))
        else:
            # A plain HTTP request to a proxy names the whole address in its first line.
            parts = urlsplit(address)
            whole = f"http://{parts.netloc}".encode()
            self._pass_on(parts.hostname or "", parts.port or 80, head, drop=whole)

    def _pass_on(self, host: str, port: int, head: bytes = b"", drop: bytes = b"") -> None:
        self.server.passed += 1
        _join(self.request, (host, port), head.replace(drop, b""), drop)

    def _exactly(self, number: int) -> bytes:
        found = b""
        while len(found) < number:
            piece = self.request.recv(number - len(found))
            if not piece:
                raise ConnectionResetError
            found += piece
        return found


class _Front(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        with suppress(OSError):
            _join(self.request, self.server.target)


def _join(
    client: socket.socket, address: tuple[str, int], head: bytes = b"", drop: bytes = b""
) -> None:
    with socket.create_connection(address) as target:
        target.sendall(head)
        threading.Thread(target=_pump, args=(target, client), daemon=True).start()
        _pump(client, target, drop)


def _pump(source: socket.socket, target: socket.socket, drop: bytes = b"") -> None:
    with suppress(OSError):
        while chunk := source.recv(65_536):
            target.sendall(chunk.replace(drop, b"") if drop else chunk)


@contextmanager
def running_proxy(*, is_tls: bool = False) -> Iterator[_Server]:
    with _running(_Proxy) as proxy:
        proxy.is_tls = is_tls
        yield proxy


@contextmanager
def running_tls_front(url: str) -> Iterator[str]:
    """What answers at this plain URL, by TLS at the one that this yields."""
    parts = urlsplit(url)
    with _running(_Front) as front:
        front.is_tls, front.target = True, (parts.hostname or "", parts.port or 80)
        yield f"https://127.0.0.1:{front.server_address[1]}{parts.path}"


@contextmanager
def _running(handler: type[socketserver.BaseRequestHandler]) -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)
