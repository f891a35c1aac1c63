"""Registering: once per name, announced with the row, never half done."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apps.auth.models import User
from kafka_bridge.models import OutboxMessage
from tests.db.apps.auth.factories import PASSWORD, UserFactory

ANNA = {"username": "Anna@Example.com", "password": PASSWORD, "full_name": "Анна К."}


def register(body: Any) -> Any:
    return APIClient().post("/auth/register", body, "json")


@pytest.mark.django_db
def test_a_registration_stores_the_user_and_announces_it() -> None:
    answer = register(ANNA)

    assert answer.status_code == 201
    body = answer.json()
    user = User.objects.get()
    assert {**body, "created_at": None} == {
        "user_id": user.id,
        "username": "anna@example.com",
        "full_name": "Анна К.",
        "created_at": None,
    }
    assert datetime.fromisoformat(body["created_at"]).tzinfo is not None
    event = OutboxMessage.objects.get(key="new_user", topic="uploading_data")
    sent = json.loads(bytes(event.value))
    assert event.partition_key == user.id
    assert (sent["user_id"], sent["username"]) == (user.id, "anna@example.com")
    assert sent["full_name"] == "Анна К."
    assert PASSWORD not in user.password
    assert PASSWORD not in bytes(event.value).decode()


@pytest.mark.django_db
def test_a_name_is_taken_in_any_case() -> None:
    UserFactory(username="anna@example.com")

    answer = register({**ANNA, "username": " ANNA@EXAMPLE.COM "})

    assert answer.status_code == 409
    assert answer.json()["code"] == "username_taken"


@pytest.mark.django_db(transaction=True)
def test_sixteen_registrations_of_one_name_at_once_give_one_user_and_one_event() -> None:
    def one(number: int) -> int:
        try:
            name = "anna@example.com" if number % 2 else "ANNA@example.com"
            return register({**ANNA, "username": name}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(one, range(16)))

    assert sorted(statuses) == [201] + [409] * 15
    assert User.objects.count() == 1
    assert OutboxMessage.objects.filter(key="new_user").count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "no e-mail"}, "username"),
        ({"username": None}, "username"),
        ({"username": "x" * 250 + "@example.com"}, "username"),
        ({"password": "short"}, "password"),
        ({"password": "12345678901"}, "password"),
        ({"password": "anna@example.com"}, "password"),
        ({"password": "a\x00bcdefghijk"}, "password"),
        ({"full_name": "x" * 256}, "full_name"),
        ({"full_name": ["no", "text"]}, "full_name"),
    ],
)
@pytest.mark.django_db
def test_what_is_invalid_is_named_and_leaves_nothing(change: dict[str, Any], field: str) -> None:
    answer = register({**ANNA, **change})

    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]
    assert not User.objects.exists()
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_a_user_without_an_event_is_never_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(event: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("apps.auth.services.outbox.enqueue", broken)
    client = APIClient(raise_request_exception=False)

    assert client.post("/auth/register", ANNA, "json").status_code == 500
    assert not User.objects.exists()
