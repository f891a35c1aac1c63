"""One question put to the provider until its answer is of use, at most three times."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from apps.ai.prompts import Question
from apps.ai.provider import Provider, ProviderAnswerInvalid, Usage

log = structlog.get_logger(__name__)

INVALID_RETRIES = 2

T = TypeVar("T")


@dataclass(frozen=True)
class Understood(Generic[T]):
    """What was read from the answer, and what all tries together cost."""

    value: T
    usage: Usage
    latency_ms: int


def ask(provider: Provider, question: Question, read: Callable[[str], T]) -> Understood[T]:
    """`read` turns the answer's text into a value and raises ValueError where it cannot.

    Raises a ProviderError; ProviderAnswerInvalid only after the last try, with the usage of all.
    """
    usage, latency_ms, reason = Usage(), 0, "empty"
    for _ in range(1 + INVALID_RETRIES):
        try:
            answer = provider.ask(question)
            usage, latency_ms = usage + answer.usage, latency_ms + answer.latency_ms
            return Understood(read(answer.text), usage, latency_ms)
        except ProviderAnswerInvalid as error:
            usage, reason = usage + error.usage, error.reason
        except ValueError as error:
            reason = str(error)
        log.warning("ai.answer_invalid", question=question.name, reason=reason)
    raise ProviderAnswerInvalid(reason, usage)
