"""Callbacks from the event to the receiver, through the bridge's own task rows."""

import json
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import factory
import psycopg2
import pytest
from django.db import OperationalError
from django.db import connection as db
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from standardwebhooks import Webhook

from apps.notifications import claims
from apps.notifications.models import Callback, CallbackAttempt
from kafka_bridge.contract.events import (
    DeleteProcessing,
    DeleteRequirements,
    NewNotifications,
    NewRequest,
    NewSending,
    SendingResponse,
)
from kafka_bridge.dead_letters import replay
from kafka_bridge.models import DeadLetter, MessageTask
from kafka_bridge.tasks import Attempt
from resume_platform.http.signature_authentication import Principal
from resume_platform.redis import cache
from tests.db.apps.notifications.conftest import Bridge
from tests.db.apps.notifications.receiver import Receiver, says

Start = Callable[..., Receiver]
IDS = {"processing_id": 20, "user_id": 1, "resume_id": 30, "requirements_id": 40}
DELETES = [
    DeleteProcessing(processing_ids=[20], user_id=1),
    DeleteRequirements(processings_ids=[], requirements_ids=[40], user_id=1),
]
STRANGERS = [
    DeleteProcessing(processing_ids=[20], user_id=2),
    DeleteRequirements(processings_ids=[20], requirements_ids=[40], user_id=2),
]


class ResponseFactory(factory.Factory):
    class Meta:
        model = SendingResponse

    callback_url = "http://127.0.0.1:1/"
    processing_id = 20
    user_id = 1
    resume_id = 30
    requirements_id = 40
    score = 85
    matches = ["Python"]
    recommendation = "Звать"
    verdict = "Подходит"


def outcome(to: Receiver, model: Any = NewSending, run: int = 0, **changes: Any) -> Any:
    return model(success=True, run=run, response=ResponseFactory(callback_url=to.url, **changes))


def failure(to: Receiver) -> NewSending:
    response = ResponseFactory(callback_url=to.url, score=None, matches=None)
    return NewSending(success=False, response=response, message_error="No answer.")


def request(to: Receiver) -> NewRequest:
    return NewRequest(callback_url=to.url, **IDS, requirements="a", resume="b")


def callback() -> Callback:
    return Callback.objects.get()


def secret_of(user_id: int) -> str:
    client = APIClient()
    client.force_authenticate(user=Principal(id=user_id))
    return client.get("/webhook_secret").json()["secret"]


def test_an_outcome_is_posted_once_signed_and_recorded(
    bridge: Bridge, receive: Start, settings: Settings, transactions_during_post: list[bool]
) -> None:
    receiver = receive(says(200, b"thanks"))
    assert bridge.run(request(receiver), "notifications.register").state == "done"
    assert callback().state == "registered"
    assert bridge.run(outcome(receiver)).state == "done"

    (got,) = receiver.requests
    assert got.headers["content-type"] == "application/json"
    assert "x-error-notification" not in got.headers
    assert json.loads(got.body)["response"]["score"] == 85
    for secret in (secret_of(1), settings.WEBHOOK_SECRET[0]):
        Webhook(secret).verify(got.body, got.headers)
    assert secret_of(1) not in (settings.WEBHOOK_SECRET[0], secret_of(2))
    assert transactions_during_post == [False]

    assert callback().state == "delivered"
    attempt = CallbackAttempt.objects.get()
    assert (attempt.number, attempt.status_code, attempt.response_excerpt) == (1, 200, "thanks")
    mark = cache.cache_for("notifications").redis
    assert mark.get("notifications:processed_messages:20") == "_"
    assert 259_000 < mark.ttl("notifications:processed_messages:20") <= 259_200


def test_a_failure_is_posted_as_one(bridge: Bridge, receive: Start) -> None:
    receiver = receive()
    bridge.run(failure(receiver))
    (got,) = receiver.requests
    assert got.headers["x-error-notification"] == "true"
    assert json.loads(got.body)["timestamp"] == "2026-11-20T12:00:00+00:00"


@pytest.mark.parametrize("redis_forgets", [False, True])
def test_copies_and_redeliveries_of_an_outcome_are_not_posted_again(
    bridge: Bridge, receive: Start, redis_forgets: bool
) -> None:
    receiver = receive()
    bridge.run(outcome(receiver))
    if redis_forgets:
        cache.cache_for("notifications").redis.flushdb()
    assert bridge.run(outcome(receiver, NewNotifications)).state == "done"
    assert bridge.run(outcome(receiver)).state == "done"
    assert bridge.run(outcome(receiver, score=10)).state == "done"
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("redis_forgets", [False, True])
def test_a_replay_of_what_was_delivered_is_not_posted_again(
    bridge: Bridge, receive: Start, redis_forgets: bool
) -> None:
    receiver = receive()
    row = bridge.run(outcome(receiver))
    if redis_forgets:
        cache.cache_for("notifications").redis.flushdb()
    row.state = "pending"
    row.save(update_fields=["state"])
    assert bridge.wake(row.pk).state == "done"
    assert len(receiver.requests) == 1


def test_a_copy_leaves_the_retries_to_the_first(bridge: Bridge, receive: Start) -> None:
    receiver = receive(says(500), says(200))
    first = bridge.take(outcome(receiver))
    bridge.wake(first)
    assert bridge.run(outcome(receiver, NewNotifications)).state == "done"
    assert len(receiver.requests) == 1
    assert bridge.wake(first).state == "done"
    assert callback().state == "delivered"


def test_a_higher_run_is_called_back_too(bridge: Bridge, receive: Start) -> None:
    receiver = receive()
    for run in (0, 1, 1, 0):
        bridge.run(outcome(receiver, run=run))
    assert len({got.headers["webhook-id"] for got in receiver.requests}) == 2
    assert len(receiver.requests) == 2


def test_a_mark_without_a_delivery_in_the_database_suppresses_nothing(
    bridge: Bridge, receive: Start
) -> None:
    cache.cache_for("notifications").redis.set("notifications:processed_messages:20", "_")
    receiver = receive()
    bridge.run(outcome(receiver))
    assert len(receiver.requests) == 1


def test_without_redis_it_is_called_back_all_the_same(
    bridge: Bridge, receive: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = cache.Cache(cache.connect("redis://127.0.0.1:1/0"), "notifications")
    monkeypatch.setattr("resume_platform.redis.processed_marks.cache_for", lambda namespace: away)
    receiver = receive()
    assert bridge.run(outcome(receiver)).state == "done"
    assert callback().state == "delivered"


def test_a_retry_has_the_same_id_and_body_and_waits_as_the_receiver_asks(
    bridge: Bridge, receive: Start
) -> None:
    receiver = receive(says(503, b"busy", Retry_After="900"), says(200))
    task = bridge.take(failure(receiver))
    row = bridge.wake(task)
    assert (row.state, row.attempts, row.last_error) == ("pending", 1, "status_503")
    for due in (row.next_attempt_at, callback().next_attempt_at):
        assert due is not None
        assert abs(due - timezone.now() - timedelta(seconds=900)) < timedelta(seconds=5)
    assert (callback().state, callback().last_error) == ("pending", "status_503")

    assert bridge.wake(task).state == "done"
    first, second = receiver.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    history = CallbackAttempt.objects.values_list("number", "status_code")
    assert list(history) == [(1, 503), (2, 200)]
    assert (callback().state, callback().last_error) == ("delivered", "")


def test_a_worker_that_dies_after_the_post_posts_again_under_the_same_id(
    bridge: Bridge, receive: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = receive()
    task = bridge.take(outcome(receiver))
    finish = Attempt.finish

    def die(*arguments: Any, **options: Any) -> None:
        monkeypatch.setattr(Attempt, "finish", finish)
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(Attempt, "finish", die)
    row = bridge.wake(task)
    assert (row.state, row.attempts) == ("pending", 0)
    assert bridge.wake(task).state == "done"
    assert len({got.headers["webhook-id"] for got in receiver.requests}) == 1
    assert len(receiver.requests) == 2


def test_a_worker_that_lost_its_lease_during_the_post_writes_nothing(
    bridge: Bridge, receive: Start
) -> None:
    def take_over_then_answer(connection: Any) -> None:
        MessageTask.objects.update(lease_token=uuid.uuid4())
        db.close()
        says(200)(connection)

    receiver = receive(take_over_then_answer)
    assert bridge.run(outcome(receiver)).state == "leased"
    assert (callback().state, callback().attempts) == ("pending", 0)
    assert not CallbackAttempt.objects.exists()


def test_what_is_cancelled_while_the_end_waits_for_its_row_stays_cancelled(
    bridge: Bridge, receive: Start
) -> None:
    holder = psycopg2.connect(**db.get_connection_params())

    def cancel_then_answer(connection: Any) -> None:
        with holder.cursor() as cursor:
            cursor.execute("UPDATE notifications_callback SET state = 'cancelled'")
        says(200, b"echo of the resume")(connection)

    receiver = receive(cancel_then_answer)
    rows = []

    def deliver() -> None:
        rows.append(bridge.run(outcome(receiver)))
        db.close()

    delivering = threading.Thread(target=deliver)
    delivering.start()
    delivering.join(1)
    assert delivering.is_alive()
    holder.commit()
    holder.close()
    delivering.join(20)
    assert (rows[0].state, callback().state, callback().attempts) == ("done", "cancelled", 1)
    assert CallbackAttempt.objects.get().response_excerpt == ""


@pytest.mark.parametrize("status", [301, 404, 410])
def test_a_final_answer_is_a_dead_letter_whose_replay_tries_again(
    bridge: Bridge, receive: Start, status: int
) -> None:
    receiver = receive(says(status), says(200))
    task = bridge.take(outcome(receiver))
    assert bridge.wake(task).state == "dead"
    assert (callback().state, callback().last_error) == ("failed", f"status_{status}")
    letter = DeadLetter.objects.get()
    assert letter.reason == f"status_{status}"
    assert replay.replay(letter)
    assert bridge.wake(task).state == "done"
    assert callback().state == "delivered"
    assert len(receiver.requests) == 2


def test_the_schedule_is_followed_to_its_end(
    bridge: Bridge, receive: Start, full_schedule: None
) -> None:
    receiver = receive(says(500))
    task = bridge.take(outcome(receiver))
    delays = []
    for _ in range(7):
        row = bridge.wake(task)
        assert row.state == "pending"
        delays.append((row.next_attempt_at - timezone.now()).total_seconds())
    for delay, planned in zip(delays, (5, 300, 1800, 7200, 18000, 36000, 36000), strict=True):
        assert planned * 0.8 - 2 < delay <= planned * 1.2
    assert bridge.wake(task).state == "dead"
    assert len(receiver.requests) == 8
    assert (callback().state, callback().next_attempt_at) == ("failed", None)
    assert DeadLetter.objects.get().reason == "exhausted"


def test_a_forbidden_address_is_final_and_said_so(
    bridge: Bridge, receive: Start, settings: Settings
) -> None:
    receiver = receive()
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = []
    assert bridge.run(outcome(receiver)).state == "dead"
    assert receiver.connections == 0
    attempt = CallbackAttempt.objects.get()
    assert (attempt.error, attempt.address) == ("forbidden_address", "127.0.0.1")


@pytest.mark.parametrize("delete", DELETES)
def test_what_its_owner_deleted_is_not_called_back_in_whatever_order(
    bridge: Bridge, receive: Start, delete: Any
) -> None:
    receiver = receive()
    bridge.cancel(delete)
    bridge.run(request(receiver), "notifications.register")
    assert bridge.run(outcome(receiver)).state == "done"
    assert bridge.run(outcome(receiver, run=1)).state == "done"
    assert receiver.connections == 0
    assert not Callback.objects.exclude(state="cancelled").exists()


@pytest.mark.parametrize("delete", DELETES)
def test_a_delete_between_two_attempts_calls_off_the_second(
    bridge: Bridge, receive: Start, delete: Any
) -> None:
    receiver = receive(says(500, b"echo of the resume"))
    task = bridge.take(outcome(receiver))
    bridge.wake(task)
    bridge.cancel(delete)
    assert bridge.wake(task).state == "done"
    assert len(receiver.requests) == 1
    stripped = callback()
    assert (stripped.state, bytes(stripped.body), stripped.callback_url) == ("cancelled", b"", "")
    assert CallbackAttempt.objects.get().response_excerpt == ""


def test_a_delete_during_the_post_leaves_it_cancelled_without_texts(
    bridge: Bridge, receive: Start
) -> None:
    def delete_then_answer(connection: Any) -> None:
        bridge.cancel(DELETES[0])
        db.close()
        says(200, b"echo of the resume")(connection)

    receiver = receive(delete_then_answer)
    assert bridge.run(outcome(receiver)).state == "done"
    assert (callback().state, bytes(callback().body)) == ("cancelled", b"")
    assert CallbackAttempt.objects.get().response_excerpt == ""


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_callback_waits_for_a_delete_of_its_user_and_for_nobody_else(
    bridge: Bridge, receive: Start, is_alone: bool
) -> None:
    """Who deletes holds the user's lock alone; claims of other callbacks share it."""
    receiver = receive()
    task = bridge.take(outcome(receiver))

    def deliver() -> None:
        bridge.wake(task)
        db.close()

    delivering = threading.Thread(target=deliver)
    lock = "pg_advisory_xact_lock" if is_alone else "pg_advisory_xact_lock_shared"
    holder = psycopg2.connect(**db.get_connection_params())
    with holder, holder.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(%s, 1)", [claims.LOCK_CLASS])
        cursor.execute(
            "INSERT INTO notifications_tombstone (kind, target_id, user_id)"
            " VALUES ('processing', 20, 1)"
        )
        delivering.start()
        delivering.join(0.5 if is_alone else 20)
        assert delivering.is_alive() == is_alone
    holder.close()
    delivering.join(20)
    assert len(receiver.requests) == (0 if is_alone else 1)


@pytest.mark.parametrize("delete", STRANGERS)
def test_a_strangers_delete_stops_no_callback(bridge: Bridge, receive: Start, delete: Any) -> None:
    receiver = receive()
    bridge.cancel(delete)
    bridge.run(outcome(receiver))
    assert len(receiver.requests) == 1
    bridge.cancel(delete)
    assert (callback().state, callback().host) == ("delivered", "127.0.0.1")


def test_an_outcome_for_anothers_processing_is_a_dead_letter(
    bridge: Bridge, receive: Start
) -> None:
    receiver = receive()
    bridge.run(request(receiver), "notifications.register")
    assert bridge.run(outcome(receiver, user_id=2)).state == "dead"
    assert DeadLetter.objects.get().reason == "owner_conflict"
    assert receiver.connections == 0


def test_the_secret_is_shown_to_its_user_alone() -> None:
    assert APIClient().get("/webhook_secret").status_code == 401


def test_an_outcome_that_comes_after_a_later_runs_is_not_called_back(bridge, receive):
    receiver = receive()
    assert bridge.run(outcome(receiver, run=1)).state == "done"
    assert bridge.run(outcome(receiver, run=0)).state == "done"
    assert len(receiver.requests) == 1
    assert set(Callback.objects.values_list("run", "state")) == {(0, "cancelled"), (1, "delivered")}
