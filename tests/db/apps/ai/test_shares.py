"""One user's greed costs nobody else their judgement: shares of the day, and a budget in money."""

import pytest
from django.db.models import Sum
from django.utils import timezone

from apps.ai.models import Analysis, ProviderCall
from kafka_bridge.contract.events import NewSending
from tests.db.apps.ai.events import OWNER, RESUME, STRANGER, request, sent

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("empty_cache", "ask_the_stand_in"),
]


def judged(deliver, number: int, user: int) -> str:
    deliver(request(number, user_id=user, resume=f"{RESUME}\n{number}"))
    analysis = Analysis.objects.filter(processing_id=number).first()
    return analysis.error_code or "judged" if analysis else "waits"


def test_the_greedy_fail_at_their_share_and_everybody_else_is_judged_now_or_later(
    deliver, settings
):
    # The first judgement takes two calls, one of them for the rubric that all share.
    settings.AI_RPD, settings.AI_USER_DAY_SHARE = 12, 0.5
    greedy = [judged(deliver, number, OWNER) for number in range(1, 8)]
    assert greedy == ["judged"] * 5 + ["rate_limited"] * 2
    assert [judged(deliver, number, STRANGER) for number in (11, 12, 13)] == ["judged"] * 3
    # Of the three calls that are left somebody new has one; others are waited for in the row.
    third = STRANGER + 1
    assert judged(deliver, 21, third) == "judged"
    task = deliver(request(22, user_id=third, resume=f"{RESUME}\n22"))
    assert (task.state, task.attempts, task.last_error) == ("pending", 0, "limit_rpd_others")
    assert 1700 < (task.next_attempt_at - timezone.now()).total_seconds() <= 1800
    assert sorted(told.response.user_id for told in sent(NewSending) if not told.success) == [
        OWNER,
        OWNER,
    ]


def test_a_users_money_of_a_day_is_their_own(deliver, settings):
    assert judged(deliver, 1, OWNER) == "judged"
    settings.AI_USER_DAY_BUDGET = ProviderCall.objects.aggregate(money=Sum("cost"))["money"]
    assert judged(deliver, 2, OWNER) == "rate_limited"
    assert 0 < sent(NewSending)[-1].wait_seconds <= 86_400
    assert judged(deliver, 3, STRANGER) == "judged"
