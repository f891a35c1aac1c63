"""Payloads, signatures and backoff as tables."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from apps.notifications.delivery import backoff, payloads, signing
from kafka_bridge.contract.events import NewNotifications, NewSending

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
IDS = {"processing_id": 1, "user_id": 2, "resume_id": 3, "requirements_id": 4}
JUDGED = {"score": 85, "matches": ["Python"], "recommendation": "Звать", "verdict": "Подходит"}
URL = {"callback_url": "https://client.example/hook?key=secret"}
MASTER = "whsec_" + base64.b64encode(b"m" * 32).decode()
OLD_MASTER = "whsec_" + base64.b64encode(b"o" * 24).decode()


def success(**changes: Any) -> dict[str, Any]:
    return {
        "success": True,
        "response": {**URL, **IDS, **JUDGED},
        "message_error": None,
        "wait_seconds": None,
    } | changes


def failure(**changes: Any) -> dict[str, Any]:
    return {"success": False, "response": {**URL, **IDS}, "message_error": "No answer."} | changes


def body_of(event: dict[str, Any]) -> dict[str, Any]:
    return json.loads(payloads.build(NewSending.model_validate(event), NOW).body)


def test_a_success_is_the_event_without_the_url() -> None:
    payload = payloads.build(NewSending.model_validate(success()), NOW)
    assert payload.headers == {}
    assert payload.body.decode() == (
        '{"success":true,"response":{"processing_id":1,"user_id":2,"resume_id":3,'
        '"requirements_id":4,"score":85,"matches":["Python"],"recommendation":"Звать",'
        '"verdict":"Подходит"},"message_error":null,"wait_seconds":null}'
    )


def test_details_go_along_when_there_are_any() -> None:
    event = success(response={**URL, **IDS, **JUDGED, "details": {"criteria": [1]}})
    assert body_of(event)["response"]["details"] == {"criteria": [1]}


def test_a_failure_names_its_processing_and_the_time_it_happened() -> None:
    payload = payloads.build(NewSending.model_validate(failure()), NOW)
    assert payload.headers == {"X-Error-Notification": "true"}
    assert json.loads(payload.body) == {
        "status": "error",
        "timestamp": "2026-11-20T12:00:00+00:00",
        "error": {
            "type": "processing_error",
            "code": 500,
            "message": "No answer.",
            "details": {"reason": "No answer.", "service": "ai_processor"},
        },
        "processing_id": 1,
    }


def test_a_rate_limit_says_how_long_to_wait() -> None:
    error = body_of(failure(message_error="Slow down.", wait_seconds=40))["error"]
    assert (error["type"], error["code"], error["message"]) == (
        "Too many request",
        429,
        "Slow down.",
    )
    assert error["details"] == {
        "reason": "Too many request",
        "service": "ai_processor",
        "wait_seconds": 40,
    }


def test_the_body_and_the_id_are_the_same_at_every_attempt_and_for_every_copy() -> None:
    sending, copy = (
        payloads.build(model.model_validate(failure()), NOW)
        for model in (NewSending, NewNotifications)
    )
    assert sending == copy
    moscow = NOW.astimezone(timezone(timedelta(hours=3)))
    assert payloads.build(NewSending.model_validate(failure()), moscow) == sending
    later = payloads.build(NewSending.model_validate(failure()), NOW + timedelta(hours=1))
    assert later.webhook_id == sending.webhook_id


@pytest.mark.parametrize(
    "other", [success(run=1), success(response={**URL, **IDS, **JUDGED, "score": 84}), failure()]
)
def test_another_run_or_content_has_another_id(other: dict[str, Any]) -> None:
    def webhook_id(event: dict[str, Any]) -> str:
        return payloads.build(NewSending.model_validate(event), NOW).webhook_id

    assert webhook_id(other) != webhook_id(success())


@pytest.mark.parametrize(
    ("secret", "is_good"),
    [
        (MASTER, True),
        (OLD_MASTER, True),
        (signing.user_secret(MASTER, 2), True),
        (signing.user_secret(OLD_MASTER, 2), True),
        (signing.user_secret(MASTER, 3), False),
    ],
)
def test_the_public_library_verifies_each_secret_of_the_user(secret: str, is_good: bool) -> None:
    body = '{"verdict":"Подходит"}'.encode()
    headers = signing.headers(
        webhook_id="msg_1",
        timestamp=int(datetime.now(UTC).timestamp()),
        body=body,
        user_id=2,
        masters=[MASTER, OLD_MASTER],
    )
    if is_good:
        assert Webhook(secret).verify(body, headers) == {"verdict": "Подходит"}
    else:
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)


def test_a_users_secret_is_the_hmac_of_the_master_and_the_id() -> None:
    # Computed with: printf 2 | openssl dgst -sha256 -hmac mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm
    assert signing.user_secret(MASTER, 2) == "whsec_pJyV87H1HHpyM+hx1jquadsa2SNz1XdBgmKwHZFWJnM="


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (200, "success"), (201, "success"), (204, "success"), (299, "success"),
        (408, "retried"), (429, "retried"), (500, "retried"), (503, "retried"), (599, "retried"),
        (101, "final"), (301, "final"), (302, "final"), (304, "final"), (400, "final"),
        (401, "final"), (404, "final"), (410, "final"), (600, "final"),
    ],
)  # fmt: skip
def test_what_a_status_means(status: int, meaning: str) -> None:
    found = (backoff.is_success(status), backoff.is_retried(status))
    assert found == (meaning == "success", meaning == "retried")


@pytest.mark.parametrize(
    ("number", "retry_after", "luck", "seconds"),
    [
        (1, None, 0, 4), (1, None, 1, 6), (2, None, 0.5, 300), (7, None, 0.5, 36000),
        (9, None, 0.5, 36000), (1, 60.0, 0.5, 60), (2, 60.0, 0.5, 300),
    ],
)  # fmt: skip
def test_the_next_attempt_follows_the_schedule(
    number: int,
    retry_after: float | None,
    luck: float,
    seconds: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: low + luck * (high - low))
    schedule = (5, 300, 1800, 7200, 18000, 36000, 36000)
    delay = backoff.next_delay(number, schedule, retry_after=retry_after)
    assert delay == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None), ("", None), ("soon", None), ("-5", None), ("1.5", None),
        ("0", 0), ("120", 120), (" 120 ", 120), ("9" * 5000, 3600), ("86400", 3600),
        ("Fri, 20 Nov 2026 12:01:00 GMT", 60), ("Fri, 20 Nov 2026 12:01:00 -0000", 60),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0), ("Sat, 20 Nov 2027 12:00:00 GMT", 3600),
        ("Fri, 99 Nov 2026 12:00:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_in_seconds_or_as_a_date(
    header: str | None, seconds: float | None
) -> None:
    assert backoff.parse_retry_after(header, NOW) == seconds
