"""Old entries of the usage ledger become sums: none is lost or counted twice in any batch size."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import Count, Sum

from apps.ai.models import DailySpending, ProviderCall
from apps.ai.provider import usage_retention
from kafka_bridge.jobs.periodic import JOBS
from kafka_bridge.tasks.registry import load_handlers

pytestmark = pytest.mark.django_db
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def calls(number: int, *, days_ago: float, user_id: int = 7, cost: str | None = "0.25") -> None:
    made = ProviderCall.objects.bulk_create(
        ProviderCall(
            user_id=user_id, processing_id=1, kind="judgement", model="m",
            input_tokens=100, cached_tokens=10, output_tokens=5,
            cost=None if cost is None else Decimal(cost),
        )
        for _ in range(number)
    )  # fmt: skip
    ProviderCall.objects.filter(pk__in=[call.pk for call in made]).update(
        created_at=TODAY + timedelta(hours=1) - timedelta(days=days_ago)
    )


def totals() -> tuple[int, int, Decimal]:
    """(calls, input tokens, money) of what is kept and of what was summed, together."""
    kept = ProviderCall.objects.aggregate(Count("pk"), Sum("input_tokens"), Sum("cost"))
    old = DailySpending.objects.aggregate(Sum("calls"), Sum("input_tokens"), Sum("cost"))
    one, other = ([value or 0 for value in part.values()] for part in (kept, old))
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


@pytest.mark.parametrize("batch_size", [1, 3, 500])
def test_what_is_over_its_days_becomes_sums_by_day_user_and_model(settings, batch_size):
    settings.KEEP_AI_CALLS_DAYS = 30
    calls(4, days_ago=32)
    calls(2, days_ago=32, user_id=8)
    calls(3, days_ago=31, cost=None)
    calls(5, days_ago=30)  # of a day that is not over its days as a whole
    calls(6, days_ago=0)
    before = totals()

    folded = [usage_retention.fold_old_calls(batch_size=batch_size) for _ in range(2)]

    assert folded == [9, 0]
    assert totals() == before == (20, 2000, Decimal("4.25"))
    assert ProviderCall.objects.count() == 11
    day = (TODAY - timedelta(days=32)).date()
    rows = DailySpending.objects.order_by("day", "user_id").values_list(
        "day", "user_id", "calls", "cached_tokens", "output_tokens", "cost", "unpriced"
    )
    assert list(rows) == [
        (day, 7, 4, 40, 20, Decimal(1), 0),
        (day, 8, 2, 20, 10, Decimal("0.5"), 0),
        (day + timedelta(days=1), 7, 3, 30, 15, Decimal(0), 3),
    ]


def test_staff_see_the_sums(settings, admin_client):
    settings.KEEP_AI_CALLS_DAYS = 30
    calls(4, days_ago=32)
    usage_retention.fold_old_calls()

    page = admin_client.get("/admin/ai/dailyspending/", {"q": "7"}).content.decode()

    assert "1.00000000" in page


def test_what_comes_late_is_added_to_its_day(settings):
    settings.KEEP_AI_CALLS_DAYS = 30
    for _ in range(2):
        calls(2, days_ago=40)
        usage_retention.fold_old_calls()

    assert DailySpending.objects.get().calls == 4


def test_the_bridge_does_it_by_itself(settings):
    settings.KEEP_AI_CALLS_DAYS = 30
    calls(1, days_ago=40)

    load_handlers()
    JOBS["ai.fold_old_calls"].function()

    assert not ProviderCall.objects.exists()
