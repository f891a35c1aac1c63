"""What goes wrong inside is told in one shape, and says nothing about the inside."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

SECRET = "password=hunter2 of anna@example.com"


def broken(error: Exception) -> Any:
    def raising(*args: Any, **kwargs: Any) -> None:
        raise error

    return raising


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_defect_is_500_in_json_without_internals(
    client: Client, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setattr("apps.auth.services.refresh", broken(RuntimeError(SECRET)))

    answer = client.post(
        "/auth/refresh_token",
        {"refresh_token": "x"},
        "application/json",
        headers={"accept-language": language},
    )

    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert set(answer.json()) == {"detail", "code"}
    assert "hunter2" not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()


def test_a_database_that_is_away_is_503_without_internals(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.auth.services.refresh", broken(OperationalError(SECRET)))

    answer = client.post("/auth/refresh_token", {"refresh_token": "x"}, "application/json")

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "hunter2" not in answer.content.decode()


def test_a_host_that_is_not_ours_is_400_in_json(client: Client) -> None:
    answer = client.get("/me", headers={"host": "evil.example"})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
