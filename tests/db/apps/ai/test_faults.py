"""Every way a provider fails, ordered on the HTTP level: outcome, number of calls, callback."""

from typing import Any

import pytest
from django.utils import timezone

from apps.ai.models import Analysis, ProviderCall, Rubric
from apps.ai.provider import configured
from apps.ai.tasks import AI_RETRY
from kafka_bridge.contract.events import NewProcessing, NewSending
from kafka_bridge.models import DeadLetter
from resume_platform.redis.cache import Namespace, connect, counters_for
from tests.db.apps.ai.events import RESUME, request, sent

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("empty_cache", "ask_the_stand_in"),
]

LAST = AI_RETRY.max_attempts - 1
SECRET = "sk-key-of-ours"
UNAVAILABLE = "Сервис ИИ недоступен. Повторите попытку позже."
LIMIT = "Лимит обращений к ИИ исчерпан. Повторите попытку позже."
REFUSED = "Сервис ИИ отклонил запрос."
USELESS = "ИИ не дал ответа, которым можно воспользоваться."


def error(status: int, code: str | None = None, **headers: str) -> dict[str, Any]:
    message = f"Incorrect API key {SECRET} at https://provider.example/v1 for {RESUME[:20]}"
    body = {"error": {"message": message, "type": code, "param": None, "code": code}}
    return {"mode": "error", "status": status, "body": body, "headers": headers}


def mode(name: str, **fields: Any) -> dict[str, Any]:
    return {"mode": name, **fields}


WAITS = [
    # fault, seconds until the next attempt (least, most), what the client hears in the end
    ("429 with Retry-After", error(429, **{"retry-after": "40"}), (39, 49), (LIMIT, 40)),
    ("429 without", error(429), (1.5, 2.5), (LIMIT, 60)),
    ("500", error(500), (1.5, 2.5), (UNAVAILABLE, None)),
    ("503 with Retry-After", error(503, **{"retry-after": "20"}), (19, 25), (UNAVAILABLE, None)),
    ("hang", mode("hang", seconds=2), (1.5, 2.5), (UNAVAILABLE, None)),
    ("drip", mode("drip", seconds=2), (1.5, 2.5), (UNAVAILABLE, None)),
    ("reset", mode("reset"), (1.5, 2.5), (UNAVAILABLE, None)),
]


@pytest.mark.parametrize(
    ("fault", "pause", "told"), [w[1:] for w in WAITS], ids=[w[0] for w in WAITS]
)
def test_what_passes_is_waited_for_in_the_row_and_told_of_in_the_end(
    deliver, standin, settings, fault, pause, told
):
    deliver(request(99))  # the rubric is there
    settings.OPENAI_TIMEOUT_SECONDS = 1.0
    before = standin.calls("judgement")
    standin.order(fail=[{**fault, "kind": "judgement", "times": 1}])
    task = deliver(request(resume=f"{RESUME}."))
    assert standin.calls("judgement") - before == 1
    assert (task.state, task.attempts) == ("pending", 1)
    seconds = (task.next_attempt_at - timezone.now()).total_seconds()
    assert pause[0] - 1 <= seconds <= pause[1]
    assert len(sent(NewSending)) == 1
    _let_the_hold_pass()
    standin.order(fail=[{**fault, "kind": "judgement", "times": 1}])
    assert deliver(request(resume=f"{RESUME}."), attempts=LAST).state == "done"
    outcome = sent(NewSending)[-1]
    assert (outcome.success, outcome.message_error, outcome.wait_seconds) == (False, *told)
    assert standin.calls("judgement") - before == 2


FINAL = [
    # fault, code of the analysis, what the client hears
    ("insufficient_quota", error(429, "insufficient_quota"), "quota_exhausted",
     "На счёте у поставщика ИИ закончились средства."),
    ("401", error(401, "invalid_api_key"), "provider_rejected", REFUSED),
    ("403 region", error(403, "unsupported_country_region_territory"), "region_refused",
     "К ИИ нельзя обращаться из страны, из которой вышел бы запрос."),
    ("403", error(403), "provider_rejected", REFUSED),
    ("400", error(400), "provider_rejected", REFUSED),
    ("429 longer than we wait", error(429, **{"retry-after": "3600"}), "rate_limited", LIMIT),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "code", "told"), [f[1:] for f in FINAL], ids=[f[0] for f in FINAL]
)
def test_what_will_not_pass_is_told_at_once_after_one_call(deliver, standin, fault, code, told):
    standin.order(fail=[{**fault, "kind": "judgement", "times": 9}])
    assert deliver(request()).state == "done"
    assert standin.calls("judgement") == 1
    assert Analysis.objects.get().error_code == code
    [outcome] = sent(NewSending)
    assert (outcome.success, outcome.message_error) == (False, told)
    assert not sent(NewProcessing)
    shown = repr(outcome) + repr(list(Analysis.objects.values()))
    for secret in (SECRET, "provider.example", "Incorrect", "standin"):
        assert secret not in shown


USELESS_ANSWERS = ["truncated", "refused", "malformed", "garbage", "wrong_schema"]


@pytest.mark.parametrize("fault", USELESS_ANSWERS)
def test_a_useless_answer_is_asked_for_twice_more(deliver, standin, fault):
    standin.order(fail=[{"mode": fault, "kind": "judgement", "times": 9}])
    assert deliver(request()).state == "done"
    assert standin.calls("judgement") == 3
    [outcome] = sent(NewSending)
    assert (outcome.success, outcome.message_error) == (False, USELESS)


def test_forged_quotes_are_a_judgement_that_found_nothing(deliver, standin):
    standin.order(fail=[{"mode": "forged_quotes", "kind": "judgement", "times": 9}])
    deliver(request())
    [outcome] = sent(NewSending)
    assert (outcome.success, outcome.response.score, outcome.response.matches) == (True, 0, [])
    assert standin.calls("judgement") == 1


def test_a_wait_between_two_tries_does_not_begin_the_tries_anew(deliver, standin, settings):
    settings.AI_RPM = 3
    standin.order(fail=[{"mode": "malformed", "kind": "judgement", "times": 9}])
    task = deliver(request())
    # The rubric and two tries took the minute's three calls; the third try waits for its turn.
    assert (task.state, task.attempts, task.last_error) == ("pending", 0, "limit_rpm")
    settings.AI_RPM = 100
    assert deliver(request()).state == "done"
    assert standin.calls("judgement") == 3
    assert [e.message_error for e in sent(NewSending)] == [USELESS]


def test_our_own_limit_is_waited_for_in_the_row_and_counts_no_attempt(deliver, standin, settings):
    settings.AI_RPM = 2
    deliver(request(1))
    task = deliver(request(2, resume=f"{RESUME} 2"), attempts=LAST)
    assert (task.state, task.attempts, task.last_error) == ("pending", LAST, "limit_rpm")
    assert 55 < (task.next_attempt_at - timezone.now()).total_seconds() <= 61
    assert standin.calls("judgement") == 1


def test_a_longer_wait_ends_at_once_with_its_seconds(deliver, standin, settings):
    settings.AI_RPM, settings.AI_MAX_WAIT_SECONDS = 2, 30
    deliver(request(1))
    assert deliver(request(2, resume=f"{RESUME} 2")).state == "done"
    outcome = sent(NewSending)[-1]
    assert (outcome.success, outcome.message_error) == (False, LIMIT)
    assert 55 < outcome.wait_seconds <= 61
    assert standin.calls("judgement") == 1


def test_with_the_counters_away_judgements_are_held_back(deliver, standin, monkeypatch):
    away = Namespace(connect("redis://127.0.0.1:9/0"), "ai")
    monkeypatch.setattr(configured, "counters_for", lambda _: away)
    configured._egress.cache_clear()
    task = deliver(request(), attempts=LAST)
    assert (task.state, task.attempts, task.last_error) == ("pending", LAST, "limits_away")
    assert standin.calls("rubric") == 0


def test_after_five_failures_nobody_asks_until_a_probe_is_answered(deliver, standin):
    standin.order(fail=[{"mode": "error", "status": 503, "times": 99}])
    for number in range(1, 8):
        deliver(request(number))
    assert standin.calls("rubric") == 5
    assert deliver(request(9)).last_error == "circuit_open"
    assert deliver(request(10), attempts=LAST).state == "done"
    assert sent(NewSending)[-1].message_error == UNAVAILABLE
    assert standin.calls("rubric") == 5


def test_twenty_pairs_judged_twice_have_the_same_scores_and_no_second_call(deliver, standin):
    resumes = [
        f"{RESUME}\nKafka: {n} лет, курс {n}" if n % 2 else f"Повар, {n} лет" for n in range(20)
    ]
    for number, resume in enumerate(resumes):
        deliver(request(number + 1, resume=resume))
    calls = standin.counters()["requests"]
    assert calls == 21
    for number, resume in enumerate(resumes):
        deliver(request(number + 101, resume=resume))
    scores = [event.response.score for event in sent(NewSending)]
    assert len(set(scores)) > 1
    assert scores[:20] == scores[20:]
    assert standin.counters()["requests"] == calls
    assert Rubric.objects.count() == 1
    # "Judge again" asks again, and the same answer has the same score.
    deliver(request(1, resume=resumes[0], run=1))
    assert standin.counters()["requests"] == calls + 1
    assert sent(NewSending)[-1].response.score == scores[0]


def test_the_usage_ledger_knows_what_each_analysis_cost(deliver, standin, settings):
    standin.order(fail=[{"mode": "truncated", "kind": "judgement", "times": 1}])
    deliver(request())
    analysis = Analysis.objects.get()
    calls = list(ProviderCall.objects.order_by("id"))
    assert [(c.kind, c.is_useful) for c in calls] == [
        ("rubric", True), ("judgement", False), ("judgement", True),
    ]  # fmt: skip
    assert analysis.cost == sum(c.cost for c in calls) > 0
    price = settings.AI_PRICES["gpt-4.1-mini"]
    first = calls[0]
    assert first.cost * 1_000_000 == (
        first.input_tokens * price.input + first.output_tokens * price.output
    )
    assert analysis.input_tokens == sum(c.input_tokens for c in calls)
    assert analysis.latency_ms == calls[1].latency_ms + calls[2].latency_ms


def test_a_model_without_a_price_costs_nobody_knows_what(deliver, settings):
    settings.AI_PRICES = {}
    deliver(request())
    assert Analysis.objects.get().cost is None


def test_requests_leave_only_from_countries_that_may_ask(deliver, standin):
    standin.order(loc="RU")
    assert deliver(request()).state == "done"
    [outcome] = sent(NewSending)
    assert outcome.message_error == "К ИИ нельзя обращаться из страны, из которой вышел бы запрос."
    assert Analysis.objects.get().error_code == "region_refused"
    assert standin.counters().get("requests", 0) == 0


@pytest.mark.parametrize(("setting", "calls"), [("refuse", 0), ("allow", 2)])
def test_a_country_that_cannot_be_seen_follows_the_setting(
    deliver, standin, settings, setting, calls
):
    settings.EGRESS_UNKNOWN = setting
    settings.EGRESS_TRACE_URL = f"{standin.base}/no/such/page"
    task = deliver(request())
    assert standin.counters().get("requests", 0) == calls
    if setting == "refuse":
        assert (task.state, task.last_error) == ("pending", "egress_unknown")
        assert deliver(request(), attempts=LAST).state == "done"
        assert sent(NewSending)[0].message_error == (
            "Не удалось проверить, из какой страны вышел бы запрос к ИИ."
        )


def test_nothing_above_became_a_dead_letter(deliver, standin):
    standin.order(fail=[{"mode": "error", "status": 500, "times": 99}])
    assert deliver(request(), attempts=LAST).state == "done"
    assert not DeadLetter.objects.exists()


def _let_the_hold_pass() -> None:
    counters_for("ai").redis.delete("ai:limits:state")
