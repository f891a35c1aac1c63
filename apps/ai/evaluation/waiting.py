"""Asks the provider for an evaluation, which has no row to wait in."""

import time
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from apps.ai.provider.answer import Answer, Usage
from apps.ai.provider.errors import LimitReached, ProviderRateLimited, ProviderUnavailable
from apps.ai.provider.guarded import AsksQuestions
from apps.ai.provider.prompts import Question

_ATTEMPTS = 8
_MOST_SECONDS = 60.0

T = TypeVar("T")


class UsageTotals:
    """A ledger in memory. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.calls = 0
        self.usage = Usage()

    def record(
        self, *, kind: str, model: str, usage: Usage, latency_ms: int, is_useful: bool
    ) -> int:
        with self._lock:
            self.calls += 1
            self.usage += usage
        return 0  # nothing from before a wait is remembered

    def check_budget(self) -> None:
        """An evaluation is no user's."""


class WaitingProvider:
    """Waits in place where a row would be tried again later."""

    def __init__(
        self, provider: AsksQuestions, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._provider = provider
        self._sleep = sleep

    @property
    def model(self) -> str:
        return self._provider.model

    def ask(self, question: Question, parse: Callable[[str], T]) -> Answer[T]:
        """Raises a ProviderError that waiting does not help."""
        attempt = 0
        while True:
            try:
                return self._provider.ask(question, parse)
            except LimitReached as error:
                if error.is_final:
                    raise
                seconds = error.wait
            except (ProviderRateLimited, ProviderUnavailable) as error:
                attempt += 1
                if attempt >= _ATTEMPTS:
                    raise
                seconds = error.wait if error.wait is not None else 2.0**attempt
            self._sleep(min(seconds, _MOST_SECONDS))
