"""Connections to the provider: reused, one for each question under way, closed when long idle."""

import asyncio

import httpx2

from apps.ai.connections import KEEP_SECONDS, OneEach


class Body(httpx2.AsyncByteStream):
    async def __aiter__(self):
        yield b"answer"


class Transport(httpx2.AsyncBaseTransport):
    def __init__(self) -> None:
        self.asked = 0
        self.is_closed = False
        self.error: Exception | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        if self.error:
            raise self.error
        return httpx2.Response(200, stream=Body())

    async def aclose(self) -> None:
        self.is_closed = True


class Made:
    """The transports that were made, and a clock to set."""

    def __init__(self) -> None:
        self.all: list[Transport] = []
        self.now = 0.0
        self.connections = OneEach(self.make, clock=lambda: self.now)

    def make(self) -> Transport:
        self.all.append(Transport())
        return self.all[-1]

    async def ask(self) -> httpx2.Response:
        return await self.connections.handle_async_request(httpx2.Request("GET", "http://ai/"))


def test_a_connection_serves_one_question_after_the_other():
    async def ask() -> None:
        for _ in range(3):
            response = await made.ask()
            assert await response.aread() == b"answer"
            await response.aclose()
            await response.aclose()  # once more puts nothing back twice

    made = Made()
    asyncio.run(ask())
    assert [transport.asked for transport in made.all] == [3]


def test_questions_under_way_share_none_and_an_error_gives_its_one_back():
    async def ask() -> None:
        first, second = await made.ask(), await made.ask()
        await first.aclose()
        await second.aclose()
        made.all[1].error = httpx2.ConnectError("refused")
        for _ in range(2):
            try:
                await made.ask()
            except httpx2.ConnectError:
                continue
            raise AssertionError

    made = Made()
    asyncio.run(ask())
    assert [transport.asked for transport in made.all] == [1, 3]


def test_what_was_idle_for_long_is_closed_when_another_becomes_idle():
    async def ask() -> None:
        first, second = await made.ask(), await made.ask()
        await first.aclose()
        await second.aclose()
        made.now += KEEP_SECONDS + 1
        await (await made.ask()).aclose()

    made = Made()
    asyncio.run(ask())
    assert [transport.is_closed for transport in made.all] == [True, False]
    asyncio.run(made.connections.aclose())
    assert all(transport.is_closed for transport in made.all)
