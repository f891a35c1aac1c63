"""Runs coroutines in one event loop of the process, each under a total deadline.

A blocking client's timeout is per read, so a provider that drips bytes would hold a thread for
ever; a deadline of the event loop ends the whole exchange.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

_GRACE_SECONDS = 10.0  # for a loop that is busy

T = TypeVar("T")
_lock = threading.Lock()


def run_within(seconds: float, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work returns; None when the time is over, and then the work is cancelled."""

    async def bounded() -> T | None:
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError:
            return None

    with _lock:
        loop = _running_loop()
    future = asyncio.run_coroutine_threadsafe(bounded(), loop)
    try:
        return future.result(seconds + _GRACE_SECONDS)
    except concurrent.futures.TimeoutError:
        future.cancel()
        return None


@cache
def _running_loop() -> asyncio.AbstractEventLoop:
    """In a thread that ends with the process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="ai-provider", daemon=True).start()
    return loop
