"""Connections to vetted addresses that end at a deadline, whatever the receiver does.

The timeouts of sockets hold for one read each: a receiver that drips a byte now and then would hold
a thread for ever. These count down to one deadline instead, through connect, TLS, headers and body,
and the first three have a bound of their own as well. The host's name stays in `Host`, SNI and the
certificate's check.
"""

import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import certifi
from urllib3.connection import HTTPConnection

CONNECT_SECONDS = 5.0
TLS_SECONDS = 5.0
MAX_HEAD = 64 * 1024


@dataclass
class Route:
    """Where one attempt may connect, and until when (`time.monotonic`)."""

    addresses: tuple[str, ...]
    deadline: float
    connected_to: str = field(default="", init=False)
    budget: int = field(default=MAX_HEAD, init=False)
    """Bytes that may still come."""

    def remaining(self, at_most: float | None = None) -> float:
        """Seconds left. Raises TimeoutError when there are none."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("deadline")
        return seconds if at_most is None else min(seconds, at_most)

    def spend(self, received: int) -> int:
        """Raises OSError when more came than may."""
        self.budget -= received
        if self.budget < 0:
            raise OSError("too much")
        return received

    def connect(self, port: int) -> "_PlainSocket":
        """Connect to the first address that takes it. Raises the last one's OSError."""
        refusal: OSError = OSError("no address")
        for address in self.addresses:
            try:
                plain = socket.create_connection(
                    (address, port), self.remaining(at_most=CONNECT_SECONDS)
                )
            except OSError as error:
                refusal = error
                continue
            self.connected_to = address
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            timed = _PlainSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
            timed.route = self
            return timed
        raise refusal


class _PlainSocket(socket.socket):
    route: Route

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        self.settimeout(self.route.remaining())
        return self.route.spend(super().recv_into(*arguments, **options))

    def sendall(self, *arguments: Any, **options: Any) -> None:
        self.settimeout(self.route.remaining())
        super().sendall(*arguments, **options)


class _TlsSocket(ssl.SSLSocket):
    # Absent during the handshake, which ends by the timeout that the plain socket had.
    route: Route | None = None

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        if self.route is None:
            return super().recv_into(*arguments, **options)
        self.settimeout(self.route.remaining())
        return self.route.spend(super().recv_into(*arguments, **options))

    def send(self, *arguments: Any, **options: Any) -> int:
        if self.route:
            self.settimeout(self.route.remaining())
        return super().send(*arguments, **options)


class CallbackConnection(HTTPConnection):
    """Connects to a route's vetted address, with a context inside TLS.

    May serve several attempts one after the other; `use` gives it to the next.
    """

    route: Route
    connected_to = ""

    def __init__(self, host: str, port: int, tls_context: ssl.SSLContext | None) -> None:
        super().__init__(host, port)
        self._tls_context = tls_context

    def use(self, route: Route) -> None:
        self.route = route
        if isinstance(self.sock, _PlainSocket | _TlsSocket):
            route.connected_to = self.connected_to
            self.sock.route = route

    def connect(self) -> None:
        plain = self.route.connect(self.port)
        self.connected_to = self.route.connected_to
        if self._tls_context is None:
            self.sock = plain
            return
        plain.settimeout(self.route.remaining(at_most=TLS_SECONDS))
        inside = self._tls_context.wrap_socket(plain, server_hostname=self.host)
        assert isinstance(inside, _TlsSocket)
        inside.route = self.route
        self.sock = inside


_loading = threading.Lock()


def default_tls_context() -> ssl.SSLContext:
    """Loading the authorities takes tens of milliseconds: once a process, by one thread."""
    with _loading:
        return _load_tls_context()


@cache
def _load_tls_context() -> ssl.SSLContext:
    """Verifies the certificate and the name in it."""
    return ssl.create_default_context(cafile=certifi.where())


def new_connection(host: str, port: int, tls_context: ssl.SSLContext | None) -> CallbackConnection:
    """It connects when it is first used."""
    if tls_context is not None:
        tls_context.sslsocket_class = _TlsSocket
    return CallbackConnection(host, port, tls_context)
