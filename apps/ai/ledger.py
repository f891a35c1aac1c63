"""The books: one entry per answer, with its tokens and its price, whatever became of it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from apps.ai.models import ProviderCall
from apps.ai.pricing import cost
from apps.ai.reply import Usage
from resume_platform import metrics


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
    ProviderCall.objects.create(
        user_id=account.user_id,
        processing_id=account.processing_id,
        run=account.run,
        kind=kind,
        model=model,
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cached_tokens,
        output_tokens=usage.output_tokens,
        latency_ms=latency_ms,
        cost=price,
        is_useful=is_useful,
    )
    if is_useful:
        return 0
    return _calls(account).filter(kind=kind, is_useful=False).count()


def _count(usage: Usage, *, model: str, price: Decimal | None) -> None:
    tokens = metrics.AI_TOKENS
    tokens.labels(model, "input").inc(usage.input_tokens)
    tokens.labels(model, "cached").inc(usage.cached_tokens)
    tokens.labels(model, "output").inc(usage.output_tokens)
    if price is None:
        metrics.AI_UNPRICED.labels(model).inc()
    else:
        metrics.AI_COST.labels(model, settings.AI_CURRENCY).inc(float(price))


def totals(account: Account) -> dict[str, Any]:
    """The values of an analysis row: everything that this run has cost up to now."""
    sums = _calls(account).aggregate(
        tokens_in=Sum("input_tokens"),
        tokens_out=Sum("output_tokens"),
        took=Sum("latency_ms", filter=Q(kind="judgement")),
        money=Sum("cost"),
        unpriced=Count("pk", filter=Q(cost__isnull=True)),
    )
    return {
        "input_tokens": sums["tokens_in"] or 0,
        "output_tokens": sums["tokens_out"] or 0,
        "latency_ms": sums["took"] or 0,
        "cost": None if sums["unpriced"] else sums["money"] or Decimal(0),
    }


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


def _calls(account: Account) -> Any:
    return ProviderCall.objects.filter(processing_id=account.processing_id, run=account.run)
