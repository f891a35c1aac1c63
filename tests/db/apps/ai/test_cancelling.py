"""A run that staff cancel: one outcome, whoever comes first."""

import pytest
from django.db import transaction

from apps.ai import services, tombstones
from apps.ai.models import Analysis
from kafka_bridge.contract.events import NewProcessing, NewSending
from tests.db.apps.ai.events import OWNER, request, sent
from tests.db.apps.ai.test_analyze import in_thread, wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("empty_cache", "ask_the_stand_in"),
]


def test_a_judgement_under_way_comes_second_and_what_it_found_is_dropped(deliver, standin):
    with transaction.atomic():
        tombstones.lock_user(OWNER)  # so that the judgement waits for its commit
        judging = in_thread(lambda: deliver(request()))
        wait_until(lambda: standin.counters().get("answered", 0) == 2, seconds=30)
        assert services.cancel(request=request())
    judging.join(30)
    assert not judging.is_alive()

    analysis = Analysis.objects.get()
    assert (analysis.status, analysis.error_code, analysis.score) == ("failed", "cancelled", None)
    [told] = sent(NewSending)
    assert (told.success, told.run) == (False, 0)
    assert told.message_error == "Обработку отменил сотрудник сервиса."
    assert told.response.callback_url == "https://client.example/hook"
    assert not sent(NewProcessing)


def test_what_waits_to_be_judged_ends_without_asking_the_model(deliver, standin):
    assert services.cancel(request=request(requirements="Python is a must"))
    assert deliver(request()).state == "done"
    assert (standin.calls("rubric"), standin.calls("judgement")) == (0, 0)
    [told] = sent(NewSending)
    assert told.message_error == "The staff cancelled the processing."


def test_what_has_its_outcome_is_not_cancelled_and_twice_is_once(deliver):
    deliver(request(1))
    assert not services.cancel(request=request(1))
    assert [services.cancel(request=request(2)) for _ in range(2)] == [True, False]
    assert [told.success for told in sent(NewSending)] == [True, False]


def test_a_run_after_the_cancelled_one_is_judged(deliver):
    services.cancel(request=request())
    deliver(request(run=1))
    assert [(told.run, told.success) for told in sent(NewSending)] == [(0, False), (1, True)]
