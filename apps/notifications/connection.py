"""Connections to vetted addresses that end at a deadline, whatever the receiver does.

The timeouts of `requests` and `urllib3` hold for one read each: a receiver that drips a byte now
and then would hold a thread for ever. These sockets count down to one deadline instead, through
connect, TLS, headers and body. The host's name stays in `Host`, SNI and the certificate's check.
"""

import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import certifi
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection


@dataclass
class Route:
    """Where one attempt may connect, and until when (`time.monotonic`)."""

    addresses: tuple[str, ...]
    deadline: float
    connected_to: str = field(default="", init=False)

    def remaining(self) -> float:
        """Seconds left. Raises TimeoutError when there are none."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("deadline")
        return seconds

    def connect(self, port: int) -> "_PlainSocket":
        """Connect to the first address that takes it. Raises the last one's OSError."""
        refusal: OSError = OSError("no address")
        for address in self.addresses:
            try:
                plain = socket.create_connection((address, port), self.remaining())
            except OSError as error:
                refusal = error
                continue
            self.connected_to = address
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            timed = _PlainSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
            timed.route = self
            timed.settimeout(self.remaining())
            return timed
        raise refusal


class _PlainSocket(socket.socket):
    route: Route

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        self.settimeout(self.route.remaining())
        return super().recv_into(*arguments, **options)

    def sendall(self, *arguments: Any, **options: Any) -> None:
        self.settimeout(self.route.remaining())
        super().sendall(*arguments, **options)


class _TlsSocket(ssl.SSLSocket):
    # Absent during the handshake, which ends by the timeout that the plain socket had.
    route: Route | None = None

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        if self.route:
            self.settimeout(self.route.remaining())
        return super().recv_into(*arguments, **options)

    def send(self, *arguments: Any, **options: Any) -> int:
        if self.route:
            self.settimeout(self.route.remaining())
        return super().send(*arguments, **options)


class _Connection(HTTPConnection):
    def __init__(self, *arguments: Any, route: Route, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._route = route

    def _new_conn(self) -> socket.socket:
        return self._route.connect(self.port)


class _TlsConnection(HTTPSConnection):
    def __init__(self, *arguments: Any, route: Route, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._route = route

    def _new_conn(self) -> socket.socket:
        return self._route.connect(self.port)

    def connect(self) -> None:
        super().connect()
        if isinstance(self.sock, _TlsSocket):
            self.sock.route = self._route


_loading = threading.Lock()


def default_tls_context() -> ssl.SSLContext:
    """Loading the authorities takes tens of milliseconds: once a process, by one thread."""
    with _loading:
        return _load_tls_context()


@cache
def _load_tls_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


class RouteAdapter(HTTPAdapter):
    """A requests adapter for one attempt along one route; no retries of its own."""

    def __init__(self, route: Route, tls_context: ssl.SSLContext | None) -> None:
        if tls_context:
            tls_context.sslsocket_class = _TlsSocket
        self._route = route
        self._tls_context = tls_context
        super().__init__(max_retries=0)

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        host, _ = super().build_connection_pool_key_attributes(request, True, None)
        return host, {"ssl_context": self._tls_context} if host["scheme"] == "https" else {}

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        pool: Any = super().get_connection_with_tls_context(request, True, proxies={}, cert=None)
        connection = _TlsConnection if pool.scheme == "https" else _Connection
        pool.ConnectionCls = partial(connection, route=self._route)
        return pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"  # the context brings the authorities
