"""Asks the provider on behalf of one row: country, limits and circuit first, the ledger after."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import structlog

from apps.ai.provider.answer import Answer, Usage
from apps.ai.provider.client import Provider
from apps.ai.provider.egress import Egress
from apps.ai.provider.errors import (
    LimitReached,
    ProviderAnswerInvalid,
    ProviderError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from apps.ai.provider.prompts import Question
from apps.ai.provider.rate_limiter import Caller, RateLimiter
from resume_platform.observability import metrics, tracing
from resume_platform.postgresql_pool.release import release_connection

log = structlog.get_logger(__name__)

INVALID_RETRIES = 2
# A token is four Latin letters or two Cyrillic ones, which is four bytes of either.
_BYTES_PER_TOKEN = 4
_SCHEMA_TOKENS = 250

T = TypeVar("T")


class AsksQuestions(Protocol):
    """What a judgement needs of a provider."""

    @property
    def model(self) -> str: ...

    def ask(self, question: Question, parse: Callable[[str], T]) -> Answer[T]:
        """`parse` raises ValueError where it cannot use the answer's text.

        Raises a ProviderError.
        """


class Ledger(Protocol):
    def record(
        self, *, kind: str, model: str, usage: Usage, latency_ms: int, is_useful: bool
    ) -> int:
        """Book one answer; returns how many useless ones the question is known to have had."""

    def check_budget(self) -> None:
        """Raise LimitReached once the user's budget of the day is spent."""


class GuardedProvider:
    """The provider as one row may ask it."""

    def __init__(
        self,
        provider: Provider,
        *,
        rate_limiter: RateLimiter,
        egress: Egress,
        caller: Caller,
        ledger: Ledger,
    ) -> None:
        self._provider = provider
        self._rate_limiter = rate_limiter
        self._egress = egress
        self._caller = caller
        self._ledger = ledger

    @property
    def model(self) -> str:
        return self._provider.model

    def ask(self, question: Question, parse: Callable[[str], T]) -> Answer[T]:
        """The first answer that can be parsed, with the cost of all tries; at most three.

        Raises a ProviderError; ProviderAnswerInvalid only after the last try. The tries are counted
        in the ledger, so that a wait between two of them does not begin anew.
        """
        spent, latency_ms, tries = Usage(), 0, 0
        while True:
            tries += 1
            usage, took = Usage(), 0
            try:
                answer = self._ask_once(question)
                usage, took = answer.usage, answer.latency_ms
                value = parse(answer.value)
            except ProviderAnswerInvalid as error:
                usage, problem = error.usage, error.reason
            except ValueError as error:
                problem = str(error)
            else:
                self._record(question, usage, took, is_useful=True)
                return Answer(value, spent + usage, latency_ms + took)
            spent, latency_ms = spent + usage, latency_ms + took
            log.warning("ai.answer_invalid", question=question.name, reason=problem)
            useless = self._record(question, usage, took, is_useful=False)
            if max(tries, useless) > INVALID_RETRIES:
                raise ProviderAnswerInvalid(problem, spent)

    def _record(self, question: Question, usage: Usage, took: int, *, is_useful: bool) -> int:
        return self._ledger.record(
            kind=question.name,
            model=self.model,
            usage=usage,
            latency_ms=took,
            is_useful=is_useful,
        )

    def _ask_once(self, question: Question) -> Answer[str]:
        """Raises LimitReached, or that the circuit is open, before anything is sent."""
        verdict = self._egress.verdict()
        if verdict == "blocked":
            raise ProviderRejected("egress_blocked")
        if verdict == "unknown":
            raise ProviderUnavailable("egress_unknown")
        try:
            self._ledger.check_budget()
            permit = self._rate_limiter.acquire(self._caller, tokens=_estimated_tokens(question))
        except (LimitReached, ProviderUnavailable) as error:
            metrics.AI_WAITS.labels(error.reason).inc()
            raise
        try:
            with (
                tracing.span(
                    f"ask {question.name}", kind="client", gen_ai__request__model=self.model
                ) as span,
                metrics.AI_CALL_SECONDS.time(),
            ):
                release_connection()
                answer = self._provider.ask(question)
                span.note(
                    gen_ai__usage__input_tokens=answer.usage.input_tokens,
                    gen_ai__usage__output_tokens=answer.usage.output_tokens,
                )
        except ProviderError as error:
            hold = error.wait if isinstance(error, ProviderRateLimited) else None
            self._rate_limiter.settle(
                permit,
                used=_tokens_used(error),
                is_available=not isinstance(error, ProviderUnavailable),
                hold=hold or 0.0,
            )
            metrics.AI_CALLS.labels(type(error).__name__).inc()
            raise
        self._rate_limiter.settle(permit, used=answer.usage.total, is_available=True)
        metrics.AI_CALLS.labels("answered").inc()
        return answer


def _estimated_tokens(question: Question) -> int:
    """Tokens to reserve: generous for what is sent, likely for what comes back."""
    sent = len(question.system.encode()) + len(question.user.encode())
    return sent // _BYTES_PER_TOKEN + _SCHEMA_TOKENS + question.expected_output_tokens


def _tokens_used(error: ProviderError) -> int | None:
    """None keeps the reservation: nobody knows what was counted."""
    if isinstance(error, ProviderAnswerInvalid):
        return error.usage.total or None
    return None if isinstance(error, ProviderUnavailable) and error.reason == "timeout" else 0
