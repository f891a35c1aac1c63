"""The usage ledger: one entry per answer, with its tokens and its price, useful or not."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from apps.ai.models import ProviderCall
from apps.ai.provider.answer import Usage
from apps.ai.provider.errors import LimitReached
from apps.ai.provider.pricing import cost
from resume_platform.observability import metrics

# Everything that a run has cost up to now; one call without a price makes the whole unknown.
SPENT = """
SELECT coalesce(sum(input_tokens), 0) AS input_tokens,
       coalesce(sum(output_tokens), 0) AS output_tokens,
       coalesce(sum(latency_ms) FILTER (WHERE kind = 'judgement'), 0) AS latency_ms,
       CASE WHEN bool_or(cost IS NULL) THEN NULL ELSE coalesce(sum(cost), 0) END AS cost
FROM ai_providercall WHERE processing_id = %(processing)s AND run = %(run)s
"""


@dataclass(frozen=True)
class UsageLedger:
    """Books the answers that one run of one processing has had."""

    user_id: int
    processing_id: int
    run: int

    def record(
        self, *, kind: str, model: str, usage: Usage, latency_ms: int, is_useful: bool
    ) -> int:
        """Commits by itself, so that money that was spent is known even if the work rolls back.

        Returns how many useless answers this question has had, this one among them.
        """
        price = cost(usage, model=model, prices=settings.AI_PRICES)
        _count(usage, model=model, price=price)
        call = {"processing_id": self.processing_id, "run": self.run, "kind": kind}
        ProviderCall.objects.create(
            **call,
            user_id=self.user_id,
            model=model,
            input_tokens=usage.input_tokens,
            cached_tokens=usage.cached_tokens,
            output_tokens=usage.output_tokens,
            latency_ms=latency_ms,
            cost=price,
            is_useful=is_useful,
        )
        return 0 if is_useful else ProviderCall.objects.filter(**call, is_useful=False).count()

    def check_budget(self) -> None:
        """Raise LimitReached until the next day of UTC once AI_USER_DAY_BUDGET is spent."""
        if not settings.AI_USER_DAY_BUDGET:
            return
        now = datetime.now(UTC)
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        calls = ProviderCall.objects.filter(user_id=self.user_id, created_at__gte=today)
        spent = calls.aggregate(money=Sum("cost"))["money"] or 0
        if spent >= settings.AI_USER_DAY_BUDGET:
            wait = (today + timedelta(days=1) - now).total_seconds()
            is_final = wait > settings.AI_MAX_WAIT_SECONDS
            raise LimitReached("user_day_budget", wait, is_final=is_final)


def _count(usage: Usage, *, model: str, price: Decimal | None) -> None:
    tokens = metrics.AI_TOKENS
    tokens.labels(model, "input").inc(usage.input_tokens)
    tokens.labels(model, "cached").inc(usage.cached_tokens)
    tokens.labels(model, "output").inc(usage.output_tokens)
    if price is None:
        metrics.AI_UNPRICED.labels(model).inc()
    else:
        metrics.AI_COST.labels(model, settings.AI_CURRENCY).inc(float(price))


def by_user_and_day(calls: QuerySet[ProviderCall]) -> QuerySet[Any, Any]:
    """Sums, the newest day first; `unpriced` calls are in none of the money."""
    return (
        calls.order_by()
        .annotate(day=TruncDate("created_at"))
        .values("day", "user_id")
        .annotate(
            calls=Count("pk"),
            tokens_in=Sum("input_tokens"),
            tokens_out=Sum("output_tokens"),
            money=Sum("cost"),
            unpriced=Count("pk", filter=Q(cost__isnull=True)),
        )
        .order_by("-day", "user_id")
    )
