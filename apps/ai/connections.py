"""A connection for each question under way, whoever many they are.

The HTTP library's pool looks at all of its connections twice a question. Where there are hundreds
that costs more than the question, so each pool here has one.
"""

import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2

KEEP_SECONDS = 30.0


class OneEach(httpx2.AsyncBaseTransport):
    """For one event loop. `make` returns a transport that opens its connection when first used."""

    def __init__(
        self,
        make: Callable[[], httpx2.AsyncBaseTransport],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._clock = clock
        # Taken from the right, so that on the left stands what was idle longest. The first one is
        # made now: a setting that makes no sense is met at once.
        self._idle = deque([(clock(), make())])

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        transport = self._idle.pop()[1] if self._idle else self._make()
        # After an error it has closed its connection by itself.
        is_answered = False
        try:
            response = await transport.handle_async_request(request)
            is_answered = True
        finally:
            if not is_answered:
                await self._put_back(transport)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Returning(response.stream, lambda: self._put_back(transport))
        return response

    async def _put_back(self, transport: httpx2.AsyncBaseTransport) -> None:
        now = self._clock()
        self._idle.append((now, transport))
        while self._idle[0][0] < now - KEEP_SECONDS:
            await self._idle.popleft()[1].aclose()

    async def aclose(self) -> None:
        while self._idle:
            await self._idle.pop()[1].aclose()


class _Returning(httpx2.AsyncByteStream):
    """A response's body, whose transport is put back when it was read or given up."""

    def __init__(
        self, body: httpx2.AsyncByteStream, put_back: Callable[[], Awaitable[None]]
    ) -> None:
        self._body = body
        self._put_back = put_back
        self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._body:
            yield chunk

    async def aclose(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._body.aclose()
        finally:
            await self._put_back()
