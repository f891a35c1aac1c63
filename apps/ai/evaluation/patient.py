"""The guarded provider for one who has no row to wait in: it waits here."""

import time
from collections.abc import Callable

from apps.ai.guarded import GuardedProvider
from apps.ai.prompts import Question
from apps.ai.provider import Answer, LimitReached, ProviderRateLimited, ProviderUnavailable

_ATTEMPTS = 8
_MOST_SECONDS = 60.0


class Patient:
    def __init__(
        self, guarded: GuardedProvider, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._guarded = guarded
        self._sleep = sleep

    @property
    def model(self) -> str:
        return self._guarded.model

    def ask(self, question: Question) -> Answer:
        """Raises a ProviderError that waiting does not help."""
        attempt = 0
        while True:
            try:
                return self._guarded.ask(question)
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
