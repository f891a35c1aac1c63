"""As much of HTTP/1.1 as clients of the API speak, in one event loop: a waiting call costs nothing.

The library's server has a thread for each connection, and reads heads with a parser of e-mail;
both cost more than the answer.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

MAX_HEAD = 65_536
MAX_BODY = 2_000_000
_REASONS = {int(status): status.phrase for status in HTTPStatus}


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    """Without the query."""
    authorization: str
    body: bytes | None
    """None where its length is not told or beyond MAX_BODY."""


class Connection(asyncio.Protocol):
    """One request after the other; `handle` is called for each and ends it, now or later.

    It ends by `answer`, `reset` or `close`; `on_lost` may be set to hear of a client that left
    before that. `everyone` holds the connections that are open.
    """

    def __init__(
        self, handle: Callable[["Connection", Request], None], everyone: set["Connection"]
    ) -> None:
        self._handle = handle
        self._everyone = everyone
        self._received = b""
        self._is_busy = False
        self._is_last = False
        self._transport: asyncio.Transport
        self.on_lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._everyone.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._everyone.discard(self)
        on_lost, self.on_lost = self.on_lost, None
        if on_lost is not None:
            on_lost()

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        self._next()

    def answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Head and body in one write: two would meet delayed acknowledgements, 40 ms a call."""
        head = f"HTTP/1.1 {status} {_REASONS.get(status, '')}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        if self._is_last:
            head += "Connection: close\r\n"
        self.on_lost = None
        self._transport.write(head.encode("latin-1") + b"\r\n" + body)
        if self._is_last:
            self._transport.close()
            return
        self._is_busy = False
        if self._received:
            self._next()

    def write(self, data: bytes) -> None:
        """A part of an answer that will never be whole."""
        self._transport.write(data)

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def reset(self) -> None:
        """Linger 0 sends RST instead of an orderly end."""
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._transport.abort()

    def _next(self) -> None:
        if self._is_busy or self._is_last:
            return
        head, separator, rest = self._received.partition(b"\r\n\r\n")
        if not separator:
            if len(head) > MAX_HEAD:
                self._transport.abort()
            return
        small = head.lower() + b"\r\n"
        method, _, target = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        path, _, version = target.rpartition(" ")
        length = _header(small, small, b"content-length")
        wanted = int(length) if length.isdigit() else None
        if method == "GET":
            wanted = wanted or 0
        is_too_long = wanted is None or wanted > MAX_BODY
        if not is_too_long and wanted is not None and len(rest) < wanted:
            if b"\r\nexpect: 100-continue" in small and not rest:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return
        self._is_busy = True
        asks_to_close = "close" in _header(small, small, b"connection")
        self._is_last = is_too_long or asks_to_close or version != "HTTP/1.1"
        body = None if is_too_long else rest[:wanted]
        self._received = b"" if is_too_long else rest[wanted:]
        self._handle(
            self,
            Request(
                method=method,
                path=path.partition("?")[0],
                authorization=_header(head + b"\r\n", small, b"authorization"),
                body=body,
            ),
        )


def _header(head: bytes, small: bytes, name: bytes) -> str:
    """Of a head, given as it is and in small letters; "" where it is missing."""
    at = small.find(b"\r\n" + name + b":")
    if at < 0:
        return ""
    start = at + len(name) + 3
    return head[start : small.index(b"\r\n", start)].decode("latin-1").strip()
