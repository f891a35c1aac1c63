"""Hundreds of receivers on loopback addresses of their own, in one thread.

`/drip` gets a header a second for ever, anything else an answer at once.
"""

import asyncio
import contextlib
import threading
import time


class Crowd:
    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}
        """The time of a path's first request."""
        self.dripping = 0
        self._started = threading.Event()
        # asyncio.run ends what still drips.
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._started.wait(10)

    def url(self, number: int, path: str) -> str:
        """A host of its own for each number."""
        return f"http://127.0.{number // 250 + 1}.{number % 250 + 1}:{self.port}{path}"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._is_over.set)
        self._thread.join(10)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_over = asyncio.Event()
        server = await asyncio.start_server(self._serve, "0.0.0.0", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._is_over.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ")[1].decode()
            self.arrived.setdefault(path, time.time())
            if path.startswith("/drip"):
                self.dripping += 1
                writer.write(b"HTTP/1.1 200 OK\r\n")
                while True:
                    writer.write(b"X-Drip: 1\r\n")
                    await writer.drain()
                    await asyncio.sleep(1)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()
