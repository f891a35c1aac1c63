"""The books: one entry per answer, with its tokens and its price, whatever became of it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from apps.ai.models import ProviderCall
from apps.ai.pricing import cost
from apps.ai.reply import Usage
from resume_platform import metrics

# Everything that a run has cost up to now; one call without a price makes the whole unknown.
SPENT = """
SELECT coalesce(sum(input_tokens), 0) AS input_tokens,
       coalesce(sum(output_tokens), 0) AS output_tokens,
       coalesce(sum(latency_ms) FILTER (WHERE kind = 'judgement'), 0) AS latency_ms,
       CASE WHEN bool_or(cost IS NULL) THEN NULL ELSE coalesce(sum(cost), 0) END AS cost
FROM ai_providercall WHERE processing_id = %(processing)s AND run = %(run)s
"""
_RECORD = """
INSERT INTO ai_providercall
    (user_id, processing_id, run, kind, model, input_tokens, cached_tokens, output_tokens,
     latency_ms, cost, is_useful, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp())
"""


@dataclass(frozen=True)
class Account:
    """On whose account a call goes: a user's, for one run of one processing."""

    user_id: int
    processing_id: int
    run: int


def record(
    account: Account, *, kind: str, model: str, usage: Usage, latency_ms: int, is_useful: bool
) -> int:
    """Commits by itself, so that money that was spent is known even if the work rolls back.

    Returns how many useless answers this question has had, this one among them.
    """
    price = cost(usage, model=model, prices=settings.AI_PRICES)
    _count(usage, model=model, price=price)
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD,
            [
                *(account.user_id, account.processing_id, account.run, kind, model),
                *(usage.input_tokens, usage.cached_tokens, usage.output_tokens),
                *(latency_ms, price, is_useful),
            ],
        )
    if is_useful:
        return 0
    return ProviderCall.objects.filter(
        processing_id=account.processing_id, run=account.run, kind=kind, is_useful=False
    ).count()


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
