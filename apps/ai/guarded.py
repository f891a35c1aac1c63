"""The way to the provider: country, limits and circuit before each call, the books after it."""

from apps.ai import ledger
from apps.ai.egress import Egress
from apps.ai.ledger import Account
from apps.ai.limits import Granted, Limits, LimitsAway, Outcome, Turn
from apps.ai.prompts import Question
from apps.ai.provider import (
    Answer,
    LimitReached,
    Provider,
    ProviderAnswerInvalid,
    ProviderError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from apps.ai.reply import Usage
from kafka_bridge.tasks import wait_for_others
from resume_platform import metrics, tracing

LIMITS_AWAY_SECONDS = 5.0
# A token is four Latin letters or two Cyrillic ones, which is four bytes of either.
_BYTES_PER_TOKEN = 4
_SCHEMA_TOKENS = 250


class GuardedProvider:
    """The provider as one row may ask it: `turn` is its place in line, `account` who pays."""

    def __init__(
        self, provider: Provider, *, limits: Limits, egress: Egress, turn: Turn, account: Account
    ) -> None:
        self._provider = provider
        self._limits = limits
        self._egress = egress
        self._turn = turn
        self._account = account

    @property
    def model(self) -> str:
        return self._provider.model

    def ask(self, question: Question) -> Answer:
        """Raises a ProviderError: LimitReached, or the circuit's, before anything is sent."""
        verdict = self._egress.verdict()
        if verdict == "blocked":
            raise ProviderRejected("egress_blocked")
        if verdict == "unknown":
            raise ProviderUnavailable("egress_unknown")
        permit = self._permit(question)
        try:
            with (
                tracing.span(
                    f"ask {question.name}", kind="client", gen_ai__request__model=self.model
                ) as span,
                metrics.AI_CALL_SECONDS.time(),
            ):
                wait_for_others()
                answer = self._provider.ask(question)
                span.note(
                    gen_ai__usage__input_tokens=answer.usage.input_tokens,
                    gen_ai__usage__output_tokens=answer.usage.output_tokens,
                )
        except ProviderError as error:
            used, outcome = _after(error)
            hold = error.wait if isinstance(error, ProviderRateLimited) else None
            self._limits.settle(permit, used=used, outcome=outcome, hold=hold or 0.0)
            metrics.AI_CALLS.labels(type(error).__name__).inc()
            raise
        metrics.AI_CALLS.labels("answered").inc()
        self._limits.settle(permit, used=_total(answer.usage), outcome="up")
        return answer

    def note(self, question: Question, usage: Usage, *, latency_ms: int, is_useful: bool) -> int:
        """One entry in the books; see `asking`."""
        return ledger.record(
            self._account,
            kind=question.name,
            model=self.model,
            usage=usage,
            latency_ms=latency_ms,
            is_useful=is_useful,
        )

    def _permit(self, question: Question) -> str:
        tokens = estimate(question)
        problem: ProviderError
        try:
            granted = self._limits.acquire(self._turn, tokens=tokens)
        except LimitsAway:
            problem = LimitReached("limits_away", LIMITS_AWAY_SECONDS, is_final=False)
        else:
            if isinstance(granted, Granted):
                return granted.permit
            if granted.why == "circuit":
                problem = ProviderUnavailable("circuit_open", granted.seconds)
            else:
                problem = LimitReached(
                    f"limit_{granted.limit}", granted.seconds, is_final=granted.why == "over"
                )
        metrics.AI_WAITS.labels(problem.reason).inc()
        raise problem


def estimate(question: Question) -> int:
    """Tokens to reserve: generous for what is sent, likely for what comes back."""
    sent = len(question.system.encode()) + len(question.user.encode())
    return sent // _BYTES_PER_TOKEN + _SCHEMA_TOKENS + question.expected_output_tokens


def _after(error: ProviderError) -> tuple[int | None, Outcome]:
    """(the tokens to book, what it says of the provider); None keeps the reservation."""
    if isinstance(error, ProviderAnswerInvalid):
        return _total(error.usage) or None, "up"
    if isinstance(error, ProviderUnavailable):
        # After a timeout nobody knows what was counted.
        return (None if error.reason == "timeout" else 0), "down"
    return 0, "up"


def _total(usage: Usage) -> int:
    return usage.input_tokens + usage.output_tokens
