"""What users see of their callbacks, ask for again, and try out."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from standardwebhooks import Webhook

from apps.notifications import samples
from apps.notifications.models import Callback
from kafka_bridge.models import DeadLetter, InboxMessage, MessageTask
from resume_platform.http.signature_authentication import Principal
from tests.db.apps.notifications.conftest import Bridge
from tests.db.apps.notifications.receiver import Receiver, says
from tests.db.apps.notifications.test_delivery import DELETES, outcome, request, secret_of

Start = Callable[..., Receiver]


def client(user_id: int = 1) -> APIClient:
    client = APIClient()
    client.force_authenticate(user=Principal(id=user_id))
    return client


def notifications(user_id: int = 1, **query: Any) -> Any:
    answer = client(user_id).get("/get_notifications", {"processing_id": 20, **query})
    assert answer.status_code == 200, answer.content
    return answer.json()


def redeliver(user_id: int = 1, **body: Any) -> Any:
    body = {"processing_id": 20, **body}
    return client(user_id).post("/redeliver_notification", body, format="json")


def test_a_user_sees_state_attempts_and_when_the_next_one_is(
    bridge: Bridge, receive: Start
) -> None:
    receiver = receive(says(503, b"busy", Retry_After="900"), says(200, b"thanks"))
    bridge.run(request(receiver), "notifications.register")
    (seen,) = notifications()
    assert (seen["state"], seen["attempts"], seen["history"]) == ("registered", 0, [])
    assert seen["why_not_delivered"] == "The processing has no outcome yet."

    task = bridge.take(outcome(receiver))
    bridge.wake(task)
    (seen,) = notifications()
    assert (seen["state"], seen["attempts"]) == ("pending", 1)
    assert seen["next_attempt_at"] > timezone.now().isoformat()
    assert seen["why_not_delivered"].startswith("The receiver answered 503. The next attempt")
    (attempt,) = seen["history"]
    assert (attempt["number"], attempt["status"], attempt["response"]) == (1, 503, "busy")
    assert attempt["address"] == "127.0.0.1"

    bridge.wake(task)
    (seen,) = notifications()
    assert (seen["state"], seen["attempts"], seen["why_not_delivered"]) == ("delivered", 2, "")
    assert seen["webhook_id"] == receiver.requests[0].headers["webhook-id"]
    assert "callback_url" not in seen


def test_each_run_is_shown_the_latest_first(bridge: Bridge, receive: Start) -> None:
    receiver = receive()
    for run in (0, 1):
        bridge.run(outcome(receiver, run=run))
    assert [seen["run"] for seen in notifications()] == [1, 0]


@pytest.mark.parametrize(
    ("call", "unknown"),
    [
        (lambda c, n: c.get("/get_notifications", {"processing_id": n}), 21),
        (lambda c, n: c.post("/redeliver_notification", {"processing_id": n}, format="json"), 21),
    ],
)
def test_only_ones_own_are_seen_and_sent_again(
    bridge: Bridge, receive: Start, call: Any, unknown: int
) -> None:
    receiver = receive()
    bridge.run(outcome(receiver))
    assert call(client(2), 20).status_code == 403
    assert call(client(1), unknown).status_code == 404
    assert call(client(1), "x").status_code == 422
    assert call(APIClient(), 20).status_code == 401
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("state", ["delivered", "failed", "pending"])
def test_a_redelivery_goes_at_once_under_the_same_id(
    bridge: Bridge, receive: Start, state: str
) -> None:
    first = {"delivered": 200, "failed": 410, "pending": 500}[state]
    receiver = receive(says(first), says(200))
    row = bridge.run(outcome(receiver))
    assert Callback.objects.get().state == state

    answer = redeliver()
    assert answer.status_code == 200
    assert answer.json() == {"status": "Redelivery started", "processing_id": 20, "run": 0}
    row.refresh_from_db()
    assert (row.state, row.woken_at) == ("pending", None)
    assert row.next_attempt_at <= timezone.now()
    assert notifications()[0]["state"] == "pending"
    assert not DeadLetter.objects.filter(replayed_at=None).exists()

    assert bridge.wake(row.pk).state == "done"
    again, once = receiver.requests
    assert again.headers["webhook-id"] == once.headers["webhook-id"]
    assert again.body == once.body
    assert [attempt["number"] for attempt in notifications()[0]["history"]] == [1, 2]
    assert notifications()[0]["state"] == "delivered"


def test_a_run_may_be_chosen(bridge: Bridge, receive: Start) -> None:
    receiver = receive()
    bridge.run(outcome(receiver, run=0))
    bridge.run(outcome(receiver, run=1))
    assert redeliver().json()["run"] == 1
    assert redeliver(run=0).json()["run"] == 0
    assert redeliver(run=7).status_code == 404


def test_what_cannot_be_sent_again_says_why(bridge: Bridge, receive: Start) -> None:
    receiver = receive()
    bridge.run(request(receiver), "notifications.register")
    assert (redeliver().status_code, redeliver().json()["code"]) == (409, "no_outcome")
    bridge.run(outcome(receiver))
    InboxMessage.objects.update(value=None)
    assert (redeliver().status_code, redeliver().json()["code"]) == (409, "too_old")


def test_what_was_deleted_after_its_delivery_is_not_sent_again(
    bridge: Bridge, receive: Start
) -> None:
    bridge.run(outcome(receive()))
    bridge.cancel(DELETES[0])
    assert (redeliver().status_code, redeliver().json()["code"]) == (409, "cancelled")
    assert notifications()[0]["state"] == "delivered"
    assert not MessageTask.objects.exclude(state="done").exists()


def test_what_was_called_off_stays_so(bridge: Bridge, receive: Start) -> None:
    receiver = receive(says(500))
    task = bridge.take(outcome(receiver))
    bridge.wake(task)
    bridge.cancel(DELETES[0])
    assert redeliver().json()["code"] == "cancelled"
    assert Callback.objects.get().state == "cancelled"
    assert "deleted" in notifications()[0]["why_not_delivered"]
    assert len(receiver.requests) == 1


def test_a_dead_letter_whose_payload_was_dropped_is_sent_again(
    bridge: Bridge, receive: Start
) -> None:
    receiver = receive(says(404), says(200))
    row = bridge.run(outcome(receiver))
    InboxMessage.objects.update(value=None)
    assert redeliver().status_code == 200
    assert bridge.wake(row.pk).state == "done"
    assert len(receiver.requests) == 2


def test_redeliveries_are_bounded(bridge: Bridge, receive: Start, settings: Settings) -> None:
    settings.REDELIVER_PER_MINUTE = 2
    bridge.run(outcome(receive()))
    assert [redeliver().status_code for _ in range(3)] == [200, 200, 429]
    assert 0 < int(redeliver()["Retry-After"]) <= 60
    assert MessageTask.objects.count() == 1


def try_out(url: str, user_id: int = 1) -> Any:
    return client(user_id).post("/test_callback", {"callback_url": url}, format="json")


@pytest.mark.django_db
def test_a_sample_is_signed_with_the_users_secret(receive: Start) -> None:
    receiver = receive(says(202, b"seen" + b"x" * 5000))
    answer = try_out(receiver.url)
    assert answer.status_code == 200
    assert answer.json()["status"] == 202
    assert answer.json()["error"] is None
    assert answer.json()["response"] == ("seen" + "x" * 5000)[:1024]
    (got,) = receiver.requests
    body = Webhook(secret_of(1)).verify(got.body, got.headers)
    assert (body["test"], body["success"], body["response"]["processing_id"]) == (True, True, 0)
    assert not Callback.objects.exists()


@pytest.mark.django_db
def test_what_goes_wrong_is_told(receive: Start) -> None:
    receiver = receive(says(500, b"trace"))
    assert try_out(receiver.url).json()["status"] == 500
    receiver.close()
    answer = try_out("http://127.0.0.1:1/").json()
    assert (answer["status"], answer["error"]) == (None, "connection_refused")


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://0xa9fea9fe/", "ftp://x/", "", "x"])
def test_a_sample_goes_where_a_callback_may(url: str, receive: Start) -> None:
    receive()
    answer = try_out(url)
    assert answer.status_code == 422
    assert "callback_url" in answer.json()["errors"]


@pytest.mark.django_db
def test_a_name_that_leads_inside_is_not_called(
    receive: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = receive()
    monkeypatch.setattr(
        "apps.notifications.delivery.transport._addresses", lambda host, port: ["169.254.169.254"]
    )
    answer = try_out(f"http://client.test:{receiver.port}/").json()
    assert (answer["status"], answer["error"]) == (None, "forbidden_address")
    assert receiver.connections == 0


@pytest.mark.django_db
def test_five_samples_a_minute_for_each_user(receive: Start) -> None:
    receiver = receive()
    assert [try_out(receiver.url).status_code for _ in range(6)] == [200] * 5 + [429]
    refused = try_out(receiver.url)
    assert refused.json()["code"] == "too_many_tests"
    assert 0 < int(refused["Retry-After"]) <= 60
    assert try_out(receiver.url, user_id=2).status_code == 200
    assert len(receiver.requests) == 6


@pytest.mark.django_db
def test_samples_leave_the_other_threads_of_the_process_alone(receive: Start) -> None:
    receiver = receive()
    with samples._slots, samples._slots:
        assert try_out(receiver.url).json()["code"] == "busy"
    assert try_out(receiver.url).status_code == 200
    assert APIClient().post("/test_callback", {}).status_code == 401
