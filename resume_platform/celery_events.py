"""Celery's events for Flower, told in groups: one message for all of a second.

Celery would publish them one by one as they happen, which cost a worker as much as a fifth of its
time, and Redis and Flower theirs.
"""

import threading
from collections.abc import Callable
from typing import Any

from celery.app.events import Events
from celery.events.dispatcher import EventDispatcher
from kombu.asynchronous import get_event_loop
from vine import promise

FLUSH_SECONDS = 1.0


class GroupingDispatcher(EventDispatcher):
    """Flushes what is buffered FLUSH_SECONDS after the first of it, or when the buffer is full."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._flush: Callable[[], None] | None = kwargs.get("on_send_buffered")
        if self._flush is not None:
            self.on_send_buffered = self._flush_later
        self._is_due = threading.Event()

    def _flush_later(self) -> None:
        """Called by any thread, so the loop itself is asked to set its timer."""
        loop = get_event_loop()
        if not self._is_due.is_set() and loop is not None:
            self._is_due.set()
            loop.call_soon(promise(loop.call_later, (FLUSH_SECONDS, self._flush_now)))

    def _flush_now(self) -> None:
        self._is_due.clear()
        if self._flush is not None:
            self._flush()


class GroupedEvents(Events):
    dispatcher_cls = "resume_platform.celery_events:GroupingDispatcher"
