"""A receiver of callbacks on a real socket, whose manners a test chooses."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

TLS = Path(__file__).parent / "tls"  # a self-signed certificate for receiver.test
Manner = Callable[[socket.socket], bool | None]


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


def says(status: int, body: bytes = b"", *, stays: bool = False, **headers: str) -> Manner:
    """`stays`: the connection is kept for the next request."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [] if stays else ["Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    answer = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def behave(connection: socket.socket) -> bool:
        connection.sendall(answer)
        return stays

    return behave


def sends(first: bytes, *, then: bytes = b"", every: float = 0.0) -> Manner:
    """Sends `first`, then `then` again and again until the client goes."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(first)
        while then:
            time.sleep(every)
            connection.sendall(then)

    return behave


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Receiver:
    """Answers the n-th request with the n-th manner, and the last one from then on."""

    def __init__(self, *manners: Manner, tls: bool = False) -> None:
        self.manners = list(manners) or [says(200)]
        self.requests: list[Request] = []
        self.connections = 0
        self.server_names: list[str | None] = []
        self._context: ssl.SSLContext | None = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
            self._context.sni_callback = lambda _, name, __: self.server_names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/hook?key=secret"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # `accept` would take one more otherwise
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as reader:
                while request := _read(reader):
                    self.requests.append(request)
                    turn = min(len(self.requests), len(self.manners)) - 1
                    if not self.manners[turn](connection):
                        return


def _read(reader: IO[bytes]) -> Request | None:
    line = reader.readline().decode().strip()
    if not line:
        return None
    headers = {}
    while field := reader.readline().strip():
        name, _, value = field.decode().partition(":")
        headers[name.lower()] = value.strip()
    return Request(line, headers, reader.read(int(headers.get("content-length", "0"))))
