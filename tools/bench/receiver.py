"""A receiver of callbacks that only notes when each path was first posted to."""

import asyncio
import threading
import time
from types import TracebackType

from devstack.ports import HOST

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Receiver:
    """`with Receiver() as receiver:`, in a thread of this process, which has nothing else to do."""

    def __init__(self) -> None:
        self.arrivals: dict[str, float] = {}
        """When, by path."""
        self.repeated = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="receiver", daemon=True)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def note(self, path: str) -> None:
        if path in self.arrivals:
            self.repeated += 1
        else:
            self.arrivals[path] = time.time()

    def __enter__(self) -> "Receiver":
        self._thread.start()
        self._is_up.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Protocol(self), HOST, 0, backlog=1024)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._is_up.set()
        try:
            self._loop.run_forever()
        finally:
            server.close()
            self._loop.close()


class _Protocol(asyncio.Protocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while True:
            head, separator, rest = self._received.partition(b"\r\n\r\n")
            if not separator:
                return
            length = _length(head)
            if len(rest) < length:
                return
            self._received = rest[length:]
            self._receiver.note(head.split(b" ", 2)[1].decode())
            self._transport.write(ANSWER)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
