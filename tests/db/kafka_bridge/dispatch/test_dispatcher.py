"""Redis may forget everything: what is due is told again."""

import json
import threading

import pytest
import redis
from django.db import connection

from kafka_bridge.contract.events import DeleteProcessing, NewRequest, NewResume
from kafka_bridge.dispatch import celery_wakeups
from kafka_bridge.dispatch.dispatcher import Dispatcher
from kafka_bridge.models import MessageTask
from kafka_bridge.tasks import handler
from tests.db.kafka_bridge.conftest import message, request, resume

pytestmark = pytest.mark.django_db

QUEUE = "dispatcher-test"


@pytest.fixture
def queue(settings, handlers, monkeypatch):
    monkeypatch.setattr(celery_wakeups, "ROWS_SIDE_BY_SIDE", 1)
    handlers.clear()
    handler("storage.apply", NewResume, queue=QUEUE)(lambda event, attempt: None)
    client = redis.Redis.from_url(settings.CELERY_BROKER_URL)
    client.delete(QUEUE)
    yield client
    client.delete(QUEUE)


@pytest.fixture
def dispatcher() -> Dispatcher:
    return Dispatcher(threading.Event())


def pass_time(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kafka_bridge_messagetask SET woken_at = woken_at - make_interval(secs => %s)",
            [seconds],
        )


def test_what_redis_forgot_is_told_again(queue, dispatcher, store, settings):
    store(resume(1), resume(2))
    dispatcher.step()
    assert queue.llen(QUEUE) == 0, "the intake told Celery just now"
    pass_time(settings.WAKE_AGAIN_SECONDS + 1)
    dispatcher.step()
    assert queue.llen(QUEUE) == 2
    queue.flushall()
    pass_time(settings.WAKE_AGAIN_SECONDS + 1)
    dispatcher.step()
    assert queue.llen(QUEUE) == 2


def test_a_backlog_stays_in_postgresql(queue, dispatcher, store, settings):
    settings.WAKE_LIMIT = 3
    store(*[resume(n) for n in range(1, 11)])
    MessageTask.objects.update(woken_at=None)
    for _ in range(3):
        dispatcher.step()
    assert queue.llen(QUEUE) == 3


def test_news_for_a_full_queue_is_left_to_the_dispatcher(queue, dispatcher, store, settings):
    settings.WAKE_LIMIT = 4
    ids = store(*[resume(n) for n in range(1, 11)])
    assert celery_wakeups.wake("storage.apply", ids)
    assert queue.llen(QUEUE) == 4
    queue.delete(QUEUE)
    dispatcher.step()
    assert queue.llen(QUEUE) == 4, "the others are told at once, not after a wait for an answer"
    told = MessageTask.objects.exclude(woken_at=None)
    assert told.count() == 8


def test_news_that_celery_cannot_be_told_is_told_when_redis_is_back(
    queue, dispatcher, store, settings
):
    ids = store(resume(1))
    there, settings.CELERY_BROKER_URL = settings.CELERY_BROKER_URL, "redis://127.0.0.1:9/0"
    assert not celery_wakeups.wake("storage.apply", ids)
    settings.CELERY_BROKER_URL = there
    dispatcher.step()
    assert queue.llen(QUEUE) == 1


def test_a_backlog_of_one_kind_does_not_keep_another_from_the_shared_queue(
    queue, dispatcher, inbox, settings
):
    settings.WAKE_LIMIT = 6
    handler("ai.analyze", NewRequest, queue=QUEUE)(lambda event, attempt: None)
    handler("ai.forget", DeleteProcessing, queue=QUEUE)(lambda event, attempt: None)
    inbox.store(
        [message(request(n + 1), n, topic_name="AI_handler") for n in range(40)], cluster_id="c"
    )
    MessageTask.objects.update(woken_at=None)
    dispatcher.step()
    inbox.store(
        [message(DeleteProcessing(processing_ids=[n + 1], user_id=7), n) for n in range(5)],
        cluster_id="c",
    )
    MessageTask.objects.filter(name="ai.forget").update(woken_at=None)
    told = MessageTask.objects.filter(name="ai.forget").exclude(woken_at=None)
    for expected in range(1, 6):  # the workers take three at a time, of three kinds
        queue.rpop(QUEUE, 3)
        dispatcher.step()
        assert told.count() == expected
    assert queue.llen(QUEUE) == 6


def test_one_users_backlog_does_not_keep_anothers_row_waiting(queue, dispatcher, inbox, settings):
    settings.WAKE_LIMIT = 8  # half of it for storage.apply, which has as many rows
    handler("ai.analyze", NewRequest, queue=QUEUE)(lambda event, attempt: None)
    crowd = [request(n) for n in range(1, 301)]
    others = [request(n).model_copy(update={"user_id": n}) for n in (501, 502)]
    inbox.store(
        [message(event, n, topic_name="AI_handler") for n, event in enumerate(crowd + others)],
        cluster_id="c",
    )
    MessageTask.objects.update(woken_at=None)

    dispatcher.step()

    heads = [json.loads(item)["headers"] for item in reversed(queue.lrange(QUEUE, 0, -1))]
    told = [head["argsrepr"] for head in heads if head["task"] == "ai.analyze"]
    rows = MessageTask.objects.filter(name="ai.analyze").order_by("pk").values_list("pk", flat=True)
    first, second, *_, one, other = rows
    assert told == [f"[[{pk}]]" for pk in (first, one, other, second)]


def test_a_retry_that_is_not_due_is_left_alone(queue, dispatcher, store):
    store(resume(1))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kafka_bridge_messagetask SET woken_at = NULL,"
            " next_attempt_at = now() + interval '1 min'"
        )
    dispatcher.step()
    assert queue.llen(QUEUE) == 0


def test_a_wake_up_carries_ids_and_nothing_else(queue, dispatcher, store):
    store(resume(1, text="SECRET"))
    MessageTask.objects.update(woken_at=None)
    dispatcher.step()
    message = queue.lindex(QUEUE, 0)
    assert b"storage.apply" in message
    assert b"SECRET" not in message


def test_a_row_whose_worker_died_is_recovered_and_told_again(queue, dispatcher, store):
    [task_id] = store(resume(1))
    MessageTask.objects.update(
        state="leased", lease_token="0" * 32, lease_expires_at="2020-01-01T00:00:00Z"
    )
    dispatcher.step()
    row = MessageTask.objects.get(pk=task_id)
    assert (row.state, row.suspect, row.crashes_alone) == ("pending", True, 0)
    assert queue.llen(QUEUE) == 1
