"""What a handler is: its name, the events it takes, its queue and how it is retried."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import autodiscover_modules

from kafka_bridge.contract.events import Event


class RetryLater(Exception):
    """The work could not be done now.

    `reason` is a constant word or a short sentence without any text of a user.
    `seconds` overrides the policy's delay; `counted=False` uses up no attempt (a wait for a limit).
    On the last counted attempt it makes a dead letter.
    """

    def __init__(self, reason: str, *, seconds: float | None = None, counted: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds
        self.counted = counted


class Permanent(Exception):
    """The work can never be done: a dead letter with this reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LeaseLost(Exception):
    """Another worker owns the row now; whatever was done in this transaction rolls back."""


@dataclass(frozen=True)
class RetryPolicy:
    """Seconds before each retry, spread by ±`jitter`; one attempt more than delays."""

    schedule: tuple[float, ...]
    jitter: float = 0.2

    @property
    def max_attempts(self) -> int:
        return len(self.schedule) + 1

    def delay(self, attempt_no: int) -> float:
        """Seconds to wait after attempt `attempt_no` (1 for the first)."""
        base = self.schedule[min(attempt_no, len(self.schedule)) - 1] if self.schedule else 0.0
        return base * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311  spreads load


DEFAULT_RETRY = RetryPolicy(schedule=(1, 5, 30, 120, 600))


@dataclass(frozen=True)
class HandlerSpec:
    """One registered handler."""

    name: str
    events: tuple[type[Event], ...]
    queue: str
    retry: RetryPolicy
    function: Callable[..., None]
    is_batch: bool
    celery_task: Any


HANDLERS: dict[str, HandlerSpec] = {}


def load_handlers() -> dict[str, HandlerSpec]:
    """Import every installed app's tasks.py, so that HANDLERS is whole."""
    autodiscover_modules("tasks")
    return HANDLERS
