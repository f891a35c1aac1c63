"""One question put to the provider until its answer is of use, at most three times."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import structlog

from apps.ai.prompts import Question
from apps.ai.provider import Answer, ProviderAnswerInvalid
from apps.ai.reply import Usage

log = structlog.get_logger(__name__)

INVALID_RETRIES = 2

T = TypeVar("T")


class Asked(Protocol):
    """Who answers questions: the provider, or what guards the way to it."""

    @property
    def model(self) -> str: ...

    def ask(self, question: Question) -> Answer:
        """Raises a ProviderError."""

    def note(self, question: Question, usage: Usage, *, latency_ms: int, is_useful: bool) -> int:
        """Keep the books; returns how many useless answers this question has had so far."""


@dataclass(frozen=True)
class Understood(Generic[T]):
    """What was read from the answer, and what all tries together cost."""

    value: T
    usage: Usage
    latency_ms: int


def ask(asked: Asked, question: Question, read: Callable[[str], T]) -> Understood[T]:
    """`read` turns the answer's text into a value and raises ValueError where it cannot.

    Raises a ProviderError; ProviderAnswerInvalid only after the last try, with the usage of all.
    The tries are counted in the books, so that a wait between two of them does not begin anew.
    """
    usage, latency_ms = Usage(), 0
    while True:
        paid, took = Usage(), 0
        try:
            answer = asked.ask(question)
            paid, took = answer.usage, answer.latency_ms
            value = read(answer.text)
        except ProviderAnswerInvalid as error:
            paid, reason = error.usage, error.reason
        except ValueError as error:
            reason = str(error)
        else:
            asked.note(question, paid, latency_ms=took, is_useful=True)
            return Understood(value, usage + paid, latency_ms + took)
        usage, latency_ms = usage + paid, latency_ms + took
        log.warning("ai.answer_invalid", question=question.name, reason=reason)
        if asked.note(question, paid, latency_ms=took, is_useful=False) > INVALID_RETRIES:
            raise ProviderAnswerInvalid(reason, usage)
