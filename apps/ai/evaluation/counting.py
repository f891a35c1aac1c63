"""The provider, asked without a row and without the books, with its costs counted."""

from collections.abc import Callable
from decimal import Decimal
from threading import Lock
from typing import Any

from apps.ai.asking import Asked
from apps.ai.prompts import Question
from apps.ai.provider import Answer
from apps.ai.reply import Usage


class Counting:
    """Thread-safe. `before` is called before each question and may wait or raise."""

    def __init__(
        self,
        provider: Any,
        *,
        before: Callable[[Question], None] | None = None,
        after: Callable[[Answer], None] | None = None,
    ) -> None:
        self._provider: Asked = provider
        self._before, self._after = before, after
        self._lock = Lock()
        self._useless: dict[int, int] = {}
        self.calls = 0
        self.usage = Usage()
        self.cost = Decimal(0)

    @property
    def model(self) -> str:
        return self._provider.model

    def ask(self, question: Question) -> Answer:
        if self._before:
            self._before(question)
        with self._lock:
            self.calls += 1
        return self._provider.ask(question)

    def note(self, question: Question, usage: Usage, *, latency_ms: int, is_useful: bool) -> int:
        """Tries are counted per question."""
        with self._lock:
            self.usage += usage
            if is_useful:
                self._useless.pop(id(question), None)
                return 0
            count = self._useless[id(question)] = self._useless.get(id(question), 0) + 1
            return count
